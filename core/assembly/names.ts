// A table from names (pairs of 64-bit numbers: a digest, or two addresses) to records: open addressing
// with linear probing, and removal without tombstones. Its order is never looked at.
import { make } from "./memory";

@unmanaged
class Row {
  high: u64;
  low: u64;
  at: usize; // 0 = free
}

@unmanaged
export class Names {
  rows: usize;
  capacity: u32; // a power of two, or 0
  count: u32;
}

const STRIDE: usize = 24;

export function makeNames(): Names {
  return changetype<Names>(make(offsetof<Names>()));
}

function rowAt(names: Names, place: u32): Row {
  return changetype<Row>(names.rows + <usize>place * STRIDE);
}

function home(names: Names, high: u64, low: u64): u32 {
  const mixed = (low ^ (high * 0xc2b2ae3d27d4eb4f)) * 0x9e3779b97f4a7c15;
  return <u32>(mixed >> 32) & (names.capacity - 1);
}

/** Where the name stands, or where it would. */
function placeOf(names: Names, high: u64, low: u64): u32 {
  const mask = names.capacity - 1;
  let place = home(names, high, low);
  let row = rowAt(names, place);
  while (row.at != 0 && (row.low != low || row.high != high)) {
    place = (place + 1) & mask;
    row = rowAt(names, place);
  }
  return place;
}

/** The record of this name, or 0. */
export function find(names: Names, high: u64, low: u64): usize {
  return names.count == 0 ? 0 : rowAt(names, placeOf(names, high, low)).at;
}

function resize(names: Names, capacity: u32): void {
  const old = names.rows;
  const oldCapacity = names.capacity;
  names.rows = make(<usize>capacity * STRIDE);
  names.capacity = capacity;
  for (let i: u32 = 0; i < oldCapacity; i++) {
    const from = changetype<Row>(old + <usize>i * STRIDE);
    if (from.at == 0) continue;
    memory.copy(changetype<usize>(rowAt(names, placeOf(names, from.high, from.low))), changetype<usize>(from), STRIDE);
  }
  if (old != 0) heap.free(old);
}

/** How many places there are, and who stands at one of them (0 = nobody): for what is done to all, in whatever order. */
export function places(names: Names): u32 {
  return names.capacity;
}

export function at(names: Names, place: u32): usize {
  return rowAt(names, place).at;
}

/** Gives the name a record. It must not have one. */
export function put(names: Names, high: u64, low: u64, at: usize): void {
  if (names.count * 2 >= names.capacity) resize(names, names.capacity == 0 ? 16 : names.capacity * 2);
  const row = rowAt(names, placeOf(names, high, low));
  assert(row.at == 0, "a name is given twice");
  row.high = high;
  row.low = low;
  row.at = at;
  names.count++;
}

/** Forgets the name. Those that were pushed past its place move up. */
export function drop(names: Names, high: u64, low: u64): void {
  const mask = names.capacity - 1;
  let hole = placeOf(names, high, low);
  assert(rowAt(names, hole).at != 0, "a name is dropped that is not there");
  names.count--;
  let place = hole;
  for (;;) {
    place = (place + 1) & mask;
    const row = rowAt(names, place);
    if (row.at == 0) break;
    const wanted = home(names, row.high, row.low);
    if (((place - wanted) & mask) < ((place - hole) & mask)) continue;
    memory.copy(changetype<usize>(rowAt(names, hole)), changetype<usize>(row), STRIDE);
    hole = place;
  }
  rowAt(names, hole).at = 0;
  if (names.capacity > 64 && names.count * 8 < names.capacity) resize(names, names.capacity >> 1);
}
