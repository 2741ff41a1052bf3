// What each move of transitions.ts does: the only place where a slot changes its state. Entries are made
// before what depends on them.
import { abandon as abandonPermits } from "./abandoned";
import { dequeue, release, startHolding, takePlace } from "./admission";
import { finishIfLeft, given } from "./closing";
import { AbortReason, ActionKind, Effect, EntryKind, Gate, Happening, Outcome, Reason, Source, State } from "./codes";
import { forgetSpent } from "./costs";
import { deadlineOf, isOverdue, leavesTooLittle } from "./deadline";
import { Ended } from "./health";
import { keepPermits } from "./kept";
import { admitted, expire, failCircle, failFast, forgo, restAfterLeft, shed, throttle } from "./limit-moves";
import { noteAbandoned } from "./notices";
import { action, entry } from "./output";
import { policyOf } from "./policies";
import { Decision, decide, Said } from "./recovery";
import { refusedUntil, refusing } from "./refusal";
import { enqueueResuming } from "./resuming";
import { backOff } from "./retry";
import { begunOf, forgetBegun, isCancelled, Plan, pastOf, Slot } from "./runs";
import {
  because,
  become,
  ended,
  leave,
  line,
  ranAs,
  resolve,
  settle,
  settleLeaving,
  tell,
  tellToStop,
  wait,
} from "./settling";
import { disarm } from "./timers";
import { Move, moveFor } from "./transitions";
import { now, onClock, toMs, wall } from "./turn";

function abortsAt(slot: Slot): u64 {
  let at: u64 = slot.runFor == 0 ? 0 : wall + toMs(slot.runFor);
  if (slot.deadline != 0 && (at == 0 || slot.deadline < at)) at = slot.deadline;
  const plan = slot.plan.deadline;
  if (plan != 0 && (at == 0 || plan < at)) at = plan;
  return at;
}

function stopAsking(slot: Slot): void {
  tellToStop(slot, AbortReason.ask);
  release(slot);
}

/** The program asks for a slot that has not settled: the recovery table decides, within cancel and deadline. */
function claim(slot: Slot): void {
  slot.claimed = true;
  slot.run.unsettled++;
  if (slot.queuedAt == 0) slot.queuedAt = wall;
  const decision = decide(slot.said, slot.effect, slot.reconciles);
  if (decision == Decision.surface) {
    settle(slot, Outcome.unknown, Source.surfaced, 0, false);
    return;
  }
  if (decision == Decision.ask) {
    doubt(slot);
    return;
  }
  const tried = slot.said != Said.planned;
  if (slot.ready != 0) settle(slot, slot.readyOutcome, ranAs(slot), slot.ready, false);
  else if (isCancelled(slot)) settle(slot, Outcome.cancelled, ranAs(slot), 0, false);
  else if (isOverdue(slot)) lateFor(slot, tried ? Outcome.timedOut : Outcome.notStarted);
  else if (decision == Decision.wait && pastOf(slot).nextAt > wall) {
    takePlace(slot);
    if (leavesTooLittle(slot, onClock(pastOf(slot).nextAt))) forgo(slot, 0, 0);
    else wait(slot, State.backingOff, onClock(pastOf(slot).nextAt));
  } else if (leavesTooLittle(slot, now)) forgo(slot, 0, 0);
  else if (tried || admitted(slot)) line(slot, State.queued);
}

/** A deadline decides. */
function lateFor(slot: Slot, outcome: i32): void {
  because(Reason.deadline, 0, 0);
  settle(slot, outcome, ranAs(slot), 0, false);
}

function lateWhileRunning(slot: Slot, until: u64): void {
  because(Reason.deadline, 0, 0);
  settleLeaving(slot, Outcome.timedOut, ranAs(slot), until);
}

/** In doubt: ask, unless nobody would act on the answer. */
function doubt(slot: Slot): void {
  slot.said = <u8>Said.started;
  slot.overdue = isOverdue(slot); // one ask is due even to a batch whose time is over: it may be known
  line(slot, State.doubtful);
}

function call(slot: Slot): void {
  if (slot.said == Said.started) slot.recovered = true; // the attempt before it was left in doubt
  slot.attempt++;
  slot.told = false;
  slot.size = 0;
  forgetSpent(slot);
  slot.said = <u8>Said.started;
  if (slot.startedAt == 0) begunOf(slot).startedAt = wall;
  slot.run.inFlight++;
  const row = entry(EntryKind.started, slot.run.number, slot.ordinal, wall);
  row.attempt = slot.attempt;
  // Gated: a call whose start is not on disk could run twice.
  const order = action(ActionKind.call, Gate.written, slot.run.number, slot.ordinal);
  order.attempt = slot.attempt;
  order.until = abortsAt(slot);
  wait(slot, State.running, slot.runFor == 0 ? 0 : now + slot.runFor);
}

/** Attempts that say something of the tool: not those that were told to slow down. */
function tries(slot: Slot): u32 {
  return slot.attempt - slot.throttles;
}

/** The attempt failed. The next one, if the tool says so and it would begin in time; else `outcome`. */
function retryOr(slot: Slot, outcome: i32, payload: u32, final: bool): void {
  const policy = policyOf(slot.tool);
  const mayRetry = !final && !isCancelled(slot) && slot.effect != Effect.once && tries(slot) < policy.attempts;
  if (mayRetry) {
    const next = now + backOff(policy.backoff, policy.backoffMost, tries(slot));
    const deadline = deadlineOf(slot);
    if ((deadline == 0 || next < deadline) && !leavesTooLittle(slot, next)) {
      const row = entry(EntryKind.attemptFailed, slot.run.number, slot.ordinal, wall);
      row.attempt = slot.attempt;
      row.outcome = <u8>outcome;
      row.payload = payload;
      row.until = wall + toMs(next - now);
      slot.said = <u8>Said.attemptFailed;
      wait(slot, State.backingOff, next);
      return;
    }
  }
  settle(slot, outcome, ranAs(slot), payload, false);
}

/** Ended without a result: who may run twice failed this attempt, `once` is in doubt. */
function endedUnknown(slot: Slot, payload: u32): void {
  if (slot.effect != Effect.once) retryOr(slot, Outcome.error, payload, false);
  else if (slot.reconciles) doubt(slot);
  else settle(slot, Outcome.unknown, Source.surfaced, 0, false);
}

/** `unbegun`: it was told to stop before the host had called the tool. */
function abandon(slot: Slot, unbegun: bool): void {
  if (unbegun || slot.effect != Effect.once) settle(slot, Outcome.cancelled, ranAs(slot), 0, false);
  else if (slot.reconciles) doubt(slot);
  else settle(slot, Outcome.unknown, Source.surfaced, 0, false);
}

function timeOut(slot: Slot): void {
  tell(slot, Ended.badly);
  const patience = tellToStop(slot, AbortReason.timedOut);
  const again = slot.effect != Effect.once && tries(slot) < policyOf(slot.tool).attempts;
  dequeue(slot);
  if (again) wait(slot, State.ending, patience);
  else settleLeaving(slot, Outcome.timedOut, ranAs(slot), patience);
}

function overdue(slot: Slot): void {
  switch (<State>slot.state) {
    case State.queued:
      return lateFor(slot, slot.said == Said.planned ? Outcome.notStarted : Outcome.timedOut);
    case State.backingOff:
      return lateFor(slot, Outcome.timedOut);
    case State.ending:
      return lateWhileRunning(slot, slot.dueAt);
    default:
      lateWhileRunning(slot, tellToStop(slot, AbortReason.timedOut));
  }
}

function giveUp(slot: Slot): void {
  // At its deadline it may have some of its grace left.
  const until = max(slot.dueAt, now);
  if (slot.state == State.ending) settleLeaving(slot, Outcome.timedOut, ranAs(slot), until);
  else if (slot.effect == Effect.once) settleLeaving(slot, Outcome.unknown, Source.surfaced, until);
  else settleLeaving(slot, Outcome.cancelled, ranAs(slot), until);
}

function abortForCancel(slot: Slot): void {
  const told = slot.state == State.ending;
  dequeue(slot);
  const patience = told ? slot.dueAt : tellToStop(slot, AbortReason.cancelled);
  wait(slot, State.cancelling, patience);
}

function ask(slot: Slot): void {
  const policy = policyOf(slot.tool);
  slot.asks++;
  const row = action(ActionKind.reconcile, Gate.none, slot.run.number, slot.ordinal);
  row.attempt = slot.attempt;
  row.code = slot.asks;
  row.until = policy.askFor;
  wait(slot, State.asking, now + policy.askFor);
}

function noVerdict(slot: Slot): void {
  const policy = policyOf(slot.tool);
  const patient = slot.asks < policy.asks && !isCancelled(slot) && !slot.overdue;
  if (patient) wait(slot, State.askWaiting, now + backOff(policy.askBackoff, policy.askBackoff << 10, slot.asks));
  else settle(slot, Outcome.unknown, Source.surfaced, 0, false);
}

function notDone(slot: Slot): void {
  // The slot has its permits: it was asked under them, so nothing can come between the verdict and the call.
  if (isCancelled(slot)) settle(slot, Outcome.cancelled, Source.reconciled, 0, false);
  else if (isOverdue(slot)) {
    because(Reason.deadline, 0, 0);
    settle(slot, Outcome.notStarted, Source.reconciled, 0, false);
  } else if (leavesTooLittle(slot, now)) {
    because(Reason.budget, 0, 0);
    settle(slot, Outcome.notStarted, Source.reconciled, 0, false);
  } else if (startHolding(slot)) call(slot);
  else {
    release(slot);
    line(slot, State.queued);
  }
}

function late(slot: Slot, outcome: i32, payload: u32): void {
  if (!slot.run.over) {
    const row = entry(EntryKind.late, slot.run.number, slot.ordinal, wall);
    row.attempt = slot.attempt;
    row.outcome = <u8>outcome;
    row.payload = payload;
  }
  left(slot, outcome == Outcome.ok ? Ended.well : Ended.silently);
}

function left(slot: Slot, how: Ended): void {
  ended(slot, how);
  disarm(slot);
  become(slot, State.settled);
  leave(slot);
  forgetBegun(slot);
  finishIfLeft(slot.run);
}

function replay(slot: Slot): void {
  assert(decide(slot.said, slot.effect, slot.reconciles) == Decision.replay, "the journal did not settle it");
  slot.claimed = true;
  resolve(slot, true);
  given(slot);
}

function carryOn(slot: Slot): void {
  const row = action(ActionKind.carryOn, Gate.none, slot.run.number, slot.ordinal);
  row.attempt = slot.attempt;
}

/** Something happened to a slot. False: it is not listed for its state, and nothing has changed. */
export function happen(slot: Slot, happening: i32, payload: u32 = 0, final: bool = false, silent: bool = false): bool {
  const move = moveFor(slot.state, happening);
  switch (move) {
    case Move.refuse:
      return false;
    case Move.claim:
      claim(slot);
      break;
    case Move.replay:
      replay(slot);
      break;
    case Move.call:
      call(slot);
      break;
    case Move.settleOk:
      ended(slot, Ended.well);
      settle(slot, Outcome.ok, ranAs(slot), payload, false);
      break;
    case Move.failOrRetry:
      ended(slot, silent ? Ended.silently : Ended.badly);
      retryOr(slot, Outcome.error, payload, final);
      break;
    case Move.stoppedEarly:
      ended(slot, happening == Happening.lost ? Ended.badly : Ended.silently);
      endedUnknown(slot, payload);
      break;
    case Move.timeOut:
      timeOut(slot);
      break;
    case Move.overdue:
      overdue(slot);
      break;
    case Move.retryAfterEnding:
      ended(slot, Ended.badly);
      retryOr(slot, Outcome.timedOut, payload, false);
      break;
    case Move.giveUp:
      giveUp(slot);
      break;
    case Move.cancelQueued:
      settle(slot, Outcome.cancelled, ranAs(slot), 0, false);
      break;
    case Move.abort:
      abortForCancel(slot);
      break;
    case Move.abandon:
      ended(slot, Ended.silently);
      abandon(slot, happening == Happening.stopped && final);
      break;
    case Move.failCircle:
      failCircle(slot);
      break;
    case Move.suspend:
      if (!policyOf(slot.tool).keeps) release(slot);
      become(slot, State.suspended);
      if (slot.holds) keepPermits(slot);
      break;
    case Move.resume:
      become(slot, slot.holds ? State.running : State.resuming);
      if (slot.holds) carryOn(slot);
      else enqueueResuming(slot);
      break;
    case Move.resumeAtOnce:
      carryOn(slot);
      break;
    case Move.carryOn:
      become(slot, State.running);
      carryOn(slot);
      break;
    case Move.requeue:
      line(slot, State.queued);
      break;
    case Move.ask:
      ask(slot);
      break;
    case Move.askAgain:
      line(slot, State.doubtful);
      break;
    case Move.noVerdict:
      if (happening == Happening.due) tellToStop(slot, AbortReason.ask);
      release(slot);
      noVerdict(slot);
      break;
    case Move.verdictOk:
      settle(slot, Outcome.ok, Source.reconciled, payload, false);
      break;
    case Move.verdictError:
      settle(slot, Outcome.error, Source.reconciled, payload, false);
      break;
    case Move.verdictNotDone:
      notDone(slot);
      break;
    case Move.surface:
      if (slot.state == State.asking) stopAsking(slot);
      settle(slot, Outcome.unknown, Source.surfaced, 0, false);
      break;
    case Move.late:
      late(slot, happening == Happening.ok ? Outcome.ok : Outcome.error, payload);
      break;
    case Move.left:
      left(slot, Ended.silently);
      break;
    case Move.leftOverloaded:
      restAfterLeft();
      left(slot, Ended.overloaded);
      break;
    case Move.abandonPermits:
      tell(slot, Ended.silently); // a slow start and a breaker do not wait for it either
      abandonPermits(slot);
      noteAbandoned(slot);
      break;
    case Move.throttle:
      throttle(slot, payload);
      break;
    case Move.shed:
      shed(slot);
      break;
    case Move.failFast:
      failFast(slot);
      break;
    case Move.expire:
      expire(slot);
      break;
    case Move.forgo:
      forgo(slot, refusing, refusedUntil);
      break;
  }
  return true;
}

/** A deadline has come: everything of the plan that has not settled is overdue, in order, in this step. */
export function deadlinePassed(plan: Plan): void {
  for (let i: u32 = 0; i < plan.count; i++) {
    const slot = changetype<Slot>(plan.slots + <usize>i * offsetof<Slot>());
    if (slot.claimed) happen(slot, Happening.deadline);
  }
}
