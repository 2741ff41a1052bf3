// Circles of calls that wait for one another: a call that waits for its child run holds its keys, and where its tool says
// so its permits, while calls of that run need the same. What can still move is worked out from what runs, naively and
// to the end; whoever is left can never start, and is told so. It costs nothing while no call that waits holds anything.
import { admitNested } from "./admission";
import { State } from "./codes";
import { Conditions, unitsOf } from "./conditions";
import { Line, scopeOf } from "./lines";
import { forEachBefore, hasLocks, shutTickets } from "./locks";
import { Run, Slot, slotAt } from "./runs";
import { lockScope, Scope } from "./scopes";

let nested: usize = 0; // Runs that a call has opened, linked

/** The run was opened by this attempt of a call, which waits for it. */
export function nest(run: Run, parent: Slot, attempt: u32): void {
  if (run.parent != 0) return;
  for (let above = parent.run; ; above = changetype<Slot>(above.parent).run) {
    if (above === run) return; // nobody opens a run above its own
    if (above.parent == 0) break;
  }
  run.parent = changetype<usize>(parent);
  run.parentAttempt = attempt;
  run.nextNested = nested;
  parent.run.nests = true;
  nested = changetype<usize>(run);
}

/** The run goes: nobody is above it or below it any more. */
export function forgetNesting(run: Run): void {
  if (run.parent == 0 && !run.nests) return;
  let kept: usize = 0;
  let at = nested;
  nested = 0;
  while (at != 0) {
    const one = changetype<Run>(at);
    at = one.nextNested;
    one.nextNested = 0;
    if (one === run || changetype<Slot>(one.parent).run === run) {
      one.parent = 0;
      continue;
    }
    if (kept == 0) nested = changetype<usize>(one);
    else changetype<Run>(kept).nextNested = changetype<usize>(one);
    kept = changetype<usize>(one);
  }
}

/** The call that waits for the run, or null: the run is over, it waits no more, or nobody ever did. */
function waiting(run: Run): Slot | null {
  if (run.parent == 0 || run.over) return null;
  const parent = changetype<Slot>(run.parent);
  return parent.state == State.suspended && parent.attempt == run.parentAttempt ? parent : null;
}

function isOpen(slot: Slot): bool {
  return slot.claimed && slot.state != State.settled && slot.state != State.leaving;
}

// ── what can still move ───────────────────────────────────────────────────────────────────────

let refuser: usize = 0; // the Scope of which there is too little, by the last `isBlocked`
let behind: bool = false;
let supposition: u32 = 0; // who is thought to be stuck: another number whenever that changes

/** Too little of some scope is held by calls that can still move. A size of 0 is its owner's pause, and no circle. */
function lacksPermits(slot: Slot): bool {
  const line = changetype<Line>(slot.line);
  const units = unitsOf(slot);
  for (let i: u32 = 0; i < line.scopeCount; i++) {
    const scope = scopeOf(line, i);
    if (scope.size == 0 || scope.stuck == 0 || (scope.stuck < scope.size && units <= scope.size - scope.stuck))
      continue;
    refuser = changetype<usize>(scope);
    return true;
  }
  return false;
}

function look(before: Slot): void {
  if (!behind && isStuck(before)) behind = true;
}

/** Known for as long as the suppositions stand: many wait behind the same. */
function isBehindStuck(slot: Slot): bool {
  if (shutTickets(slot) == 0) return false;
  const conditions = changetype<Conditions>(slot.conditions);
  if (conditions.judged != supposition) {
    const outer = behind;
    behind = false;
    forEachBefore(slot, look);
    conditions.isBehindStuck = behind;
    conditions.judged = supposition;
    behind = outer;
  }
  if (conditions.isBehindStuck) refuser = changetype<usize>(lockScope);
  return conditions.isBehindStuck;
}

function isStuck(slot: Slot): bool {
  switch (<State>slot.state) {
    case State.suspended:
      return slot.stuck;
    case State.queued:
    case State.doubtful:
      return lacksPermits(slot) || isBehindStuck(slot);
    case State.resuming:
      return lacksPermits(slot);
    default:
      return false; // it runs, or time will move it
  }
}

/** Nothing of it can move. A run that waits for no call is its program's to move. */
function isRunStuck(run: Run): bool {
  if (run.unsettled == 0) return false;
  for (let i = run.cursor; i < run.slotCount; i++) {
    const slot = slotAt(run, i)!;
    if (isOpen(slot) && !isStuck(slot)) return false;
  }
  return true;
}

function count(slot: Slot, isCounted: bool): void {
  const line = changetype<Line>(slot.line);
  const units = isCounted ? unitsOf(slot) : 0;
  for (let i: u32 = 0; i < line.scopeCount; i++) {
    const scope = scopeOf(line, i);
    scope.stuck = isCounted ? scope.stuck + units : 0;
  }
}

/** All that wait for a run are thought to be stuck. False: none of them holds anything. */
function supposeAllStuck(): bool {
  let holds = false;
  for (let at = nested; at != 0; at = changetype<Run>(at).nextNested) {
    const parent = waiting(changetype<Run>(at));
    if (parent === null || parent.stuck) continue;
    parent.stuck = true;
    supposition++;
    if (parent.holds) count(parent, true);
    holds = holds || parent.holds || hasLocks(parent);
  }
  return holds;
}

/** Until nothing changes, whoever has a run that can move is not stuck, and neither is who waited for that. */
function letMove(): bool {
  let changed = true;
  let left = true;
  while (changed) {
    changed = false;
    left = false;
    for (let at = nested; at != 0; at = changetype<Run>(at).nextNested) {
      const parent = waiting(changetype<Run>(at));
      if (parent === null || !parent.stuck) continue;
      left = true;
      if (isRunStuck(changetype<Run>(at))) continue;
      parent.stuck = false;
      supposition++;
      changed = true;
    }
    if (!changed) break;
    supposition++;
    forgetCounts();
    for (let at = nested; at != 0; at = changetype<Run>(at).nextNested) {
      const parent = waiting(changetype<Run>(at));
      if (parent === null || !parent.stuck || !parent.holds) continue;
      if (isFirstOf(changetype<Run>(at), parent)) count(parent, true);
    }
  }
  return left;
}

/** Of a call that waits for several runs the first in the list: it is counted once. */
function isFirstOf(run: Run, parent: Slot): bool {
  for (let at = nested; at != changetype<usize>(run); at = changetype<Run>(at).nextNested)
    if (waiting(changetype<Run>(at)) === parent) return false;
  return true;
}

function forgetCounts(): void {
  for (let at = nested; at != 0; at = changetype<Run>(at).nextNested) {
    const parent = waiting(changetype<Run>(at));
    if (parent !== null && parent.line != 0) count(parent, false);
  }
}

function forgetAll(): void {
  forgetCounts();
  for (let at = nested; at != 0; at = changetype<Run>(at).nextNested)
    changetype<Slot>(changetype<Run>(at).parent).stuck = false;
}

// ── who is told ───────────────────────────────────────────────────────────────────────────────

/** The scope that closes the circle of the call that `findCircle` gave. */
export let circleScope: Scope = lockScope;

/** Something of the run waits for a run of its own: that is where to begin. */
function nestsNow(run: Run): bool {
  for (let i = run.cursor; i < run.slotCount; i++) {
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
  for (let i = run.cursor; i < run.slotCount; i++) {
    const slot = slotAt(run, i)!;
    if (isAmong(slot, resuming) && (found === null || slot.turn > found.turn == last)) found = slot;
  }
  return found;
}

/** Of the stuck runs, the one that came last closed the circle: its newest call. Its older ones follow, before another run's. */
function newestStuck(resuming: bool): Slot | null {
  let newest: Slot | null = null;
  let chosen: Run | null = null;
  for (let at = nested; at != 0; at = changetype<Run>(at).nextNested) {
    const run = changetype<Run>(at);
    const parent = waiting(run);
    if (parent === null || !parent.stuck || !isRunStuck(run) || (!resuming && nestsNow(run))) continue;
    const first = ofRun(run, resuming, false);
    if (first === null || (newest !== null && first.turn < newest.turn)) continue;
    newest = first;
    chosen = run;
  }
  return chosen === null ? null : ofRun(chosen, resuming, true);
}

/** A call that can never start, `circleScope` says for want of what; or null. One at a time: what it held back may move then. */
export function findCircle(): Slot | null {
  if (nested == 0) return null;
  let found: Slot | null = null;
  if (supposeAllStuck() && letMove()) {
    found = newestStuck(false);
    if (found !== null && isStuck(found)) circleScope = changetype<Scope>(refuser);
    else if (found === null) {
      const held = newestStuck(true);
      if (held !== null) {
        admitNested(held, true);
        found = held;
      }
    }
  }
  forgetAll();
  return found;
}

/** Is a call above it keeping permits while it waits for it? */
function isUnderKeeper(run: Run): bool {
  let at: Run | null = run;
  while (at !== null) {
    const parent: Slot | null = waiting(at);
    if (parent === null) return false;
    if (parent.holds) return true;
    at = parent.run;
  }
  return false;
}

/** A call that only those keep waiting who wait for the calls above it: it has its permits now. Or null. */
export function takeNested(): Slot | null {
  for (let at = nested; at != 0; at = changetype<Run>(at).nextNested) {
    const run = changetype<Run>(at);
    if (!isUnderKeeper(run)) continue;
    for (let i = run.cursor; i < run.slotCount; i++) {
      const slot = slotAt(run, i)!;
      if (isOpen(slot) && (slot.queued || slot.resumes) && admitNested(slot, false)) return slot;
    }
  }
  return null;
}
