// Lines: the calls of one batch that need the same scopes, waiting one behind the other. In order of their
// keys: a list as long as they come in order, a heap for those that do not. A line that has somebody in it
// stands in a queue: the ready one, or that of the scope which refused its head.
import { Conditions } from "./conditions";
import { freeScope } from "./dynamic-scopes";
import { enter, leave, makeQueue, next, reordered, Stand, standOf } from "./fairness";
import { gained } from "./freed";
import { first, freeHeap, insert, makeHeap, Node, remove } from "./heap";
import { List, make } from "./memory";
import { drop, find, makeNames, Names, put } from "./names";
import { FIRST, hasLanes, LANE_BACKGROUND, LANE_OVERDUE, laneOf, waitMost } from "./priority";
import { Batch, Slot } from "./runs";
import { groupOf, groupsOf, runtimeScope, Scope, toolScope } from "./scopes";
import { Tenant } from "./tenants";
import { now } from "./turn";

/** A node of the stand that it waits at; its key and order are those of its head. */
@unmanaged
export class Line extends Node {
  batch: Batch;
  tool: u32;
  lane: u32; // as its calls have it
  sheddable: bool;
  background: bool;
  scopeCount: u32;
  scopes: usize; // Scope × scopeCount: what its calls need, the runtime first
  keyScope: usize; // Scope of its key, or 0
  head: usize;
  tail: usize;
  late: usize; // heap of those that did not come in order, or 0
  stand: usize; // Stand, while it has somebody
  parkedAt: usize; // the Scope that refused its head, or 0 = ready
  promisedBy: usize; // the Scope that let it out of its queue
  laneNow: u32; // where it stands
  nextInBatch: usize;
  nextMarked: usize; // of the sheddable or background ones
  previousMarked: usize;
  // A Node of the guard's heap, where there are lanes.
  guardKey: u64;
  guardOrder: u64;
  guardPlace: u32;
}

export const ready: Stand = makeQueue();
const table: Names = makeNames();
const guard: List = makeHeap();
/** The sheddable and the background ones: overload changes their order. */
let marked: usize = 0;
/** Sheddable ones go last come, first served. */
let newestFirst: bool = false;
/** Background ones go last of all. */
let backgroundLast: bool = false;

// ── finding ───────────────────────────────────────────────────────────────────────────────────

function tenantOf(batch: Batch): Tenant | null {
  return changetype<Tenant | null>(batch.tenant);
}

/** The line where the slot waits when it waits. */
export function lineOf(slot: Slot): Line {
  const batch = changetype<Batch>(slot.batch);
  let lane: u32 = laneOf(0);
  let key: usize = 0;
  let sheddable = false;
  let background = false;
  if (slot.conditions != 0) {
    const conditions = changetype<Conditions>(slot.conditions);
    lane = laneOf(conditions.priority);
    key = conditions.keyScope;
    sheddable = conditions.sheddable;
    background = conditions.background;
  }
  if (batch.latest != 0) {
    const latest = changetype<Line>(batch.latest);
    const same = latest.tool == slot.tool && latest.keyScope == key && latest.lane == lane;
    if (same && latest.sheddable == sheddable && latest.background == background) return latest;
  }
  const high = ((<u64>changetype<usize>(batch)) << 32) | slot.tool;
  const low = ((<u64>key) << 32) | (lane << 2) | ((<u32>sheddable) << 1) | <u32>background;
  let line = changetype<Line>(find(table, high, low));
  if (changetype<usize>(line) == 0) {
    line = makeLine(batch, slot.tool, key, lane, sheddable, background);
    put(table, high, low, changetype<usize>(line));
  }
  batch.latest = changetype<usize>(line);
  return line;
}

function makeLine(batch: Batch, tool: u32, key: usize, lane: u32, sheddable: bool, background: bool): Line {
  const line = changetype<Line>(make(offsetof<Line>()));
  line.batch = batch;
  line.tool = tool;
  line.keyScope = key;
  if (key != 0) changetype<Scope>(key).users++;
  line.lane = lane;
  line.sheddable = sheddable;
  line.background = background;
  line.nextInBatch = batch.lines;
  batch.lines = changetype<usize>(line);
  if (sheddable || background) mark(line);
  findScopes(line);
  return line;
}

/** What its calls need: the runtime, then what is likely to refuse first. */
function findScopes(line: Line): void {
  const tool = toolScope(line.tool);
  const tenant = tenantOf(line.batch);
  const groups = groupsOf(line.tool);
  line.scopes = make(<usize>(5 + groups) * sizeof<usize>());
  addScope(line, changetype<usize>(runtimeScope));
  addScope(line, changetype<usize>(tool));
  for (let i: u32 = 0; i < groups; i++) addScope(line, changetype<usize>(groupOf(line.tool, i)));
  addScope(line, line.keyScope);
  if (tenant !== null) addScope(line, tenant.scope);
  addScope(line, line.batch.scope);
}

function addScope(line: Line, scope: usize): void {
  if (scope == 0) return;
  store<usize>(line.scopes + <usize>line.scopeCount * sizeof<usize>(), scope);
  line.scopeCount++;
}

export function scopeOf(line: Line, n: u32): Scope {
  return changetype<Scope>(load<usize>(line.scopes + <usize>n * sizeof<usize>()));
}

/** The batch is over, and all its lines are empty. */
export function freeLines(batch: Batch): void {
  let at = batch.lines;
  while (at != 0) {
    const line = changetype<Line>(at);
    at = line.nextInBatch;
    const high = ((<u64>changetype<usize>(batch)) << 32) | line.tool;
    const low = ((<u64>line.keyScope) << 32) | (line.lane << 2) | ((<u32>line.sheddable) << 1) | <u32>line.background;
    drop(table, high, low);
    if (line.sheddable || line.background) unmark(line);
    if (line.keyScope != 0) freeScope(changetype<Scope>(line.keyScope));
    if (line.late != 0) freeHeap(changetype<List>(line.late));
    heap.free(line.scopes);
    heap.free(changetype<usize>(line));
  }
  batch.lines = 0;
}

// ── who is in it ──────────────────────────────────────────────────────────────────────────────

function lateNode(slot: Slot): Node {
  return changetype<Node>(changetype<usize>(slot) + offsetof<Slot>("waitKey"));
}

function slotOfNode(node: Node): Slot {
  return changetype<Slot>(changetype<usize>(node) - offsetof<Slot>("waitKey"));
}

function isBefore(a: Slot, b: Slot): bool {
  return a.waitKey < b.waitKey || (a.waitKey == b.waitKey && a.turn < b.turn);
}

/** Who is next in the line, or null. */
export function headOf(line: Line): Slot | null {
  const listed = changetype<Slot | null>(line.head);
  if (listed !== null && listed.waitKey == FIRST) return listed;
  if (newestFirst && line.sheddable && line.tail != 0) return changetype<Slot>(line.tail);
  if (line.late == 0) return listed;
  const late = first(changetype<List>(line.late));
  if (late === null) return listed;
  const other = slotOfNode(late);
  return listed === null || isBefore(other, listed) ? other : listed;
}

/** The slot takes its place. */
export function joinLine(line: Line, slot: Slot): void {
  slot.line = changetype<usize>(line);
  slot.waits = true;
  if (line.tail == 0 || isBefore(changetype<Slot>(line.tail), slot)) {
    slot.previous = line.tail;
    if (line.tail == 0) line.head = changetype<usize>(slot);
    else changetype<Slot>(line.tail).next = changetype<usize>(slot);
    line.tail = changetype<usize>(slot);
  } else if (isBefore(slot, changetype<Slot>(line.head))) {
    slot.next = line.head;
    changetype<Slot>(line.head).previous = changetype<usize>(slot);
    line.head = changetype<usize>(slot);
  } else {
    if (line.late == 0) line.late = changetype<usize>(makeHeap());
    insert(changetype<List>(line.late), lateNode(slot));
  }
  headChanged(line);
}

/** The slot leaves its place, wherever in the line it is. */
export function leaveLine(slot: Slot): void {
  const line = changetype<Line>(slot.line);
  slot.waits = false;
  if (slot.waitPlace != 0) remove(changetype<List>(line.late), lateNode(slot));
  else {
    if (slot.previous == 0) line.head = slot.next;
    else changetype<Slot>(slot.previous).next = slot.next;
    if (slot.next == 0) line.tail = slot.previous;
    else changetype<Slot>(slot.next).previous = slot.previous;
    slot.previous = 0;
    slot.next = 0;
  }
  headChanged(line);
}

/** Its head may have changed: so has its place, and maybe whether it waits at all. */
function headChanged(line: Line): void {
  const head = headOf(line);
  if (head === null) {
    if (line.stand != 0) takeOut(line);
  } else if (line.stand == 0) {
    follow(line, head);
    putIn(line, ready, 0);
  } else if (line.order != head.turn || line.key != head.waitKey) {
    follow(line, head);
    reordered(changetype<Stand>(line.stand), line);
    // Where it is parked its new head may be one that is let through.
    if (line.parkedAt != 0) gained(changetype<Scope>(line.parkedAt));
    if (hasLanes) watchOver(line);
  }
}

function follow(line: Line, head: Slot): void {
  line.key = head.waitKey;
  line.order = head.turn;
}

/** Scopes that a line keeps others off, until there is enough for its head. */
let reservations: u32 = 0;

export function hasReservations(): bool {
  return reservations > 0;
}

export function reserve(scope: Scope, line: Line): void {
  scope.reserver = changetype<usize>(line);
  reservations++;
}

// ── where it stands ───────────────────────────────────────────────────────────────────────────

/** The scope that let the line out of its queue lets out the next one. */
export function keepPromise(line: Line): void {
  if (line.promisedBy == 0) return;
  const scope = changetype<Scope>(line.promisedBy);
  line.promisedBy = 0;
  scope.promised = 0;
  gained(scope);
}

function takeOut(line: Line): void {
  keepPromise(line);
  if (line.parkedAt != 0) {
    const scope = changetype<Scope>(line.parkedAt);
    if (scope.reserver == changetype<usize>(line)) {
      scope.reserver = 0;
      reservations--;
      gained(scope);
    }
  }
  leave(changetype<Stand>(line.stand), line);
  line.stand = 0;
  line.parkedAt = 0;
  if (line.guardPlace != 0) remove(guard, guardNode(line));
}

/** Where it stands in a queue, if it does. */
export function standIn(queue: Stand, line: Line): Stand {
  return standOf(queue, line.laneNow, tenantOf(line.batch), line.batch);
}

function putIn(line: Line, queue: Stand, parkedAt: usize): void {
  line.laneNow = laneNow(line);
  const stand = standIn(queue, line);
  line.stand = changetype<usize>(stand);
  line.parkedAt = parkedAt;
  enter(stand, line);
  if (hasLanes) watchOver(line);
}

/** Its head was refused: it waits where it was. */
export function park(line: Line, at: Scope): void {
  takeOut(line);
  if (at.queue == 0) at.queue = changetype<usize>(makeQueue());
  putIn(line, changetype<Stand>(at.queue), changetype<usize>(at));
}

/** It is to be looked at again; the scope lets out nobody else until it has come to something. */
export function unpark(line: Line, by: Scope): void {
  takeOut(line);
  putIn(line, ready, 0);
  line.promisedBy = changetype<usize>(by);
  by.promised = changetype<usize>(line);
}

/** Whatever its queue thinks of it, the line is looked at in this turn. */
export function lookAt(line: Line): void {
  takeOut(line);
  putIn(line, ready, 0);
}

/** The line that is next in a queue, or null. */
export function nextLine(queue: Stand): Line | null {
  return changetype<Line | null>(changetype<usize>(next(queue)));
}

// ── what changes their order ──────────────────────────────────────────────────────────────────

function laneNow(line: Line): u32 {
  if (hasLanes && isOverdue(line)) return LANE_OVERDUE;
  return line.background && backgroundLast ? LANE_BACKGROUND : line.lane;
}

function isOverdue(line: Line): bool {
  const head = headOf(line);
  return head !== null && head.queuedSince + waitMost <= now;
}

function guardNode(line: Line): Node {
  return changetype<Node>(changetype<usize>(line) + offsetof<Line>("guardKey"));
}

function watchOver(line: Line): void {
  if (line.guardPlace != 0) remove(guard, guardNode(line));
  if (line.laneNow == LANE_OVERDUE && isOverdue(line)) return;
  if (line.laneNow == LANE_OVERDUE) {
    moveLane(line);
    return;
  }
  line.guardKey = headOf(line)!.queuedSince + waitMost;
  line.guardOrder = line.order;
  insert(guard, guardNode(line));
}

function moveLane(line: Line): void {
  const parkedAt = line.parkedAt;
  const queue = parkedAt == 0 ? ready : changetype<Stand>(changetype<Scope>(parkedAt).queue);
  takeOut(line);
  putIn(line, queue, parkedAt);
}

/** Lines that have waited too long go before all lanes. */
export function promoteOverdue(): void {
  for (let node = first(guard); node !== null && node.key <= now; node = first(guard)) {
    moveLane(changetype<Line>(changetype<usize>(node) - offsetof<Line>("guardKey")));
  }
}

/** When the next line goes before all lanes; 0 = never. */
export function overdueAt(): u64 {
  const node = first(guard);
  return node === null ? 0 : node.key;
}

function mark(line: Line): void {
  line.nextMarked = marked;
  if (marked != 0) changetype<Line>(marked).previousMarked = changetype<usize>(line);
  marked = changetype<usize>(line);
}

function unmark(line: Line): void {
  if (line.previousMarked == 0) marked = line.nextMarked;
  else changetype<Line>(line.previousMarked).nextMarked = line.nextMarked;
  if (line.nextMarked != 0) changetype<Line>(line.nextMarked).previousMarked = line.previousMarked;
}

/** Under pressure: background lines go last of all, sheddable ones last come first served. */
export function underPressure(background: bool, newest: bool): void {
  if (background == backgroundLast && newest == newestFirst) return;
  backgroundLast = background;
  newestFirst = newest;
  for (let at = marked; at != 0; at = changetype<Line>(at).nextMarked) {
    const line = changetype<Line>(at);
    if (line.stand == 0) continue;
    follow(line, headOf(line)!);
    moveLane(line);
  }
}
