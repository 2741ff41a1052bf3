// The moves that limits bring about: a call is not let in, is dropped, fails on an open breaker, or was told
// by the outside to slow down.
import { dequeue } from "./admission";
import { breakerFails, breakerOpensAt } from "./breaker";
import { EntryKind, Outcome, Reason, State } from "./codes";
import { deadlineOf, lastStart, leavesTooLittle } from "./deadline";
import { Ended, slowDown } from "./health";
import { lineOf, scopeOf } from "./lines";
import { entry } from "./output";
import { drainTime, hasRoom, victimFor } from "./overload";
import { policyOf } from "./policies";
import { Said } from "./recovery";
import { gatedUntil, neverFits, refusing } from "./refusal";
import { backOff } from "./retry";
import { isCancelled, Slot } from "./runs";
import { Scope } from "./scopes";
import { because, ended, line, ranAs, settle, wait } from "./settling";
import { now, toMs, wall } from "./turn";

/** It is to wait for its first start: unless it never can, its breaker is open, or there is no room. */
export function admitted(slot: Slot): bool {
  const here = lineOf(slot);
  if (neverFits(here, slot)) return refuse(slot, Outcome.notStarted, Reason.tooLarge, refusing, 0);
  for (let i: u32 = 0; i < here.scopeCount; i++) {
    const scope = scopeOf(here, i);
    if (scope.breaker != 0 && breakerFails(scope)) {
      return refuse(slot, Outcome.error, Reason.circuitOpen, changetype<usize>(scope), breakerOpensAt(scope));
    }
  }
  if (lastStart(slot) != 0 && leavesTooLittle(slot, gatedUntil(here, slot))) {
    forgo(slot, refusing, gatedUntil(here, slot));
    return false;
  }
  if (hasRoom(slot)) return true;
  const victim = victimFor(slot);
  if (victim === null) return refuse(slot, Outcome.notStarted, Reason.overloaded, 0, now + drainTime());
  shed(victim);
  return true;
}

function refuse(slot: Slot, outcome: i32, why: i32, scope: usize, until: u64): bool {
  because(why, scope, until);
  settle(slot, outcome, ranAs(slot), 0, false);
  return false;
}

/** It was to start sooner, or too little would be left until its deadline. */
export function expire(slot: Slot): void {
  if (leavesTooLittle(slot, now)) {
    forgo(slot, 0, 0);
    return;
  }
  because(Reason.startWithin, 0, 0);
  settle(slot, Outcome.notStarted, ranAs(slot), 0, false);
}

/** Too little is left until its deadline, or would be when the scope lets it start (0, 0 = none keeps it): it is not called. */
export function forgo(slot: Slot, scope: usize, until: u64): void {
  because(Reason.budget, scope, until);
  settle(slot, slot.said == Said.planned ? Outcome.notStarted : Outcome.timedOut, ranAs(slot), 0, false);
}

export function shed(slot: Slot): void {
  because(Reason.overloaded, 0, now + drainTime());
  settle(slot, Outcome.notStarted, ranAs(slot), 0, false);
}

/** What the outside said about slowing down: set right before `Happening.overloaded`. */
let slowScope: usize = 0;
let slowFor: u64 = 0;

export function saidSlowDown(scope: Scope, toldUs: u64): void {
  slowScope = changetype<usize>(scope);
  slowFor = toldUs;
}

const THROTTLE_BASE: u64 = 1_000_000;

const THROTTLE_MOST: u64 = 60_000_000;

/** The attempt was refused by the outside, so it did not happen: whatever its effect it may come again, in its old place. */
export function throttle(slot: Slot, payload: u32): void {
  const scope = changetype<Scope>(slowScope);
  dequeue(slot);
  ended(slot, Ended.overloaded);
  const rests = slowDown(scope, slowFor);
  if (isCancelled(slot)) {
    settle(slot, Outcome.cancelled, ranAs(slot), 0, false);
    return;
  }
  slot.throttles++;
  if (slot.throttles > policyOf(slot.tool).throttles) {
    if (rests) because(Reason.overloaded, slowScope, scope.restsUntil);
    settle(slot, Outcome.error, ranAs(slot), payload, false);
    return;
  }
  const due = rests ? scope.restsUntil : now + backOff(THROTTLE_BASE, THROTTLE_MOST, slot.throttles);
  const deadline = deadlineOf(slot);
  if ((deadline != 0 && due >= deadline) || leavesTooLittle(slot, due)) {
    because(Reason.rateLimitedBeyondDeadline, slowScope, due);
    settle(slot, Outcome.error, ranAs(slot), 0, false);
    return;
  }
  const row = entry(EntryKind.attemptFailed, slot.run.number, slot.ordinal, wall);
  row.attempt = slot.attempt;
  row.outcome = <u8>Outcome.error;
  row.payload = payload;
  row.reason = <u8>Reason.overloaded;
  row.until = wall + toMs(due - now);
  row.scope = scope.kind;
  row.number = scope.number;
  slot.said = <u8>Said.attemptFailed;
  if (rests) line(slot, State.queued);
  else wait(slot, State.backingOff, due);
}

/** The outside refused a call that has settled meanwhile: nothing comes of the call, and the scope rests. */
export function restAfterLeft(): void {
  slowDown(changetype<Scope>(slowScope), slowFor);
}

/** Its breaker is open: it fails at once, and was not called. */
export function failFast(slot: Slot): void {
  const scope = changetype<Scope>(refusing);
  because(Reason.circuitOpen, refusing, breakerOpensAt(scope));
  settle(slot, Outcome.error, ranAs(slot), 0, false);
}

let circleScope: usize = 0;

/** What closes the circle: set right before `Happening.circle`. */
export function saidCircle(scope: Scope): void {
  circleScope = changetype<usize>(scope);
}

/** What it needs is held by calls that wait for it. */
export function failCircle(slot: Slot): void {
  because(Reason.wouldDeadlock, circleScope, 0);
  settle(slot, Outcome.error, ranAs(slot), 0, false);
}
