// What the end of an attempt tells its scopes: that the outside is well, that it failed, that it asked for
// less. Slow starts go on, adaptive limits move, breakers count, scopes rest. It moves no slot.
import { adaptToOverload, adaptToSuccess } from "./adaptive";
import { breakerForgets, breakerOpensAt, breakerSample, breakerState } from "./breaker";
import { BreakerState } from "./codes";
import { gained } from "./freed";
import { Line, scopeOf } from "./lines";
import { rest } from "./pauses";
import { updateCap } from "./permits";
import { rampAfterOverload, rampOn, startSlowly } from "./ramp";
import { Slot } from "./runs";
import { Scope } from "./scopes";
import { armScope } from "./timers";
import { now } from "./turn";

export const enum Ended {
  well,
  badly,
  silently, // it says nothing of the outside: cancelled, or an error of the call's own
  overloaded,
}

/** Once for each attempt, before its permits return. */
export function tellScopes(slot: Slot, ended: Ended): void {
  const line = changetype<Line>(slot.line);
  for (let i: u32 = 0; i < line.scopeCount; i++) {
    const scope = scopeOf(line, i);
    if (scope.ramp != 0 && ended != Ended.overloaded && rampOn(scope, slot.start)) gained(scope);
    if (scope.adaptive != 0) adapt(scope, slot, ended);
    if (scope.breaker != 0) sample(scope, slot, ended);
    if (ended == Ended.well) scope.throttles = 0;
  }
}

function adapt(scope: Scope, slot: Slot, ended: Ended): void {
  if (ended == Ended.well && adaptToSuccess(scope)) {
    updateCap(scope);
    gained(scope);
  } else if (ended == Ended.overloaded && adaptToOverload(scope, slot.start)) updateCap(scope);
}

function sample(scope: Scope, slot: Slot, ended: Ended): void {
  if (ended == Ended.silently || ended == Ended.overloaded) breakerForgets(scope, slot.start);
  else if (breakerSample(scope, slot.start, ended == Ended.badly, now)) {
    if (breakerState(scope) == BreakerState.closed) startSlowly(scope, 1);
    else armScope(scope, breakerOpensAt(scope));
  }
  gained(scope); // a probe's place, or an open breaker that those who wait are to fail on
}

/** The outside said "slow down" about this scope: it rests, and then starts slowly. False: it only adapts. */
export function slowDown(scope: Scope, toldUs: u64): bool {
  if (toldUs == 0 && scope.adaptive != 0) return false;
  const again = rampAfterOverload(scope);
  rest(scope, toldUs);
  startSlowly(scope, again);
  armScope(scope, scope.restsUntil);
  return true;
}
