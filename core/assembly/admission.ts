// Who starts next. Calls wait in lines, and lines in the fair order of fairness.ts. All scopes of a call are
// asked before anything is taken from any of them; a line whose head is refused waits at the scope that
// refused it until that has something to give: O(log lines) per start, whatever waits. Only the runtime
// parks nobody: when it refuses, nothing can start. Calls that resume go before new starts.
import { breakerFails, breakerStarts } from "./breaker";
import { goesFirst, keep, onlyOne, orderedScope } from "./buffer";
import { NoticeKind, State } from "./codes";
import { Conditions, conditionsOf, costOf, priorityOf, unitsOf } from "./conditions";
import { leavesTooLittle } from "./deadline";
import { charge as chargeFlow, Stand } from "./fairness";
import { gained, takeFreed } from "./freed";
import { keepNoMore } from "./kept";
import {
  hasReservations,
  headOf,
  joinLine,
  keepPromise,
  Line,
  leaveLine,
  lineOf,
  lookAt,
  nextLine,
  park,
  ready,
  reserve,
  scopeOf,
  standIn,
  unpark,
} from "./lines";
import {
  lendPlace,
  onReplaced,
  placeChanged,
  returnTickets,
  shutTickets,
  takeLoans,
  takeOpened,
  takeTickets,
} from "./locks";
import { noteNewcomer } from "./notices";
import { beginsToWait, cameTooLate, countStart, endsToWait } from "./overload";
import { freePermits, returnPermits, takePermits } from "./permits";
import { notePreemptor } from "./preemption";
import { FIRST, rekeyed, waitKey } from "./priority";
import { charge, Rate } from "./rates";
import {
  isGated,
  isTooLarge,
  permitsRefusing,
  refusalOf,
  refusedByNone,
  refusedUntil,
  refuserOf,
  refusing,
} from "./refusal";
import { isAnyResuming, leaveResuming, takeResuming } from "./resuming";
import { Batch, begunOf, Slot } from "./runs";
import { nextStart, runtimeScope, Scope } from "./scopes";
import { onShut } from "./tickets";
import { beginHolding, chargeHeld, sharesTime } from "./time-shares";
import { armScope } from "./timers";
import { now } from "./turn";

/** What is to be done with the slot that `admit` gives. */
export const enum Admitted {
  start,
  shed, // it has waited too long in a queue that stands
  broken, // its breaker is open, and calls do not wait for it
  hopeless, // too little would be left until its deadline
  cancelled, // its run is, and it has not been told yet
}

let turns: u64 = 0;

// ── waiting ───────────────────────────────────────────────────────────────────────────────────

/** Its place among all that wait, and its tickets: taken once, kept by retries. */
export function takePlace(slot: Slot): void {
  if (slot.turn != 0) return;
  slot.turn = ++turns;
  slot.queuedSince = now;
  slot.waitKey = waitKey(now, priorityOf(slot));
  slot.line = changetype<usize>(lineOf(slot));
  if (slot.conditions == 0) return;
  const conditions = changetype<Conditions>(slot.conditions);
  conditions.ownKey = slot.waitKey;
  if (conditions.lockCount == 0) return;
  takeTickets(slot, conditions.locks, conditions.lockCount);
  if (!conditions.preempts) return;
  lendPlace(slot);
  takeLoans(slot);
}

/** The slot waits for permits to call or to ask. */
export function enqueue(slot: Slot): void {
  takePlace(slot);
  if (!slot.queued) {
    slot.queued = true;
    beginsToWait(slot);
    noteNewcomer(slot);
  }
  if (slot.conditions != 0 && changetype<Conditions>(slot.conditions).tickets != 0) lendPlace(slot);
  if (shutTickets(slot) == 0) stand(slot);
  else if (changetype<Conditions>(slot.conditions).preempts) notePreemptor(slot);
}

/** It takes its place in its line: before all others, if of its batch no other may start. */
function stand(slot: Slot): void {
  const first = goesFirst(slot);
  if (first) slot.waitKey = FIRST;
  const line = lineOf(slot);
  joinLine(line, slot);
  if (first && line.parkedAt != 0 && line.parkedAt == changetype<Batch>(slot.batch).scope) lookAt(line);
}

/** Its outcome is known: of its batch more may start now, or only one. */
export function settledInOrder(slot: Slot): void {
  const scope = orderedScope(slot);
  if (scope === null || !keep(scope, slot)) return;
  const one = onlyOne(scope);
  if (one === null) gained(scope);
  else goFirst(one);
}

/** It stands before all others of its batch from now on, if it stands in line. */
export function goFirst(slot: Slot): void {
  if (!slot.waits) return;
  leaveLine(slot);
  stand(slot);
}

/** The slot waits no more. Nothing if it did not. */
export function dequeue(slot: Slot): void {
  if (slot.resumes) leaveResuming(slot);
  if (!slot.queued) return;
  slot.queued = false;
  endsToWait(slot);
  if (slot.waits) leaveLine(slot);
}

/** Its place among those of its batch has changed, from its own priority or from who waits for it. */
function replace(slot: Slot, key: u64): void {
  const waits = slot.waits;
  if (waits) leaveLine(slot);
  slot.waitKey = key;
  if (waits) stand(slot);
}

onReplaced(replace);
onShut((slot: Slot): void => {
  if (slot.waits) leaveLine(slot);
});

/** Its own priority is another now. Its time of queueing counts on. */
export function reprioritise(slot: Slot, priority: i32): void {
  const conditions = conditionsOf(slot);
  const before = conditions.priority;
  if (slot.turn == 0 || slot.waitKey == FIRST) {
    conditions.priority = priority;
    return;
  }
  if (slot.queued) endsToWait(slot);
  const own = conditions.ownKey == 0 ? slot.waitKey : conditions.ownKey;
  const isLent = slot.waitKey != own;
  conditions.ownKey = rekeyed(own, before, priority);
  conditions.priority = priority;
  replace(slot, isLent ? min(slot.waitKey, conditions.ownKey) : conditions.ownKey);
  if (slot.queued) beginsToWait(slot);
  if (conditions.tickets != 0) placeChanged(slot);
  if (conditions.preempts && slot.queued && conditions.ticketsShut > 0) notePreemptor(slot);
}

/** Gives back what keeps others from starting: its tickets. */
export function unlock(slot: Slot): void {
  if (slot.conditions == 0 || changetype<Conditions>(slot.conditions).tickets == 0) return;
  returnTickets(slot);
  for (let next = takeOpened(); next !== null; next = takeOpened()) {
    if (next.queued && !next.waits) stand(next);
  }
}

// ── permits ───────────────────────────────────────────────────────────────────────────────────

/** Takes what the slot needs from all of its scopes; `asks`: permits only. */
function take(slot: Slot, asks: bool): void {
  const line = changetype<Line>(slot.line);
  const units = unitsOf(slot);
  for (let i: u32 = 0; i < line.scopeCount; i++) {
    const scope = scopeOf(line, i);
    takePermits(scope, units);
    if (scope.gated && !asks) countIn(scope, slot);
  }
  slot.holds = true;
  if (sharesTime) beginHolding(slot);
  if (!asks) numberStart(slot);
}

/** The scope's rates and breaker learn of a start. */
function countIn(scope: Scope, slot: Slot): void {
  for (let at = scope.rates; at != 0; at = changetype<Rate>(at).next) {
    const rate = changetype<Rate>(at);
    charge(rate, costOf(slot, rate.meter));
  }
  if (scope.breaker != 0) breakerStarts(scope, slot.runFor);
}

function numberStart(slot: Slot): void {
  const begun = begunOf(slot);
  begun.start = nextStart();
  begun.startedOn = now;
  countStart();
}

/** It was asked under its permits and is to be called now: true if nothing else refuses it, and then it is counted. */
export function startHolding(slot: Slot): bool {
  const line = changetype<Line>(slot.line);
  if (isGated(line, slot)) return false;
  for (let i: u32 = 0; i < line.scopeCount; i++) {
    const scope = scopeOf(line, i);
    if (scope.gated) countIn(scope, slot);
  }
  numberStart(slot);
  return true;
}

/** Gives back what the slot holds. Nothing if it holds nothing. */
export function release(slot: Slot): void {
  if (!slot.holds) return;
  slot.holds = false;
  keepNoMore(slot);
  const line = changetype<Line>(slot.line);
  const units = unitsOf(slot);
  for (let i: u32 = 0; i < line.scopeCount; i++) {
    const scope = scopeOf(line, i);
    returnPermits(scope, units);
    gained(scope);
  }
  if (sharesTime) chargeHeld(slot);
}

// ── granting ──────────────────────────────────────────────────────────────────────────────────

/** What the last `admit` says of its slot. */
export let admitted: Admitted = Admitted.start;

/** The runtime has too little for who is next, and for nobody after that meanwhile. */
let isRuntimeReserved: bool = false;

/** It is to wait for nothing: `refusing` and `refusedUntil` say what would have kept it. */
function forgone(slot: Slot): Slot {
  admitted = Admitted.hopeless;
  return slot;
}

/** Of those parked where something came free the next is looked at again, one of each scope at a time. */
function letOut(): void {
  for (let scope = takeFreed(); scope !== null; scope = takeFreed()) {
    const queue = changetype<Stand>(scope.queue);
    const line = scope.reserver != 0 ? changetype<Line>(scope.reserver) : nextLine(queue);
    if (line === null) continue;
    const slot = headOf(line)!;
    const asks = slot.state == State.doubtful;
    const kind = refusalOf(scope, line, slot, asks);
    const moves =
      kind == NoticeKind.free || failsFast(scope, kind, asks) || (!asks && leavesTooLittle(slot, refusedUntil));
    if (moves) unpark(line, scope);
    else refused(scope, line);
  }
}

function failsFast(scope: Scope, kind: NoticeKind, asks: bool): bool {
  return kind == NoticeKind.breaker && !asks && breakerFails(scope);
}

/** It was refused here: when to look again, and whether others must keep off what it needs more of. */
function refused(scope: Scope, line: Line): void {
  if (refusedUntil != 0) armScope(scope, refusedUntil);
  if (isTooLarge && scope !== runtimeScope && scope.reserver == 0) reserve(scope, line);
}

/** The slot is given its turn: its flow pays for it, wherever others wait for the same. */
function start(line: Line, slot: Slot, asks: bool): void {
  const units = sharesTime ? 1 : unitsOf(slot);
  chargeFlow(changetype<Stand>(line.stand), units);
  for (let i: u32 = 1; i < line.scopeCount; i++) {
    const queue = scopeOf(line, i).queue;
    if (queue == 0 || changetype<Stand>(queue).members.length == 0) continue;
    chargeFlow(standIn(changetype<Stand>(queue), line), units);
  }
  slot.queued = false;
  endsToWait(slot);
  leaveLine(slot);
  keepPromise(line);
  take(slot, asks);
}

/** The next slot that something is to be done with, or null when none can start. `admitted` says what. */
export function admit(): Slot | null {
  admitted = Admitted.start;
  isRuntimeReserved = false;
  const resumed = takeResuming();
  if (resumed !== null) {
    take(resumed, true);
    return resumed;
  }
  letOut();
  for (let line = nextLine(ready); line !== null; line = nextLine(ready)) {
    const slot = headOf(line)!;
    if (slot.state == State.queued && slot.run.cancelled) {
      admitted = Admitted.cancelled;
      return slot;
    }
    const asks = slot.state == State.doubtful;
    const kind = refuserOf(line, slot, asks);
    if (kind == NoticeKind.free) {
      if (!asks && leavesTooLittle(slot, now)) {
        refusedByNone();
        return forgone(slot);
      }
      if (!asks && cameTooLate(slot)) admitted = Admitted.shed;
      else start(line, slot, asks);
      return slot;
    }
    const scope = changetype<Scope>(refusing);
    if (failsFast(scope, kind, asks)) {
      admitted = Admitted.broken;
      return slot;
    }
    if (!asks && leavesTooLittle(slot, refusedUntil)) return forgone(slot);
    refused(scope, line);
    if (scope === runtimeScope) {
      isRuntimeReserved = isTooLarge;
      return null;
    }
    park(line, scope);
    letOut();
  }
  return null;
}

/**
 * A call under one that keeps its permits: what it needs is there, and only somebody who waits for those permits keeps it from that.
 * So it goes first. False: something else holds it. `over`: it had its permits and can get them back from nobody; it goes on over the limit.
 */
export function admitNested(slot: Slot, over: bool): bool {
  const line = changetype<Line>(slot.line);
  if (!over && permitsRefusing(slot) !== null) return false;
  if (slot.resumes) {
    leaveResuming(slot);
    take(slot, true);
    return true;
  }
  const asks = slot.state == State.doubtful;
  if (!slot.waits || (!asks && isGated(line, slot))) return false;
  start(line, slot, asks);
  return true;
}

/** Is something free that somebody keeps others off until it is enough? */
export function isHeldBack(): bool {
  return freePermits(runtimeScope) > 0 && (isRuntimeReserved || hasReservations() || isAnyResuming());
}

/** Is anybody ready for whom this turn had no time? */
export function hasReady(): bool {
  return isAnyResuming() || nextLine(ready) !== null;
}
