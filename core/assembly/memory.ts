// Memory outside any collector: zeroed blocks, lists that grow, and the area where a host lays its
// input. Nothing here is garbage; whoever makes a block frees it.

/** A record's worth: engines carry out `memory.fill` by a call that costs more than so many stores. */
const FEW_BYTES: usize = 256;

/** Bytes are a multiple of 4, as those of all records are. */
function clear(at: usize, bytes: usize): void {
  if (bytes > FEW_BYTES) {
    memory.fill(at, 0, bytes);
    return;
  }
  const end = at + bytes;
  for (; at + 8 <= end; at += 8) store<u64>(at, 0);
  if (at < end) store<u32>(at, 0);
}

/** A zeroed block. */
export function make(bytes: usize): usize {
  const at = heap.alloc(bytes);
  clear(at, bytes);
  return at;
}

/** Blocks of one size that come and go: one that was given back serves the next. */
@unmanaged
export class Pool {
  bytes: usize;
  free: usize; // linked through their first word
}

export function makePool(bytes: usize): Pool {
  const pool = changetype<Pool>(make(offsetof<Pool>()));
  pool.bytes = bytes;
  return pool;
}

/** A block in which every field is to be written: it holds what it held. */
export function takeBlock(pool: Pool): usize {
  const at = pool.free;
  if (at == 0) return heap.alloc(pool.bytes);
  pool.free = load<usize>(at);
  return at;
}

export function giveBlock(pool: Pool, at: usize): void {
  store<usize>(at, pool.free);
  pool.free = at;
}

/** A list of fixed-size records, reused from call to call. */
@unmanaged
export class List {
  at: usize;
  length: u32;
  capacity: u32;
  stride: usize;
}

export function makeList(strideOf: usize, capacity: u32): List {
  const list = changetype<List>(make(offsetof<List>()));
  list.stride = strideOf;
  list.capacity = capacity;
  list.at = heap.alloc(strideOf * capacity);
  return list;
}

/** Address of one more record at the end, zeroed. Earlier addresses may move. */
export function grow(list: List): usize {
  if (list.length == list.capacity) {
    list.capacity *= 2;
    list.at = heap.realloc(list.at, list.stride * list.capacity);
  }
  const at = list.at + list.stride * list.length;
  list.length++;
  clear(at, list.stride);
  return at;
}

export function freeList(list: List): void {
  heap.free(list.at);
  heap.free(changetype<usize>(list));
}

// The input area: one block, handed out from its start in every turn. A host that drives the bare
// module asks once with `reserve` and writes there; the canonical ABI comes through `cabi_realloc`.
// A turn that asked for more than the block held is served from the heap, and the next one finds a larger block.
const PAGE_BYTES: usize = 64 * 1024;
const ALIGN: usize = 8;
let area: usize = 0;
let areaBytes: usize = 0;
let used: usize = 0;
let wanted: usize = 0;
let overflow: usize = 0; // list of extra blocks, linked through their first word

function ensureArea(bytes: usize): void {
  if (areaBytes >= bytes) return;
  if (area != 0) heap.free(area);
  areaBytes = (bytes + PAGE_BYTES - 1) & ~(PAGE_BYTES - 1);
  area = heap.alloc(areaBytes);
}

/** The start of an input area of at least so many bytes. It stays there until a larger one is asked for. */
export function reserve(bytes: usize): usize {
  ensureArea(bytes);
  return area;
}

/** A piece of input for the canonical ABI; it lives until the end of the call that it is for. */
export function lower(bytes: usize): usize {
  const size = (bytes + ALIGN - 1) & ~(ALIGN - 1);
  ensureArea(PAGE_BYTES);
  wanted += size;
  if (used + size <= areaBytes) {
    const at = area + used;
    used += size;
    return at;
  }
  const block = heap.alloc(size + ALIGN);
  store<usize>(block, overflow);
  overflow = block;
  return block + ALIGN;
}

/** The input of this call has been read: its area is free again. */
export function inputRead(): void {
  while (overflow != 0) {
    const next = load<usize>(overflow);
    heap.free(overflow);
    overflow = next;
  }
  ensureArea(wanted);
  used = 0;
  wanted = 0;
}
