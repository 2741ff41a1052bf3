// A batch of the program meets the journal: its calls are matched by id with planned slots, what is new
// is planned as one entry, what differs is a mismatch. Either all of a batch is taken or nothing changes.

import { holdInOrder } from "./buffer";
import { findSlot, growIds, indexSlot } from "./call-ids";
import { forget } from "./closing";
import { ActionKind, EntryKind, Gate, Happening, Mismatch, NONE, Refusal, State } from "./codes";
import { Conditions, impose } from "./conditions";
import { copyLimits, freeScope } from "./dynamic-scopes";
import { areRight, charges, keyAt, keys, termsAt } from "./inputs";
import { freeBatch, joinBatch, joinStreams, makeBatch, streamOf } from "./membership";
import { make } from "./memory";
import { happen } from "./moves";
import { action, entry, place, refuse } from "./output";
import { Call, Event, stride } from "./records";
import { Batch, countMatched, findRun, makePlan, mustMatch, Plan, pastOf, Run, Slot, slotAt, timerOf } from "./runs";
import { keysAreLimited, Scope } from "./scopes";
import { comeIn, Tenant } from "./tenants";
import { armPlan } from "./timers";
import { now, onClock, wall } from "./turn";

const ANNOUNCE: i32 = 1;

function callAt(calls: usize, index: u32): Call {
  return changetype<Call>(calls + stride<Call>(8) * index);
}

/** The first call whose id an earlier call of the range has, or NONE. */
function duplicateIn(calls: usize, first: u32, count: u32): u32 {
  if (count < 2) return NONE;
  let capacity: u32 = 16;
  while (capacity < count * 2) capacity *= 2;
  const mask = capacity - 1;
  const seen = make(<usize>capacity * 4); // call index + 1, open addressing
  let duplicate = NONE;
  for (let i = first; i < first + count && duplicate == NONE; i++) {
    const call = callAt(calls, i);
    let at = <u32>call.idLow & mask;
    for (;;) {
      const other = load<u32>(seen + <usize>at * 4);
      if (other == 0) {
        store<u32>(seen + <usize>at * 4, i + 1);
        break;
      }
      const earlier = callAt(calls, other - 1);
      if (earlier.idLow == call.idLow && earlier.idHigh == call.idHigh) {
        duplicate = i;
        break;
      }
      at = (at + 1) & mask;
    }
  }
  heap.free(seen);
  return duplicate;
}

/** How a call differs from the slot of its id: a mismatch kind, or NONE. */
function differs(slot: Slot, call: Call): u32 {
  const past = pastOf(slot);
  if (past.inputHigh == call.inputHigh && past.inputLow == call.inputLow) return NONE;
  return slot.tool == call.tool ? <u32>Mismatch.inputChanged : <u32>Mismatch.toolChanged;
}

export function reportMismatch(run: Run, slot: u32, call: u32, kind: i32): void {
  const row = action(ActionKind.mismatch, Gate.none, run.number, slot);
  row.call = call;
  row.code = <u8>kind;
}

/** Reports the journal's slots that nothing has spoken of. */
export function reportUnused(run: Run): void {
  for (let i: u32 = 0; i < run.slotCount; i++) {
    if (!slotAt(run, i)!.matched) reportMismatch(run, i, NONE, Mismatch.unusedSlot);
  }
}

/** Reports how each call of the batch differs from the journal; `unexpected`: calls that the journal does not have count. */
function reportDifferences(run: Run, calls: usize, first: u32, count: u32, unexpected: bool): void {
  for (let i = first; i < first + count; i++) {
    const call = callAt(calls, i);
    const slot = findSlot(run, call.idHigh, call.idLow);
    if (slot === null) {
      if (unexpected) reportMismatch(run, NONE, i, Mismatch.unexpectedCall);
      continue;
    }
    slot.matched = true; // so that it is not reported as unused as well
    const kind = differs(slot, call);
    if (kind != NONE) reportMismatch(run, slot.ordinal, i, kind);
  }
}

/** What the program says of the call now: its reconciler, its bounds, whether it can be made at all. */
function speakOf(slot: Slot, call: Call): void {
  slot.tool = call.tool;
  slot.reconciles = call.reconciles;
  slot.runFor = call.runFor;
  slot.ready = call.ready;
  slot.readyOutcome = call.readyOutcome;
  // The stricter of then and now: what was called as `once` is not safe to call again because a new build says so.
  if (call.effect > slot.effect) slot.effect = call.effect;
  slot.matched = true;
}

/** What it says of its start, where it is to start here. */
function imposeTerms(slot: Slot, call: Call): void {
  const terms = termsAt(call.terms);
  if (terms === null) return;
  const before: usize = slot.conditions == 0 ? 0 : changetype<Conditions>(slot.conditions).keyScope;
  const name = keyAt(terms.key);
  const key: Scope | null = name !== null && keysAreLimited ? copyLimits(true, name.nameHigh, name.nameLow) : null;
  impose(slot, terms, key, keys, charges);
  if (before != 0) freeScope(changetype<Scope>(before));
}

/** The tenant that the batch belongs to, or null: it is a flow of its own. */
function tenantOf(event: Event): Tenant | null {
  const name = keyAt(event.slot);
  return name === null ? null : comeIn(name.nameHigh, name.nameLow, event.attempt == 0 ? 1000 : event.attempt);
}

export function fill(slot: Slot, call: Call): void {
  slot.idHigh = call.idHigh;
  slot.idLow = call.idLow;
  slot.tool = call.tool;
  slot.effect = call.effect;
  if (call.deadline == 0) return;
  const timer = timerOf(slot);
  timer.deadline = call.deadline;
  timer.deadlineAt = onClock(call.deadline);
}

/** The slots that are new become one planned entry. */
function plan(run: Run, count: u32, deadline: u64): Plan {
  const made = makePlan(run, count);
  growIds(run);
  made.deadline = deadline;
  made.deadlineAt = onClock(deadline);
  const row = entry(EntryKind.planned, run.number, made.first, wall);
  row.count = count;
  row.until = deadline;
  return made;
}

/** The program asks for a matched slot. */
export function claimSlot(slot: Slot): void {
  if (slot.state == State.planned && slot.plan.deadlineAt > now) armPlan(slot.plan);
  happen(slot, Happening.claim);
}

export function takeBatch(event: Event, calls: usize, callCount: u32): void {
  const first = event.first;
  const count = event.count;
  const run = findRun(event.run);
  if (run === null) return refuse(event.run, first, Refusal.runNotOpen);
  if (run.over || run.closing) return refuse(event.run, first, Refusal.runClosed);
  if (first > callCount || count > callCount - first) return refuse(event.run, first, Refusal.callMissing);
  const duplicate = duplicateIn(calls, first, count);
  if (duplicate != NONE) return refuse(event.run, duplicate, Refusal.duplicateId);

  for (let i = first; i < first + count; i++) {
    if (!areRight(callAt(calls, i).terms)) return refuse(event.run, i, Refusal.callMissing);
  }

  let unknown: u32 = 0; // ids that the journal does not have
  let changed: u32 = 0;
  let met: u32 = 0; // slots of the journal spoken of for the first time, but for those of streams
  for (let i = first; i < first + count; i++) {
    const call = callAt(calls, i);
    const slot = findSlot(run, call.idHigh, call.idLow);
    if (slot === null) {
      unknown++;
      continue;
    }
    if (slot.matched) return refuse(event.run, i, Refusal.duplicateId);
    if (!slot.streamed) met++;
    if (differs(slot, call) != NONE) changed++;
  }
  // A stream's calls come when they come, beside others: what it has not said yet it may still say.
  const unexpected = unknown > 0 && streamNumber(event) == 0 && mustMatch(run) > met;
  if (!run.adapt && (changed > 0 || unexpected)) {
    reportDifferences(run, calls, first, count, unexpected);
    reportUnused(run);
    forget(run);
    return;
  }
  settleIn(run, event, calls, unknown + changed);
}

/** The run's number for the stream that these calls are of; 0 = none. */
function streamNumber(event: Event): u32 {
  return <u32>(event.a >> 32);
}

/** A batch of its own, or that of the stream whose calls these are, as long as it has any. */
function batchFor(run: Run, event: Event, ordered: bool): Batch {
  const stream = streamNumber(event);
  if (stream != 0) {
    const known = streamOf(run, stream);
    if (known !== null) return known;
  }
  const batch = makeBatch(run, <u32>event.a, tenantOf(event), ordered);
  if (stream != 0) joinStreams(batch, stream);
  return batch;
}

/** Gives every call of the batch its slot, and claims them unless they are only announced. */
function settleIn(run: Run, event: Event, calls: usize, fresh: u32): void {
  const ordered = event.payload != 0 && event.mode != ANNOUNCE;
  const batch = batchFor(run, event, ordered);
  const made: Plan | null = fresh > 0 ? plan(run, fresh, event.b) : null;
  let next: u32 = made === null ? 0 : made.first;
  const chosen = make(<usize>event.count * sizeof<usize>());
  for (let i: u32 = 0; i < event.count; i++) {
    const call = callAt(calls, event.first + i);
    const known = findSlot(run, call.idHigh, call.idLow);
    let slot: Slot;
    if (known !== null && differs(known, call) == NONE) {
      slot = known;
      countMatched(run, known);
    } else {
      if (known !== null) {
        reportMismatch(run, known.ordinal, event.first + i, differs(known, call));
        known.matched = true; // left behind, and reported
        countMatched(run, known);
      }
      slot = slotAt(run, next++)!;
      fill(slot, call);
      slot.streamed = streamNumber(event) != 0;
      indexSlot(run, slot);
    }
    place(run.number, event.first + i, slot.ordinal, slot.plan === made);
    speakOf(slot, call);
    if (slot.state != State.settled) {
      joinBatch(slot, batch);
      imposeTerms(slot, call);
    }
    store<usize>(chosen + <usize>i * sizeof<usize>(), changetype<usize>(slot));
  }
  // Its members may leave as they are claimed; one of our own keeps the batch until all have been.
  batch.members++;
  if (ordered) holdInOrder(batch, event.payload, chosen, event.count);
  if (event.mode != ANNOUNCE) {
    for (let i: u32 = 0; i < event.count; i++)
      claimSlot(changetype<Slot>(load<usize>(chosen + <usize>i * sizeof<usize>())));
  }
  if (!ordered) heap.free(chosen);
  if (--batch.members == 0) freeBatch(batch);
}
