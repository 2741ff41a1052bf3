// Tickets on keys and the phases that they form: of each key a list of phases, neighbouring readers together,
// writers alone. Who takes, returns and lends them is elsewhere (locks.ts).
import { Conditions } from "./conditions";
import { make } from "./memory";
import { find, makeNames, Names, put } from "./names";
import { Key } from "./records";
import { Slot } from "./runs";

/** Neighbouring readers of a key, or one writer. */
@unmanaged
export class Phase {
  lock: Lock;
  writes: bool;
  open: bool;
  count: u32;
  tickets: usize; // Ticket, linked
  previous: usize;
  next: usize;
  /** Members that are known to move; and of which look that is so (circles.ts). */
  moving: u32;
  look: u32;
  /** No member stands behind this key: whoever lends no earlier place need not look at them. */
  latestKey: u64;
}

@unmanaged
export class Lock {
  nameHigh: u64;
  nameLow: u64;
  head: usize; // Phase
  tail: usize;
}

@unmanaged
export class Ticket {
  conditions: Conditions;
  phase: Phase;
  next: usize; // in its phase
  previous: usize;
  nextOfCall: usize;
}

export const locks: Names = makeNames();
/** Called with a slot whose turn it was and is no more. */
let shut: (slot: Slot) => void = (_slot: Slot): void => {};

export function onShut(call: (slot: Slot) => void): void {
  shut = call;
}

export function join(ticket: Ticket, phase: Phase): void {
  ticket.phase = phase;
  ticket.previous = 0;
  ticket.next = phase.tickets;
  if (ticket.next != 0) changetype<Ticket>(ticket.next).previous = changetype<usize>(ticket);
  phase.tickets = changetype<usize>(ticket);
  phase.count++;
}

export function unlink(ticket: Ticket): void {
  if (ticket.previous == 0) ticket.phase.tickets = ticket.next;
  else changetype<Ticket>(ticket.previous).next = ticket.next;
  if (ticket.next != 0) changetype<Ticket>(ticket.next).previous = ticket.previous;
}

export function lockOf(key: Key): Lock {
  const known = find(locks, key.nameHigh, key.nameLow);
  if (known != 0) return changetype<Lock>(known);
  const made = changetype<Lock>(make(offsetof<Lock>()));
  made.nameHigh = key.nameHigh;
  made.nameLow = key.nameLow;
  put(locks, key.nameHigh, key.nameLow, changetype<usize>(made));
  return made;
}

/** A phase with nobody in it, between these two neighbours (0 = none). */
function newPhase(lock: Lock, writes: bool, previous: usize, next: usize): Phase {
  const phase = changetype<Phase>(make(offsetof<Phase>()));
  phase.lock = lock;
  phase.writes = writes;
  phase.previous = previous;
  phase.next = next;
  phase.open = previous == 0;
  if (previous == 0) lock.head = changetype<usize>(phase);
  else changetype<Phase>(previous).next = changetype<usize>(phase);
  if (next == 0) lock.tail = changetype<usize>(phase);
  else changetype<Phase>(next).previous = changetype<usize>(phase);
  return phase;
}

/** At the end, among the readers there if it reads. */
export function lastPhase(lock: Lock, writes: bool): Phase {
  const tail = changetype<Phase | null>(lock.tail);
  return tail !== null && !tail.writes && !writes ? tail : newPhase(lock, writes, lock.tail, 0);
}

/** Where a ticket of this order belongs, before some that came earlier. */
export function phaseBefore(lock: Lock, writes: bool, order: u64): Phase {
  let next: usize = 0;
  let previous = lock.tail;
  while (previous != 0 && firstOrder(changetype<Phase>(previous)) > order) {
    next = previous;
    previous = changetype<Phase>(previous).previous;
  }
  if (previous != 0 && !changetype<Phase>(previous).writes) {
    if (!writes) return changetype<Phase>(previous);
    if (lastOrder(changetype<Phase>(previous)) > order)
      next = changetype<usize>(splitPhase(changetype<Phase>(previous), order));
  }
  if (next != 0 && !writes && !changetype<Phase>(next).writes) return changetype<Phase>(next);
  if (next != 0) shutPhase(changetype<Phase>(next));
  return newPhase(lock, writes, previous, next);
}

function firstOrder(phase: Phase): u64 {
  let order = u64.MAX_VALUE;
  for (let at = phase.tickets; at != 0; at = changetype<Ticket>(at).next)
    order = min(order, changetype<Ticket>(at).conditions.ticketOrder);
  return order;
}

function lastOrder(phase: Phase): u64 {
  let order: u64 = 0;
  for (let at = phase.tickets; at != 0; at = changetype<Ticket>(at).next)
    order = max(order, changetype<Ticket>(at).conditions.ticketOrder);
  return order;
}

/** Readers that come after this order are a phase of their own, right behind. */
function splitPhase(phase: Phase, order: u64): Phase {
  const behind = newPhase(phase.lock, false, changetype<usize>(phase), phase.next);
  behind.open = phase.open;
  behind.latestKey = phase.latestKey;
  let at = phase.tickets;
  while (at != 0) {
    const ticket = changetype<Ticket>(at);
    at = ticket.next;
    if (ticket.conditions.ticketOrder <= order) continue;
    unlink(ticket);
    phase.count--;
    join(ticket, behind);
  }
  return behind;
}

/** Somebody goes before them now, though it was their turn: none of them has begun. */
function shutPhase(phase: Phase): void {
  if (!phase.open) return;
  phase.open = false;
  for (let at = phase.tickets; at != 0; at = changetype<Ticket>(at).next) {
    const conditions = changetype<Ticket>(at).conditions;
    if (conditions.ticketsShut++ == 0) shut(conditions.slot);
  }
}
