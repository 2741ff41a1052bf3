// What the core asks to be made durable, as the journal holds it: names and bytes instead of this host's
// numbers. Pure.
import type { CoreEntry } from "./core.ts";
import { ENTRY_KINDS, type Entry, type EntryKind, OUTCOMES, SOURCES } from "./entry.ts";
import { fallbackFor, withFallback } from "./fallback.ts";
import type { LiveRun } from "./live-run.ts";
import { planPayload } from "./payload.ts";
import type { PreparedCall } from "./prepared-call.ts";
import { type LimitNames, reasonPayload } from "./reasons.ts";

const kindNumbers = new Map(ENTRY_KINDS.map((name, number) => [name, number as EntryKind]));
const outcomeNumbers = new Map(OUTCOMES.map((name, number) => [name, number]));
const sourceNumbers = new Map(SOURCES.map((name, number) => [name, number]));

/** An entry of these numbers, with this payload. */
export function entryRow(row: CoreEntry, payload: Entry["payload"]): Entry {
  return {
    kind: kindNumbers.get(row.kind)!,
    slot: row.slot,
    count: row.count,
    attempt: row.attempt,
    outcome: outcomeNumbers.get(row.outcome)!,
    source: sourceNumbers.get(row.source)!,
    at: Number(row.at),
    until: Number(row.until),
    payload,
  };
}

/** An entry with its payload: a plan's is made of the calls that have just been placed. */
export function entryOf(run: LiveRun, row: CoreEntry, names: LimitNames): Entry {
  if (row.kind !== "planned") return entryRow(row, payloadOf(run, row, names));
  const calls: PreparedCall[] = [];
  for (let i = 0; i < row.count; i++) calls.push(run.slots[row.slot + i]!.call);
  return entryRow(row, planPayload(calls, run.slots[row.slot]!.tenant?.id));
}

/** Its own, or what says in words why a limit or a deadline decided, and what is called instead: that is kept for the outcome. */
function payloadOf(run: LiveRun, row: CoreEntry, names: LimitNames): Uint8Array | null {
  const own = row.payload === 0 ? undefined : run.payloads.get(row.payload);
  const slot = row.kind === "settled" ? run.slots[row.slot] : undefined;
  if (slot === undefined) return own?.bytes ?? null;
  slot.reason = reasonPayload(row, names);
  // What is wrong with the call itself, no other tool mends.
  slot.fallback = slot.call.ready === undefined ? fallbackFor(slot.call.declared?.fallback, row, own) : undefined;
  if (slot.fallback !== undefined) slot.reason = withFallback(slot.reason ?? own, slot.fallback);
  return (slot.reason ?? own)?.bytes ?? null;
}
