// What the owner of a runtime orders: another size, a pause, another priority; what a provider's headers say of a
// rate, and a time zone of its days. Each takes effect in the same turn; what has no meaning is refused and changes nothing.
import { reprioritise } from "./admission";
import { LimitKind, NONE, Refusal, ScopeKind } from "./codes";
import { isGrid } from "./configure";
import { copyLimits, dynamicAt, dynamicPlaces, freeScope } from "./dynamic-scopes";
import { gained } from "./freed";
import { keyAt } from "./inputs";
import { suspect } from "./nesting";
import { refuse } from "./output";
import { restUntil } from "./pauses";
import { resize } from "./permits";
import { isPriority } from "./priority";
import { startSlowly } from "./ramp";
import { observe, Rate, regrid } from "./rates";
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
  const scope = configuredScope(event);
  if (scope === null || event.a > <u64>NONE) return refuseOrder(event);
  resizeOne(scope, <u32>event.a);
  for (let place: u32 = 0; place < placesOf(scope); place++) {
    const one = dynamicAt(scope.kind, place);
    if (one !== null) resizeOne(one, <u32>event.a);
  }
}

/** The scope that an event speaks of as it was configured: of keys and tenants what each is copied from. */
function configuredScope(event: Event): Scope | null {
  return event.slot == NONE ? runtimeScope : scopeBy(event.mode, event.slot);
}

/** The places where a copy of it may be. */
function placesOf(scope: Scope): u32 {
  return scope.kind == ScopeKind.key || scope.kind == ScopeKind.tenant ? dynamicPlaces(scope.kind) : 0;
}

function resizeOne(scope: Scope, size: u32): void {
  const wasShut = scope.size == 0;
  resize(scope, size);
  if (wasShut) startSlowly(scope, 1);
  gained(scope);
  suspect();
}

/** The periods of a calendar rate begin elsewhere from now on, in all copies of its scope. */
export function regridScope(event: Event): void {
  const scope = configuredScope(event);
  if (scope === null || !isGrid(event.a, event.b) || !regridOne(scope, event))
    return refuse(NONE, NONE, Refusal.invalidLimit);
  for (let place: u32 = 0; place < placesOf(scope); place++) {
    const one = dynamicAt(scope.kind, place);
    if (one !== null) regridOne(one, event);
  }
}

/** False: it has no such calendar. */
function regridOne(scope: Scope, event: Event): bool {
  let found = false;
  for (let at = scope.rates; at != 0; at = changetype<Rate>(at).next) {
    const rate = changetype<Rate>(at);
    if (rate.row != event.attempt || rate.kind != LimitKind.calendar) continue;
    regrid(rate, event.a, event.b);
    found = true;
  }
  gained(scope);
  return found;
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
