// What the owner of a runtime orders: another size, a pause, another priority; and what a provider's headers
// say of a rate. Each takes effect in the same turn; what has no meaning is refused and changes nothing.
import { reprioritise } from "./admission";
import { NONE, Refusal, ScopeKind } from "./codes";
import { copyLimits, dynamicAt, dynamicPlaces, freeScope } from "./dynamic-scopes";
import { gained } from "./freed";
import { keyAt } from "./inputs";
import { refuse } from "./output";
import { restUntil } from "./pauses";
import { resize } from "./permits";
import { isPriority } from "./priority";
import { startSlowly } from "./ramp";
import { observe, Rate } from "./rates";
import { Event } from "./records";
import { findRun, slotAt } from "./runs";
import { keysAreLimited, runtimeScope, Scope, scopeBy, tenantsAreLimited } from "./scopes";
import { armScope } from "./timers";
import { now } from "./turn";

/** The scope that an event names, with one more that speaks of it where it is a key's or tenant's. */
function scopeOf(event: Event): Scope | null {
  if (event.slot == NONE) return runtimeScope;
  const kind = event.mode;
  if (kind != ScopeKind.key && kind != ScopeKind.tenant) return scopeBy(kind, event.slot);
  const name = keyAt(event.first);
  const limited = kind == ScopeKind.key ? keysAreLimited : tenantsAreLimited;
  return name === null || !limited ? null : copyLimits(kind == ScopeKind.key, name.nameHigh, name.nameLow);
}

function letGo(scope: Scope): void {
  if (scope.kind == ScopeKind.key || scope.kind == ScopeKind.tenant) freeScope(scope);
}

function refuseOrder(event: Event): void {
  refuse(NONE, NONE, event.mode == ScopeKind.tool ? Refusal.unknownTool : Refusal.invalidLimit);
}

export function resizeScope(event: Event): void {
  const kind: u32 = event.slot == NONE ? ScopeKind.runtime : event.mode;
  const scope = scopeBy(kind, event.slot);
  if (scope === null || event.a > <u64>NONE) return refuseOrder(event);
  resizeOne(scope, <u32>event.a);
  if (kind != ScopeKind.key && kind != ScopeKind.tenant) return;
  for (let place: u32 = 0; place < dynamicPlaces(kind); place++) {
    const one = dynamicAt(kind, place);
    if (one !== null) resizeOne(one, <u32>event.a);
  }
}

function resizeOne(scope: Scope, size: u32): void {
  const wasShut = scope.size == 0;
  resize(scope, size);
  if (wasShut) startSlowly(scope, 1);
  gained(scope);
}

export function pauseScope(event: Event): void {
  const scope = scopeOf(event);
  if (scope === null) return refuseOrder(event);
  scope.gated = true;
  if (event.a == 0) scope.held = true;
  else {
    restUntil(scope, now + event.a);
    startSlowly(scope, 1);
    armScope(scope, scope.restsUntil);
  }
  letGo(scope);
}

export function unpauseScope(event: Event): void {
  const scope = scopeOf(event);
  if (scope === null) return refuseOrder(event);
  if (scope.held || scope.restsUntil > now) {
    scope.held = false;
    scope.restsUntil = 0;
    startSlowly(scope, 1);
    gained(scope);
  }
  letGo(scope);
}

export function observeRate(event: Event): void {
  const scope = scopeOf(event);
  if (scope === null) return refuseOrder(event);
  for (let at = scope.rates; at != 0; at = changetype<Rate>(at).next) {
    const rate = changetype<Rate>(at);
    if (rate.meter == event.attempt) observe(rate, event.a, event.b);
  }
  letGo(scope);
}

export function reprioritiseSlot(event: Event): void {
  const run = findRun(event.run);
  if (run === null) return;
  const slot = slotAt(run, event.slot);
  if (slot === null) return;
  if (!isPriority(<i64>event.a)) return refuse(event.run, NONE, Refusal.invalidPolicy);
  reprioritise(slot, <i32>event.a);
}
