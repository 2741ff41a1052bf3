// Permits: how many units of a scope may run at once. Counted, never clocked: a permit returns when its
// call has really ended, not when somebody stopped waiting for it.
import { adaptiveLimit } from "./adaptive";
import { NONE } from "./codes";
import { Scope } from "./scopes";

/** What a scope can give now: its size, unless it adapts to less or starts slowly. */
export function updateCap(scope: Scope): void {
  let cap = scope.size;
  if (scope.adaptive != 0) cap = min(cap, adaptiveLimit(scope));
  if (scope.ramp != 0) cap = min(cap, scope.ramp);
  scope.cap = cap;
}

export function resize(scope: Scope, size: u32): void {
  scope.size = size;
  updateCap(scope);
}

/**
 * Are there so many? One call alone, but for those that wait and keep theirs, may take more than the scope has for the
 * moment, if never more than its size: a heavy call must not wait for a cap that only calls can raise.
 */
export function hasPermits(scope: Scope, units: u32): bool {
  const cap = capNow(scope);
  if (units <= cap && scope.inUse <= cap - units) return true;
  return scope.inUse == scope.kept && <u64>scope.inUse + units <= <u64>scope.size && scope.cap != 0;
}

/** Its cap, with what is kept meanwhile by those that wait (kept.ts). */
function capNow(scope: Scope): u32 {
  if (scope.kept == 0 || scope.cap == scope.size) return scope.cap;
  return <u32>min<u64>(scope.size, <u64>scope.cap + scope.kept);
}

/** Units that a new start may take; NONE = no bound. */
export function freePermits(scope: Scope): u32 {
  const cap = capNow(scope);
  if (cap == NONE) return NONE;
  return scope.inUse < cap ? cap - scope.inUse : 0;
}

export function takePermits(scope: Scope, units: u32): void {
  scope.inUse += units;
}

export function returnPermits(scope: Scope, units: u32): void {
  assert(scope.inUse >= units, "a permit is returned twice");
  scope.inUse -= units;
}
