// Who starts next. Calls wait in classes (one per batch and tool, so all of a class need the same
// permits), first come first served by turn. A class whose head is refused is parked on what refused
// it and looked at again when that gains units: O(log classes) per start, whatever the queue holds.
// All requirements are looked at before any is taken. Calls that resume go before new starts.
import { first, insert, makeHeap, moved, Node, remove } from "./heap";
import { grow, List, make, makeList } from "./memory";
import { freePermits, isFree, makePermits, Permits, runtimePermits, toolPermits } from "./permits";
import { Batch, Run, Slot } from "./runs";

/** The calls of one tool in one batch that wait. A node of the ready heap or of one `parked`. */
@unmanaged
class Class extends Node {
  batch: usize; // Batch; 0 for the line of those that resume
  tool: u32;
  head: usize;
  tail: usize;
  within: usize; // the heap it stands in
  sibling: usize; // the next class of its batch
}

const ready: List = makeHeap();
const resuming: Class = changetype<Class>(make(offsetof<Class>()));
const freed: List = makeList(sizeof<usize>(), 16);
let orders: u64 = 0;
let turns: u64 = 0;

export let queued: u32 = 0;

// ── batches ───────────────────────────────────────────────────────────────────────────────────

export function makeBatch(run: Run, concurrency: u32): Batch {
  const batch = changetype<Batch>(make(offsetof<Batch>()));
  batch.run = run;
  if (concurrency != 0) batch.permits = changetype<usize>(makePermits(concurrency));
  return batch;
}

export function joinBatch(slot: Slot, batch: Batch): void {
  slot.batch = changetype<usize>(batch);
  batch.members++;
}

/** The slot can need no permits any more; the last one takes the batch with it. */
export function leaveBatch(slot: Slot): void {
  if (slot.batch == 0) return;
  const batch = changetype<Batch>(slot.batch);
  slot.batch = 0;
  if (--batch.members == 0) freeBatch(batch);
}

export function freeBatch(batch: Batch): void {
  let at = batch.classes;
  while (at != 0) {
    const next = changetype<Class>(at).sibling;
    heap.free(at);
    at = next;
  }
  if (batch.permits != 0) {
    unlist(changetype<Permits>(batch.permits));
    freePermits(changetype<Permits>(batch.permits));
  }
  heap.free(changetype<usize>(batch));
}

function classOf(slot: Slot): Class {
  const batch = changetype<Batch>(slot.batch);
  let at = batch.classes;
  while (at != 0) {
    const found = changetype<Class>(at);
    if (found.tool == slot.tool) return found;
    at = found.sibling;
  }
  const made = changetype<Class>(make(offsetof<Class>()));
  made.order = orders++;
  made.batch = slot.batch;
  made.tool = slot.tool;
  made.sibling = batch.classes;
  batch.classes = changetype<usize>(made);
  return made;
}

// ── waiting ───────────────────────────────────────────────────────────────────────────────────

/** Its place by turn: at the end, but a retry goes back to where it stood. */
function link(line: Class, slot: Slot): void {
  let before = line.tail;
  while (before != 0 && changetype<Slot>(before).turn > slot.turn) before = changetype<Slot>(before).previous;
  const after = before == 0 ? line.head : changetype<Slot>(before).next;
  slot.previous = before;
  slot.next = after;
  if (before == 0) line.head = changetype<usize>(slot);
  else changetype<Slot>(before).next = changetype<usize>(slot);
  if (after == 0) line.tail = changetype<usize>(slot);
  else changetype<Slot>(after).previous = changetype<usize>(slot);
  slot.queue = changetype<usize>(line);
  queued++;
}

function unlink(line: Class, slot: Slot): void {
  if (slot.previous == 0) line.head = slot.next;
  else changetype<Slot>(slot.previous).next = slot.next;
  if (slot.next == 0) line.tail = slot.previous;
  else changetype<Slot>(slot.next).previous = slot.previous;
  slot.previous = 0;
  slot.next = 0;
  slot.queue = 0;
  queued--;
}

function putIn(within: List, line: Class): void {
  line.within = changetype<usize>(within);
  insert(within, line);
}

function takeOut(line: Class): void {
  if (line.within == 0) return;
  remove(changetype<List>(line.within), line);
  line.within = 0;
}

/** Its head has changed: so has its turn, and maybe whether it waits at all. */
function headChanged(line: Class): void {
  if (line === resuming) return;
  if (line.head == 0) {
    takeOut(line);
    return;
  }
  line.key = changetype<Slot>(line.head).turn;
  if (line.within != 0) moved(changetype<List>(line.within), line);
  else putIn(ready, line);
}

/** The slot waits for permits to call or to ask. */
export function enqueue(slot: Slot): void {
  if (slot.turn == 0) slot.turn = ++turns;
  const line = classOf(slot);
  const head = line.head;
  link(line, slot);
  if (line.head != head) headChanged(line);
}

/** The slot waits for its permits to go on. */
export function enqueueResuming(slot: Slot): void {
  link(resuming, slot);
}

/** The slot waits no more. Nothing if it did not. */
export function dequeue(slot: Slot): void {
  if (slot.queue == 0) return;
  const line = changetype<Class>(slot.queue);
  const wasHead = line.head == changetype<usize>(slot);
  unlink(line, slot);
  if (wasHead) headChanged(line);
}

// ── permits ───────────────────────────────────────────────────────────────────────────────────

/** Units came free: what is parked there is to be looked at again. */
export function gained(permits: Permits): void {
  if (permits.listed || permits.parked.length == 0) return;
  permits.listed = true;
  store<usize>(grow(freed), changetype<usize>(permits));
}

function unlist(permits: Permits): void {
  if (!permits.listed) return;
  permits.listed = false;
  for (let i: u32 = 0; i < freed.length; i++) {
    const at = freed.at + <usize>i * sizeof<usize>();
    if (load<usize>(at) != changetype<usize>(permits)) continue;
    store<usize>(at, load<usize>(freed.at + <usize>(freed.length - 1) * sizeof<usize>()));
    freed.length--;
    return;
  }
}

function batchPermits(slot: Slot): Permits | null {
  return changetype<Permits | null>(changetype<Batch>(slot.batch).permits);
}

/** What refuses a start of this slot, or null. Takes nothing. */
function refuser(slot: Slot): Permits | null {
  if (!isFree(runtimePermits)) return runtimePermits;
  const tool = toolPermits(slot.tool);
  if (tool !== null && !isFree(tool)) return tool;
  const batch = batchPermits(slot);
  if (batch !== null && !isFree(batch)) return batch;
  return null;
}

function take(slot: Slot): void {
  runtimePermits.inUse++;
  const tool = toolPermits(slot.tool);
  if (tool !== null) tool.inUse++;
  const batch = batchPermits(slot);
  if (batch !== null) batch.inUse++;
  slot.holds = true;
}

function giveBack(permits: Permits): void {
  assert(permits.inUse > 0, "a permit is returned twice");
  permits.inUse--;
  gained(permits);
}

/** Gives back what the slot holds. Nothing if it holds nothing. */
export function release(slot: Slot): void {
  if (!slot.holds) return;
  slot.holds = false;
  giveBack(runtimePermits);
  const tool = toolPermits(slot.tool);
  if (tool !== null) giveBack(tool);
  const batch = batchPermits(slot);
  if (batch !== null) giveBack(batch);
}

// ── granting ──────────────────────────────────────────────────────────────────────────────────

let reserver: usize = 0; // the Permits that the first resuming call waits for

/** Those that resume, strictly in line: the first that must wait keeps new starts off what it waits for. */
function admitResuming(): Slot | null {
  if (reserver != 0) {
    const permits = changetype<Permits>(reserver);
    permits.reserved = false;
    reserver = 0;
    gained(permits);
  }
  if (resuming.head == 0) return null;
  const slot = changetype<Slot>(resuming.head);
  const refusing = refuser(slot);
  if (refusing !== null) {
    refusing.reserved = true;
    reserver = changetype<usize>(refusing);
    return null;
  }
  unlink(resuming, slot);
  take(slot);
  return slot;
}

/** Of all that are parked where units came free, the one whose turn is first becomes ready, unless `next` is before it. */
function unparkBefore(next: Node | null): bool {
  let best: Node | null = null;
  let i: u32 = 0;
  while (i < freed.length) {
    const permits = changetype<Permits>(load<usize>(freed.at + <usize>i * sizeof<usize>()));
    const head = first(permits.parked);
    if (head === null || !isFree(permits)) {
      unlist(permits);
      continue;
    }
    if (best === null || head.key < best.key) best = head;
    i++;
  }
  if (best === null || (next !== null && next.key < best.key)) return false;
  const line = changetype<Class>(changetype<usize>(best));
  takeOut(line);
  putIn(ready, line);
  return true;
}

/** The next slot that gets its permits, or null when none can. */
export function admit(): Slot | null {
  const resumed = admitResuming();
  if (resumed !== null) return resumed;
  for (;;) {
    const node = first(ready);
    if (freed.length > 0 && unparkBefore(node)) continue;
    if (node === null) return null;
    const line = changetype<Class>(changetype<usize>(node));
    const slot = changetype<Slot>(line.head);
    const refusing = refuser(slot);
    if (refusing !== null) {
      takeOut(line);
      putIn(refusing.parked, line);
      continue;
    }
    unlink(line, slot);
    headChanged(line);
    take(slot);
    return slot;
  }
}
