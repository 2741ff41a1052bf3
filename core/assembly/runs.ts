// Runs, their plans and their slots, as records, and how one finds them: by number, by ordinal (by call id: call-ids.ts).
// Nothing here decides.
import { State } from "./codes";
import { Flow } from "./fairness";
import { Node } from "./heap";
import { make } from "./memory";
import { Timed } from "./scopes";
import { Begun, freeBegun, makeBegun, makeTimer, Timer } from "./slot-parts";

/** The slots planned by one entry; they share a deadline. A node of the timers, due at that deadline. */
@unmanaged
export class Plan extends Node {
  timed: u8; // the first field of its own, at the same place as in Slot and Scope
  run: Run;
  slots: usize; // the block of its Slot records
  past: usize; // the block of its Past records, or 0 = it was planned here
  first: u32;
  count: u32;
  /** Slots not yet both claimed and settled: the cursor passes the plan at 0. */
  open: u32;
  /** Wall ms; 0 = none. */
  deadline: u64;
  /** The same on the clock of now. */
  deadlineAt: u64;
}

/** A program's batch: who shares its concurrency, and one of those among whom starts are shared. Freed when no slot of it can need permits any more. */
@unmanaged
export class Batch extends Flow {
  run: Run;
  /** Lines of its calls, linked; and the one that was used last. */
  lines: usize;
  latest: usize;
  /** Slots that may still ask for permits or hold some. */
  members: u32;
  /** Calls of it that wait. */
  waiting: u32;
  scope: usize; // Scope, or 0 = no bound of its own
  tenant: usize; // Tenant, or 0
  /** The program's number for the stream whose calls it takes, as they come; 0 = it came whole. */
  stream: u32;
  nextStream: usize; // Batch: of the run's streams
}

/** One call's place in its run. There are as many as calls wait, so what few of them have is not in it. */
@unmanaged
export class Slot {
  state: u8;
  effect: u8;
  outcome: u8;
  source: u8;
  said: u8; // what the journal said when the run was opened (recovery.ts)
  asks: u8;
  readyOutcome: u8;
  reconciles: bool;
  /** A batch or an announcement of this process spoke of it. */
  matched: bool;
  /** It was planned by a stream: when the program comes to it, and whether at all, is not sure. */
  streamed: bool;
  /** The program waits for its outcome. */
  claimed: bool;
  /** It was called again after an attempt that was left in doubt. */
  recovered: bool;
  /** What it waits for waits for it, as far as is known by that look (circles.ts). */
  stuck: bool;
  /** It holds its permits; and keeps them while it waits for a run (kept.ts). */
  holds: bool;
  keeps: bool;
  /** It did not stop when told to: its permits have returned, and it counts as abandoned. */
  abandoned: bool;
  /** How often it was told to slow down. */
  throttles: u8;
  cancelled: bool;
  /** It was cancelled for a call of higher priority that needed what it has locked. */
  preempted: bool;
  /** Its scopes have been told how this attempt ended. */
  told: bool;
  /** Its deadline has been dealt with. */
  overdue: bool;
  /** It stands in its line. */
  waits: bool;
  /** It stands in the line of those that resume. */
  resumes: bool;
  /** It is one of those that wait: in its line, or for a lock. */
  queued: bool;
  plan: Plan;
  batch: usize; // Batch, or 0
  line: usize; // Line, once it has needed permits
  previous: usize;
  next: usize;
  conditions: usize; // Conditions, or 0 = a plain call
  timer: usize; // Timer, or 0 = nothing of it ends by itself
  begun: usize; // Begun, or 0 = it has had no permits
  opened: usize; // Run, linked: those that it has opened and waits for (nesting.ts)
  look: u32; // the one that `stuck` is of
  ordinal: u32;
  tool: u32;
  attempt: u32;
  payload: u32;
  ready: u32;
  // Together a Node of a line's heap, where it did not come in order (lines.ts).
  /** Its place among the calls of its batch: when it first queued, less what its priority is worth. Kept by retries. */
  waitKey: u64;
  /** Its turn: given when it first queued, kept by retries; tells apart what queued in the same instant. */
  turn: u64;
  waitPlace: u32;
  /** Bytes of what it came to, where the host says. */
  size: u32;
  /** When it first queued, on the clock of now. */
  queuedSince: u64;
  idHigh: u64;
  idLow: u64;
  /** µs per attempt; 0 = no bound. */
  runFor: u64;
  /** Wall ms. */
  queuedAt: u64;

  get run(): Run {
    return this.plan.run;
  }

  /** When its state ends by itself, on the clock of now; 0 = never. */
  get dueAt(): u64 {
    return this.timer == 0 ? 0 : changetype<Timer>(this.timer).dueAt;
  }

  set dueAt(at: u64) {
    if (at != 0 || this.timer != 0) timerOf(this).dueAt = at;
  }

  /** Its own deadline on the clock of now; 0 = none. */
  get deadlineAt(): u64 {
    return this.timer == 0 ? 0 : changetype<Timer>(this.timer).deadlineAt;
  }

  /** The same in wall ms, as the journal has it. */
  get deadline(): u64 {
    return this.timer == 0 ? 0 : changetype<Timer>(this.timer).deadline;
  }

  /** The number of its latest start among all of this core; 0 = it has not started. */
  get start(): u64 {
    return this.begun == 0 ? 0 : changetype<Begun>(this.begun).start;
  }

  /** Its first start, wall ms, in this process or one before; 0 = it has not started. */
  get startedAt(): u64 {
    if (this.attempt == 0) return 0;
    const begun: u64 = this.begun == 0 ? 0 : changetype<Begun>(this.begun).startedAt;
    return begun == 0 && this.plan.past != 0 ? pastOf(this).startedAt : begun;
  }
}

/** To be written to: made if it has none. */
export function timerOf(slot: Slot): Timer {
  if (slot.timer == 0) slot.timer = makeTimer(changetype<usize>(slot));
  return changetype<Timer>(slot.timer);
}

/** To be written to: made if it has none. */
export function begunOf(slot: Slot): Begun {
  if (slot.begun == 0) slot.begun = makeBegun();
  return changetype<Begun>(slot.begun);
}

/** It can need no permits any more, and all has been said of it. */
export function forgetBegun(slot: Slot): void {
  if (slot.begun != 0) freeBegun(slot.begun);
  slot.begun = 0;
}

/** What a journal says of a slot and only its claim asks for: calls that are planned here need not carry it. */
@unmanaged
export class Past {
  inputHigh: u64;
  inputLow: u64;
  /** started: wall ms; 0 = never. */
  startedAt: u64;
  /** settled: wall ms. */
  endedAt: u64;
  /** attempt-failed: when the next is due, wall ms. */
  nextAt: u64;
}

@unmanaged
export class Run {
  number: u32;
  adapt: bool;
  cancelled: bool;
  /** Of a cancelled run: slots before this one have been told. */
  told: u32;
  /** The program has ended; run-closed follows when all has settled. */
  closing: bool;
  /** No entries come any more: it is closed, refused or forgotten. */
  over: bool;
  closeOutcome: u8;
  closePayload: u32;
  cursor: u32;
  cursorPlan: u32;
  slotCount: u32;
  slotCapacity: u32;
  slots: usize; // ordinal -> Slot
  planCount: u32;
  planCapacity: u32;
  plans: usize; // number -> Plan
  idCapacity: u32; // a power of two
  ids: usize; // Slot or 0 (call-ids.ts)
  /** Slots of the journal that the program has not spoken of; and those of them that a stream planned. */
  unmatched: u32;
  unmatchedStreamed: u32;
  streams: usize; // Batch, linked: streams that have calls now
  /** Claimed and not settled. */
  unsettled: u32;
  /** Called or told to stop, not yet ended. */
  inFlight: u32;
  /** Of those, in a state that only others can end: they wait for permits, keys or runs. */
  waits: u32;
  /** Those before it have settled. */
  openFrom: u32;
  /** The Slot that opened it and waits for it, or 0, and the attempt of that (nesting.ts). */
  parent: usize;
  parentAttempt: u32;
  nextOpened: usize; // of the same Slot
  previousOpened: usize;
  olderNested: usize; // of all
  newerNested: usize;
  isKept: bool; // its caller keeps permits while it waits
  isHeld: bool; // or keys
  nests: u32; // runs that calls of it have opened
  /** Its memory goes at the end of this turn. */
  finishing: bool;
  nextFinished: usize;
}

let table: usize = 0; // number -> Run
let tableCapacity: u32 = 0;

export function findRun(number: u32): Run | null {
  if (number >= tableCapacity) return null;
  return changetype<Run | null>(load<usize>(table + <usize>number * sizeof<usize>()));
}

export function makeRun(number: u32, adapt: bool): Run {
  if (number >= tableCapacity) {
    let capacity: u32 = tableCapacity == 0 ? 64 : tableCapacity;
    while (capacity <= number) capacity *= 2;
    const bytes = <usize>capacity * sizeof<usize>();
    const bigger = make(bytes);
    if (table != 0) {
      memory.copy(bigger, table, <usize>tableCapacity * sizeof<usize>());
      heap.free(table);
    }
    table = bigger;
    tableCapacity = capacity;
  }
  const run = changetype<Run>(make(offsetof<Run>()));
  run.number = number;
  run.adapt = adapt;
  store<usize>(table + <usize>number * sizeof<usize>(), changetype<usize>(run));
  return run;
}

export function freeRun(run: Run): void {
  for (let i: u32 = 0; i < run.planCount; i++) {
    const plan = planAt(run, i);
    heap.free(plan.slots);
    if (plan.past != 0) heap.free(plan.past);
    heap.free(changetype<usize>(plan));
  }
  if (run.plans != 0) heap.free(run.plans);
  if (run.slots != 0) heap.free(run.slots);
  if (run.ids != 0) heap.free(run.ids);
  store<usize>(table + <usize>run.number * sizeof<usize>(), 0);
  heap.free(changetype<usize>(run));
}

/** Of a slot that came from the journal. */
export function pastOf(slot: Slot): Past {
  assert(slot.plan.past != 0, "a slot that was planned here has no past");
  return changetype<Past>(slot.plan.past + <usize>(slot.ordinal - slot.plan.first) * offsetof<Past>());
}

export function isCancelled(slot: Slot): bool {
  return slot.cancelled || slot.run.cancelled;
}

export function planAt(run: Run, number: u32): Plan {
  return changetype<Plan>(load<usize>(run.plans + <usize>number * sizeof<usize>()));
}

export function slotAt(run: Run, ordinal: u32): Slot | null {
  if (ordinal >= run.slotCount) return null;
  return changetype<Slot>(load<usize>(run.slots + <usize>ordinal * sizeof<usize>()));
}

function grown(at: usize, length: u32, capacity: u32): usize {
  const bigger = heap.alloc(<usize>capacity * sizeof<usize>());
  if (at != 0) {
    memory.copy(bigger, at, <usize>length * sizeof<usize>());
    heap.free(at);
  }
  return bigger;
}

/** Neighbouring new slots at the end of the run; their ids are not known yet. */
export function makePlan(run: Run, count: u32): Plan {
  const plan = changetype<Plan>(make(offsetof<Plan>()));
  plan.timed = <u8>Timed.plan;
  plan.run = run;
  plan.first = run.slotCount;
  plan.count = count;
  plan.open = count;
  plan.slots = make(<usize>count * offsetof<Slot>());
  if (run.planCount == run.planCapacity) {
    run.planCapacity = run.planCapacity == 0 ? 8 : run.planCapacity * 2;
    run.plans = grown(run.plans, run.planCount, run.planCapacity);
  }
  store<usize>(run.plans + <usize>run.planCount * sizeof<usize>(), changetype<usize>(plan));
  run.planCount++;
  const total = run.slotCount + count;
  if (total > run.slotCapacity) {
    if (run.slotCapacity == 0) run.slotCapacity = 8;
    while (run.slotCapacity < total) run.slotCapacity *= 2;
    run.slots = grown(run.slots, run.slotCount, run.slotCapacity);
  }
  for (let i: u32 = 0; i < count; i++) {
    const slot = changetype<Slot>(plan.slots + <usize>i * offsetof<Slot>());
    slot.plan = plan;
    slot.ordinal = plan.first + i;
    slot.state = <u8>State.planned;
    store<usize>(run.slots + <usize>slot.ordinal * sizeof<usize>(), changetype<usize>(slot));
  }
  run.slotCount = total;
  return plan;
}

/** The journal has a slot that the program has not spoken of yet. */
export function countUnmatched(run: Run, slot: Slot): void {
  run.unmatched++;
  if (slot.streamed) run.unmatchedStreamed++;
}

/** The program has spoken of it, or it was left behind. */
export function countMatched(run: Run, slot: Slot): void {
  run.unmatched--;
  if (slot.streamed) run.unmatchedStreamed--;
}

/** Those that the program must speak of, if it is the same program. */
export function mustMatch(run: Run): u32 {
  return run.unmatched - run.unmatchedStreamed;
}
