// A run's journal, read: what goes back into the core, what a person is shown, what a finished run came
// to. A journal is untrusted; what cannot be is a JournalError that names run and ordinal.
import type { Call, CoreEntry, Refused } from "./core.ts";
import { type Digest, idDigest, type Sha256 } from "./digest.ts";
import { ENTRY_KINDS, type Entry, EntryKind, JOURNAL_FORMAT, OUTCOMES, SOURCES } from "./entry.ts";
import { outOfRange } from "./entry-bounds.ts";
import { JournalError } from "./errors.ts";
import { corrupt } from "./journal-errors.ts";
import type { JournaledSlot } from "./live-run.ts";
import { type Opening, type Payload, type PlannedCall, readOpening, readPayload, readPlan } from "./payload.ts";
import { type LimitNames, saidOverloaded } from "./reasons.ts";
import type { ToolTable } from "./tool-table.ts";

/** What a journal says of a run, ready for the core. */
export interface JournaledRun {
  readonly entries: CoreEntry[];
  readonly calls: Call[];
  readonly slots: JournaledSlot[];
  readonly payloads: Map<number, Payload>;
  /** Of each call id in it: the program is about to make those calls again. */
  readonly idDigests: Map<string, Digest>;
  readonly closed: Entry | undefined;
  /** Versions of the program that opened it, oldest first. */
  readonly versions: readonly (string | undefined)[];
}

function coreEntry(entry: Entry, row: number): CoreEntry {
  return {
    kind: ENTRY_KINDS[entry.kind]!,
    outcome: OUTCOMES[entry.outcome] ?? "ok",
    source: SOURCES[entry.source] ?? "executed",
    run: 0,
    slot: entry.slot,
    count: entry.kind === EntryKind.settled ? (entry.payload?.byteLength ?? 0) : entry.count,
    attempt: entry.attempt,
    payload: row + 1,
    at: bigOf(entry.at),
    until: entry.until === 0 ? 0n : BigInt(entry.until),
    reason: "none",
    scope: "runtime",
    number: 0,
  };
}

let lastAt = 0;
let lastBig = 0n;

/** Neighbouring entries are often of one moment: one number for all of them. */
function bigOf(at: number): bigint {
  if (at !== lastAt) {
    lastAt = at;
    lastBig = BigInt(at);
  }
  return lastBig;
}

/** What the journal has in words goes back in as a reason: the scope rests on. One that this host does not have is not its to hold. */
export function overloadedBy(payload: Payload | undefined, names: LimitNames | undefined): Partial<CoreEntry> {
  const said = saidOverloaded(payload?.kind === "error" ? payload.error : undefined);
  if (said === undefined) return {};
  const scope = said.limit === undefined ? undefined : names?.find(said.limit);
  return { reason: "overloaded", scope: scope?.kind ?? "batch", number: scope?.number ?? 0 };
}

/** Reads the entries of a run. Payload numbers are row + 1, below `payloadsFrom`. */
export function readJournal(
  runId: string,
  entries: readonly Entry[],
  tools: ToolTable,
  sha256: Sha256,
  names?: LimitNames,
): JournaledRun {
  const slots: { -readonly [Key in keyof JournaledSlot]: JournaledSlot[Key] }[] = [];
  const payloads = new Map<number, Payload>();
  const calls: Call[] = [];
  const versions: (string | undefined)[] = [];
  const rows: CoreEntry[] = [];
  const idDigests = new Map<string, Digest>();
  const digest = (id: string): Digest => {
    const known = idDigests.get(id) ?? idDigest(id, sha256);
    idDigests.set(id, known);
    return known;
  };
  let closed: Entry | undefined;
  for (const [row, entry] of entries.entries()) {
    const wrong = closed === undefined ? wrongNumbers(entry) : "it comes after the run was closed";
    if (wrong !== undefined) throw corrupt(runId, entry.slot, row, wrong);
    if (entry.kind === EntryKind.runClosed) {
      closed = entry;
      continue;
    }
    rows.push(coreEntry(entry, row));
    const slot = slots[entry.slot];
    switch (entry.kind) {
      case EntryKind.runOpened:
        versions.push(readOpened(runId, entry, row).version);
        break;
      case EntryKind.planned:
        for (const call of read(runId, entry, row, () => readPlan(entry.payload, entry.count)).calls) {
          slots.push({ ...call, state: "planned", batchDeadline: entry.until });
          calls.push(plannedCall(call, tools, digest));
        }
        break;
      case EntryKind.started:
        if (slot !== undefined) slot.state = "in-doubt";
        break;
      case EntryKind.attemptFailed:
        if (slot !== undefined) slot.state = "planned";
        payloads.set(row + 1, readPayload("error", entry.payload));
        Object.assign(rows.at(-1)!, overloadedBy(payloads.get(row + 1), names));
        break;
      case EntryKind.settled:
        if (slot !== undefined) slot.state = "settled";
        payloads.set(row + 1, readPayload(OUTCOMES[entry.outcome] === "error" ? "error" : "ok", entry.payload));
        break;
    }
  }
  return { entries: rows, calls, slots, payloads, idDigests, closed, versions };
}

/** What no entry of this format can hold, or undefined. Checked before any of it becomes a number of the core. */
function wrongNumbers(entry: Entry): string | undefined {
  if (
    ENTRY_KINDS[entry.kind] === undefined ||
    OUTCOMES[entry.outcome] === undefined ||
    SOURCES[entry.source] === undefined
  )
    return "a kind, outcome or source that this version does not know";
  const wrong = outOfRange(entry);
  return wrong === undefined ? undefined : `its ${wrong.field} is out of range`;
}

function readOpened(runId: string, entry: Entry, row: number): Partial<Opening> {
  const opening = read(runId, entry, row, () => readOpening(entry.payload));
  if (opening.format === undefined || opening.format <= JOURNAL_FORMAT) return opening;
  throw new JournalError(
    "journal-version",
    `the journal of run ${JSON.stringify(runId)} was written in format ${opening.format} (entry ${row}); this version reads up to ${JOURNAL_FORMAT}`,
    "Run it with a newer Holdfast. Nothing was called.",
    { details: { runId, entry: row, format: opening.format } },
  );
}

function read<Value>(runId: string, entry: Entry, row: number, reading: () => Value): Value {
  try {
    return reading();
  } catch (thrown) {
    throw corrupt(runId, entry.slot, row, thrown instanceof Error ? thrown.message : String(thrown), thrown);
  }
}

/** A planned call as the core is given it back. */
export function plannedCall(call: PlannedCall, tools: ToolTable, digest: (id: string) => Digest): Call {
  const id = digest(call.id);
  return {
    idHigh: id.high,
    idLow: id.low,
    inputHigh: call.digest.high,
    inputLow: call.digest.low,
    runFor: 0n,
    deadline: BigInt(call.deadline),
    tool: tools.numberOf(call.tool),
    ready: 0,
    effect: call.effect,
    reconciles: false,
    readyOutcome: "ok",
    terms: call.streamed ? 1 : 0,
  };
}

/** The core's refusal of a journal, said to a person. */
export function refusedJournal(runId: string, refused: Refused): JournalError {
  const { code, row, slot } = refused.refusal;
  return corrupt(
    runId,
    slot === 0xffffffff ? undefined : slot,
    row,
    `its entries cannot follow one another (${code})`,
    refused,
  );
}
