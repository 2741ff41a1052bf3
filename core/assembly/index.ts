// The exports of core.wit, and three more for hosts that drive the bare module: `reserve` (where to lay
// input), `panicArea` (what a trap left), `version`. Lists come as pointer and length; results lie in
// static memory until the next call, so nothing has to be handed back.
import { breakerState } from "./breaker";
import { NONE, Refusal } from "./codes";
import { configureLimits, wrongRow } from "./configure";
import { dynamicCount } from "./dynamic-scopes";
import { explainSlot } from "./explain";
import { Stand, standCount } from "./fairness";
import { comparisons } from "./heap";
import { areRight, charges, keyCount, keys, takeInputs, termsAt } from "./inputs";
import { overdueAt } from "./lines";
import { lockCount } from "./locks";
import { hasMore, turn } from "./machine";
import { inputRead, lower, make } from "./memory";
import { openRun, refusal, refusedRow, refusedSlot } from "./open";
import { accepted, clear, configured, listAt, reaction, refused } from "./output";
import { pressure, queued } from "./overload";
import { setPolicies } from "./policies";
import { recallEntry } from "./recall";
import { Call, Entry, Policy, Reading, Row, Standing, stride } from "./records";
import { recoveryRows } from "./recovery";
import { seed as seedJitter } from "./retry";
import { findRun, slotAt } from "./runs";
import { runtimeScope, scopeBy } from "./scopes";
import { wakeAt } from "./timers";
import { transitionRows } from "./transitions";
import { begin, now, onHostClock, wall } from "./turn";

export { reserve } from "./memory";
export { panicArea } from "./panic";

const ATTEMPTS_MOST: u32 = 100;
const ASKS_MOST: u32 = 100;
let isConfigured = false;

export function configure(
  seed: u64,
  concurrency: u32,
  tools: usize,
  toolCount: u32,
  limits: usize,
  limitCount: u32,
): usize {
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
  const right = configureLimits(concurrency, tools, toolCount, limits, limitCount);
  inputRead();
  return right ? configured() : refused(Refusal.invalidLimit, wrongRow, NONE, 4);
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
  return opened ? accepted(nextWake(), pressure) : refused(refusal, refusedRow, refusedSlot, 8);
}

/** When the host is to come back: at once when there is more, else for the first that is due. */
function nextWake(): u64 {
  if (hasMore) return onHostClock(now);
  const due = wakeAt();
  const overdue = overdueAt();
  return onHostClock(due == 0 || (overdue != 0 && overdue < due) ? overdue : due);
}

export function recall(
  now: u64,
  wall: u64,
  entries: usize,
  entryCount: u32,
  calls: usize,
  callCount: u32,
  terms: usize,
  termCount: u32,
  keysAt: usize,
  keysThere: u32,
  chargesAt: usize,
  chargesThere: u32,
): void {
  begin(now, wall);
  takeInputs(terms, termCount, keysAt, keysThere, chargesAt, chargesThere);
  for (let i: u32 = 0; i < entryCount; i++) {
    const entry = changetype<Entry>(entries + stride<Entry>(8) * i);
    if (entry.slot >= callCount) continue;
    const call = changetype<Call>(calls + stride<Call>(8) * entry.slot);
    if (areRight(call.terms)) recallEntry(entry, call, termsAt(call.terms), keys, keyCount, charges);
  }
  inputRead();
}

export function handle(
  now: u64,
  wall: u64,
  events: usize,
  eventCount: u32,
  calls: usize,
  callCount: u32,
  terms: usize,
  termCount: u32,
  keysAt: usize,
  keysThere: u32,
  chargesAt: usize,
  chargesThere: u32,
): usize {
  begin(now, wall);
  clear();
  takeInputs(terms, termCount, keysAt, keysThere, chargesAt, chargesThere);
  turn(events, eventCount, calls, callCount);
  inputRead();
  return reaction(nextWake(), pressure);
}

export function explain(now: u64, wall: u64, number: u32, ordinal: u32): usize {
  begin(now, wall);
  const run = findRun(number);
  return explainSlot(run === null ? null : slotAt(run, ordinal));
}

const reading: Reading = changetype<Reading>(make(offsetof<Reading>()));

export function gauge(nowUs: u64, wallMs: u64, kind: u8, number: u32): usize {
  begin(nowUs, wallMs);
  memory.fill(changetype<usize>(reading), 0, offsetof<Reading>());
  const scope = scopeBy(kind, number);
  if (scope !== null) {
    reading.size = scope.size;
    reading.cap = scope.cap;
    reading.inUse = scope.inUse;
    reading.abandoned = scope.abandoned;
    reading.parked = scope.queue == 0 ? 0 : changetype<Stand>(scope.queue).members.length;
    reading.breaker = <u8>breakerState(scope);
    reading.pausedUntil = scope.held
      ? u64.MAX_VALUE
      : scope.restsUntil > now
        ? wall + (scope.restsUntil - now + 999) / 1000
        : 0;
  }
  return changetype<usize>(reading);
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
  }
  standing.queued = queued;
  standing.inUse = runtimeScope.inUse;
  standing.scopes = dynamicCount();
  standing.locks = lockCount();
  standing.flows = standCount();
  standing.comparisons = comparisons;
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
