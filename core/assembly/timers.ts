// All that ends by itself, by when: slots (what their state waits for, their own deadline), plans (the
// batch's deadline, one timer for all its slots) and scopes (when they may let somebody through). The host
// keeps a single timer, for the first.
import { first, insert, makeHeap, moved, Node, remove } from "./heap";
import { List } from "./memory";
import { Plan, Slot } from "./runs";
import { Scope } from "./scopes";
import { freeTimer, Timer } from "./slot-parts";
import { now } from "./turn";

const timers: List = makeHeap();
let orders: u64 = 0;

function set(node: Node, at: u64): void {
  if (at == 0) {
    if (node.place != 0) remove(timers, node);
    return;
  }
  node.key = at;
  if (node.place != 0) {
    moved(timers, node);
    return;
  }
  node.order = orders++;
  insert(timers, node);
}

/** Puts a slot where what it waits for and its own deadline say. */
export function arm(slot: Slot): void {
  if (slot.timer == 0) return;
  const timer = changetype<Timer>(slot.timer);
  let at = timer.dueAt;
  if (timer.deadlineAt != 0 && !slot.overdue && (at == 0 || timer.deadlineAt < at)) at = timer.deadlineAt;
  set(timer, at);
}

/** Nothing of the slot ends by itself any more: not even its deadline has anything to decide. */
export function disarm(slot: Slot): void {
  if (slot.timer == 0) return;
  const timer = changetype<Timer>(slot.timer);
  if (timer.place != 0) remove(timers, timer);
  freeTimer(slot.timer);
  slot.timer = 0;
}

export function armPlan(plan: Plan): void {
  set(plan, plan.deadlineAt);
}

export function disarmPlan(plan: Plan): void {
  if (plan.place != 0) remove(timers, plan);
}

/** The scope is to be looked at then, or before if that was asked for already. */
export function armScope(scope: Scope, at: u64): void {
  if (scope.place == 0 || at < scope.key) set(scope, at);
}

export function disarmScope(scope: Scope): void {
  if (scope.place != 0) remove(timers, scope);
}

/** Takes out the first that is due, or gives null. */
export function takeDue(): Node | null {
  const node = first(timers);
  if (node === null || node.key > now) return null;
  remove(timers, node);
  return node;
}

/** When the first is due; 0 = nothing to wait for. */
export function wakeAt(): u64 {
  const node = first(timers);
  return node === null ? 0 : node.key;
}
