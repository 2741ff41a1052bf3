// What a call was thought to cost and what it turned out to: the estimate is counted when it starts, the
// difference when it is known. More is a debt that must drain; less is given back where it was counted.
import { Conditions, conditionsOf, costOf } from "./conditions";
import { gained } from "./freed";
import { Line, scopeOf } from "./lines";
import { grow, List, makeList } from "./memory";
import { charge, Rate, refund } from "./rates";
import { Charge, stride } from "./records";
import { begunOf, Slot } from "./runs";

const STARTS: u32 = 0; // the meter of starts: what has started has started

function spentOn(conditions: Conditions, meter: u32): Charge | null {
  if (conditions.spent == 0) return null;
  const spent = changetype<List>(conditions.spent);
  for (let i: u32 = 0; i < spent.length; i++) {
    const row = changetype<Charge>(spent.at + spent.stride * i);
    if (row.meter == meter) return row;
  }
  return null;
}

/** The rates of all its scopes that count this meter change from one cost to the other. */
function move(slot: Slot, meter: u32, from: u64, to: u64): void {
  if (from == to) return;
  const line = changetype<Line>(slot.line);
  for (let i: u32 = 0; i < line.scopeCount; i++) {
    const scope = scopeOf(line, i);
    for (let at = scope.rates; at != 0; at = changetype<Rate>(at).next) {
      const rate = changetype<Rate>(at);
      if (rate.meter != meter) continue;
      if (to > from) charge(rate, to - from);
      else refund(rate, from - to, begunOf(slot).startedOn);
      gained(scope);
    }
  }
}

/** The attempt says what it has cost so far. */
export function correctCosts(slot: Slot, charges: usize, count: u32): void {
  if (charges == 0 || count == 0 || slot.line == 0 || slot.start == 0) return;
  const conditions = conditionsOf(slot);
  if (conditions.spent == 0) conditions.spent = changetype<usize>(makeList(stride<Charge>(4), 4));
  for (let i: u32 = 0; i < count; i++) {
    const actual = changetype<Charge>(charges + stride<Charge>(4) * i);
    if (actual.meter == STARTS) continue;
    const known = spentOn(conditions, actual.meter);
    move(slot, actual.meter, known !== null ? known.cost : costOf(slot, actual.meter), actual.cost);
    const row = known !== null ? known : changetype<Charge>(grow(changetype<List>(conditions.spent)));
    row.meter = actual.meter;
    row.cost = actual.cost;
  }
}

/** The attempt came to nothing: what it was thought to cost, and did not say that it had, is given back. */
export function refundCosts(slot: Slot): void {
  if (slot.conditions == 0) return;
  const conditions = changetype<Conditions>(slot.conditions);
  for (let i: u32 = 0; i < conditions.chargeCount; i++) {
    const estimate = changetype<Charge>(conditions.charges + stride<Charge>(4) * i);
    if (estimate.meter != STARTS && spentOn(conditions, estimate.meter) === null)
      move(slot, estimate.meter, estimate.cost, 0);
  }
}

/** A new attempt begins: it has said nothing yet. */
export function forgetSpent(slot: Slot): void {
  if (slot.conditions == 0) return;
  const spent = changetype<Conditions>(slot.conditions).spent;
  if (spent != 0) changetype<List>(spent).length = 0;
}
