// What a call said of its start beyond the plain, kept while it matters: priority, weight, key, cost, how
// long it may wait, whether it may be dropped. A call that said nothing has none and costs nothing here.
import { Node } from "./heap";
import { freeList, List, make } from "./memory";
import { Charge, Key, stride, Terms } from "./records";
import { Slot } from "./runs";
import { Scope } from "./scopes";

/** A node of those that may be dropped (overload.ts). */
@unmanaged
export class Conditions extends Node {
  slot: Slot;
  priority: i32;
  weight: u32;
  startWithin: u64;
  budget: u64;
  sheddable: bool;
  background: bool;
  preempts: bool;
  preemptible: bool;
  /** It goes first of its batch, however much of that is held back (held-back.ts). */
  passes: bool;
  keyScope: usize; // Scope of its key, or 0
  charges: usize; // Charge × chargeCount
  chargeCount: u32;
  spent: usize; // List of Charge: what the attempt has said that it cost, or 0
  locks: usize; // Key × lockCount: what it reads and writes, until it has its tickets
  lockCount: u32;
  tickets: usize; // Ticket, linked (locks.ts)
  /** Its place among those that have tickets, whatever of: none waits for one that comes after it here. */
  ticketOrder: u64;
  /** Tickets before which an earlier call must end. */
  ticketsShut: u32;
  /** Of those, with somebody before them who is thought to be stuck (circles.ts). */
  ticketsStuck: u32;
  nextOpened: usize; // while its tickets have just opened
  /** Its place as its own priority gives it; waitKey may be less, inherited from who waits for it. */
  ownKey: u64;
}

export function conditionsOf(slot: Slot): Conditions {
  if (slot.conditions == 0) {
    const made = changetype<Conditions>(make(offsetof<Conditions>()));
    made.slot = slot;
    made.weight = 1;
    slot.conditions = changetype<usize>(made);
  }
  return changetype<Conditions>(slot.conditions);
}

function copied(from: usize, bytes: usize, before: usize): usize {
  if (before != 0) heap.free(before);
  if (bytes == 0) return 0;
  const at = make(bytes);
  memory.copy(at, from, bytes);
  return at;
}

/** What the program says of the call; `key` is the scope of its key, or null. */
export function impose(slot: Slot, terms: Terms, key: Scope | null, keys: usize, charges: usize): void {
  const conditions = conditionsOf(slot);
  conditions.priority = terms.priority;
  conditions.weight = max(terms.weight, 1);
  conditions.startWithin = terms.startWithin;
  conditions.budget = terms.budget;
  conditions.sheddable = terms.sheddable;
  conditions.background = terms.background;
  conditions.preempts = terms.preempts;
  conditions.preemptible = terms.preemptible;
  conditions.keyScope = changetype<usize>(key);
  const chargesFrom = charges + stride<Charge>(4) * terms.firstCharge;
  conditions.charges = copied(chargesFrom, stride<Charge>(4) * terms.charges, conditions.charges);
  conditions.chargeCount = terms.charges;
  const locksFrom = keys + stride<Key>(8) * terms.firstLock;
  conditions.locks = copied(locksFrom, stride<Key>(8) * terms.locks, conditions.locks);
  conditions.lockCount = terms.locks;
}

export function freeConditions(slot: Slot): void {
  if (slot.conditions == 0) return;
  const conditions = changetype<Conditions>(slot.conditions);
  if (conditions.charges != 0) heap.free(conditions.charges);
  if (conditions.locks != 0) heap.free(conditions.locks);
  if (conditions.spent != 0) freeList(changetype<List>(conditions.spent));
  heap.free(slot.conditions);
  slot.conditions = 0;
}

/** Permits that it takes of each of its scopes. */
export function unitsOf(slot: Slot): u32 {
  return slot.conditions == 0 ? 1 : changetype<Conditions>(slot.conditions).weight;
}

export function priorityOf(slot: Slot): i32 {
  return slot.conditions == 0 ? 0 : changetype<Conditions>(slot.conditions).priority;
}

/** What a start costs on a meter: 1 unless it said otherwise. */
export function costOf(slot: Slot, meter: u32): u64 {
  if (slot.conditions == 0) return 1;
  const conditions = changetype<Conditions>(slot.conditions);
  for (let i: u32 = 0; i < conditions.chargeCount; i++) {
    const charge = changetype<Charge>(conditions.charges + stride<Charge>(4) * i);
    if (charge.meter == meter) return charge.cost;
  }
  return 1;
}
