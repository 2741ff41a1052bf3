// What keeps a call from starting: each of its scopes is asked, the runtime first; the first that refuses is
// named, with why and until when. Asking takes nothing.
import { breakerOpensAt } from "./breaker";
import { mustWait } from "./buffer";
import { NoticeKind } from "./codes";
import { costOf, unitsOf } from "./conditions";
import { Line, scopeOf } from "./lines";
import { isResting } from "./pauses";
import { freePermits, hasPermits } from "./permits";
import { mostOf, opensAt, Rate } from "./rates";
import { Slot } from "./runs";
import { Scope } from "./scopes";
import { now } from "./turn";

/** Of the last refusal: the scope, until when it refuses (0 = nobody knows), the rate if it was one, and whether a smaller call might pass. */
export let refusing: usize = 0;
export let refusedUntil: u64 = 0;
export let refusingRate: usize = 0;
export let isTooLarge: bool = false;

function by(scope: Scope, kind: NoticeKind, until: u64): NoticeKind {
  refusing = changetype<usize>(scope);
  refusedUntil = until;
  return kind;
}

/** No scope refuses: what keeps it is its own. */
export function refusedByNone(): void {
  refusing = 0;
  refusedUntil = 0;
}

/** Another call found too little here and waits for enough: only what stands before it in its own batch may pass. */
function isReserved(scope: Scope, line: Line, slot: Slot): bool {
  if (scope.reserved) return true;
  if (scope.reserver == 0 || scope.reserver == changetype<usize>(line)) return false;
  const reserver = changetype<Line>(scope.reserver);
  if (reserver.batch !== line.batch) return true;
  return slot.waitKey > reserver.key || (slot.waitKey == reserver.key && slot.turn > reserver.order);
}

/** What neither permits nor reservations are about: pauses, outcomes held back, the breaker, rates. Counts nothing. */
function gateOf(scope: Scope, slot: Slot): NoticeKind {
  if (scope.held) return by(scope, NoticeKind.paused, 0);
  if (isResting(scope)) return by(scope, NoticeKind.resting, scope.restsUntil);
  if (scope.buffer != 0 && mustWait(scope, slot)) return by(scope, NoticeKind.buffer, 0);
  if (scope.breaker != 0) {
    const opens = breakerOpensAt(scope);
    if (opens > now) return by(scope, NoticeKind.breaker, opens);
  }
  for (let at = scope.rates; at != 0; at = changetype<Rate>(at).next) {
    const rate = changetype<Rate>(at);
    const cost = costOf(slot, rate.meter);
    const opens = opensAt(rate, cost);
    if (opens <= now) continue;
    refusingRate = at;
    isTooLarge = cost > 1;
    return by(scope, NoticeKind.rate, opens);
  }
  return NoticeKind.free;
}

/** Does this scope refuse a start of the slot? `asks`: only a permit is needed, as for a reconciler. */
export function refusalOf(scope: Scope, line: Line, slot: Slot, asks: bool): NoticeKind {
  const units = unitsOf(slot);
  refusingRate = 0;
  isTooLarge = false;
  if (scope.gated && !asks) {
    const gate = gateOf(scope, slot);
    if (gate != NoticeKind.free) return gate;
  }
  if (isReserved(scope, line, slot)) return by(scope, NoticeKind.reserved, 0);
  if (hasPermits(scope, units)) return NoticeKind.free;
  isTooLarge = units > 1 && freePermits(scope) > 0;
  return by(scope, scope.ramp != 0 && scope.cap == scope.ramp ? NoticeKind.ramp : NoticeKind.permits, 0);
}

/** Does any scope of it refuse a start? */
export function refuserOf(line: Line, slot: Slot, asks: bool): NoticeKind {
  for (let i: u32 = 0; i < line.scopeCount; i++) {
    const kind = refusalOf(scopeOf(line, i), line, slot, asks);
    if (kind != NoticeKind.free) return kind;
  }
  return NoticeKind.free;
}

/** Permits being there already: does anything else refuse it? */
export function isGated(line: Line, slot: Slot): bool {
  for (let i: u32 = 0; i < line.scopeCount; i++) {
    const scope = scopeOf(line, i);
    if (scope.gated && gateOf(scope, slot) != NoticeKind.free) return true;
  }
  return false;
}

/** When all that is not about permits lets it start, as things are; `refusing` says which scope is last. */
export function gatedUntil(line: Line, slot: Slot): u64 {
  let until: u64 = 0;
  let last: usize = 0;
  for (let i: u32 = 0; i < line.scopeCount; i++) {
    const scope = scopeOf(line, i);
    if (!scope.gated || gateOf(scope, slot) == NoticeKind.free || refusedUntil <= until) continue;
    until = refusedUntil;
    last = changetype<usize>(scope);
  }
  refusing = last;
  return until;
}

/** It asks for more than a scope of it will ever grant. `refusing` says which. */
export function neverFits(line: Line, slot: Slot): bool {
  const units = unitsOf(slot);
  for (let i: u32 = 0; i < line.scopeCount; i++) {
    const scope = scopeOf(line, i);
    refusing = changetype<usize>(scope);
    if (scope.size != 0 && units > scope.size) return true;
    for (let at = scope.rates; at != 0; at = changetype<Rate>(at).next) {
      const rate = changetype<Rate>(at);
      if (costOf(slot, rate.meter) > mostOf(rate)) return true;
    }
  }
  return false;
}

/** The first scope that has too few permits for it, or null. */
export function permitsRefusing(slot: Slot): Scope | null {
  const line = changetype<Line>(slot.line);
  for (let i: u32 = 0; i < line.scopeCount; i++) {
    const scope = scopeOf(line, i);
    if (!hasPermits(scope, unitsOf(slot))) return scope;
  }
  return null;
}
