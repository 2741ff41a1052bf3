// Too much to do: how many may wait, whom to drop when it is full, how full it is, and whether the queue
// stands. First the background ones are put last, then those that may be dropped are, then what is new is
// refused. Whatever has been started once is never dropped.
import { QueuePolicy } from "./codes";
import { Conditions, conditionsOf, priorityOf } from "./conditions";
import { first, insert, makeHeap, remove } from "./heap";
import { underPressure } from "./lines";
import { List } from "./memory";
import { Said } from "./recovery";
import { Batch, Slot } from "./runs";
import { Tenant } from "./tenants";
import { now } from "./turn";

/** Calls that wait: in a line, or for a lock. */
export let queued: u32 = 0;

let queueMost: u32 = u32.MAX_VALUE;
let tenantMost: u32 = u32.MAX_VALUE;
let batchMost: u32 = u32.MAX_VALUE;
let policy: u8 = <u8>QueuePolicy.rejectNew;
/** Conditions of those that may be dropped: the lowest first, of those that said so first, of those the oldest. */
const droppable: List = makeHeap();

export function boundQueue(most: u32, how: u8): void {
  queueMost = most;
  policy = how;
}

export function boundTenants(most: u32): void {
  tenantMost = most;
}

export function boundBatches(most: u32): void {
  batchMost = most;
}

// ── counting ──────────────────────────────────────────────────────────────────────────────────

function count(slot: Slot, by: i32): void {
  queued += by;
  const batch = changetype<Batch>(slot.batch);
  batch.waiting += by;
  if (batch.tenant != 0) changetype<Tenant>(batch.tenant).waiting += by;
}

function maySayNo(slot: Slot): bool {
  return slot.conditions != 0 && changetype<Conditions>(slot.conditions).sheddable;
}

/** It waits. One that was never started may be dropped, if it said so or if that is the policy. */
export function beginsToWait(slot: Slot): void {
  count(slot, 1);
  const sheddable = maySayNo(slot);
  if (slot.said != Said.planned || (!sheddable && policy == QueuePolicy.rejectNew)) return;
  const conditions = conditionsOf(slot);
  // With a policy that drops, priority decides before willingness: nobody higher goes while a lower one waits.
  const rank = policy == QueuePolicy.rejectNew ? 0 : <u64>(conditions.priority + 1000);
  conditions.key = (rank << 1) | (sheddable ? 0 : 1);
  conditions.order = slot.turn;
  insert(droppable, conditions);
}

/** It waits no more. */
export function endsToWait(slot: Slot): void {
  count(slot, -1);
  if (slot.conditions == 0) return;
  const conditions = changetype<Conditions>(slot.conditions);
  if (conditions.place != 0) remove(droppable, conditions);
}

// ── who is refused, who is dropped ────────────────────────────────────────────────────────────

/** Starts what can be started, so that a full queue is not full of what need not wait. */
let makeRoom: () => void = (): void => {};

export function onFull(call: () => void): void {
  makeRoom = call;
}

/** May the slot, which nobody has started, begin to wait? */
export function hasRoom(slot: Slot): bool {
  if (!isFullFor(slot)) return true;
  makeRoom();
  return !isFullFor(slot);
}

function isFullFor(slot: Slot): bool {
  const batch = changetype<Batch>(slot.batch);
  if (batch.waiting >= batchMost) return true;
  if (batch.tenant != 0 && changetype<Tenant>(batch.tenant).waiting >= tenantMost) return true;
  return queued >= queueMost;
}

/** Who is to be dropped so that this one may wait; null: it is itself refused. */
export function victimFor(slot: Slot): Slot | null {
  if (queued < queueMost) return null; // its batch or tenant is full: that is nobody else's fault
  const node = first(droppable);
  if (node === null) return null;
  const victim = changetype<Conditions>(changetype<usize>(node));
  const priority = priorityOf(slot);
  switch (<QueuePolicy>policy) {
    case QueuePolicy.dropOldestLowest:
      return victim.priority <= priority ? victim.slot : null;
    case QueuePolicy.dropLowerOnly:
      return victim.priority < priority ? victim.slot : null;
    default:
      return maySayNo(slot) ? null : victim.slot;
  }
}

// ── how full it is ────────────────────────────────────────────────────────────────────────────

/** 0, 1 = slow down, 2 = full. */
export let pressure: u8 = 0;
/** Marks in hundredths: where a level begins, and where it ends again. */
const SLOW_ON: u64 = 80;
const SLOW_OFF: u64 = 60;
const FULL_OFF: u64 = 80;

/** Looked at once in a turn, after its starts. */
export function measurePressure(): void {
  const full = <u64>queueMost;
  const now100 = <u64>queued * 100;
  if (queued >= queueMost) pressure = 2;
  else if (pressure == 2 && now100 < full * FULL_OFF) pressure = now100 < full * SLOW_OFF ? 0 : 1;
  else if (pressure == 1 && now100 < full * SLOW_OFF) pressure = 0;
  else if (pressure == 0 && now100 >= full * SLOW_ON) pressure = 1;
  underPressure(pressure > 0, stands);
}

// How fast it drains: starts in the last ten seconds.
const DRAIN_PARTS: u32 = 10;
const DRAIN_WIDTH: u64 = 1_000_000;
const drained: usize = memory.data(40, 4);
let drainNewest: u64 = 0;
let drainSince: u64 = 0;
let drainEnds: u64 = 0; // when the newest part is over

function turnDrain(): void {
  const newest = now / DRAIN_WIDTH;
  if (drainSince == 0) drainSince = now;
  if (newest - drainNewest >= DRAIN_PARTS) memory.fill(drained, 0, 40);
  else
    for (let part = drainNewest + 1; part <= newest; part++) store<u32>(drained + <usize>(part % DRAIN_PARTS) * 4, 0);
  drainNewest = newest;
  drainEnds = (newest + 1) * DRAIN_WIDTH;
}

/** µs in which as many start as wait now, at the present pace; a second when nothing starts. */
export function drainTime(): u64 {
  turnDrain();
  let sum: u64 = 0;
  for (let part: u32 = 0; part < DRAIN_PARTS; part++) sum += load<u32>(drained + <usize>part * 4);
  const span = min(now - drainSince + 1, DRAIN_WIDTH * DRAIN_PARTS);
  return sum == 0 ? DRAIN_WIDTH : (<u64>queued * span) / sum + 1;
}

// ── does it stand? ────────────────────────────────────────────────────────────────────────────

// The controlled delay of Nichols and Jacobson (2012) as Facebook's wangle simplified it (Maurer, "Fail at
// Scale", ACM Queue 2015): when even the luckiest of an interval waited too long, the queue stands.
let target: u64 = 0; // µs; 0 = not watched
let interval: u64 = 0;
let intervalEnds: u64 = 0;
let leastDelay: u64 = u64.MAX_VALUE;
let stands: bool = false;

export function watchDelay(targetUs: u64, intervalUs: u64): void {
  target = targetUs;
  interval = intervalUs;
}

function delayOf(slot: Slot): u64 {
  return now - slot.queuedSince;
}

/** It is about to start. True: it said that it may be dropped, and it has waited too long in a queue that stands. */
export function cameTooLate(slot: Slot): bool {
  if (target == 0) return false;
  if (now >= intervalEnds) {
    // An interval without starts, long ago, says nothing of this one.
    stands = leastDelay != u64.MAX_VALUE && leastDelay > target && now < intervalEnds + interval;
    leastDelay = u64.MAX_VALUE;
    intervalEnds = now + interval;
  }
  const delay = delayOf(slot);
  leastDelay = min(leastDelay, delay);
  return stands && slot.said == Said.planned && maySayNo(slot) && delay > target * 2;
}

/** A call starts. */
export function countStart(): void {
  if (now >= drainEnds) turnDrain();
  const at = drained + <usize>(drainNewest % DRAIN_PARTS) * 4;
  store<u32>(at, load<u32>(at) + 1);
}
