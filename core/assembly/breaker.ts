// The circuit breaker of a scope: a ring of ten sub-windows of outcomes; too many failures open it, after
// a while a few probes are let through, and what they come to closes or opens it again. Only outcomes of
// calls that started in the present state count, and a probe that never ends is a failed one: a state is
// always left. It is evaluated at the moment it is asked, all sub-windows that have passed at once.
import { BreakerState, NONE } from "./codes";
import { make } from "./memory";
import { Scope, starts } from "./scopes";
import { now } from "./turn";

const PARTS: u32 = 10;
const DOUBLINGS: u32 = 8;
const OPEN_MOST: u64 = 300_000_000;

@unmanaged
export class Breaker {
  state: u8;
  waits: bool; // calls wait while it is open; else they fail
  least: u32;
  ratio: u32; // failures of a thousand
  width: u64; // µs of a sub-window
  openFor: u64;
  probesMost: u32;
  probes: u32; // started and not ended
  probeFor: u64; // µs until a probe counts as failed
  until: u64; // open: when probes may go; half open: when its probes have failed
  openings: u32; // in a row: each doubles the wait
  closedAt: u64;
  /** Calls that started up to this one belong to an earlier state. */
  since: u64;
  newest: u64;
  ring: usize; // (successes, failures) u32 × PARTS
}

export function makeBreaker(
  scope: Scope,
  least: u32,
  windowUs: u64,
  ratio: u32,
  openFor: u64,
  probes: u32,
  waits: bool,
): void {
  const breaker = changetype<Breaker>(make(offsetof<Breaker>()));
  breaker.state = <u8>BreakerState.closed;
  breaker.waits = waits;
  breaker.least = least;
  breaker.ratio = ratio;
  breaker.width = (windowUs + PARTS - 1) / PARTS;
  breaker.openFor = openFor;
  breaker.probesMost = probes;
  breaker.ring = make(<usize>PARTS * 8);
  scope.breaker = changetype<usize>(breaker);
  scope.gated = true;
}

export function copyBreaker(from: Scope, to: Scope): void {
  if (from.breaker == 0) return;
  const source = changetype<Breaker>(from.breaker);
  makeBreaker(to, source.least, source.width * PARTS, source.ratio, source.openFor, source.probesMost, source.waits);
}

export function freeBreaker(scope: Scope): void {
  if (scope.breaker == 0) return;
  heap.free(changetype<Breaker>(scope.breaker).ring);
  heap.free(scope.breaker);
  scope.breaker = 0;
}

function clearRing(breaker: Breaker): void {
  memory.fill(breaker.ring, 0, <usize>PARTS * 8);
}

function turnRing(breaker: Breaker, at: u64): void {
  const newest = at / breaker.width;
  if (newest <= breaker.newest) return;
  if (newest - breaker.newest >= PARTS) clearRing(breaker);
  else {
    for (let part = breaker.newest + 1; part <= newest; part++) {
      store<u64>(breaker.ring + <usize>(part % PARTS) * 8, 0);
    }
  }
  breaker.newest = newest;
}

function counted(breaker: Breaker, failures: bool): u64 {
  let sum: u64 = 0;
  for (let part: u32 = 0; part < PARTS; part++) {
    sum += load<u32>(breaker.ring + <usize>part * 8 + (failures ? 4 : 0));
  }
  return sum;
}

function open(breaker: Breaker, at: u64): void {
  const doublings = min(breaker.openings, DOUBLINGS);
  breaker.openings++;
  breaker.state = <u8>BreakerState.open;
  breaker.until = at + max(breaker.openFor, min(breaker.openFor << doublings, OPEN_MOST));
  breaker.since = starts;
  breaker.probes = 0;
}

function close(breaker: Breaker, at: u64): void {
  breaker.state = <u8>BreakerState.closed;
  breaker.since = starts;
  breaker.probes = 0;
  breaker.closedAt = at;
  clearRing(breaker);
}

/** Its state now: what ends by time has ended. */
export function breakerState(scope: Scope): BreakerState {
  if (scope.breaker == 0) return BreakerState.none;
  const breaker = changetype<Breaker>(scope.breaker);
  if (breaker.state == BreakerState.halfOpen && breaker.probes > 0 && breaker.until <= now)
    open(breaker, breaker.until);
  if (breaker.state == BreakerState.open && breaker.until <= now) {
    breaker.state = <u8>BreakerState.halfOpen;
    breaker.since = starts;
    breaker.probes = 0;
  }
  if (breaker.state == BreakerState.closed && breaker.openings > 0 && now - breaker.closedAt >= breaker.width * PARTS) {
    breaker.openings = 0;
  }
  return <BreakerState>breaker.state;
}

/** When it may let a call through: now or before, or the earliest moment that is known. */
export function breakerOpensAt(scope: Scope): u64 {
  const breaker = changetype<Breaker>(scope.breaker);
  switch (breakerState(scope)) {
    case BreakerState.open:
      return breaker.until;
    case BreakerState.halfOpen:
      return breaker.probes < breaker.probesMost ? now : breaker.until;
    default:
      return now;
  }
}

/** Do calls fail while it is open? Only the open state: a call behind a probe waits for what it comes to. */
export function breakerFails(scope: Scope): bool {
  return breakerState(scope) == BreakerState.open && !changetype<Breaker>(scope.breaker).waits;
}

/** A call starts under it; `runFor` µs is what it may take, 0 = no bound. */
export function breakerStarts(scope: Scope, runFor: u64): void {
  const breaker = changetype<Breaker>(scope.breaker);
  if (breakerState(scope) != BreakerState.halfOpen) return;
  const patience = runFor == 0 ? breaker.openFor : min(runFor, breaker.openFor);
  breaker.until = breaker.probes == 0 ? now + patience : min(breaker.until, now + patience);
  breaker.probes++;
}

/** A call that started with this number says something of the outside's health, at `at`. True: its state has changed. */
export function breakerSample(scope: Scope, started: u64, failed: bool, at: u64): bool {
  const breaker = changetype<Breaker>(scope.breaker);
  const state = breakerState(scope);
  if (started <= breaker.since) return false;
  if (state == BreakerState.halfOpen) {
    if (failed) open(breaker, at);
    else close(breaker, at);
    return true;
  }
  if (state != BreakerState.closed) return false;
  turnRing(breaker, at);
  const place = breaker.ring + <usize>((at / breaker.width) % PARTS) * 8 + (failed ? 4 : 0);
  store<u32>(place, load<u32>(place) + 1);
  if (!failed) return false;
  const failures = counted(breaker, true);
  const samples = failures + counted(breaker, false);
  if (samples < breaker.least || failures * 1000 < samples * breaker.ratio) return false;
  open(breaker, at);
  return true;
}

/** A call of this state ended and says nothing: cancelled, refused, told to slow down. A probe gives its place back. */
export function breakerForgets(scope: Scope, started: u64): void {
  const breaker = changetype<Breaker>(scope.breaker);
  if (breakerState(scope) == BreakerState.halfOpen && started > breaker.since && breaker.probes > 0) breaker.probes--;
}

/** Another process saw it so, at an earlier moment. */
export function breakerEarlier(scope: Scope, failed: bool, at: u64): void {
  const breaker = changetype<Breaker>(scope.breaker);
  if (breaker.state == BreakerState.open) {
    if (at < breaker.until) return;
    if (!failed) {
      close(breaker, at);
      return;
    }
    open(breaker, at); // a probe that failed
    breaker.since = 0;
    return;
  }
  breaker.since = 0;
  if (at + breaker.width * PARTS < now) return;
  breakerSample(scope, NONE, failed, at);
}

/** When nothing of it counts any more: its scope may be forgotten then. */
export function breakerSilentAt(scope: Scope): u64 {
  if (scope.breaker == 0) return 0;
  const breaker = changetype<Breaker>(scope.breaker);
  if (breakerState(scope) != BreakerState.closed) return breaker.until + OPEN_MOST;
  return counted(breaker, true) == 0 ? 0 : (breaker.newest + PARTS) * breaker.width;
}
