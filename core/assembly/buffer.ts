// Outcomes of a batch that are early: in request order the program is told none of them before those in front.
// When they are too many bytes, of this batch only the earliest unfinished call may start, so that it goes on and
// no more pile up behind it. Knows sizes and places; the outcomes are the host's.
import { State } from "./codes";
import { Conditions } from "./conditions";
import { make } from "./memory";
import { Batch, Slot } from "./runs";
import { Scope } from "./scopes";

@unmanaged
export class Buffer {
  /** Bytes that may be held back, and those that are. */
  most: u64;
  held: u64;
  order: usize; // Slot × count, as the program asked
  count: u32;
  /** The earliest that has not settled: all before it have been told. */
  first: u32;
  /** Of those in `locking`. */
  next: usize;
  previous: usize;
}

/** Buffers of batches in which a call locks something, linked. */
export let locking: usize = 0;

/** The batch's outcomes are told in this order; takes over the list of its slots. */
export function holdInOrder(batch: Batch, most: u32, order: usize, count: u32): void {
  const buffer = changetype<Buffer>(make(offsetof<Buffer>()));
  buffer.most = most;
  buffer.order = order;
  buffer.count = count;
  const scope = changetype<Scope>(batch.scope);
  scope.buffer = changetype<usize>(buffer);
  scope.gated = true;
  // What the journal has of them is held back like what comes.
  for (let n: u32 = 0; n < count; n++) {
    const slot = slotAt(buffer, n);
    if (slot.state == State.settled) buffer.held += slot.size;
    else if (slot.conditions != 0 && changetype<Conditions>(slot.conditions).lockCount > 0) list(buffer);
  }
  letGo(buffer);
}

function list(buffer: Buffer): void {
  if (locking == changetype<usize>(buffer)) return; // by an earlier call of the same batch
  buffer.next = locking;
  if (locking != 0) changetype<Buffer>(locking).previous = changetype<usize>(buffer);
  locking = changetype<usize>(buffer);
}

function unlist(buffer: Buffer): void {
  if (buffer.previous != 0) changetype<Buffer>(buffer.previous).next = buffer.next;
  else if (locking == changetype<usize>(buffer)) locking = buffer.next;
  if (buffer.next != 0) changetype<Buffer>(buffer.next).previous = buffer.previous;
}

export function freeBuffer(scope: Scope): void {
  if (scope.buffer == 0) return;
  unlist(changetype<Buffer>(scope.buffer));
  heap.free(changetype<Buffer>(scope.buffer).order);
  heap.free(scope.buffer);
  scope.buffer = 0;
}

export function bufferOf(scope: Scope): Buffer | null {
  return changetype<Buffer | null>(scope.buffer);
}

/** The scope of its batch, where outcomes of that are told in order; else null. */
export function orderedScope(slot: Slot): Scope | null {
  if (slot.batch == 0) return null;
  const scope = changetype<Scope | null>(changetype<Batch>(slot.batch).scope);
  return scope !== null && scope.buffer != 0 ? scope : null;
}

function isFull(buffer: Buffer): bool {
  return buffer.held >= buffer.most;
}

/** The earliest unfinished call of the batch while no other may start, else null. */
export function onlyOne(scope: Scope): Slot | null {
  return onlyOneOf(changetype<Buffer>(scope.buffer));
}

export function onlyOneOf(buffer: Buffer): Slot | null {
  return isFull(buffer) && buffer.first < buffer.count ? slotAt(buffer, buffer.first) : null;
}

function slotAt(buffer: Buffer, n: u32): Slot {
  return changetype<Slot>(load<usize>(buffer.order + <usize>n * sizeof<usize>()));
}

/** Does the batch's scope refuse it because too much is held back? */
export function mustWait(scope: Scope, slot: Slot): bool {
  const one = onlyOne(scope);
  return one !== null && one !== slot && !passes(slot);
}

/** Whatever is held back, it may start (held-back.ts). */
function passes(slot: Slot): bool {
  return slot.conditions != 0 && changetype<Conditions>(slot.conditions).passes;
}

/** It is to stand before all others of its batch. */
export function goesFirst(slot: Slot): bool {
  const scope = orderedScope(slot);
  return scope !== null && (passes(slot) || onlyOne(scope) === slot);
}

/** What has come of a settled slot is held back, or told with all that it held back. True: others may start, or another. */
export function keep(scope: Scope, slot: Slot): bool {
  const buffer = changetype<Buffer>(scope.buffer);
  const wasFull = isFull(buffer);
  const before = buffer.first;
  buffer.held += slot.size;
  letGo(buffer);
  return wasFull != isFull(buffer) || (wasFull && buffer.first != before);
}

/** What no earlier call holds back any more is told. */
function letGo(buffer: Buffer): void {
  for (; buffer.first < buffer.count; buffer.first++) {
    const next = slotAt(buffer, buffer.first);
    if (next.state != State.settled && next.state != State.leaving) break;
    buffer.held -= next.size;
  }
}
