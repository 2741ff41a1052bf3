// The scopes of keys and tenants: made of a template when first named, with limits of their own, and gone
// when nobody speaks of them and nothing that they have counted says anything any more.
import { copyAdaptive, freeAdaptive } from "./adaptive";
import { breakerSilentAt, copyBreaker, freeBreaker } from "./breaker";
import { ScopeKind } from "./codes";
import { freeQueue, Stand } from "./fairness";
import { at, drop, find, makeNames, Names, places, put } from "./names";
import { updateCap } from "./permits";
import { copyRates, forgottenAt, freeRates, Rate } from "./rates";
import { keyTemplate, makeScope, Scope, tenantTemplate } from "./scopes";
import { armScope, disarmScope } from "./timers";
import { now } from "./turn";

const keys: Names = makeNames();
const tenants: Names = makeNames();

export function dynamicCount(): u32 {
  return keys.count + tenants.count;
}

function namesOf(kind: u32): Names {
  return kind == ScopeKind.key ? keys : tenants;
}

/** For what is done to all of a kind: the places where one may be. */
export function dynamicPlaces(kind: u32): u32 {
  return places(namesOf(kind));
}

export function dynamicAt(kind: u32, place: u32): Scope | null {
  return changetype<Scope | null>(at(namesOf(kind), place));
}

/** The scope of a name, if there is one now. */
function scopeNamed(kind: u32, high: u64, low: u64): Scope | null {
  return changetype<Scope | null>(find(namesOf(kind), high, low));
}

/** The scope of a key (or tenant) for one more that speaks of it. */
export function copyLimits(isKey: bool, high: u64, low: u64): Scope {
  const kind = isKey ? ScopeKind.key : ScopeKind.tenant;
  const known = scopeNamed(kind, high, low);
  if (known !== null) {
    known.users++;
    return known;
  }
  const template = isKey ? keyTemplate : tenantTemplate;
  const made = makeScope(kind, 0, template.size);
  made.nameHigh = high;
  made.nameLow = low;
  made.users = 1;
  made.ramps = template.ramps;
  copyRates(template, made);
  copyBreaker(template, made);
  copyAdaptive(template, made);
  updateCap(made);
  put(namesOf(kind), high, low, changetype<usize>(made));
  return made;
}

/** When nothing of it counts any more, at the earliest. */
function silentAt(scope: Scope): u64 {
  let silent = max(now, scope.restsUntil);
  for (let rate = scope.rates; rate != 0; rate = changetype<Rate>(rate).next) {
    silent = max(silent, forgottenAt(changetype<Rate>(rate)));
  }
  return max(silent, breakerSilentAt(scope));
}

/** One less speaks of it. The last one lets it go, now or once it has fallen silent. */
export function freeScope(scope: Scope): void {
  assert(scope.users > 0, "a scope is let go twice");
  scope.users--;
  forgetIfSilent(scope);
}

/** Called again when its time has come. */
export function forgetIfSilent(scope: Scope): void {
  if (scope.users > 0 || scope.held || (scope.kind != ScopeKind.key && scope.kind != ScopeKind.tenant)) return;
  if (scope === keyTemplate || scope === tenantTemplate) return;
  const silent = silentAt(scope);
  if (silent > now || scope.listed) {
    armScope(scope, max(silent, now + 1));
    return;
  }
  assert(scope.inUse == 0, "a scope goes while its permits are out");
  drop(namesOf(scope.kind), scope.nameHigh, scope.nameLow);
  disarmScope(scope);
  freeRates(scope);
  freeBreaker(scope);
  freeAdaptive(scope);
  if (scope.queue != 0) freeQueue(changetype<Stand>(scope.queue));
  heap.free(changetype<usize>(scope));
}
