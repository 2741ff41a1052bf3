// Tenants may share time instead of starts: what a call held its permits for is charged when it gives them back. What
// passes while it has none, because it waits for its child run or for its reconciler to be asked, is nobody's.
import { unitsOf } from "./conditions";
import { charge } from "./fairness";
import { Line, ready, standIn } from "./lines";
import { begunOf, Slot } from "./runs";
import { now } from "./turn";

export let sharesTime: bool = false;

export function shareTime(): void {
  sharesTime = true;
}

/** No call is charged more at once, ms. */
const MS_MOST: u64 = 1 << 20;

export function beginHolding(slot: Slot): void {
  begunOf(slot).heldSince = now;
}

/** The start itself was charged as one ms; what it took beyond that is charged now. */
export function chargeHeld(slot: Slot): void {
  const ms = <u32>min<u64>((now - begunOf(slot).heldSince) / 1000, MS_MOST);
  if (ms > 1) charge(standIn(ready, changetype<Line>(slot.line)), unitsOf(slot) * (ms - 1));
}
