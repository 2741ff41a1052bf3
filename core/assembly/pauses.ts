// Pauses: a scope that was told to slow down rests as a whole, for as long as it was told and a little
// more, so that many hosts do not come back in the same instant. Jitter is only ever added.
import { randomBelow } from "./retry";
import { Scope } from "./scopes";
import { now } from "./turn";

const SECOND: u64 = 1_000_000;
const BASE: u64 = SECOND;
const LONGEST_UNTOLD: u64 = 60 * SECOND;
const LONGEST: u64 = 24 * 3_600 * SECOND;
const JITTER_MOST: u64 = SECOND;

/** The scope rests: so long as it was told, or, untold, longer each time ("full jitter", AWS 2015, above the base). */
export function rest(scope: Scope, toldUs: u64): void {
  let span = toldUs;
  if (span == 0) {
    const doublings = min<u32>(scope.throttles, 6);
    scope.throttles++;
    span = BASE / 2 + randomBelow(min(BASE << doublings, LONGEST_UNTOLD));
  } else {
    if (span > LONGEST) span = LONGEST;
    span += randomBelow(min(span / 10, JITTER_MOST) + 1);
  }
  restUntil(scope, now + span);
}

/** It rests until then, at least. */
export function restUntil(scope: Scope, at: u64): void {
  scope.gated = true;
  if (at > scope.restsUntil) scope.restsUntil = at;
}

export function isResting(scope: Scope): bool {
  return scope.restsUntil > now;
}
