// What the journal says of the recent past, for the core: which rates were used, which scopes rest, what the
// breakers saw. Read once, before the first run is opened: what changed while a limit looks back, and runs that
// a crash left open, for the outside may have told them to rest.
import type { Asked, CoreEntry } from "./core.ts";
import type { Digest } from "./digest.ts";
import { ENTRY_KINDS, type Entry, EntryKind, OUTCOMES, SOURCES } from "./entry.ts";
import { outOfRange } from "./entry-bounds.ts";
import { JournalError } from "./errors.ts";
import { overloadedBy, plannedCall } from "./journaled-run.ts";
import type { LimitTable } from "./limit-table.ts";
import { type PlannedCall, readPayload, readPlan, readTenant } from "./payload.ts";
import type { Journal } from "./ports.ts";
import { addKey, addTerms } from "./start-terms.ts";
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
}

/** A rest is a day at most, so nothing older says anything. */
const REST_MS_MAX = 86_400_000;
/** Where no limit looks back: most runs left open that are read for their rests. */
const LEFT_OPEN_MAX = 100;

/** Reads the runs that changed while a limit still looks back. A run that cannot be read says nothing: opening it will say why. */
export async function readPast(withThese: RecallWith): Promise<Past> {
  const { wallMs, limits } = withThese;
  const since = wallMs - limits.looksBackMs;
  const runs = (await withThese.journal.runs()).toSorted((a, b) => b.updatedAt - a.updatedAt);
  const counts = limits.looksBackMs > 0 ? runs.filter(({ updatedAt }) => updatedAt >= since) : [];
  const open = runs
    .filter(({ closed, updatedAt }) => !closed && updatedAt >= wallMs - REST_MS_MAX)
    .slice(0, LEFT_OPEN_MAX);
  const recent = [...new Set([...counts, ...open])];
  const read = recent.slice(0, RECALLED_RUNS_MAX);
  const past: Past = {
    entries: [],
    asked: { calls: [], terms: [], keys: [], charges: [] },
    left: recent.length - read.length,
  };
  for (const { run } of read) {
    const entries = await readIfAny(withThese.journal, run);
    if (entries !== undefined) addRun(past, entries, since, withThese);
  }
  past.entries.sort((a, b) => (a.at < b.at ? -1 : a.at > b.at ? 1 : 0));
  return past;
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

function addRun(past: Past, entries: readonly Entry[], since: number, withThese: RecallWith): void {
  if (entries.some((entry) => outOfRange(entry) !== undefined)) return; // corrupt: opening it says so, with where and why
  const slots: { readonly call: PlannedCall; readonly tenant: string | undefined; row: number }[] = [];
  for (const entry of entries) {
    if (entry.kind === EntryKind.planned) {
      try {
        const tenant = readTenant(entry.payload);
        for (const call of readPlan(entry.payload, entry.count)) slots.push({ call, tenant, row: -1 });
      } catch (thrown) {
        if (thrown instanceof SyntaxError) return;
        throw thrown;
      }
      continue;
    }
    const slot = slots[entry.slot];
    const rests = entry.kind === EntryKind.attemptFailed && entry.until > withThese.wallMs;
    if (slot === undefined || (entry.at < since && !rests) || !SPEAKS.has(entry.kind)) continue;
    if (slot.row === -1) slot.row = addCall(past, slot.call, slot.tenant, withThese);
    const row = pastEntry(entry, slot.row, withThese.tools.numberOf(slot.call.tool), withThese.limits);
    if (row !== undefined) past.entries.push(row);
  }
}

const SPEAKS: ReadonlySet<number> = new Set([EntryKind.started, EntryKind.attemptFailed, EntryKind.settled]);

function addCall({ asked }: Past, call: PlannedCall, tenant: string | undefined, withThese: RecallWith): number {
  const { tools, limits, digest } = withThese;
  const cost = call.cost ?? tools.get(call.tool)?.start.cost;
  const plain = {
    priority: 0,
    weight: 1,
    startWithinMs: 0,
    sheddable: false,
    background: false,
    reads: [],
    writes: [],
  };
  const row = plannedCall(call, tools, digest);
  if (call.key !== undefined || cost !== undefined)
    row.terms = addTerms(asked, { ...plain, key: call.key, cost }, limits.meters, digest);
  if (tenant !== undefined) row.ready = addKey(asked, digest(tenant), false);
  return asked.calls.push(row) - 1;
}

/** An entry as `recall` takes it; undefined where it says nothing of the outside's health or use. */
function pastEntry(entry: Entry, slot: number, tool: number, limits: LimitTable): CoreEntry | undefined {
  const kind = ENTRY_KINDS[entry.kind];
  const outcome = OUTCOMES[entry.outcome];
  const source = SOURCES[entry.source];
  if (kind === undefined || outcome === undefined || source === undefined) return undefined;
  const failed = kind === "attempt-failed" || outcome === "error";
  const payload = failed && kind !== "started" ? readPayload("error", entry.payload) : undefined;
  const row: CoreEntry = {
    kind,
    outcome,
    source,
    run: 0,
    slot,
    count: 0,
    attempt: entry.attempt,
    payload: 0,
    at: BigInt(entry.at),
    until: BigInt(entry.until),
    reason: "none",
    scope: "runtime",
    number: 0,
  };
  if (payload?.kind !== "error") {
    // A slot that was never called says nothing; one that ran out of time does.
    if (outcome !== "ok" && outcome !== "timed-out" && kind === "settled") return undefined;
    if (outcome === "timed-out" && entry.payload !== null) return undefined; // its batch's deadline, not its own time
    return row;
  }
  Object.assign(row, overloadedBy(payload, limits));
  if (row.reason === "overloaded") return row;
  // Errors that Holdfast gives a call say nothing of the tool; of others its breakers are asked, as when they happened.
  if (payload.error.name === "HoldfastError" || !limits.isFailure(tool, payload.error)) return undefined;
  return row;
}
