// The exports of core.wit, and three more for hosts that drive the bare module: `reserve` (where to lay
// input), `panicArea` (what a trap left), `version`. Lists come as pointer and length; results lie in
// static memory until the next call, so nothing has to be handed back.
import { queued } from "./admission";
import { NONE, Refusal } from "./codes";
import { turn } from "./machine";
import { inputRead, lower, make } from "./memory";
import { openRun, refusal, refusedRow, refusedSlot } from "./open";
import { accepted, clear, configured, listAt, reaction, refused } from "./output";
import { configurePermits, runtimePermits, setToolPermits } from "./permits";
import { setPolicies } from "./policies";
import { Policy, Row, Standing, stride } from "./records";
import { recoveryRows } from "./recovery";
import { seed as seedJitter } from "./retry";
import { findRun } from "./runs";
import { wakeAt } from "./timers";
import { transitionRows } from "./transitions";
import { begin } from "./turn";

export { reserve } from "./memory";
export { panicArea } from "./panic";

const ATTEMPTS_MOST: u32 = 100;
const ASKS_MOST: u32 = 100;
let isConfigured = false;

export function configure(seed: u64, concurrency: u32, tools: usize, toolCount: u32): usize {
  for (let i: u32 = 0; i < toolCount; i++) {
    const policy = changetype<Policy>(tools + stride<Policy>(8) * i);
    const wrong =
      policy.attempts == 0 ||
      policy.attempts > ATTEMPTS_MOST ||
      policy.asks == 0 ||
      policy.asks > ASKS_MOST ||
      policy.askFor == 0 ||
      policy.backoff > policy.backoffMost;
    if (wrong) return refused(Refusal.invalidPolicy, i, NONE, 4);
  }
  assert(!isConfigured, "configured twice");
  isConfigured = true;
  seedJitter(seed);
  setPolicies(tools, toolCount);
  configurePermits(concurrency, toolCount);
  for (let i: u32 = 0; i < toolCount; i++) {
    setToolPermits(i, changetype<Policy>(tools + stride<Policy>(8) * i).concurrency);
  }
  inputRead();
  return configured();
}

export function open(
  now: u64,
  wall: u64,
  run: u32,
  adapt: bool,
  entries: usize,
  entryCount: u32,
  calls: usize,
  callCount: u32,
): usize {
  begin(now, wall);
  clear();
  const opened = openRun(run, adapt, entries, entryCount, calls, callCount);
  inputRead();
  return opened ? accepted(wakeAt()) : refused(refusal, refusedRow, refusedSlot, 8);
}

export function handle(now: u64, wall: u64, events: usize, eventCount: u32, calls: usize, callCount: u32): usize {
  begin(now, wall);
  clear();
  turn(events, eventCount, calls, callCount);
  inputRead();
  return reaction(wakeAt());
}

const standing: Standing = changetype<Standing>(make(offsetof<Standing>()));

export function inspect(number: u32): usize {
  memory.fill(changetype<usize>(standing), 0, offsetof<Standing>());
  const run = findRun(number);
  if (run !== null) {
    standing.cursor = run.cursor;
    standing.slots = run.slotCount;
    standing.unclaimed = run.unmatched;
    standing.unsettled = run.unsettled;
    standing.inFlight = run.inFlight;
    standing.queued = queued;
    standing.inUse = runtimePermits.inUse;
  }
  return changetype<usize>(standing);
}

let rows: usize = 0;

export function table(which: u32): usize {
  const count = which == 0 ? transitionRows(0) : which == 1 ? recoveryRows(0) : 0;
  if (rows != 0) heap.free(rows);
  rows = heap.alloc(<usize>count * offsetof<Row>() + 1);
  if (which == 0) transitionRows(rows);
  else if (which == 1) recoveryRows(rows);
  return listAt(rows, count);
}

/** The canonical ABI's allocator; only ever asked for new blocks of input. */
export function cabi_realloc(old: usize, oldBytes: usize, alignment: usize, bytes: usize): usize {
  const at = lower(bytes);
  if (old != 0) memory.copy(at, old, oldBytes < bytes ? oldBytes : bytes);
  return at;
}
