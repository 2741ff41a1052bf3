// The slots of a run by their call ids: open addressing, never more than half full.
import { make } from "./memory";
import { Run, Slot } from "./runs";

function probe(ids: usize, capacity: u32, high: u64, low: u64): usize {
  const mask = capacity - 1;
  let at = ids + <usize>(<u32>low & mask) * sizeof<usize>();
  const end = ids + <usize>capacity * sizeof<usize>();
  let found = load<usize>(at);
  while (found != 0) {
    const slot = changetype<Slot>(found);
    if (slot.idLow == low && slot.idHigh == high) break;
    at += sizeof<usize>();
    if (at == end) at = ids;
    found = load<usize>(at);
  }
  return at;
}

/** Room for all slots that there are: after some were planned, before they are indexed. */
export function growIds(run: Run): void {
  let capacity: u32 = run.idCapacity == 0 ? 16 : run.idCapacity;
  while (capacity < run.slotCount * 2) capacity *= 2;
  if (capacity == run.idCapacity) return;
  const bigger = make(<usize>capacity * sizeof<usize>());
  for (let i: u32 = 0; i < run.idCapacity; i++) {
    const found = load<usize>(run.ids + <usize>i * sizeof<usize>());
    if (found == 0) continue;
    const slot = changetype<Slot>(found);
    store<usize>(probe(bigger, capacity, slot.idHigh, slot.idLow), found);
  }
  if (run.ids != 0) heap.free(run.ids);
  run.ids = bigger;
  run.idCapacity = capacity;
}

/** The slot of this call id; of several, the one planned last. */
export function findSlot(run: Run, high: u64, low: u64): Slot | null {
  if (run.idCapacity == 0) return null;
  return changetype<Slot | null>(load<usize>(probe(run.ids, run.idCapacity, high, low)));
}

/** From now on the slot's call id finds it. */
export function indexSlot(run: Run, slot: Slot): void {
  store<usize>(probe(run.ids, run.idCapacity, slot.idHigh, slot.idLow), changetype<usize>(slot));
}
