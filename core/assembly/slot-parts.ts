// What a slot has only for a while, apart from it: a call that waits for nothing but its turn has none of these, and
// many are no more than that.
import { Node } from "./heap";
import { giveBlock, makePool, Pool, takeBlock } from "./memory";
import { Timed } from "./scopes";

/** What ends by itself of a slot. A node of the timers, due at what its state waits for or at its own deadline. */
@unmanaged
export class Timer extends Node {
  timed: u8; // the first field of its own, at the same place as in Plan and Scope
  slot: usize; // Slot
  /** When its state ends by itself, on the clock of now; 0 = never. */
  dueAt: u64;
  /** Its own deadline on the clock of now; 0 = none. */
  deadlineAt: u64;
  /** The same in wall ms, as the journal has it. */
  deadline: u64;
}

/** What is known of a slot from its first permits on until it can need none any more. */
@unmanaged
export class Begun {
  /** The number of its latest start among all of this core, and when it was, on the clock of now; 0 = never. */
  start: u64;
  startedOn: u64;
  /** Its first start, wall ms. */
  startedAt: u64;
  /** When it was given the permits that it holds, on the clock of now: where tenants share time. */
  heldSince: u64;
}

const timers: Pool = makePool(offsetof<Timer>());
const begins: Pool = makePool(offsetof<Begun>());

export function makeTimer(slot: usize): usize {
  const at = takeBlock(timers);
  const timer = changetype<Timer>(at);
  timer.place = 0;
  timer.timed = <u8>Timed.slot;
  timer.slot = slot;
  timer.dueAt = 0;
  timer.deadlineAt = 0;
  timer.deadline = 0;
  return at;
}

/** It must be out of its heap. */
export function freeTimer(at: usize): void {
  giveBlock(timers, at);
}

export function makeBegun(): usize {
  const at = takeBlock(begins);
  const begun = changetype<Begun>(at);
  begun.start = 0;
  begun.startedOn = 0;
  begun.startedAt = 0;
  begun.heldSince = 0;
  return at;
}

export function freeBegun(at: usize): void {
  giveBlock(begins, at);
}
