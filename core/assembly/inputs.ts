// The lists that came with this call, beside its events and calls: what calls say of their start, the names
// and the costs in that. Rows are checked before anything is made of them.
import { isPriority } from "./priority";
import { Charge, Event, Key, stride, Terms } from "./records";

let terms: usize = 0;
let termCount: u32 = 0;
export let keys: usize = 0;
export let keyCount: u32 = 0;
export let charges: usize = 0;
let chargeCount: u32 = 0;

export function takeInputs(
  termsAt: usize,
  termsThere: u32,
  keysAt: usize,
  keysThere: u32,
  chargesAt: usize,
  chargesThere: u32,
): void {
  terms = termsAt;
  termCount = termsThere;
  keys = keysAt;
  keyCount = keysThere;
  charges = chargesAt;
  chargeCount = chargesThere;
}

function isWithin(first: u32, count: u32, there: u32): bool {
  return first <= there && count <= there - first;
}

/** The terms of a call, or null if it has none. Only of a row that `areRight`. */
export function termsAt(row: u32): Terms | null {
  return row == 0 ? null : changetype<Terms>(terms + stride<Terms>(8) * (row - 1));
}

/** Does this row exist, and speak of rows that exist? */
export function areRight(row: u32): bool {
  if (row == 0) return true;
  if (row > termCount) return false;
  const found = termsAt(row)!;
  return (
    isPriority(found.priority) &&
    found.key <= keyCount &&
    isWithin(found.firstLock, found.locks, keyCount) &&
    isWithin(found.firstCharge, found.charges, chargeCount)
  );
}

/** A name by 1 + its row, or null. */
export function keyAt(row: u64): Key | null {
  if (row == 0 || row > <u64>keyCount) return null;
  return changetype<Key>(keys + stride<Key>(8) * <usize>(row - 1));
}

/** The costs that an event speaks of; 0 where they are not all there. */
export function chargesOf(event: Event): usize {
  if (event.count == 0 || !isWithin(event.first, event.count, chargeCount)) return 0;
  return charges + stride<Charge>(4) * event.first;
}
