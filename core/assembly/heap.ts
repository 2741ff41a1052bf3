// A binary heap whose members know their place, so that one of them can be moved or taken out in
// O(log n). Ties of the key go by `order`, a number that is never given twice: no order is left to chance.
import { freeList, grow, List, makeList } from "./memory";

/** What can stand in a heap; in at most one at a time. */
@unmanaged
export class Node {
  key: u64;
  order: u64;
  /** Place in its heap, 1-based; 0 = in none. */
  place: u32;
}

/** Comparisons made so far: what ordering costs, counted and not timed. */
export let comparisons: u64 = 0;

export function makeHeap(): List {
  return makeList(sizeof<usize>(), 4);
}

export function freeHeap(heap: List): void {
  freeList(heap);
}

function get(heap: List, place: u32): Node {
  return changetype<Node>(load<usize>(heap.at + <usize>(place - 1) * sizeof<usize>()));
}

function put(heap: List, place: u32, node: Node): void {
  store<usize>(heap.at + <usize>(place - 1) * sizeof<usize>(), changetype<usize>(node));
  node.place = place;
}

function before(a: Node, b: Node): bool {
  comparisons++;
  return a.key < b.key || (a.key == b.key && a.order < b.order);
}

function up(heap: List, place: u32, node: Node): void {
  while (place > 1) {
    const parent = get(heap, place >> 1);
    if (!before(node, parent)) break;
    put(heap, place, parent);
    place >>= 1;
  }
  put(heap, place, node);
}

function down(heap: List, place: u32, node: Node): void {
  const length = heap.length;
  for (;;) {
    let child = place << 1;
    if (child > length) break;
    if (child < length && before(get(heap, child + 1), get(heap, child))) child++;
    const least = get(heap, child);
    if (!before(least, node)) break;
    put(heap, place, least);
    place = child;
  }
  put(heap, place, node);
}

/** The first member, or null. */
export function first(heap: List): Node | null {
  return heap.length == 0 ? null : get(heap, 1);
}

export function insert(heap: List, node: Node): void {
  assert(node.place == 0, "a node stands in two heaps");
  grow(heap);
  up(heap, heap.length, node);
}

/** Takes a member out, wherever it stands. */
export function remove(heap: List, node: Node): void {
  const place = node.place;
  assert(place > 0 && place <= heap.length, "a node is taken from a heap that does not hold it");
  const last = get(heap, heap.length);
  heap.length--;
  node.place = 0;
  if (last === node) return;
  put(heap, place, last);
  moved(heap, last);
}

/** Puts a member right after its key has changed. */
export function moved(heap: List, node: Node): void {
  const place = node.place;
  if (place > 1 && before(node, get(heap, place >> 1))) up(heap, place, node);
  else down(heap, place, node);
}
