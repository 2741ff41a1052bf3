// Circles of calls that wait for one another: a call that waits for its child run holds its keys, and where its tool says
// so its permits, while calls of that run need the same. All that wait for runs are thought to be stuck; what moves by
// itself lets go of those that wait for it, until nothing more does, each looked at once (Dowling, Gallier 1984). Whoever is
// left can never start, and is told so. It is looked for when one may have closed, and while no call that waits holds
// anything never.
import { admitNested, isHeldBack } from "./admission";
import { State } from "./codes";
import { Conditions, unitsOf } from "./conditions";
import { Line, scopeOf } from "./lines";
import { hasLocks, shutTickets } from "./locks";
import { grow, List, makeList } from "./memory";
import {
  firstOpen,
  isOpen,
  isStill,
  isWaiting,
  keepers,
  mayHaveClosed,
  newestNested,
  suspect,
  waitingFor,
  waitsForRun,
} from "./nesting";
import { Run, Slot, slotAt } from "./runs";
import { lockScope, Scope } from "./scopes";
import { Phase, Ticket } from "./tickets";

/** What slots, scopes and phases say of an earlier look is void. */
let look: u32 = 0;
const listed: List = makeList(sizeof<usize>(), 16); // Slot: looked at, to be judged
const moving: List = makeList(sizeof<usize>(), 16); // Slot: not stuck, and those that wait for it are to be told

function push(list: List, slot: Slot): void {
  store<usize>(grow(list), changetype<usize>(slot));
}

function pop(list: List): Slot {
  list.length--;
  return changetype<Slot>(load<usize>(list.at + <usize>list.length * sizeof<usize>()));
}

// ── what can still move ───────────────────────────────────────────────────────────────────────

/** A slot that waits for units of a scope, and the next of those, as a number from 1. */
@unmanaged
class Waiter {
  slot: Slot;
  next: u32;
}

const waiters: List = makeList(offsetof<Waiter>(), 16);

function waiterAt(n: u32): Waiter {
  return changetype<Waiter>(waiters.at + <usize>(n - 1) * offsetof<Waiter>());
}

function ofThisLook(scope: Scope): Scope {
  if (scope.look == look) return scope;
  scope.look = look;
  scope.stuck = 0;
  scope.stuckQueue = 0;
  return scope;
}

/** Units that its stuck holders leave. A size of 0 is its owner's pause, and no circle. */
function unitsLeft(scope: Scope): u32 {
  if (scope.size == 0 || scope.stuck == 0) return u32.MAX_VALUE;
  return scope.stuck < scope.size ? scope.size - scope.stuck : 0;
}

/** The first Scope of which those who are stuck leave too little, or 0. */
function lacking(slot: Slot): usize {
  const line = changetype<Line>(slot.line);
  const units = unitsOf(slot);
  for (let i: u32 = 0; i < line.scopeCount; i++) {
    const scope = ofThisLook(scopeOf(line, i));
    if (units > unitsLeft(scope)) return changetype<usize>(scope);
  }
  return 0;
}

/** All that wait for runs are thought to be stuck, with what they hold. */
function supposeAllStuck(): void {
  for (let at = newestNested; at != 0; at = changetype<Run>(at).olderNested) {
    const parent = waitingFor(changetype<Run>(at));
    if (parent === null || parent.look == look) continue;
    parent.look = look;
    parent.stuck = true;
    if (!parent.holds) continue;
    const line = changetype<Line>(parent.line);
    for (let i: u32 = 0; i < line.scopeCount; i++) ofThisLook(scopeOf(line, i)).stuck += unitsOf(parent);
  }
}

/** It is stuck as long as nothing else is known. */
function lookAt(slot: Slot): void {
  if (slot.look == look) return;
  slot.look = look;
  slot.stuck = true;
  if (slot.conditions != 0) changetype<Conditions>(slot.conditions).ticketsStuck = 0;
  push(listed, slot);
}

function moves(slot: Slot): void {
  if (!slot.stuck) return;
  slot.stuck = false;
  push(moving, slot);
}

function judge(slot: Slot): void {
  // It runs, or time moves it, or it waits for no run: what it does is its own.
  if (!isWaiting(slot.state) || slot.state == State.suspended) moves(slot);
  else if (!isBehindStuck(slot)) waitForUnits(slot);
}

/** Are there calls before it of which not all are known to move? They are looked at then, and it hears of them. */
function isBehindStuck(slot: Slot): bool {
  if (shutTickets(slot) == 0) return false;
  const conditions = changetype<Conditions>(slot.conditions);
  for (let at = conditions.tickets; at != 0; at = changetype<Ticket>(at).nextOfCall) {
    const phase = changetype<Ticket>(at).phase;
    if (phase.open) continue;
    const before = changetype<Phase>(phase.previous); // who is before that has ended when those have
    if (before.look == look && before.moving == before.count) continue;
    conditions.ticketsStuck++;
    for (let other = before.tickets; other != 0; other = changetype<Ticket>(other).next)
      lookAt(changetype<Ticket>(other).conditions.slot);
  }
  return conditions.ticketsStuck > 0;
}

/** It moves, unless those who are stuck leave too little: then it hears when they leave more. */
function waitForUnits(slot: Slot): void {
  const at = lacking(slot);
  if (at == 0) moves(slot);
  else {
    changetype<Waiter>(grow(waiters)).slot = slot;
    enqueueWaiter(changetype<Scope>(at), waiters.length);
  }
}

function enqueueWaiter(scope: Scope, n: u32): void {
  const waiter = waiterAt(n);
  const units = unitsOf(waiter.slot);
  scope.stuckLeast = scope.stuckQueue == 0 ? units : min(scope.stuckLeast, units);
  waiter.next = scope.stuckQueue;
  scope.stuckQueue = n;
}

/** Some of its units are not stuck after all. */
function letGo(scope: Scope, units: u32): void {
  scope.stuck -= units;
  const left = unitsLeft(scope);
  if (scope.stuckQueue == 0 || left < scope.stuckLeast) return;
  let at = scope.stuckQueue;
  scope.stuckQueue = 0;
  while (at != 0) {
    const n = at;
    const slot = waiterAt(n).slot;
    at = waiterAt(n).next;
    if (unitsOf(slot) <= left) waitForUnits(slot);
    else enqueueWaiter(scope, n);
  }
}

/** One that it waited behind is known to move. */
function letPass(phase: Phase): void {
  if (phase.look != look) {
    phase.look = look;
    phase.moving = 0;
  }
  if (++phase.moving < phase.count || phase.next == 0) return;
  for (let at = changetype<Phase>(phase.next).tickets; at != 0; at = changetype<Ticket>(at).next) {
    const conditions = changetype<Ticket>(at).conditions;
    if (conditions.slot.look != look || conditions.ticketsStuck == 0) continue;
    if (--conditions.ticketsStuck == 0) waitForUnits(conditions.slot);
  }
}

/** Whoever waits for it is not kept by it: for its permits, for its keys, for its run. */
function tellOthers(slot: Slot): void {
  if (slot.holds && waitsForRun(slot)) {
    const line = changetype<Line>(slot.line);
    for (let i: u32 = 0; i < line.scopeCount; i++) letGo(ofThisLook(scopeOf(line, i)), unitsOf(slot));
  }
  if (hasLocks(slot)) {
    let at = changetype<Conditions>(slot.conditions).tickets;
    for (; at != 0; at = changetype<Ticket>(at).nextOfCall) letPass(changetype<Ticket>(at).phase);
  }
  const parent = waitingFor(slot.run);
  if (parent !== null) moves(parent);
}

function judgeListed(): void {
  while (moving.length + listed.length > 0) {
    if (moving.length > 0) tellOthers(pop(moving));
    else judge(pop(listed));
  }
}

/** Until one of its calls is known to move, or all have been looked at. */
function judgeRun(run: Run, parent: Slot): void {
  if (!isStill(run)) moves(parent); // a run that waits for no call is its program's to move
  judgeListed();
  for (let i = firstOpen(run); i < run.slotCount && parent.stuck; i++) {
    const slot = slotAt(run, i)!;
    if (!isOpen(slot)) continue;
    lookAt(slot);
    judgeListed();
  }
}

/** Marks who is stuck. The newest first: they let go of those above them. */
function markStuck(): void {
  look++;
  supposeAllStuck();
  for (let at = newestNested; at != 0; at = changetype<Run>(at).olderNested) {
    const parent = waitingFor(changetype<Run>(at));
    if (parent === null || !parent.stuck) continue;
    judgeRun(changetype<Run>(at), parent);
  }
  waiters.length = 0;
}

// ── who is told ───────────────────────────────────────────────────────────────────────────────

/** The scope that closes the circle of the call that `findCircle` gave. */
export let circleScope: Scope = lockScope;

/** Something of the run waits for a run of its own: that is where to begin. */
function nestsNow(run: Run): bool {
  for (let i = firstOpen(run); i < run.slotCount; i++) {
    const slot = slotAt(run, i)!;
    if (isOpen(slot) && slot.state == State.suspended) return true;
  }
  return false;
}

/** Does it wait to start, or else to go on? */
function isAmong(slot: Slot, resuming: bool): bool {
  return isOpen(slot) && slot.state != State.suspended && (slot.state == State.resuming) == resuming;
}

/** The first or the last of a run's calls, by their turns, or null. */
function ofRun(run: Run, resuming: bool, last: bool): Slot | null {
  let found: Slot | null = null;
  for (let i = firstOpen(run); i < run.slotCount; i++) {
    const slot = slotAt(run, i)!;
    if (isAmong(slot, resuming) && (found === null || slot.turn > found.turn == last)) found = slot;
  }
  return found;
}

/** Of the stuck runs, the one that came last closed the circle: its newest call. Its older ones follow, before another run's. */
function newestStuck(resuming: bool): Slot | null {
  let newest: Slot | null = null;
  let chosen: Run | null = null;
  for (let at = newestNested; at != 0; at = changetype<Run>(at).olderNested) {
    const run = changetype<Run>(at);
    const parent = waitingFor(run);
    if (parent === null || !parent.stuck || (!resuming && nestsNow(run))) continue;
    const first = ofRun(run, resuming, false);
    if (first === null || (newest !== null && first.turn < newest.turn)) continue;
    newest = first;
    chosen = run;
  }
  return chosen === null ? null : ofRun(chosen, resuming, true);
}

/** A call that can never start, `circleScope` says for want of what; or null. One at a time: what it held back may move then. */
export function findCircle(): Slot | null {
  if (!mayHaveClosed()) return null;
  markStuck();
  let found = newestStuck(false);
  if (found !== null) {
    const scope = lacking(found);
    circleScope = scope == 0 ? lockScope : changetype<Scope>(scope);
  } else {
    found = newestStuck(true);
    if (found !== null) admitNested(found, true);
  }
  if (found !== null) suspect();
  return found;
}

// ── who is needed ─────────────────────────────────────────────────────────────────────────────

/** Those who keep permits while they wait. */
function lookAtKeepers(): void {
  if (keepers == 0) return;
  for (let at = newestNested; at != 0; at = changetype<Run>(at).olderNested) {
    const parent = waitingFor(changetype<Run>(at));
    if (parent === null || !parent.holds) continue;
    lookAt(parent);
  }
}

/** What it waits for is looked at as well. */
function lookBelow(slot: Slot): void {
  for (let at = slot.opened; at != 0; at = changetype<Run>(at).nextOpened) {
    const run = changetype<Run>(at);
    if (waitingFor(run) === null) continue;
    for (let i = firstOpen(run); i < run.slotCount; i++) {
      const one = slotAt(run, i)!;
      if (isOpen(one)) lookAt(one);
    }
  }
}

function lookBefore(slot: Slot): void {
  let at = changetype<Conditions>(slot.conditions).tickets;
  for (; at != 0; at = changetype<Ticket>(at).nextOfCall) {
    const phase = changetype<Ticket>(at).phase;
    if (phase.open) continue;
    for (let other = changetype<Phase>(phase.previous).tickets; other != 0; other = changetype<Ticket>(other).next)
      lookAt(changetype<Ticket>(other).conditions.slot);
  }
}

/**
 * Calls that those who keep permits wait for, below them or before those on a key, while others keep off what is free until
 * there is enough for them: that may be what is kept. They have their permits now; `start` says whether it may be more.
 */
export function startNeeded(start: (slot: Slot) => bool): void {
  if (keepers == 0 || !isHeldBack()) return;
  look++;
  lookAtKeepers();
  for (let i: u32 = 0; i < listed.length && isHeldBack(); i++) {
    const slot = changetype<Slot>(load<usize>(listed.at + <usize>i * sizeof<usize>()));
    if (slot.state == State.suspended) lookBelow(slot);
    else if (slot.queued && shutTickets(slot) > 0) lookBefore(slot);
    else if ((slot.queued || slot.resumes) && admitNested(slot, false) && !start(slot)) break;
  }
  listed.length = 0;
}

/** Of the calls that the slot waits for, by keys, through child runs, for permits that are kept, the first of which `is` says so; or null. */
export function awaited(slot: Slot, is: (slot: Slot) => bool): Slot | null {
  let found: Slot | null = null;
  look++;
  lookAt(slot);
  for (let i: u32 = 0; i < listed.length && found === null; i++) {
    const one = changetype<Slot>(load<usize>(listed.at + <usize>i * sizeof<usize>()));
    if (is(one)) found = one;
    else if (one.state == State.suspended) lookBelow(one);
    else if (one.queued && shutTickets(one) > 0) lookBefore(one);
    else if (one.queued || one.resumes) lookAtKeepers();
  }
  listed.length = 0;
  return found;
}
