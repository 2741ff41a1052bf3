// Cancelling, of one call or of a run. A cancelled run starts nothing more from that moment; those of its calls that
// wait settle so many in a step, so that no step is long and no group of entries large.
import { Happening, NONE } from "./codes";
import { grow, List, makeList } from "./memory";
import { happen } from "./moves";
import { Event } from "./records";
import { findRun, Run, Slot, slotAt } from "./runs";

/** Slots that are told in one step, at most. */
const SLOTS_MOST: u32 = 1024;

/** Numbers of cancelled runs of which not all slots have been told. One that has gone meanwhile is passed over. */
const untold: List = makeList(sizeof<u32>(), 4);
/** How many more may be told in this step. */
let left: u32 = SLOTS_MOST;

function tell(slot: Slot): void {
  if (slot.claimed) happen(slot, Happening.cancel);
}

export function cancel(event: Event): void {
  const run = findRun(event.run);
  if (run === null || run.over) return;
  if (event.slot == NONE) {
    if (!run.cancelled) store<u32>(grow(untold), run.number);
    run.cancelled = true;
    tellMore();
    return;
  }
  const slot = slotAt(run, event.slot);
  if (slot === null) return;
  slot.cancelled = true;
  tell(slot);
}

/** A step begins: it goes on where the last one stopped. */
export function goOnCancelling(): void {
  left = SLOTS_MOST;
  tellMore();
}

function tellMore(): void {
  while (untold.length > 0 && left > 0) {
    tellSlots(findRun(load<u32>(untold.at + <usize>(untold.length - 1) * sizeof<u32>())));
    if (left > 0) untold.length--;
  }
}

function tellSlots(run: Run | null): void {
  if (run === null || !run.cancelled || run.over) return;
  for (; left > 0 && run.told < run.slotCount; left--) tell(slotAt(run, run.told++)!);
}

/** Is there anybody left to tell? */
export function isCancelling(): bool {
  return untold.length > 0;
}
