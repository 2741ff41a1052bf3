// The limits that a host configures, row by row, checked whole before any of them counts.

import { makeAdaptive } from "./adaptive";
import { makeBreaker } from "./breaker";
import { LimitKind, NONE, QueuePolicy, ScopeKind } from "./codes";
import { boundBatches, boundQueue, boundTenants, watchDelay } from "./overload";
import { resize, updateCap } from "./permits";
import { configureOrder } from "./priority";
import { addRate } from "./rates";
import { Limit, Policy, stride } from "./records";
import { configureScopes, hasTool, join, limitKeys, limitTenants, Scope, scopeBy, toolScope } from "./scopes";
import { boundSteps } from "./steps";
import { shareTime } from "./time-shares";

const SPAN_MOST: u64 = 1 << 52;
const UNITS_MOST: u64 = 0x7fffffff;
const GROUPS_MOST: u32 = 10_000;

/** The row that is wrong, if `configureLimits` says so. */
export let wrongRow: u32 = 0;

function isSpan(us: u64): bool {
  return us > 0 && us <= SPAN_MOST;
}

function isRate(limit: Limit): bool {
  if (limit.size == 0 || limit.size > UNITS_MOST || !isSpan(limit.per)) return false;
  if (limit.kind == LimitKind.pace)
    return limit.a > 0 && limit.a <= UNITS_MOST && limit.a <= ((<u64>1) << 62) / limit.per;
  return limit.kind == LimitKind.window || (limit.per >= 1000 && limit.per % 1000 == 0 && isGrid(limit.a, limit.b));
}

/** May a calendar's periods begin at one moment of wall ms, and the period from there end at the other? */
export function isGrid(begins: u64, oddEnd: u64): bool {
  return begins <= SPAN_MOST && (oddEnd == 0 || (oddEnd > begins && oddEnd <= SPAN_MOST));
}

function isBreaker(limit: Limit): bool {
  const counts = limit.size > 0 && limit.size <= UNITS_MOST && limit.a > 0 && limit.a <= 1000;
  return counts && isSpan(limit.per) && isSpan(limit.b) && limit.meter > 0 && limit.mode <= 1;
}

function isKnown(limit: Limit): bool {
  if (limit.kind == LimitKind.member) return limit.scope == ScopeKind.tool && hasTool(limit.number);
  return (
    scopeBy(limit.scope, limit.number) !== null || (limit.kind == LimitKind.queue && limit.scope == ScopeKind.batch)
  );
}

/** Has the row a meaning by itself? */
function isRight(limit: Limit): bool {
  switch (<LimitKind>limit.kind) {
    case LimitKind.concurrency:
      return limit.size <= NONE;
    case LimitKind.window:
    case LimitKind.pace:
    case LimitKind.calendar:
      return isRate(limit);
    case LimitKind.breaker:
      return isBreaker(limit);
    case LimitKind.adaptive:
      return limit.a > 0 && limit.a <= limit.size && limit.size <= UNITS_MOST;
    case LimitKind.ramp:
    case LimitKind.share:
      return limit.mode <= 1;
    case LimitKind.queue:
      return limit.size > 0 && limit.size <= NONE && limit.mode <= <u8>QueuePolicy.dropLowerOnly;
    case LimitKind.delay:
      return isSpan(limit.a) && isSpan(limit.per);
    case LimitKind.order:
      return limit.a <= (<u64>1) << 40 && isSpan(limit.b) && limit.mode <= 1;
    case LimitKind.steps:
      return limit.size > 0 && limit.size <= NONE;
    case LimitKind.member:
      return limit.meter < GROUPS_MOST;
    default:
      return false;
  }
}

function apply(limit: Limit, row: u32): void {
  switch (<LimitKind>limit.kind) {
    case LimitKind.queue:
      if (limit.scope == ScopeKind.tenant) boundTenants(<u32>limit.size);
      else if (limit.scope == ScopeKind.batch) boundBatches(<u32>limit.size);
      else boundQueue(<u32>limit.size, limit.mode);
      return;
    case LimitKind.delay:
      return watchDelay(limit.a, limit.per);
    case LimitKind.order:
      return configureOrder(limit.a, limit.mode == 1, limit.b);
    case LimitKind.share:
      if (limit.mode == 1) shareTime();
      return;
    case LimitKind.steps:
      return boundSteps(<u32>limit.size);
    case LimitKind.member:
      return join(limit.number, scopeBy(ScopeKind.group, limit.meter)!);
    default:
      applyTo(scopeBy(limit.scope, limit.number)!, limit, row);
  }
}

function applyTo(scope: Scope, limit: Limit, row: u32): void {
  if (scope.kind == ScopeKind.key) limitKeys();
  if (scope.kind == ScopeKind.tenant) limitTenants();
  switch (<LimitKind>limit.kind) {
    case LimitKind.concurrency:
      return resize(scope, <u32>limit.size);
    case LimitKind.breaker:
      return makeBreaker(scope, <u32>limit.size, limit.per, <u32>limit.a, limit.b, limit.meter, limit.mode == 1);
    case LimitKind.adaptive:
      makeAdaptive(scope, <u32>limit.size, <u32>limit.a);
      return updateCap(scope);
    case LimitKind.ramp:
      scope.ramps = limit.mode == 1;
      return;
    default:
      addRate(scope, limit, row);
  }
}

function limitAt(limits: usize, row: u32): Limit {
  return changetype<Limit>(limits + stride<Limit>(8) * row);
}

/** Makes the scopes and gives each its limits. False: `wrongRow` of them has no meaning, and the core is of no use. */
export function configureLimits(concurrency: u32, tools: usize, toolCount: u32, limits: usize, count: u32): bool {
  let groups: u32 = 0;
  for (let row: u32 = 0; row < count; row++) {
    const limit = limitAt(limits, row);
    wrongRow = row;
    if (!isRight(limit)) return false;
    const group = limit.kind == LimitKind.member ? limit.meter : limit.scope == ScopeKind.group ? limit.number : 0;
    if (group >= GROUPS_MOST) return false;
    const isGroup = limit.kind == LimitKind.member || limit.scope == ScopeKind.group;
    if (isGroup && group + 1 > groups) groups = group + 1;
  }
  configureScopes(concurrency, toolCount, groups);
  for (let i: u32 = 0; i < toolCount; i++) {
    resize(toolScope(i)!, changetype<Policy>(tools + stride<Policy>(8) * i).concurrency);
  }
  for (let row: u32 = 0; row < count; row++) {
    const limit = limitAt(limits, row);
    wrongRow = row;
    if (!isKnown(limit) || (limit.kind == LimitKind.breaker && scopeBy(limit.scope, limit.number)!.breaker != 0))
      return false;
    apply(limit, row);
  }
  return true;
}
