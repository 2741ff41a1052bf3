// What a run's journal holds goes back in. A journal is untrusted: entries that cannot follow one
// another are refused by their row, and the run is not opened.

import { fill } from "./batch";
import { findSlot, growIds, indexSlot } from "./call-ids";
import { EntryKind, NONE, Refusal, State } from "./codes";
import { entry } from "./output";
import { Call, Entry, stride } from "./records";
import { Said } from "./recovery";
import { countMatched, countUnmatched, findRun, freeRun, makePlan, makeRun, Past, pastOf, Run, slotAt } from "./runs";
import { disarm } from "./timers";
import { onClock, wall } from "./turn";

/** Why an entry was refused: a code and its slot. */
export let refusal: u8 = 0;
export let refusedRow: u32 = 0;
export let refusedSlot: u32 = 0;

function refuseEntry(code: i32, row: u32, slot: u32): bool {
  refusal = <u8>code;
  refusedRow = row;
  refusedSlot = slot;
  return false;
}

function planAgain(run: Run, from: Entry, calls: usize): void {
  const plan = makePlan(run, from.count);
  growIds(run);
  plan.past = heap.alloc(<usize>from.count * offsetof<Past>()); // a field is read where an entry has written it
  plan.deadline = from.until;
  plan.deadlineAt = onClock(from.until);
  for (let i: u32 = 0; i < from.count; i++) {
    const slot = slotAt(run, plan.first + i)!;
    const call = changetype<Call>(calls + stride<Call>(8) * i);
    const past = pastOf(slot);
    past.inputHigh = call.inputHigh;
    past.inputLow = call.inputLow;
    past.startedAt = 0; // it may never have started
    fill(slot, call);
    slot.queuedAt = from.at;
    slot.streamed = call.terms != 0;
    countUnmatched(run, slot);
    const superseded = findSlot(run, slot.idHigh, slot.idLow);
    if (superseded !== null && !superseded.matched) {
      superseded.matched = true;
      countMatched(run, superseded);
    }
    indexSlot(run, slot);
  }
}

/** One entry of an attempt's life. False: it cannot follow what came before. */
function replayAttempt(run: Run, from: Entry, row: u32): bool {
  const slot = slotAt(run, from.slot);
  if (slot === null) return refuseEntry(Refusal.unknownSlot, row, from.slot);
  const settled = slot.state == State.settled;
  switch (<EntryKind>from.kind) {
    case EntryKind.started:
      if (settled) return refuseEntry(Refusal.entryOutOfOrder, row, from.slot);
      if (from.attempt != slot.attempt + 1) return refuseEntry(Refusal.attemptOutOfOrder, row, from.slot);
      if (slot.said == Said.started) slot.recovered = true; // the one before ended in a crash
      slot.said = <u8>Said.started;
      slot.attempt = from.attempt;
      if (slot.attempt == 1) pastOf(slot).startedAt = from.at;
      return true;
    case EntryKind.attemptFailed:
      if (slot.said != Said.started) return refuseEntry(Refusal.entryOutOfOrder, row, from.slot);
      if (from.attempt != slot.attempt) return refuseEntry(Refusal.attemptOutOfOrder, row, from.slot);
      slot.said = <u8>Said.attemptFailed;
      pastOf(slot).nextAt = from.until;
      slot.payload = from.payload;
      return true;
    case EntryKind.settled:
      if (settled) return refuseEntry(Refusal.settledTwice, row, from.slot);
      if (from.attempt != slot.attempt) return refuseEntry(Refusal.attemptOutOfOrder, row, from.slot);
      slot.said = <u8>Said.settled;
      slot.state = <u8>State.settled;
      slot.outcome = from.outcome;
      slot.source = from.source;
      slot.payload = from.payload;
      slot.size = from.count;
      pastOf(slot).endedAt = from.at;
      if (slot.timer != 0) disarm(slot); // its deadline has nothing left to decide
      return true;
    default: // late
      return settled ? true : refuseEntry(Refusal.entryOutOfOrder, row, from.slot);
  }
}

function replayAll(run: Run, entries: usize, entryCount: u32, calls: usize, callCount: u32): bool {
  let taken: u32 = 0;
  for (let row: u32 = 0; row < entryCount; row++) {
    const from = changetype<Entry>(entries + stride<Entry>(8) * row);
    switch (<EntryKind>from.kind) {
      case EntryKind.runOpened:
        break;
      case EntryKind.planned:
        if (from.slot != run.slotCount || from.count == 0) return refuseEntry(Refusal.entryOutOfOrder, row, from.slot);
        if (from.count > callCount - taken) return refuseEntry(Refusal.callMissing, row, from.slot);
        planAgain(run, from, calls + stride<Call>(8) * taken);
        taken += from.count;
        break;
      case EntryKind.started:
      case EntryKind.attemptFailed:
      case EntryKind.settled:
      case EntryKind.late:
        if (!replayAttempt(run, from, row)) return false;
        break;
      case EntryKind.runClosed:
        return refuseEntry(Refusal.runClosed, row, NONE);
      default:
        return refuseEntry(Refusal.entryOutOfOrder, row, from.slot);
    }
  }
  return taken == callCount ? true : refuseEntry(Refusal.callMissing, entryCount, NONE);
}

/** Takes a run. False: refused, and nothing has changed; `refusal`, `refusedRow` and `refusedSlot` say why. */
export function openRun(number: u32, adapt: bool, entries: usize, entryCount: u32, calls: usize, callCount: u32): bool {
  if (findRun(number) !== null) return refuseEntry(Refusal.runOpenAlready, 0, NONE);
  const run = makeRun(number, adapt);
  if (!replayAll(run, entries, entryCount, calls, callCount)) {
    for (let i: u32 = 0; i < run.slotCount; i++) disarm(slotAt(run, i)!);
    freeRun(run);
    return false;
  }
  entry(EntryKind.runOpened, number, 0, wall);
  return true;
}
