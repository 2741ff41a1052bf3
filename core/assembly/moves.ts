// What each move of transitions.ts does: the only place where a slot changes its state and where its
// entries, actions and resolutions are made. Entries are made before what depends on them.
import { dequeue, enqueue, enqueueResuming, leaveBatch, release } from "./admission";
import { finishIfLeft, given, settledOne } from "./closing";
import { AbortReason, ActionKind, Effect, EntryKind, Gate, Happening, Outcome, Source, State } from "./codes";
import { action, entry, resolution } from "./output";
import { policyOf } from "./policies";
import { Decision, decide, Said } from "./recovery";
import { backOff } from "./retry";
import { Plan, Slot } from "./runs";
import { arm, disarm } from "./timers";
import { Move, moveFor } from "./transitions";
import { now, onClock, toMs, wall } from "./turn";

/** After its grace a call gets this long for the news of its end to arrive, µs. */
const NEWS: u64 = 1_000_000;

// ── what the moves are made of ────────────────────────────────────────────────────────────────

function abortsAt(slot: Slot): u64 {
  let at: u64 = slot.runFor == 0 ? 0 : wall + toMs(slot.runFor);
  if (slot.deadline != 0 && (at == 0 || slot.deadline < at)) at = slot.deadline;
  const plan = slot.plan.deadline;
  if (plan != 0 && (at == 0 || plan < at)) at = plan;
  return at;
}

/** The earlier of its own and its batch's deadline, on the clock of now; 0 = none. */
function deadlineOf(slot: Slot): u64 {
  const plan = slot.plan.deadlineAt;
  const own = slot.deadlineAt;
  if (plan == 0) return own;
  return own == 0 || plan < own ? plan : own;
}

function isOverdue(slot: Slot): bool {
  const at = deadlineOf(slot);
  return at != 0 && at <= now;
}

function resolve(slot: Slot, replayed: bool): void {
  const row = resolution(slot.run.number, slot.ordinal);
  row.outcome = slot.outcome;
  row.source = slot.source;
  row.replayed = replayed;
  row.attempts = slot.attempt;
  row.payload = slot.payload;
  row.queuedAt = slot.queuedAt;
  row.startedAt = slot.startedAt;
  row.endedAt = slot.endedAt;
}

/** The outcome is known. `leaves`: the call still runs and keeps its permits until it has ended. */
function settle(slot: Slot, outcome: i32, source: i32, payload: u32, leaves: bool): void {
  slot.outcome = <u8>outcome;
  slot.source = <u8>source;
  slot.payload = payload;
  slot.endedAt = wall;
  const row = entry(EntryKind.settled, slot.run.number, slot.ordinal, wall);
  row.outcome = <u8>outcome;
  row.source = <u8>source;
  row.attempt = slot.attempt;
  row.payload = payload;
  disarm(slot);
  dequeue(slot);
  slot.state = leaves ? <u8>State.leaving : <u8>State.settled;
  if (!leaves) {
    release(slot);
    leaveBatch(slot);
  }
  resolve(slot, false);
  settledOne(slot);
}

function ranAs(slot: Slot): i32 {
  return slot.recovered ? Source.reExecuted : Source.executed;
}

/** The call has really ended: it waits for nothing any more, and its permits return. */
function ended(slot: Slot): void {
  slot.run.inFlight--;
  dequeue(slot); // it may have stood in line to go on
  release(slot);
}

function wait(slot: Slot, state: i32, until: u64): void {
  slot.state = <u8>state;
  slot.dueAt = until;
  arm(slot);
}

function line(slot: Slot, state: i32): void {
  slot.state = <u8>state;
  slot.dueAt = 0;
  arm(slot);
  enqueue(slot);
}

function tellToStop(slot: Slot, reason: i32): u64 {
  const grace = policyOf(slot.tool).grace;
  const row = action(ActionKind.abort, Gate.none, slot.run.number, slot.ordinal);
  row.attempt = slot.attempt;
  row.code = <u8>reason;
  row.until = grace;
  return now + grace + NEWS;
}

function stopAsking(slot: Slot): void {
  tellToStop(slot, AbortReason.ask);
  release(slot);
}

// ── the moves ─────────────────────────────────────────────────────────────────────────────────

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
  else if (slot.cancelled || slot.run.cancelled) settle(slot, Outcome.cancelled, ranAs(slot), 0, false);
  else if (isOverdue(slot)) settle(slot, tried ? Outcome.timedOut : Outcome.notStarted, ranAs(slot), 0, false);
  else if (decision == Decision.wait && slot.nextAt > wall) wait(slot, State.backingOff, onClock(slot.nextAt));
  else line(slot, State.queued);
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
  slot.said = <u8>Said.started;
  if (slot.startedAt == 0) slot.startedAt = wall;
  slot.run.inFlight++;
  const row = entry(EntryKind.started, slot.run.number, slot.ordinal, wall);
  row.attempt = slot.attempt;
  // Gated: a call whose start is not on disk could run twice.
  const order = action(ActionKind.call, Gate.written, slot.run.number, slot.ordinal);
  order.attempt = slot.attempt;
  order.until = abortsAt(slot);
  wait(slot, State.running, slot.runFor == 0 ? 0 : now + slot.runFor);
}

/** The attempt failed. The next one, if the tool says so and it would begin in time; else `outcome`. */
function retryOr(slot: Slot, outcome: i32, payload: u32, final: bool): void {
  const policy = policyOf(slot.tool);
  const mayRetry = !final && !slot.cancelled && slot.effect != Effect.once && slot.attempt < policy.attempts;
  if (mayRetry) {
    const next = now + backOff(policy.backoff, policy.backoffMost, slot.attempt);
    const deadline = deadlineOf(slot);
    if (deadline == 0 || next < deadline) {
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
  const patience = tellToStop(slot, AbortReason.timedOut);
  const again = slot.effect != Effect.once && slot.attempt < policyOf(slot.tool).attempts;
  dequeue(slot);
  if (again) wait(slot, State.ending, patience);
  else settle(slot, Outcome.timedOut, ranAs(slot), 0, true);
}

function overdue(slot: Slot): void {
  switch (<State>slot.state) {
    case State.queued:
      settle(slot, slot.said == Said.planned ? Outcome.notStarted : Outcome.timedOut, ranAs(slot), 0, false);
      return;
    case State.backingOff:
      settle(slot, Outcome.timedOut, ranAs(slot), 0, false);
      return;
    case State.ending:
      settle(slot, Outcome.timedOut, ranAs(slot), 0, true);
      return;
    default:
      tellToStop(slot, AbortReason.timedOut);
      settle(slot, Outcome.timedOut, ranAs(slot), 0, true);
  }
}

function giveUp(slot: Slot): void {
  if (slot.state == State.ending) settle(slot, Outcome.timedOut, ranAs(slot), 0, true);
  else if (slot.effect == Effect.once) settle(slot, Outcome.unknown, Source.surfaced, 0, true);
  else settle(slot, Outcome.cancelled, ranAs(slot), 0, true);
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
  const patient = slot.asks < policy.asks && !slot.cancelled && !slot.overdue;
  if (patient) wait(slot, State.askWaiting, now + backOff(policy.askBackoff, policy.askBackoff << 10, slot.asks));
  else settle(slot, Outcome.unknown, Source.surfaced, 0, false);
}

function notDone(slot: Slot): void {
  // The slot has its permits: it was asked under them, so nothing can come between the verdict and the call.
  if (slot.cancelled) settle(slot, Outcome.cancelled, Source.reconciled, 0, false);
  else if (isOverdue(slot)) settle(slot, Outcome.notStarted, Source.reconciled, 0, false);
  else call(slot);
}

function late(slot: Slot, outcome: i32, payload: u32): void {
  if (!slot.run.over) {
    const row = entry(EntryKind.late, slot.run.number, slot.ordinal, wall);
    row.attempt = slot.attempt;
    row.outcome = <u8>outcome;
    row.payload = payload;
  }
  left(slot);
}

function left(slot: Slot): void {
  ended(slot);
  slot.state = <u8>State.settled;
  leaveBatch(slot);
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
export function happen(slot: Slot, happening: i32, payload: u32 = 0, final: bool = false): bool {
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
      slot.run.inFlight--;
      settle(slot, Outcome.ok, ranAs(slot), payload, false);
      break;
    case Move.failOrRetry:
      ended(slot);
      retryOr(slot, Outcome.error, payload, final);
      break;
    case Move.stoppedEarly:
      ended(slot);
      endedUnknown(slot, payload);
      break;
    case Move.timeOut:
      timeOut(slot);
      break;
    case Move.overdue:
      overdue(slot);
      break;
    case Move.retryAfterEnding:
      ended(slot);
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
      ended(slot);
      abandon(slot, happening == Happening.stopped && final);
      break;
    case Move.suspend:
      release(slot);
      slot.state = <u8>State.suspended;
      break;
    case Move.resume:
      slot.state = <u8>State.resuming;
      enqueueResuming(slot);
      break;
    case Move.resumeAtOnce:
      carryOn(slot);
      break;
    case Move.carryOn:
      slot.state = <u8>State.running;
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
      left(slot);
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
