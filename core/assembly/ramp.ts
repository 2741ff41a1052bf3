// The slow start of a scope that was blocked (a pause, a breaker, a hand): one call, then two, then four,
// a round at a time, until its size is reached. By calls that end, so it needs no clock.
import { NONE } from "./codes";
import { updateCap } from "./permits";
import { Scope, starts } from "./scopes";

/** An unbounded scope is back at full size here. */
const ENOUGH: u32 = 4_096;

/** From now on it starts slowly, from the beginning or from `from`. */
export function startSlowly(scope: Scope, from: u32): void {
  if (!scope.ramps || scope.size == 0) return;
  scope.ramp = max(from, 1);
  scope.rampEnded = 0;
  scope.rampFrom = starts;
  updateCap(scope);
}

/** A call that started with this number has ended, and not by overload. True: there is room for more. */
export function rampOn(scope: Scope, started: u64): bool {
  if (scope.ramp == 0 || started <= scope.rampFrom) return false;
  if (++scope.rampEnded < scope.ramp) return false;
  const next = scope.ramp * 2;
  const full = scope.size == NONE ? ENOUGH : scope.size;
  scope.rampFrom = starts;
  scope.rampEnded = 0;
  scope.ramp = next >= full ? 0 : next;
  updateCap(scope);
  return true;
}

/** Where a slow start begins again after an overload in its middle. */
export function rampAfterOverload(scope: Scope): u32 {
  return scope.ramp == 0 ? 1 : max(1, scope.ramp >> 1);
}
