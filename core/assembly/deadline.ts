// Until when a call must be over, and so when it must have started at the latest: what it needs before its
// deadline is left then. Nothing is decided here.
import { Conditions } from "./conditions";
import { Slot } from "./runs";
import { now } from "./turn";

/** The earlier of its own and its batch's deadline, on the clock of now; 0 = none. */
export function deadlineOf(slot: Slot): u64 {
  const plan = slot.plan.deadlineAt;
  const own = slot.deadlineAt;
  if (plan == 0) return own;
  return own == 0 || plan < own ? plan : own;
}

export function isOverdue(slot: Slot): bool {
  const at = deadlineOf(slot);
  return at != 0 && at <= now;
}

/** The last moment at which it may start, on the clock of now; 0 = any. */
export function lastStart(slot: Slot): u64 {
  if (slot.conditions == 0) return 0;
  const budget = changetype<Conditions>(slot.conditions).budget;
  if (budget == 0) return 0;
  const deadline = deadlineOf(slot);
  if (deadline == 0) return 0;
  return deadline > budget ? deadline - budget : 1;
}

/** Would a start at this moment leave it less than it needs? */
export function leavesTooLittle(slot: Slot, at: u64): bool {
  const last = lastStart(slot);
  return last != 0 && at > last;
}
