// What the journal says of the recent past, for the core: which rates were used, which scopes rest, what the
// breakers saw, how many calls were left unfinished. Read once, before the first run is opened: what changed while
// a limit looks back, and, for the outside may have told them to rest, the runs that were at work last.
import type { Asked, CoreEntry } from "./core.ts";
import type { Digest } from "./digest.ts";
import { ENTRY_KINDS, type Entry, EntryKind, OUTCOMES, SOURCES } from "./entry.ts";
import { outOfRange } from "./entry-bounds.ts";
import { JournalError } from "./errors.ts";
import { overloadedBy, plannedCall } from "./journaled-run.ts";
import type { LimitTable } from "./limit-table.ts";
import type { Json } from "./outcome.ts";
import { type Payload, type Plan, type PlannedCall, readPayload, readPlan } from "./payload.ts";
import type { Journal, RunSummary } from "./ports.ts";
import { isTimeout, limitThatRests } from "./reasons.ts";
import { addKey, addTerms, PLAIN_TERMS } from "./start-terms.ts";
import type { ToolTable } from "./tool-table.ts";

/** Most runs that are read: the newest. What lies before is forgotten, and said so. */
export const RECALLED_RUNS_MAX = 10_000;

/** Events of the past in order of their time, and the calls that they speak of. */
export interface Past {
  readonly entries: CoreEntry[];
  readonly asked: Asked;
  /** Runs that were too many to read. */
  readonly left: number;
}

interface RecallWith {
  readonly journal: Journal;
  readonly tools: ToolTable;
  readonly limits: LimitTable;
  readonly digest: (name: string) => Digest;
  readonly wallMs: number;
  /** Runs whose lease this host has just taken, by key, as they were then. */
  readonly taken: ReadonlyMap<string, readonly Entry[]>;
}

/** A rest is a day at most, so nothing older says anything. */
const REST_MS_MAX = 86_400_000;
/** Where no limit looks back: most runs left open that are read for their rests and their unfinished calls … */
const LEFT_OPEN_MAX = 100;
/** … and most entries of closed ones: a run that closed may have been told to rest by its last call. */
const CLOSED_ENTRIES_MAX = 2_000;

/** Reads the runs that changed while a limit still looks back. A run that cannot be read says nothing: opening it will say why. */
export async function readPast(withThese: RecallWith): Promise<Past> {
  const { wallMs, limits } = withThese;
  const since = wallMs - limits.looksBackMs;
  const runs = (await withThese.journal.runs()).toSorted((a, b) => b.updatedAt - a.updatedAt);
  const counts = limits.looksBackMs > 0 ? runs.filter(({ updatedAt }) => updatedAt >= since) : [];
  const ofTheDay = runs.filter(({ updatedAt }) => updatedAt >= wallMs - REST_MS_MAX);
  const open = ofTheDay.filter(({ closed }) => !closed).slice(0, LEFT_OPEN_MAX);
  const recent = [...new Set([...counts, ...open, ...newestClosed(ofTheDay)])];
  const read = recent.slice(0, RECALLED_RUNS_MAX);
  const past: Past = {
    entries: [],
    asked: { calls: [], terms: [], keys: [], charges: [] },
    left: recent.length - read.length,
  };
  for (const { run, closed, leased } of read) {
    const taken = withThese.taken.get(run);
    const entries = taken ?? (await readIfAny(withThese.journal, run));
    // What another living host has in hand is not left to this one.
    const leftOpen = !closed && (taken !== undefined || !leased);
    if (entries !== undefined) addRun(past, entries, { since, leftOpen }, withThese);
  }
  past.entries.sort((a, b) => (a.at < b.at ? -1 : a.at > b.at ? 1 : 0));
  return past;
}

/** The closed ones of these, newest first, as long as they have few entries. */
function newestClosed(runs: readonly RunSummary[]): RunSummary[] {
  let entries = 0;
  const newest: RunSummary[] = [];
  for (const run of runs) {
    if (!run.closed) continue;
    entries += run.entries;
    if (entries > CLOSED_ENTRIES_MAX) break;
    newest.push(run);
  }
  return newest;
}

/** A run that cannot be read must not keep others from being opened. */
async function readIfAny(journal: Journal, run: string): Promise<readonly Entry[] | undefined> {
  try {
    return await journal.read(run);
  } catch (thrown) {
    if (thrown instanceof JournalError) return undefined; // opening it says so
    throw thrown;
  }
}

interface Reading {
  /** Wall ms: nothing older counts for a rate or a breaker. */
  readonly since: number;
  /** A crash left it to whoever comes next. */
  readonly leftOpen: boolean;
}

function addRun(past: Past, entries: readonly Entry[], reading: Reading, withThese: RecallWith): void {
  if (entries.some((entry) => outOfRange(entry) !== undefined)) return; // corrupt: opening it says so, with where and why
  const counts = (entry: Entry): boolean =>
    SPEAKS.has(entry.kind) && (entry.at >= reading.since || mayRest(entry, withThese.wallMs));
  const slots = new PastSlots();
  try {
    for (const entry of entries) {
      if (entry.kind === EntryKind.planned) slots.plan(entry);
      if (entry.kind === EntryKind.settled) slots.settled.add(entry.slot);
      if (!counts(entry)) continue;
      const slot = slots.at(entry.slot);
      if (slot === undefined) continue;
      slot.row ??= addCall(past, slot.call, slot.tenant, withThese);
      const row = pastEntry(entry, slot.row, withThese.tools.numberOf(slot.call.tool), withThese.limits);
      if (row !== undefined) past.entries.push(row);
    }
    if (reading.leftOpen) addUnfinished(past, slots.unfinished(), withThese);
  } catch (thrown) {
    if (!(thrown instanceof SyntaxError)) throw thrown; // a plan that is none: opening it says so
  }
}

/** A call of the past; its row among those of `Past` once something is said of it. */
interface PastSlot {
  readonly call: PlannedCall;
  readonly tenant: string | undefined;
  row?: number;
}

/** The slots of a run, read only as far as somebody asks: of most that were settled nothing is to be said. */
class PastSlots {
  readonly settled = new Set<number>();
  readonly #plans: { readonly entry: Entry; readonly from: number; slots?: PastSlot[] }[] = [];
  #next = 0;

  plan(entry: Entry): void {
    this.#plans.push({ entry, from: this.#next });
    this.#next += entry.count;
  }

  /** Throws SyntaxError when its plan is none. */
  at(ordinal: number): PastSlot | undefined {
    const plan = ordinal < this.#next ? this.#plans.findLast(({ from }) => from <= ordinal) : undefined;
    if (plan === undefined) return undefined;
    plan.slots ??= slotsOf(readPlan(plan.entry.payload, plan.entry.count));
    return plan.slots[ordinal - plan.from];
  }

  *unfinished(): Generator<PastSlot> {
    for (let ordinal = 0; ordinal < this.#next; ordinal++) if (!this.settled.has(ordinal)) yield this.at(ordinal)!;
  }
}

function slotsOf({ calls, tenant }: Plan): PastSlot[] {
  return calls.map((call) => ({ call, tenant }));
}

const SPEAKS: ReadonlySet<number> = new Set([EntryKind.started, EntryKind.attemptFailed, EntryKind.settled]);

/** May it say that a scope rests still? */
function mayRest({ kind, until }: Entry, wallMs: number): boolean {
  return until > wallMs && (kind === EntryKind.attemptFailed || kind === EntryKind.settled);
}

/** How many calls of each tool were left, to be made again. */
function addUnfinished(past: Past, slots: Iterable<PastSlot>, withThese: RecallWith): void {
  const left = new Map<string, { readonly first: PlannedCall; count: number }>();
  for (const { call } of slots) {
    const others = left.get(call.tool);
    if (others === undefined) left.set(call.tool, { first: call, count: 1 });
    else others.count++;
  }
  for (const { first, count } of left.values()) {
    const { key: _, cost: __, ...call } = first;
    const slot = addCall(past, call, undefined, withThese);
    past.entries.push({ ...BLANK, kind: "planned", slot, count, at: BigInt(withThese.wallMs) });
  }
}

const BLANK: CoreEntry = {
  kind: "planned",
  outcome: "ok",
  source: "executed",
  run: 0,
  slot: 0,
  count: 0,
  attempt: 0,
  payload: 0,
  at: 0n,
  until: 0n,
  reason: "none",
  scope: "runtime",
  number: 0,
};

function addCall({ asked }: Past, call: PlannedCall, tenant: string | undefined, withThese: RecallWith): number {
  const { tools, limits, digest } = withThese;
  const cost = call.cost ?? tools.get(call.tool)?.start.cost;
  const row = { ...plannedCall(call, tools, digest), terms: 0 };
  if (call.key !== undefined || cost !== undefined)
    row.terms = addTerms(asked, { ...PLAIN_TERMS, key: call.key, cost }, limits.meters, digest);
  if (tenant !== undefined) row.ready = addKey(asked, digest(tenant), false);
  return asked.calls.push(row) - 1;
}

function keptValue(entry: Entry): Json | undefined {
  const payload = readPayload("ok", entry.payload);
  return payload.kind === "value" ? payload.value : null;
}

/** An entry as `recall` takes it; undefined where it says nothing of the outside's health or use. */
function pastEntry(entry: Entry, slot: number, tool: number, limits: LimitTable): CoreEntry | undefined {
  const kind = ENTRY_KINDS[entry.kind];
  const outcome = OUTCOMES[entry.outcome];
  const source = SOURCES[entry.source];
  if (kind === undefined || outcome === undefined || source === undefined) return undefined;
  const failed = kind === "attempt-failed" || outcome === "error";
  const payload = failed && kind !== "started" ? readPayload("error", entry.payload) : undefined;
  const { attempt } = entry;
  const times = { at: BigInt(entry.at), until: BigInt(entry.until) };
  const row: CoreEntry = { ...BLANK, kind, outcome, source, slot, attempt, ...times };
  if (payload?.kind !== "error") {
    // A slot that was never called says nothing; one that ran out of time does.
    if (outcome !== "ok" && outcome !== "timed-out" && kind === "settled") return undefined;
    if (outcome === "timed-out" && !isTimeout(keptValue(entry))) return undefined; // its batch's deadline, not its own time
    return row;
  }
  const rests = restOf(payload, limits);
  if (rests !== undefined) return { ...row, ...rests };
  // Errors that Holdfast gives a call say nothing of the tool; of others its breakers are asked, as when they happened.
  if (payload.error.name === "HoldfastError" || !limits.isFailure(tool, payload.error)) return undefined;
  return row;
}

/** The outside said "slow down", and whose limit rests; whether the call came again, or that was its end. */
function restOf(payload: Payload, limits: LimitTable): Partial<CoreEntry> | undefined {
  const again = overloadedBy(payload, limits);
  if (again.reason !== undefined) return again;
  const limit = limitThatRests(payload);
  const scope = limit === undefined ? undefined : limits.find(limit);
  if (scope === undefined) return undefined;
  return { reason: "rate-limited-beyond-deadline", scope: scope.kind, number: scope.number };
}
