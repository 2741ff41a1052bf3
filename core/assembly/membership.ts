// Who belongs to a batch, as far as limits are concerned, and what goes with its last slot: its lines, its
// scope, its place among the flows, its tenant's knowledge of it.
import { freeBuffer } from "./buffer";
import { NONE, ScopeKind } from "./codes";
import { Conditions, freeConditions } from "./conditions";
import { freeScope } from "./dynamic-scopes";
import { freeQueue, freeStands, Stand } from "./fairness";
import { unlist } from "./freed";
import { freeLines } from "./lines";
import { make } from "./memory";
import { Batch, Run, Slot } from "./runs";
import { makeScope, Scope } from "./scopes";
import { goOut, Tenant } from "./tenants";
import { disarmScope } from "./timers";

const WEIGHT_ONE: u64 = 1000;

/** A batch of this run; `tenant` counts it already. `ordered`: what its calls come to is told in order. */
export function makeBatch(run: Run, concurrency: u32, tenant: Tenant | null, ordered: bool): Batch {
  const batch = changetype<Batch>(make(offsetof<Batch>()));
  batch.run = run;
  batch.weight = WEIGHT_ONE;
  batch.tenant = changetype<usize>(tenant);
  const size = concurrency == 0 ? NONE : concurrency;
  if (ordered || size != NONE) batch.scope = changetype<usize>(makeScope(ScopeKind.batch, 0, size));
  return batch;
}

/** The stream's batch of this run that has calls now, or null. */
export function streamOf(run: Run, stream: u32): Batch | null {
  for (let at = run.streams; at != 0; at = changetype<Batch>(at).nextStream) {
    if (changetype<Batch>(at).stream == stream) return changetype<Batch>(at);
  }
  return null;
}

/** The batch takes the calls of this stream from now on. */
export function joinStreams(batch: Batch, stream: u32): void {
  batch.stream = stream;
  batch.nextStream = batch.run.streams;
  batch.run.streams = changetype<usize>(batch);
}

function leaveStreams(batch: Batch): void {
  const run = batch.run;
  if (run.streams == changetype<usize>(batch)) {
    run.streams = batch.nextStream;
    return;
  }
  let at = changetype<Batch>(run.streams);
  while (at.nextStream != changetype<usize>(batch)) at = changetype<Batch>(at.nextStream);
  at.nextStream = batch.nextStream;
}

export function joinBatch(slot: Slot, batch: Batch): void {
  slot.batch = changetype<usize>(batch);
  batch.members++;
}

/** The slot can need no permits any more; the last one takes the batch with it. */
export function leaveBatch(slot: Slot): void {
  if (slot.conditions != 0) {
    const key = changetype<Conditions>(slot.conditions).keyScope;
    if (key != 0) freeScope(changetype<Scope>(key));
    freeConditions(slot);
  }
  if (slot.batch == 0) return;
  const batch = changetype<Batch>(slot.batch);
  slot.batch = 0;
  slot.line = 0;
  if (--batch.members == 0) freeBatch(batch);
}

export function freeBatch(batch: Batch): void {
  if (batch.stream != 0) leaveStreams(batch);
  freeLines(batch);
  freeStands(batch);
  if (batch.scope != 0) {
    const scope = changetype<Scope>(batch.scope);
    unlist(scope);
    disarmScope(scope);
    freeBuffer(scope);
    if (scope.queue != 0) freeQueue(changetype<Stand>(scope.queue));
    heap.free(batch.scope);
  }
  if (batch.tenant != 0) goOut(changetype<Tenant>(batch.tenant));
  heap.free(changetype<usize>(batch));
}
