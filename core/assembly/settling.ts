// What the moves of a slot are made of: it waits, it stands in line, its call ends, its outcome is known. Here
// its entries and resolutions are made; which of it is done when, the moves decide.
import { unabandon } from "./abandoned";
import { dequeue, enqueue, release, settledInOrder, unlock } from "./admission";
import { settledOne, watchLeaving } from "./closing";
import { ActionKind, EntryKind, Gate, Outcome, Reason, ScopeKind, Source, State } from "./codes";
import { Conditions } from "./conditions";
import { refundCosts } from "./costs";
import { lastStart } from "./deadline";
import { Ended, tellScopes } from "./health";
import { keepNoMore } from "./kept";
import { leaveBatch } from "./membership";
import { isWaiting, noteChange } from "./nesting";
import { action, entry, resolution } from "./output";
import { patienceOf, policyOf } from "./policies";
import { Entry } from "./records";
import { Said } from "./recovery";
import { forgetBegun, pastOf, Slot } from "./runs";
import { Scope } from "./scopes";
import { arm, disarm } from "./timers";
import { now, toMs, wall } from "./turn";

export function resolve(slot: Slot, replayed: bool): void {
  const row = resolution(slot.run.number, slot.ordinal);
  row.outcome = slot.outcome;
  row.source = slot.source;
  row.replayed = replayed;
  row.attempts = slot.attempt;
  row.payload = slot.payload;
  row.queuedAt = slot.queuedAt;
  row.startedAt = slot.startedAt;
  row.endedAt = replayed ? pastOf(slot).endedAt : wall;
}

// Why the next slot settles as it does: set right before `settle`, told in its entry.
let reason: u8 = 0;
let reasonScope: usize = 0;
let reasonUntil: u64 = 0;

/** A limit or a deadline decides: which scope (0 = none), and until when that holds, on the clock of now (0 = nobody knows). */
export function because(why: i32, scope: usize, until: u64): void {
  reason = <u8>why;
  reasonScope = scope;
  reasonUntil = until;
}

function explained(row: Entry): void {
  if (reasonUntil > now) row.until = wall + toMs(reasonUntil - now);
  if (reasonScope == 0) return;
  row.scope = changetype<Scope>(reasonScope).kind;
  row.number = changetype<Scope>(reasonScope).number;
}

/** The slot is in another state from now on. */
export function become(slot: Slot, state: i32): void {
  if (isWaiting(slot.state)) slot.run.waits--;
  if (isWaiting(state)) slot.run.waits++;
  slot.state = <u8>state;
  if (state != State.suspended) keepNoMore(slot);
  noteChange(slot);
}

/** It can keep nobody from starting any more. */
export function leave(slot: Slot): void {
  unlock(slot);
  leaveBatch(slot);
}

/** The outcome is known. `leaves`: the call still runs and keeps its permits until it has ended. */
export function settle(slot: Slot, outcome: i32, source: i32, payload: u32, leaves: bool): void {
  slot.outcome = <u8>outcome;
  slot.source = <u8>source;
  slot.payload = payload;
  const row = entry(EntryKind.settled, slot.run.number, slot.ordinal, wall);
  row.outcome = <u8>outcome;
  row.source = <u8>source;
  row.attempt = slot.attempt;
  row.payload = payload;
  if (slot.preempted && outcome == Outcome.cancelled) {
    because(Reason.preempted, 0, 0);
    row.scope = <u8>ScopeKind.lock;
  }
  row.reason = reason;
  if (reason != Reason.none) explained(row);
  because(Reason.none, 0, 0); // its scope may go with this slot
  disarm(slot);
  dequeue(slot);
  become(slot, leaves ? State.leaving : State.settled);
  settledInOrder(slot);
  if (!leaves) {
    release(slot);
    leave(slot);
  }
  resolve(slot, false);
  if (!leaves) forgetBegun(slot);
  settledOne(slot);
}

export function ranAs(slot: Slot): i32 {
  return slot.recovered ? Source.reExecuted : Source.executed;
}

/** The call has really ended: it waits for nothing any more, its scopes learn how, and its permits return. */
export function ended(slot: Slot, how: Ended): void {
  slot.run.inFlight--;
  dequeue(slot); // it may have stood in line to go on
  if (slot.abandoned) unabandon(slot);
  tell(slot, how);
  release(slot);
}

export function tell(slot: Slot, how: Ended): void {
  if (slot.told) return;
  slot.told = true;
  tellScopes(slot, how);
  if (how == Ended.badly || how == Ended.overloaded) refundCosts(slot);
}

export function wait(slot: Slot, state: i32, until: u64): void {
  become(slot, state);
  slot.dueAt = until;
  arm(slot);
}

export function line(slot: Slot, state: i32): void {
  become(slot, state);
  slot.dueAt = 0;
  enqueue(slot);
  if (state == State.queued && slot.conditions != 0) {
    const within = changetype<Conditions>(slot.conditions).startWithin;
    if (within != 0 && slot.said == Said.planned) slot.dueAt = slot.queuedSince + within;
    const last = lastStart(slot);
    if (last != 0 && (slot.dueAt == 0 || last < slot.dueAt)) slot.dueAt = last + 1;
  }
  arm(slot);
}

export function tellToStop(slot: Slot, reason: i32): u64 {
  const row = action(ActionKind.abort, Gate.none, slot.run.number, slot.ordinal);
  row.attempt = slot.attempt;
  row.code = <u8>reason;
  row.until = policyOf(slot.tool).grace;
  return patienceOf(slot.tool);
}

/** The outcome is known while the call still runs, told to stop. `until`: when nobody waits for that any more. */
export function settleLeaving(slot: Slot, outcome: i32, source: i32, until: u64): void {
  settle(slot, outcome, source, 0, true);
  watchLeaving(slot, until);
}
