// The records of core.wit as they lie in memory. The natural layout of an unmanaged class equals the
// canonical ABI's, so an element of a list is read and written in place; a test holds the two together.

@unmanaged
export class Call {
  idHigh: u64;
  idLow: u64;
  inputHigh: u64;
  inputLow: u64;
  runFor: u64;
  deadline: u64;
  tool: u32;
  ready: u32;
  effect: u8;
  reconciles: bool;
  readyOutcome: u8;
  terms: u32;
}

@unmanaged
export class Terms {
  startWithin: u64;
  budget: u64;
  priority: i32;
  weight: u32;
  key: u32;
  firstLock: u32;
  locks: u32;
  firstCharge: u32;
  charges: u32;
  sheddable: bool;
  background: bool;
  preempts: bool;
  preemptible: bool;
}

@unmanaged
export class Key {
  nameHigh: u64;
  nameLow: u64;
  write: bool;
}

@unmanaged
export class Charge {
  meter: u32;
  cost: u32;
}

@unmanaged
export class Event {
  kind: u8;
  outcome: u8;
  verdict: u8;
  mode: u8;
  run: u32;
  slot: u32;
  attempt: u32;
  payload: u32;
  first: u32;
  count: u32;
  a: u64;
  b: u64;
}

@unmanaged
export class Placement {
  run: u32;
  call: u32;
  slot: u32;
  count: u32;
  fresh: bool;
}

@unmanaged
export class Entry {
  kind: u8;
  outcome: u8;
  source: u8;
  run: u32;
  slot: u32;
  count: u32;
  attempt: u32;
  payload: u32;
  at: u64;
  until: u64;
  reason: u8;
  scope: u8;
  number: u32;
}

@unmanaged
export class Action {
  kind: u8;
  gate: u8;
  code: u8;
  run: u32;
  slot: u32;
  attempt: u32;
  call: u32;
  until: u64;
}

@unmanaged
export class Resolution {
  run: u32;
  slot: u32;
  outcome: u8;
  source: u8;
  replayed: bool;
  attempts: u32;
  payload: u32;
  queuedAt: u64;
  startedAt: u64;
  endedAt: u64;
}

@unmanaged
export class Notice {
  kind: u8;
  scope: u8;
  number: u32;
  run: u32;
  slot: u32;
  inUse: u64;
  size: u64;
  until: u64;
}

@unmanaged
export class Policy {
  backoff: u64;
  backoffMost: u64;
  askBackoff: u64;
  askFor: u64;
  grace: u64;
  attempts: u32;
  asks: u32;
  concurrency: u32;
  throttles: u32;
  abandons: bool;
  keeps: bool;
}

@unmanaged
export class Limit {
  kind: u8;
  scope: u8;
  mode: u8;
  number: u32;
  meter: u32;
  size: u64;
  per: u64;
  a: u64;
  b: u64;
}

@unmanaged
export class Standing {
  cursor: u32;
  slots: u32;
  unclaimed: u32;
  unsettled: u32;
  inFlight: u32;
  queued: u32;
  inUse: u32;
  scopes: u32;
  locks: u32;
  flows: u32;
  comparisons: u64;
}

@unmanaged
export class Reading {
  size: u32;
  cap: u32;
  inUse: u32;
  parked: u32;
  breaker: u8;
  pausedUntil: u64;
  abandoned: u32;
}

@unmanaged
export class Row {
  a: u32;
  b: u32;
  c: u32;
  d: u32;
}

/** Size of a record in a list: its natural size, rounded up to its alignment. */
export function stride<T>(alignment: usize): usize {
  return (offsetof<T>() + alignment - 1) & ~(alignment - 1);
}
