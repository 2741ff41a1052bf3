// One turn: events in their order, then what is due, then permits. Each event either finds its slot in
// a state that lists it, or changes nothing: a repeated or a late one does no harm.

import { Admitted, admit, admitted, goFirst, hasReady } from "./admission";
import { claimSlot, reportUnused, takeBatch } from "./batch";
import { findSlot } from "./call-ids";
import { cancel, goOnCancelling, isCancelling } from "./cancel";
import { circleScope, findCircle, startNeeded } from "./circles";
import { closeIfSettled, forget, freeFinished } from "./closing";
import {
  ActionKind,
  EventKind,
  FINAL,
  Gate,
  Happening,
  NO_SAMPLE,
  NONE,
  Outcome,
  OVERLOADED,
  Refusal,
  ScopeKind,
  State,
} from "./codes";
import { Conditions } from "./conditions";
import { correctCosts } from "./costs";
import { forgetIfSilent } from "./dynamic-scopes";
import { gained } from "./freed";
import { takeHeldBack } from "./held-back";
import { chargesOf } from "./inputs";
import { saidCircle, saidSlowDown } from "./limit-moves";
import { promoteOverdue } from "./lines";
import { deadlinePassed, happen } from "./moves";
import { nest } from "./nesting";
import { tellNewcomers, watch } from "./notices";
import { observeRate, pauseScope, regridScope, reprioritiseSlot, resizeScope, unpauseScope } from "./orders";
import { action, refuse } from "./output";
import { measurePressure, onFull, queued } from "./overload";
import { takeVictim } from "./preemption";
import { Event, stride } from "./records";
import { findRun, mustMatch, Plan, Run, Slot, slotAt } from "./runs";
import { Scope, scopeBy, Timed } from "./scopes";
import { Timer } from "./slot-parts";
import { startsMost } from "./steps";
import { forgetTenants } from "./tenants";
import { arm, takeDue } from "./timers";
import { now } from "./turn";

function slotOf(event: Event): Slot | null {
  const run = findRun(event.run);
  return run === null ? null : slotAt(run, event.slot);
}

/** Of the attempt that is under way, not of an earlier one. */
function attemptHappened(event: Event, happening: i32): void {
  const slot = slotOf(event);
  if (slot === null || slot.attempt != event.attempt) return;
  happen(slot, happening, event.payload, (event.mode & FINAL) != 0, (event.mode & NO_SAMPLE) != 0);
}

/** An attempt has returned or thrown, and says perhaps what it cost, or that the outside asked for less. */
function settled(event: Event): void {
  const slot = slotOf(event);
  if (slot === null || slot.attempt != event.attempt) return;
  if (isUnderWay(slot)) correctCosts(slot, chargesOf(event), event.count);
  if ((event.mode & OVERLOADED) == 0) {
    brought(slot, event.a);
    attemptHappened(event, event.outcome == Outcome.ok ? Happening.ok : Happening.error);
    return;
  }
  const kind = <u32>(event.b >> 32);
  const named = kind == ScopeKind.key ? keyScopeOf(slot) : scopeBy(kind, <u32>event.b);
  const scope = named !== null ? named : scopeBy(ScopeKind.tool, slot.tool);
  if (scope === null) return;
  saidSlowDown(scope, event.a);
  happen(slot, Happening.overloaded, event.payload);
}

/** So many bytes have come of it, unless it has settled before. */
function brought(slot: Slot, bytes: u64): void {
  if (slot.state != State.settled && slot.state != State.leaving) slot.size = <u32>min<u64>(bytes, NONE);
}

function keyScopeOf(slot: Slot): Scope | null {
  return slot.conditions == 0 ? null : changetype<Scope | null>(changetype<Conditions>(slot.conditions).keyScope);
}

function isUnderWay(slot: Slot): bool {
  return slot.start != 0 && !slot.told && slot.state != State.settled;
}

function spent(event: Event): void {
  const slot = slotOf(event);
  if (slot !== null && slot.attempt == event.attempt && isUnderWay(slot))
    correctCosts(slot, chargesOf(event), event.count);
}

function claim(event: Event): void {
  const run = findRun(event.run);
  if (run === null) return refuse(event.run, NONE, Refusal.runNotOpen);
  const slot = slotAt(run, event.slot);
  if (run.over || run.closing) return refuse(event.run, NONE, Refusal.runClosed);
  if (slot === null || !slot.matched) return refuse(event.run, NONE, Refusal.unknownCall);
  if (slot.claimed) return refuse(event.run, NONE, Refusal.duplicateId);
  claimSlot(slot);
}

function reconciled(event: Event): void {
  const slot = slotOf(event);
  if (slot === null || slot.asks != event.mode) return; // an ask that was given up
  brought(slot, event.a);
  happen(slot, <u8>(<u32>Happening.verdictDone + event.verdict), event.payload);
}

/** The program has ended. What it never awaited is said and waited for; what it never spoke of is a mismatch. */
function close(event: Event): void {
  const run = findRun(event.run);
  if (run === null || run.over || run.closing) return;
  if (run.unmatched > 0) {
    reportUnused(run);
    // Of a stream the program may have taken less this time: that is said, and no mismatch.
    if (!run.adapt && mustMatch(run) > 0) {
      forget(run);
      return;
    }
  }
  reportUnawaited(run);
  run.closing = true;
  run.closeOutcome = event.outcome;
  run.closePayload = event.payload;
  closeIfSettled(run);
}

function reportUnawaited(run: Run): void {
  for (let i = run.cursor; i < run.slotCount; i++) {
    const slot = slotAt(run, i)!;
    const done = slot.state == State.settled || slot.state == State.leaving;
    if (!slot.matched || (slot.claimed && done)) continue;
    if (findSlot(run, slot.idHigh, slot.idLow) !== slot) continue; // left behind: the id is another slot's now
    action(ActionKind.unawaited, Gate.none, run.number, slot.ordinal);
  }
}

function apply(event: Event, calls: usize, callCount: u32): void {
  switch (<EventKind>event.kind) {
    case EventKind.batch:
      return takeBatch(event, calls, callCount);
    case EventKind.claim:
      return claim(event);
    case EventKind.settled:
      return settled(event);
    case EventKind.reconciled:
      return reconciled(event);
    case EventKind.stopped:
      return attemptHappened(event, Happening.stopped);
    case EventKind.lost:
      return attemptHappened(event, Happening.lost);
    case EventKind.suspend:
      return attemptHappened(event, Happening.suspend);
    case EventKind.resume:
      return attemptHappened(event, Happening.resume);
    case EventKind.cancel:
      return cancel(event);
    case EventKind.close:
      return close(event);
    case EventKind.forget: {
      const run = findRun(event.run);
      if (run !== null && !run.over) forget(run);
      return;
    }
    case EventKind.limit:
      return resizeScope(event);
    case EventKind.pause:
      return pauseScope(event);
    case EventKind.unpause:
      return unpauseScope(event);
    case EventKind.observed:
      return observeRate(event);
    case EventKind.reprioritise:
      return reprioritiseSlot(event);
    case EventKind.watch:
      return watch(event.mode == 1);
    case EventKind.spent:
      return spent(event);
    case EventKind.calendar:
      return regridScope(event);
    case EventKind.nested:
      return nestRun(event);
  }
}

function fireDue(): void {
  for (let node = takeDue(); node !== null; node = takeDue()) {
    const plan = changetype<Plan>(changetype<usize>(node));
    if (plan.timed == Timed.plan) {
      deadlinePassed(plan);
      continue;
    }
    if (plan.timed == Timed.scope) {
      const scope = changetype<Scope>(changetype<usize>(node));
      gained(scope);
      forgetIfSilent(scope);
      continue;
    }
    const slot = changetype<Slot>(changetype<Timer>(changetype<usize>(node)).slot);
    if (slot.deadlineAt != 0 && !slot.overdue && slot.deadlineAt <= now) {
      slot.overdue = true;
      happen(slot, Happening.deadline);
    } else if (slot.dueAt != 0 && slot.dueAt <= now) {
      slot.dueAt = 0;
      happen(slot, Happening.due);
    }
    if (slot.state != State.settled && slot.state != State.leaving) arm(slot);
  }
}

/** There was more to start, or to cancel, than one step may: the next is due at once. */
export let hasMore: bool = false;

let startsLeft: u32 = 0;

function happeningOf(what: Admitted): i32 {
  switch (what) {
    case Admitted.shed:
      return Happening.shed;
    case Admitted.broken:
      return Happening.broken;
    case Admitted.hopeless:
      return Happening.hopeless;
    case Admitted.cancelled:
      return Happening.cancel;
    default:
      return Happening.grant;
  }
}

function grant(): void {
  promoteOverdue();
  for (; startsLeft > 0; startsLeft--) {
    const slot = admit();
    if (slot === null) return;
    happen(slot, happeningOf(admitted));
  }
  hasMore = hasMore || hasReady();
}

onFull(grant);

/** Those that keep a more urgent call waiting, where that may be, are cancelled. */
function preempt(): void {
  for (let victim = takeVictim(); victim !== null; victim = takeVictim()) happen(victim, Happening.cancel);
}

/** Calls that a full batch keeps from starting, and by their keys others: perhaps the one that is to go on. */
function startHeldBack(): void {
  let some = false;
  for (let slot = takeHeldBack(); slot !== null; slot = takeHeldBack()) {
    goFirst(slot);
    some = true;
  }
  if (some) grant();
}

function grantNeeded(slot: Slot): bool {
  happen(slot, Happening.grant);
  return --startsLeft > 0;
}

/** Calls that would wait for ever are told so, one by one: what each held back may start. */
function breakCircles(): void {
  for (;;) {
    if (startsLeft > 0) startNeeded(grantNeeded);
    const slot = findCircle();
    if (slot === null) break;
    if (slot.state == State.resuming) happen(slot, Happening.grant);
    else {
      saidCircle(circleScope);
      happen(slot, Happening.circle);
    }
    grant();
  }
  hasMore = hasMore || (startsLeft == 0 && hasReady());
}

/** The run was opened by a call of another. */
function nestRun(event: Event): void {
  const run = findRun(event.run);
  const above = event.a < <u64>NONE ? findRun(<u32>event.a) : null;
  const parent: Slot | null = above === null ? null : slotAt(above, event.slot);
  if (run !== null && parent !== null) nest(run, parent, event.attempt);
}

export function turn(events: usize, eventCount: u32, calls: usize, callCount: u32): void {
  startsLeft = startsMost;
  goOnCancelling();
  for (let i: u32 = 0; i < eventCount; i++) {
    apply(changetype<Event>(events + stride<Event>(8) * i), calls, callCount);
  }
  fireDue();
  hasMore = isCancelling();
  preempt();
  grant();
  startHeldBack();
  breakCircles();
  startHeldBack();
  measurePressure();
  tellNewcomers();
  freeFinished();
  forgetTenants(queued == 0);
}
