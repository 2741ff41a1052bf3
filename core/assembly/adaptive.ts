// Adaptive concurrency: additive increase, multiplicative decrease on explicit overload only (Chiu, Jain
// 1989). Latency is never looked at: of a tool call it tells the payload, not the load. One decrease per
// generation: calls that started before the last one say nothing new.
import { make } from "./memory";
import { Scope, starts } from "./scopes";

@unmanaged
class Adaptive {
  limit: u32;
  least: u32;
  /** Successes since the last increase, while at least half of the limit was in use. */
  successes: u32;
  /** Calls that started up to this one were there before the last decrease. */
  decreasedAt: u64;
}

export function makeAdaptive(scope: Scope, initial: u32, least: u32): void {
  const made = changetype<Adaptive>(make(offsetof<Adaptive>()));
  made.limit = initial;
  made.least = least;
  scope.adaptive = changetype<usize>(made);
}

export function copyAdaptive(from: Scope, to: Scope): void {
  if (from.adaptive == 0) return;
  const source = changetype<Adaptive>(from.adaptive);
  makeAdaptive(to, source.limit, source.least);
}

export function freeAdaptive(scope: Scope): void {
  if (scope.adaptive != 0) heap.free(scope.adaptive);
  scope.adaptive = 0;
}

export function adaptiveLimit(scope: Scope): u32 {
  return changetype<Adaptive>(scope.adaptive).limit;
}

/** A call ended well; `inUse` counts it still. True: the limit has grown. */
export function adaptToSuccess(scope: Scope): bool {
  const adaptive = changetype<Adaptive>(scope.adaptive);
  if (<u64>scope.inUse * 2 < <u64>adaptive.limit || adaptive.limit >= scope.size) return false;
  if (++adaptive.successes < adaptive.limit) return false;
  adaptive.successes = 0;
  adaptive.limit++;
  return true;
}

/** A call met overload. True: the limit has shrunk. */
export function adaptToOverload(scope: Scope, started: u64): bool {
  const adaptive = changetype<Adaptive>(scope.adaptive);
  if (started <= adaptive.decreasedAt) return false;
  adaptive.decreasedAt = starts;
  adaptive.successes = 0;
  const limit = min(adaptive.limit, scope.size);
  const less = <u32>((<u64>limit * 9) / 10);
  adaptive.limit = max(adaptive.least, less);
  return true;
}
