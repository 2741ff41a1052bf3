// Overtaking: a call that preempts takes its tickets before those of calls that stand lower and have not begun, of all
// its keys at one place in the order of all calls that have tickets. So nobody waits for somebody who waits for them.
import { Conditions } from "./conditions";
import { find } from "./names";
import { Key, stride } from "./records";
import { Lock, locks, Phase, Ticket } from "./tickets";

export function keyAt(keys: usize, i: u32): Key {
  return changetype<Key>(keys + stride<Key>(8) * i);
}

/** Between two neighbours there is room for so many that overtake, halving it each time; then they stand at the end. */
export const ORDER_BITS: u64 = 24;

/** A call that has not begun and stands lower, so that one that preempts goes before it. */
function mayBeOvertaken(by: Conditions, other: Conditions): bool {
  return other.slot.attempt == 0 && other.priority < by.priority;
}

/** Its place is right behind the last, of all its keys, that it must wait for: one place in the order of all, so there is no circle. */
export function overtake(conditions: Conditions, keys: usize, count: u32): bool {
  let after: u64 = 0;
  for (let i: u32 = 0; i < count; i++) {
    const lock = find(locks, keyAt(keys, i).nameHigh, keyAt(keys, i).nameLow);
    if (lock == 0) continue;
    for (let at = changetype<Lock>(lock).head; at != 0; at = changetype<Phase>(at).next) {
      for (let ticket = changetype<Phase>(at).tickets; ticket != 0; ticket = changetype<Ticket>(ticket).next) {
        const other = changetype<Ticket>(ticket).conditions;
        if (!mayBeOvertaken(conditions, other)) after = max(after, other.ticketOrder);
      }
    }
  }
  let before = conditions.ticketOrder;
  for (let i: u32 = 0; i < count; i++) {
    const lock = find(locks, keyAt(keys, i).nameHigh, keyAt(keys, i).nameLow);
    if (lock == 0) continue;
    for (let at = changetype<Lock>(lock).head; at != 0; at = changetype<Phase>(at).next) {
      for (let ticket = changetype<Phase>(at).tickets; ticket != 0; ticket = changetype<Ticket>(ticket).next) {
        const order = changetype<Ticket>(ticket).conditions.ticketOrder;
        if (order > after) before = min(before, order);
      }
    }
  }
  const between = after + ((before - after) >> 1);
  if (between <= after || before == conditions.ticketOrder) return false;
  conditions.ticketOrder = between;
  return true;
}
