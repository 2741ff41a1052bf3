// Fair order: start-time fair queueing (Goyal, Vin, Cheng, SIGCOMM 1996) in whole numbers, level by level:
// lanes, in them tenants and batches without one, in a tenant its batches, in a batch its lines. Of each
// level the child whose turn began first is next; what a child is given moves its next turn by its cost
// over its weight. Whoever was away gets no credit for it. What waits here, and for what, it does not know.
import { first, freeHeap, insert, makeHeap, moved, Node, remove } from "./heap";
import { List, make } from "./memory";
import { drop, find, makeNames, Names, put } from "./names";

/** One unit of cost at weight 1, in virtual time. */
const UNIT: u64 = 1 << 20;
const WEIGHT_ONE: u64 = 1000;

/** Who shares: a tenant or a batch. */
@unmanaged
export class Flow {
  /** Thousandths. */
  weight: u64;
  stands: usize; // its Stands in all queues, linked
}

/** A flow's place in one queue, or a lane's, or the root of a queue. Its key is where its next turn begins. */
@unmanaged
export class Stand extends Node {
  /**
   * Where a member that comes now begins: where the turn of the one served last began, and no less than an even share
   * of all that was served since (virtual time as of weighted fair queueing, Demers, Keshav, Shenker 1989). Without
   * that an endless stream of newcomers, each beginning where the last one did, would starve those that are there.
   */
  virtual: u64;
  /** Weights of its members, thousandths. */
  weights: u64;
  /** Where the latest turn of any member begins: what `virtual` becomes when nobody waits. */
  latest: u64;
  /** Virtual time that one unit costs it; 0 = it is never charged (a lane). */
  step: u64;
  members: List; // heap: Stands, or Nodes that wait
  parent: usize; // Stand, or 0
  owner: usize; // Flow, or the lane's number
  flowNext: usize;
  flowPrevious: usize;
  children: usize; // Stands below, those without members too, linked
  next: usize;
  previous: usize;
}

const byParent: Names = makeNames();
let orders: u64 = 0;

function makeStand(parent: usize, owner: usize, step: u64): Stand {
  const stand = changetype<Stand>(make(offsetof<Stand>()));
  stand.members = makeHeap();
  stand.parent = parent;
  stand.owner = owner;
  stand.step = step;
  stand.order = orders++;
  return stand;
}

export function makeQueue(): Stand {
  return makeStand(0, 0, 0);
}

/** The number of stands, of all queues. */
export function standCount(): u32 {
  return byParent.count;
}

function childOf(parent: Stand, owner: usize, step: u64): Stand {
  const known = find(byParent, changetype<usize>(parent), owner);
  if (known != 0) return changetype<Stand>(known);
  const made = makeStand(changetype<usize>(parent), owner, step);
  put(byParent, changetype<usize>(parent), owner, changetype<usize>(made));
  made.next = parent.children;
  if (made.next != 0) changetype<Stand>(made.next).previous = changetype<usize>(made);
  parent.children = changetype<usize>(made);
  return made;
}

function flowStand(parent: Stand, flow: Flow): Stand {
  const known = find(byParent, changetype<usize>(parent), changetype<usize>(flow));
  if (known != 0) return changetype<Stand>(known);
  const made = childOf(parent, changetype<usize>(flow), (UNIT * WEIGHT_ONE) / flow.weight);
  made.key = parent.virtual;
  made.flowNext = flow.stands;
  if (made.flowNext != 0) changetype<Stand>(made.flowNext).flowPrevious = changetype<usize>(made);
  flow.stands = changetype<usize>(made);
  return made;
}

/** The stand of a batch in a queue, in this lane; `tenant` is the flow above it, or null. */
export function standOf(queue: Stand, lane: u32, tenant: Flow | null, batch: Flow): Stand {
  const inLane = childOf(queue, lane, 0);
  inLane.key = lane;
  return flowStand(tenant === null ? inLane : flowStand(inLane, tenant), batch);
}

/** Something waits at this stand from now on. */
export function enter(stand: Stand, node: Node): void {
  insert(stand.members, node);
  let at = stand;
  while (at.parent != 0 && at.place == 0) {
    const parent = changetype<Stand>(at.parent);
    if (at.step != 0) {
      if (at.key < parent.virtual) at.key = parent.virtual;
      parent.weights += changetype<Flow>(at.owner).weight;
    }
    insert(parent.members, at);
    at = parent;
  }
}

/** It waits here no more. */
export function leave(stand: Stand, node: Node): void {
  remove(stand.members, node);
  let at = stand;
  while (at.members.length == 0) {
    at.virtual = max(at.virtual, at.latest);
    if (at.parent == 0) return;
    const parent = changetype<Stand>(at.parent);
    remove(parent.members, at);
    if (at.step != 0) parent.weights -= changetype<Flow>(at.owner).weight;
    at = parent;
  }
}

/** The key of something that waits has changed. */
export function reordered(stand: Stand, node: Node): void {
  moved(stand.members, node);
}

/** Who is next in a queue, or null. */
export function next(queue: Stand): Node | null {
  // A lane, a flow, perhaps a flow in it; the members of the last are no stands.
  let at = first(queue.members);
  while (at !== null) {
    const stand = changetype<Stand>(changetype<usize>(at));
    at = first(stand.members);
    if (stand.step != 0 && isLeaf(stand)) break;
  }
  return at;
}

function isLeaf(stand: Stand): bool {
  return stand.children == 0;
}

/** So many units were given to this stand: its next turn begins later, and so those of the flows above it. */
export function charge(stand: Stand, units: u64): void {
  let at = stand;
  while (at.parent != 0) {
    const parent = changetype<Stand>(at.parent);
    if (at.step != 0) {
      // One that was away begins no earlier than those who stayed; one that waits keeps its turn.
      if (at.place == 0) at.key = max(at.key, parent.virtual);
      else parent.virtual = max(at.key, parent.virtual + (units * UNIT * WEIGHT_ONE) / parent.weights);
      at.key += units * at.step;
      parent.latest = max(parent.latest, at.key);
      if (at.place != 0) moved(parent.members, at);
    }
    at = parent;
  }
}

/** Its share from now on, thousandths. */
export function weigh(flow: Flow, weight: u64): void {
  if (flow.weight == weight) return;
  const before = flow.weight;
  flow.weight = weight;
  for (let at = flow.stands; at != 0; at = changetype<Stand>(at).flowNext) {
    const stand = changetype<Stand>(at);
    stand.step = (UNIT * WEIGHT_ONE) / weight;
    if (stand.place != 0) changetype<Stand>(stand.parent).weights += weight - before;
  }
}

// ── forgetting ────────────────────────────────────────────────────────────────────────────────

function freeStand(stand: Stand): void {
  while (stand.children != 0) freeStand(changetype<Stand>(stand.children));
  if (stand.place != 0) remove(changetype<Stand>(stand.parent).members, stand);
  if (stand.parent != 0) {
    const parent = changetype<Stand>(stand.parent);
    drop(byParent, stand.parent, stand.owner);
    if (stand.previous == 0) parent.children = stand.next;
    else changetype<Stand>(stand.previous).next = stand.next;
    if (stand.next != 0) changetype<Stand>(stand.next).previous = stand.previous;
    if (stand.step != 0) unlinkFromFlow(stand);
  }
  freeHeap(stand.members);
  heap.free(changetype<usize>(stand));
}

function unlinkFromFlow(stand: Stand): void {
  const flow = changetype<Flow>(stand.owner);
  if (stand.flowPrevious == 0) flow.stands = stand.flowNext;
  else changetype<Stand>(stand.flowPrevious).flowNext = stand.flowNext;
  if (stand.flowNext != 0) changetype<Stand>(stand.flowNext).flowPrevious = stand.flowPrevious;
}

/** Forgets a queue in which nothing waits. */
export function freeQueue(queue: Stand): void {
  assert(queue.members.length == 0, "a queue goes while somebody waits in it");
  freeStand(queue);
}

/** The flow is gone. */
export function freeStands(flow: Flow): void {
  while (flow.stands != 0) freeStand(changetype<Stand>(flow.stands));
}

/** Drops what is known of a flow that waits nowhere, where that says nothing any more. True: nothing is left. */
export function forgetPast(flow: Flow): bool {
  let at = flow.stands;
  while (at != 0) {
    const stand = changetype<Stand>(at);
    at = stand.flowNext;
    if (stand.members.length == 0 && stand.key <= changetype<Stand>(stand.parent).virtual) freeStand(stand);
  }
  return flow.stands == 0;
}
