// Tenants, among whom starts are shared before their batches share them. Known by the digest of a name;
// one that has left is remembered only while what it was given still weighs against it.
import { copyLimits, freeScope } from "./dynamic-scopes";
import { Flow, forgetPast, freeStands, weigh } from "./fairness";
import { make } from "./memory";
import { drop, find, makeNames, Names, put } from "./names";
import { Scope, tenantsAreLimited } from "./scopes";

const SWEPT_PER_TURN: u32 = 128;

@unmanaged
export class Tenant extends Flow {
  nameHigh: u64;
  nameLow: u64;
  batches: u32;
  /** Calls of it that wait. */
  waiting: u32;
  scope: usize; // Scope, or 0 = no limits of its own
  nextLeft: usize; // Tenant, while it is one of those that have left
  hasLeft: bool;
}

const tenants: Names = makeNames();
let firstLeft: usize = 0;
let lastLeft: usize = 0;

export function tenantCount(): u32 {
  return tenants.count;
}

/** The tenant of this name, for one more batch. */
export function comeIn(high: u64, low: u64, weight: u32): Tenant {
  const known = find(tenants, high, low);
  let tenant: Tenant;
  if (known != 0) tenant = changetype<Tenant>(known);
  else {
    tenant = changetype<Tenant>(make(offsetof<Tenant>()));
    tenant.nameHigh = high;
    tenant.nameLow = low;
    tenant.weight = weight;
    put(tenants, high, low, changetype<usize>(tenant));
  }
  if (tenantsAreLimited && tenant.scope == 0) tenant.scope = changetype<usize>(copyLimits(false, high, low));
  weigh(tenant, weight);
  tenant.batches++;
  return tenant;
}

/** One batch of it is over. With its last one it leaves. */
export function goOut(tenant: Tenant): void {
  if (--tenant.batches > 0 || tenant.hasLeft) return;
  tenant.hasLeft = true;
  tenant.nextLeft = 0;
  if (lastLeft == 0) firstLeft = changetype<usize>(tenant);
  else changetype<Tenant>(lastLeft).nextLeft = changetype<usize>(tenant);
  lastLeft = changetype<usize>(tenant);
}

/** Forgets those of whom nothing counts any more: some of the waiting list in every turn, all when nobody waits. */
export function forgetTenants(nobodyWaits: bool): void {
  let left: u32 = nobodyWaits ? u32.MAX_VALUE : SWEPT_PER_TURN;
  const until = lastLeft;
  while (firstLeft != 0 && left-- > 0) {
    const tenant = changetype<Tenant>(firstLeft);
    const wasLast = firstLeft == until;
    firstLeft = tenant.nextLeft;
    if (firstLeft == 0) lastLeft = 0;
    tenant.hasLeft = false;
    if (tenant.batches == 0 && (forgetPast(tenant) || nobodyWaits)) forget(tenant);
    else if (tenant.batches == 0) {
      tenant.batches = 1;
      goOut(tenant); // to the end of the list
    }
    if (wasLast) return;
  }
}

function forget(tenant: Tenant): void {
  freeStands(tenant);
  if (tenant.scope != 0) freeScope(changetype<Scope>(tenant.scope));
  drop(tenants, tenant.nameHigh, tenant.nameLow);
  heap.free(changetype<usize>(tenant));
}
