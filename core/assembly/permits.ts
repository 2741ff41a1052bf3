// Permits: how many calls of a scope (runtime, tool, batch) may run at once. Counted, never clocked:
// a permit returns when its call has really ended, not when somebody stopped waiting for it.
import { NONE } from "./codes";
import { freeHeap, makeHeap } from "./heap";
import { List, make } from "./memory";

@unmanaged
export class Permits {
  size: u32;
  inUse: u32;
  /** A call that resumes waits for one of these: new starts keep off. */
  reserved: bool;
  /** Listed among those that gained units (admission.ts). */
  listed: bool;
  /** Classes whose head was refused here, by turn. */
  parked: List;
}

export function makePermits(size: u32): Permits {
  const permits = changetype<Permits>(make(offsetof<Permits>()));
  permits.size = size;
  permits.parked = makeHeap();
  return permits;
}

export function freePermits(permits: Permits): void {
  freeHeap(permits.parked);
  heap.free(changetype<usize>(permits));
}

/** Is there one for a new start? */
export function isFree(permits: Permits): bool {
  return permits.inUse < permits.size && !permits.reserved;
}

export const runtimePermits: Permits = makePermits(NONE);

let tools: usize = 0; // tool -> Permits or 0
let toolCount: u32 = 0;

export function configurePermits(concurrency: u32, count: u32): void {
  runtimePermits.size = concurrency;
  tools = make(<usize>(count + 1) * sizeof<usize>());
  toolCount = count;
}

/** Bounds a tool; NONE lifts the bound. Unbounded ones are counted too: a bound that comes later finds its calls. */
export function setToolPermits(tool: u32, size: u32): Permits {
  const at = tools + <usize>tool * sizeof<usize>();
  if (load<usize>(at) == 0) store<usize>(at, changetype<usize>(makePermits(size)));
  const permits = changetype<Permits>(load<usize>(at));
  permits.size = size;
  return permits;
}

export function toolPermits(tool: u32): Permits | null {
  if (tool >= toolCount) return null;
  return changetype<Permits | null>(load<usize>(tools + <usize>tool * sizeof<usize>()));
}

export function hasTool(tool: u32): bool {
  return tool < toolCount;
}
