// Locks: tickets on keys that calls read or write. Of a key, calls go in the order of their tickets, readers
// that follow one another together. A call takes all its tickets at once and waits until none of them is
// shut: nobody holds one and waits for another, so there is no deadlock. Who waits behind lends its place to
// those before it (priority inheritance; Sha, Rajkumar, Lehoczky 1990), and takes it back when it goes.
import { Conditions, conditionsOf } from "./conditions";
import { make } from "./memory";
import { drop } from "./names";
import { keyAt, ORDER_BITS, overtake } from "./overtaking";
import { Slot } from "./runs";
import { join, lastPhase, lockOf, locks, Phase, phaseBefore, Ticket, unlink } from "./tickets";

/** Slots that stand earlier for somebody who waits for them. */
let lent: u32 = 0;
/** Called with a slot whose place has changed, so that its line learns of it. */
let replaced: (slot: Slot, key: u64) => void = (slot: Slot, key: u64): void => {
  slot.waitKey = key;
};

export function onReplaced(call: (slot: Slot, key: u64) => void): void {
  replaced = call;
}

export function lockCount(): u32 {
  return locks.count;
}

export function hasLocks(slot: Slot): bool {
  return slot.conditions != 0 && changetype<Conditions>(slot.conditions).tickets != 0;
}

/** Calls before it that must end first, or 0. */
export function shutTickets(slot: Slot): u32 {
  return slot.conditions == 0 ? 0 : changetype<Conditions>(slot.conditions).ticketsShut;
}

// ── taking ────────────────────────────────────────────────────────────────────────────────────

/** Those that it has overtaken lend it their place, where that is the earlier one. */
export function takeLoans(slot: Slot): void {
  const conditions = changetype<Conditions>(slot.conditions);
  for (let at = conditions.tickets; at != 0; at = changetype<Ticket>(at).nextOfCall) {
    const behind = changetype<Ticket>(at).phase.next;
    if (behind == 0) continue;
    for (let other = changetype<Phase>(behind).tickets; other != 0; other = changetype<Ticket>(other).next)
      lendPlace(changetype<Ticket>(other).conditions.slot);
  }
}

/** Calls `each` with every earlier call that the slot waits for by its keys, of each key the first first; of some it may be called twice. */
export function forEachBefore(slot: Slot, each: (before: Slot) => void): void {
  const conditions = changetype<Conditions>(slot.conditions);
  for (let at = conditions.tickets; at != 0; at = changetype<Ticket>(at).nextOfCall) {
    const own = changetype<Ticket>(at).phase;
    for (let before = own.lock.head; before != changetype<usize>(own); before = changetype<Phase>(before).next) {
      const phase = changetype<Phase>(before);
      if (!phase.writes && !own.writes) continue;
      for (let ticket = phase.tickets; ticket != 0; ticket = changetype<Ticket>(ticket).next)
        each(changetype<Ticket>(ticket).conditions.slot);
    }
  }
}

/** Takes a ticket of each of these keys. A key named twice is one ticket, a writing one if either is. */
export function takeTickets(slot: Slot, keys: usize, count: u32): void {
  const conditions = conditionsOf(slot);
  conditions.ticketOrder = slot.turn << ORDER_BITS;
  const overtakes = conditions.preempts && overtake(conditions, keys, count);
  for (let i: u32 = 0; i < count; i++) {
    const key = keyAt(keys, i);
    if (isRepeated(keys, count, i)) continue;
    const phase = overtakes
      ? phaseBefore(lockOf(key), key.write, conditions.ticketOrder)
      : lastPhase(lockOf(key), key.write);
    const ticket = changetype<Ticket>(make(offsetof<Ticket>()));
    ticket.conditions = conditions;
    join(ticket, phase);
    ticket.nextOfCall = conditions.tickets;
    conditions.tickets = changetype<usize>(ticket);
    if (!phase.open) conditions.ticketsShut++;
  }
}

/** The same name stands in the list once more: earlier, or later as a writer. */
function isRepeated(keys: usize, count: u32, at: u32): bool {
  const key = keyAt(keys, at);
  for (let i: u32 = 0; i < count; i++) {
    if (i == at) continue;
    const other = keyAt(keys, i);
    if (other.nameLow != key.nameLow || other.nameHigh != key.nameHigh) continue;
    if (other.write == key.write ? i < at : other.write) return true;
  }
  return false;
}

// ── giving back ───────────────────────────────────────────────────────────────────────────────

let opened: usize = 0; // Conditions whose last shut ticket has opened, linked through nextOpened

/** Gives all tickets back. Those whose turn it is then come out of `takeOpened`. */
export function returnTickets(slot: Slot): void {
  const conditions = changetype<Conditions>(slot.conditions);
  if (conditions.tickets != 0 && slot.waitKey != conditions.ownKey) lent--;
  const mayHaveLent = lent > 0;
  let at = conditions.tickets;
  conditions.tickets = 0;
  conditions.ticketsShut = 0;
  while (at != 0) {
    const ticket = changetype<Ticket>(at);
    at = ticket.nextOfCall;
    leavePhase(ticket, mayHaveLent);
    heap.free(changetype<usize>(ticket));
  }
}

function leavePhase(ticket: Ticket, mayHaveLent: bool): void {
  const phase = ticket.phase;
  unlink(ticket);
  const before = phase.previous;
  if (--phase.count == 0) endPhase(phase);
  if (mayHaveLent && before != 0) takeBackFrom(changetype<Phase>(before));
}

function endPhase(phase: Phase): void {
  const lock = phase.lock;
  const previous = changetype<Phase | null>(phase.previous);
  const next = changetype<Phase | null>(phase.next);
  if (previous === null) lock.head = phase.next;
  else previous.next = phase.next;
  if (next === null) lock.tail = phase.previous;
  else next.previous = phase.previous;
  heap.free(changetype<usize>(phase));
  if (lock.head == 0) {
    drop(locks, lock.nameHigh, lock.nameLow);
    heap.free(changetype<usize>(lock));
    return;
  }
  if (next === null) return;
  if (previous === null) openPhase(next);
  else if (!previous.writes && !next.writes) mergePhases(previous, next); // the writer between them has gone
}

/** Readers that a writer kept apart are one phase now. */
function mergePhases(into: Phase, from: Phase): void {
  if (into.open) openPhase(from);
  let last: usize = 0;
  for (let at = from.tickets; at != 0; at = changetype<Ticket>(at).next) {
    changetype<Ticket>(at).phase = into;
    last = at;
  }
  changetype<Ticket>(last).next = into.tickets;
  if (into.tickets != 0) changetype<Ticket>(into.tickets).previous = last;
  into.tickets = from.tickets;
  into.count += from.count;
  into.latestKey = max(into.latestKey, from.latestKey);
  into.next = from.next;
  if (from.next == 0) into.lock.tail = changetype<usize>(into);
  else changetype<Phase>(from.next).previous = changetype<usize>(into);
  heap.free(changetype<usize>(from));
}

function openPhase(phase: Phase): void {
  if (phase.open) return;
  phase.open = true;
  for (let at = phase.tickets; at != 0; at = changetype<Ticket>(at).next) {
    const conditions = changetype<Ticket>(at).conditions;
    if (conditions.ticketsShut == 0 || --conditions.ticketsShut > 0) continue;
    conditions.nextOpened = opened;
    opened = changetype<usize>(conditions);
  }
}

/** One of those whose tickets are all open now, or null. */
export function takeOpened(): Slot | null {
  if (opened == 0) return null;
  const conditions = changetype<Conditions>(opened);
  opened = conditions.nextOpened;
  conditions.nextOpened = 0;
  return conditions.slot;
}

// ── inheritance ───────────────────────────────────────────────────────────────────────────────

/** The slot waits with this key: all that it waits for goes no later. Transitive. */
export function lendPlace(slot: Slot): void {
  const conditions = changetype<Conditions>(slot.conditions);
  for (let at = conditions.tickets; at != 0; at = changetype<Ticket>(at).nextOfCall) {
    const phase = changetype<Ticket>(at).phase;
    phase.latestKey = max(phase.latestKey, slot.waitKey);
    let before = phase.previous;
    while (before != 0) {
      const earlier = changetype<Phase>(before);
      if (earlier.latestKey <= slot.waitKey) break; // so is all before it
      earlier.latestKey = slot.waitKey;
      pullForward(earlier, slot.waitKey);
      before = earlier.previous;
    }
  }
}

/** The slot stands elsewhere now, by its own priority: whom it lent its place stands there too. */
export function placeChanged(slot: Slot): void {
  const conditions = changetype<Conditions>(slot.conditions);
  if (lent > 0) {
    for (let at = conditions.tickets; at != 0; at = changetype<Ticket>(at).nextOfCall) {
      const before = changetype<Ticket>(at).phase.previous;
      if (before != 0) takeBackFrom(changetype<Phase>(before));
    }
  }
  lendPlace(slot);
}

function pullForward(phase: Phase, key: u64): void {
  for (let at = phase.tickets; at != 0; at = changetype<Ticket>(at).next) {
    const conditions = changetype<Ticket>(at).conditions;
    if (conditions.slot.waitKey <= key) continue;
    if (conditions.slot.waitKey == conditions.ownKey) lent++;
    replaced(conditions.slot, key);
    lendPlace(conditions.slot);
  }
}

/** Whoever waited behind has gone: those of this phase, and before, stand as those say who still wait. */
function takeBackFrom(phase: Phase): void {
  let at: usize = changetype<usize>(phase);
  while (at != 0) {
    const here = changetype<Phase>(at);
    let latest: u64 = 0;
    for (let ticket = here.tickets; ticket != 0; ticket = changetype<Ticket>(ticket).next) {
      const conditions = changetype<Ticket>(ticket).conditions;
      const key = due(conditions);
      latest = max(latest, key);
      if (key == conditions.slot.waitKey) continue;
      if (key == conditions.ownKey) lent--;
      replaced(conditions.slot, key);
      takeBackElsewhere(conditions, here);
    }
    here.latestKey = latest;
    at = here.previous;
  }
}

function takeBackElsewhere(conditions: Conditions, but: Phase): void {
  for (let at = conditions.tickets; at != 0; at = changetype<Ticket>(at).nextOfCall) {
    const phase = changetype<Ticket>(at).phase;
    if (phase !== but && phase.previous != 0) takeBackFrom(changetype<Phase>(phase.previous));
  }
}

/** The earliest of its own key and of those who wait right behind it. */
function due(conditions: Conditions): u64 {
  let key = conditions.ownKey;
  for (let at = conditions.tickets; at != 0; at = changetype<Ticket>(at).nextOfCall) {
    const behind = changetype<Ticket>(at).phase.next;
    if (behind == 0) continue;
    for (let other = changetype<Phase>(behind).tickets; other != 0; other = changetype<Ticket>(other).next) {
      key = min(key, changetype<Ticket>(other).conditions.slot.waitKey);
    }
  }
  return key;
}
