// Scopes: what limits hang on. The runtime, a tool, a group of tools, a key, a tenant, a batch. A scope
// counts its permits and knows what else holds its calls; how each of those decides is elsewhere.
import { NONE, ScopeKind } from "./codes";
import { Node } from "./heap";
import { make } from "./memory";

/** What a node of the timers is: the first field of its own. */
export const enum Timed {
  slot,
  plan,
  scope,
}

/** A node of the timers, due when what refused somebody by time may have passed. */
@unmanaged
export class Scope extends Node {
  timed: u8; // at the same place as in Slot and Plan
  kind: u8;
  /** A call that resumes waits for a permit of it: new starts keep off. */
  reserved: bool;
  /** Listed among those that gained units (admission.ts). */
  listed: bool;
  /** Something other than permits may refuse: a rate, a pause, a breaker. */
  gated: bool;
  /** Paused by hand, until it is told otherwise. */
  held: bool;
  /** Starts slowly after it was blocked. */
  ramps: bool;
  number: u32;
  /** Permits as configured; NONE = no bound. */
  size: u32;
  /** Permits as they are now: never more than `size`. */
  cap: u32;
  inUse: u32;
  /** Units of those that are kept by calls that wait (kept.ts). */
  kept: u32;
  /** Units whose calls did not stop when told to: their permits have returned, and they may still run. */
  abandoned: u32;
  /** Units of it whose holders are thought to be stuck, who waits for some of those, and of which look that is so (circles.ts). */
  stuck: u32;
  stuckQueue: u32;
  stuckLeast: u32; // units of the least of them
  look: u32;
  /** Calls and batches that speak of it: a key's or tenant's scope goes with the last. */
  users: u32;
  /** Queue of the lines whose head it refused, or 0 (queues.ts). */
  queue: usize;
  /** The Line whose head found units but not enough of them: nobody else takes them meanwhile. */
  reserver: usize;
  /** The Line that was let out of its queue last and has not come to anything yet: one at a time. */
  promised: usize;
  /** It rests until then, on the clock of now: the outside said "slow down". */
  restsUntil: u64;
  /** How often in a row it was told so without being told for how long. */
  throttles: u32;
  /** Calls at once while it starts slowly; 0 = it does not. */
  ramp: u32;
  /** Calls of this round that have ended. */
  rampEnded: u32;
  /** Calls started before count for no round. */
  rampFrom: u64;
  /** Calls that an earlier process left unfinished, as far as is known. */
  left: u32;
  rates: usize; // Rate, linked (rates.ts)
  breaker: usize; // Breaker
  adaptive: usize; // Adaptive
  buffer: usize; // Buffer, of a batch (buffer.ts)
  nameHigh: u64;
  nameLow: u64;
}

export function makeScope(kind: i32, number: u32, size: u32): Scope {
  const scope = changetype<Scope>(make(offsetof<Scope>()));
  scope.timed = <u8>Timed.scope;
  scope.kind = <u8>kind;
  scope.number = number;
  scope.size = size;
  scope.cap = size;
  scope.ramps = true;
  return scope;
}

/** Calls started so far, in the whole runtime: tells which calls are older than a change of a scope. */
export let starts: u64 = 0;

export function nextStart(): u64 {
  return ++starts;
}

// ── those that are configured ─────────────────────────────────────────────────────────────────

export const runtimeScope: Scope = makeScope(ScopeKind.runtime, 0, NONE);
/** What is copied into the scope of each key and each tenant; without limits there are no such scopes. */
export const keyTemplate: Scope = makeScope(ScopeKind.key, 0, NONE);
export const tenantTemplate: Scope = makeScope(ScopeKind.tenant, 0, NONE);
/** Stands for the keys that calls read and write, where a scope is to be named. */
export const lockScope: Scope = makeScope(ScopeKind.lock, 0, NONE);
export let keysAreLimited: bool = false;
export let tenantsAreLimited: bool = false;

export function limitKeys(): void {
  keysAreLimited = true;
}

export function limitTenants(): void {
  tenantsAreLimited = true;
}

let tools: usize = 0; // tool -> Scope
let toolCount: u32 = 0;
let groups: usize = 0; // group -> Scope
export let groupCount: u32 = 0;
let memberships: usize = 0; // tool -> Membership, linked
@unmanaged
class Membership {
  scope: Scope;
  next: usize;
}

function scopeTable(kind: i32, count: u32): usize {
  const table = make(<usize>(count + 1) * sizeof<usize>());
  for (let i: u32 = 0; i < count; i++) {
    store<usize>(table + <usize>i * sizeof<usize>(), changetype<usize>(makeScope(kind, i, NONE)));
  }
  return table;
}

export function configureScopes(concurrency: u32, toolsThere: u32, groupsThere: u32): void {
  runtimeScope.size = concurrency;
  runtimeScope.cap = concurrency;
  toolCount = toolsThere;
  groupCount = groupsThere;
  tools = scopeTable(ScopeKind.tool, toolsThere);
  groups = scopeTable(ScopeKind.group, groupsThere);
  memberships = make(<usize>(toolsThere + 1) * sizeof<usize>());
}

export function hasTool(tool: u32): bool {
  return tool < toolCount;
}

export function toolScope(tool: u32): Scope | null {
  return tool < toolCount ? changetype<Scope>(load<usize>(tools + <usize>tool * sizeof<usize>())) : null;
}

export function groupScope(group: u32): Scope | null {
  return group < groupCount ? changetype<Scope>(load<usize>(groups + <usize>group * sizeof<usize>())) : null;
}

/** The tool stands under the group from now on. */
export function join(tool: u32, group: Scope): void {
  const at = memberships + <usize>tool * sizeof<usize>();
  const made = changetype<Membership>(make(offsetof<Membership>()));
  made.scope = group;
  made.next = load<usize>(at);
  store<usize>(at, changetype<usize>(made));
}

export function groupsOf(tool: u32): u32 {
  let count: u32 = 0;
  let at: usize = tool < toolCount ? load<usize>(memberships + <usize>tool * sizeof<usize>()) : 0;
  while (at != 0) {
    count++;
    at = changetype<Membership>(at).next;
  }
  return count;
}

/** The n-th group of a tool, from the one that it joined last. */
export function groupOf(tool: u32, n: u32): Scope {
  let at = load<usize>(memberships + <usize>tool * sizeof<usize>());
  for (let i: u32 = 0; i < n; i++) at = changetype<Membership>(at).next;
  return changetype<Membership>(at).scope;
}

/** A configured scope by what the boundary calls it, or null. */
export function scopeBy(kind: u32, number: u32): Scope | null {
  switch (<ScopeKind>kind) {
    case ScopeKind.runtime:
      return runtimeScope;
    case ScopeKind.tool:
      return toolScope(number);
    case ScopeKind.group:
      return groupScope(number);
    case ScopeKind.key:
      return keyTemplate;
    case ScopeKind.tenant:
      return tenantTemplate;
    default:
      return null;
  }
}
