// What the journal says of the recent past, from runs that are not open here: how much of each rate was used,
// which scopes rest, what the breakers saw, how many calls wait to be made again. So a restart gives no fresh
// quota, and a full queue does not start as a crowd. It moves no slot.
import { breakerEarlier, breakerOpensAt, breakerState } from "./breaker";
import { BreakerState, EntryKind, NONE, Outcome, Reason, ScopeKind } from "./codes";
import { costOf, freeConditions, impose } from "./conditions";
import { copyLimits, freeScope } from "./dynamic-scopes";
import { make } from "./memory";
import { restUntil } from "./pauses";
import { startSlowly } from "./ramp";
import { chargeEarlier, Rate } from "./rates";
import { Call, Entry, Key, stride, Terms } from "./records";
import { Slot } from "./runs";
import {
  groupOf,
  groupsOf,
  keysAreLimited,
  runtimeScope,
  Scope,
  scopeBy,
  tenantsAreLimited,
  toolScope,
} from "./scopes";
import { startsMost } from "./steps";
import { armScope } from "./timers";
import { now, onClock, wall } from "./turn";

/** A wall-clock moment of the past on the clock of now; 0 when that clock did not run yet. */
function ago(wallMs: u64): u64 {
  const span = wall > wallMs ? (wall - wallMs) * 1000 : 0;
  return now > span ? now - span : 0;
}

const past: Slot = changetype<Slot>(make(offsetof<Slot>())); // a call of the past, for what it cost

function tell(scope: Scope, entry: Entry): void {
  const at = ago(entry.at);
  switch (<EntryKind>entry.kind) {
    case EntryKind.planned:
      return leave(scope, entry.count);
    case EntryKind.started:
      for (let rate = scope.rates; rate != 0; rate = changetype<Rate>(rate).next) {
        const source = changetype<Rate>(rate);
        chargeEarlier(source, costOf(past, source.meter), at);
      }
      return;
    case EntryKind.attemptFailed:
      if (entry.reason == Reason.overloaded) return;
      sample(scope, true, at);
      return;
    case EntryKind.settled:
      if (entry.reason != Reason.none && entry.reason != Reason.deadline) return;
      if (entry.outcome == Outcome.ok) sample(scope, false, at);
      else if (entry.outcome == Outcome.error || entry.outcome == Outcome.timedOut) sample(scope, true, at);
      return;
  }
}

/** So many more calls wait to be made again. More than start at once anyway are a queue, and that starts slowly. */
function leave(scope: Scope, count: u32): void {
  if (scope.size == NONE && scope !== runtimeScope) return; // it bounds nothing
  scope.left += count;
  if (scope.left > min(scope.size, startsMost)) startSlowly(scope, 1);
}

function sample(scope: Scope, failed: bool, at: u64): void {
  if (scope.breaker == 0) return;
  breakerEarlier(scope, failed, at);
  if (breakerState(scope) == BreakerState.open) armScope(scope, breakerOpensAt(scope));
}

/** The scope that an entry names rests until then, and starts slowly after. */
export function recallPause(kind: u32, number: u32, untilWall: u64, key: Scope | null): void {
  if (untilWall <= wall) return;
  const scope = kind == ScopeKind.key ? key : kind == ScopeKind.tenant ? null : scopeBy(kind, number);
  if (scope === null) return;
  restUntil(scope, onClock(untilWall));
  startSlowly(scope, 1);
  armScope(scope, scope.restsUntil);
}

/** Did the outside say "slow down", so that the scope rests until the entry's moment? */
function saysRest(entry: Entry): bool {
  if (entry.reason == Reason.overloaded) return entry.kind != EntryKind.settled || entry.outcome == Outcome.error;
  return entry.reason == Reason.rateLimitedBeyondDeadline;
}

/** The scope of a name, if there is one; whoever asks lets it go. */
function scopeNamed(isKey: bool, row: u32, keys: usize, keyCount: u32): Scope | null {
  if (row == 0 || row > keyCount) return null;
  const name = changetype<Key>(keys + stride<Key>(8) * (row - 1));
  return copyLimits(isKey, name.nameHigh, name.nameLow);
}

/** One entry of the past, of a call of this tool. */
export function recallEntry(
  entry: Entry,
  call: Call,
  terms: Terms | null,
  keys: usize,
  keyCount: u32,
  charges: usize,
): void {
  let key: Scope | null = null;
  if (terms !== null) {
    if (keysAreLimited) key = scopeNamed(true, terms.key, keys, keyCount);
    impose(past, terms, null, keys, charges);
  }
  const tenant = tenantsAreLimited ? scopeNamed(false, call.ready, keys, keyCount) : null;
  if (saysRest(entry)) recallPause(entry.scope, entry.number, entry.until, key);
  tell(runtimeScope, entry);
  const tool = toolScope(call.tool);
  if (tool !== null) tell(tool, entry);
  const groups = groupsOf(call.tool);
  for (let i: u32 = 0; i < groups; i++) tell(groupOf(call.tool, i), entry);
  if (key !== null) {
    tell(key, entry);
    freeScope(key);
  }
  if (tenant !== null) {
    tell(tenant, entry);
    freeScope(tenant);
  }
  freeConditions(past);
}
