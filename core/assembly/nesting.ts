// Runs that calls have opened and wait for: which call waits for which run, and what has changed among them since a circle
// was last looked for. A call that waits and holds nothing keeps nobody waiting: while all are such, nothing is noted.
import { State } from "./codes";
import { Conditions } from "./conditions";
import { hasRoomBesideKept } from "./kept";
import { hasLocks } from "./locks";
import { grow, List, makeList } from "./memory";
import { policyOf } from "./policies";
import { Run, Slot, slotAt } from "./runs";

/** The run that was opened last, the others through `olderNested`. */
export let newestNested: usize = 0;
/** Runs whose callers keep something from others while they wait: keys or permits; and of those who keep permits. */
let holders: u32 = 0;
export let keepers: u32 = 0;

/** The run was opened by this attempt of a call, which waits for it. */
export function nest(run: Run, parent: Slot, attempt: u32): void {
  if (run.parent != 0 || run.over) return;
  for (let above = parent.run; ; above = changetype<Slot>(above.parent).run) {
    if (above === run) return; // nobody opens a run above its own
    if (above.parent == 0) break;
  }
  run.parent = changetype<usize>(parent);
  run.parentAttempt = attempt;
  run.nextOpened = parent.opened;
  if (parent.opened != 0) changetype<Run>(parent.opened).previousOpened = changetype<usize>(run);
  parent.opened = changetype<usize>(run);
  parent.run.nests++;
  run.olderNested = newestNested;
  if (newestNested != 0) changetype<Run>(newestNested).newerNested = changetype<usize>(run);
  newestNested = changetype<usize>(run);
  run.isKept = policyOf(parent.tool).keeps;
  run.isHeld = run.isKept || hasLocks(parent);
  if (run.isKept) keepers++;
  if (run.isHeld && holders++ == 0) suspicious = true; // nothing was noted before
  noteChange(parent);
}

function unnest(run: Run): void {
  if (run.parent == 0) return;
  const parent = changetype<Slot>(run.parent);
  run.parent = 0;
  parent.run.nests--;
  if (run.previousOpened == 0) parent.opened = run.nextOpened;
  else changetype<Run>(run.previousOpened).nextOpened = run.nextOpened;
  if (run.nextOpened != 0) changetype<Run>(run.nextOpened).previousOpened = run.previousOpened;
  if (run.newerNested == 0) newestNested = run.olderNested;
  else changetype<Run>(run.newerNested).olderNested = run.olderNested;
  if (run.olderNested != 0) changetype<Run>(run.olderNested).newerNested = run.newerNested;
  run.previousOpened = 0;
  run.nextOpened = 0;
  run.newerNested = 0;
  run.olderNested = 0;
  if (run.isKept) keepers--;
  if (run.isHeld) holders--;
}

/** The run is over: what is left of what its caller waits for decides now. */
export function leaveParent(run: Run): void {
  if (run.parent == 0) return;
  noteChange(changetype<Slot>(run.parent));
  unnest(run);
}

/** The run goes: nobody is below it any more. */
export function forgetNesting(run: Run): void {
  for (let i: u32 = 0; run.nests > 0; i++) {
    const slot = slotAt(run, i)!;
    while (slot.opened != 0) unnest(changetype<Run>(slot.opened));
  }
}

/** The call that waits for the run, or null: it waits no more, or nobody ever did. */
export function waitingFor(run: Run): Slot | null {
  if (run.parent == 0) return null;
  const parent = changetype<Slot>(run.parent);
  return parent.state == State.suspended && parent.attempt == run.parentAttempt ? parent : null;
}

/** Has it opened a run that it waits for? */
export function waitsForRun(slot: Slot): bool {
  for (let at = slot.opened; at != 0; at = changetype<Run>(at).nextOpened)
    if (waitingFor(changetype<Run>(at)) !== null) return true;
  return false;
}

/** In such a state a slot waits for what others hold: permits, keys, a run. Time alone does not end it. */
export function isWaiting(state: i32): bool {
  return state == State.queued || state == State.suspended || state == State.resuming || state == State.doubtful;
}

/** It waits to start or to go on, or runs: its outcome is to come. */
export function isOpen(slot: Slot): bool {
  return slot.claimed && slot.state != State.settled && slot.state != State.leaving;
}

/** The first slot of the run that has not settled, or one before it. */
export function firstOpen(run: Run): u32 {
  let at = max(run.openFrom, run.cursor);
  while (at < run.slotCount && isDone(slotAt(run, at)!)) at++;
  run.openFrom = at;
  return at;
}

function isDone(slot: Slot): bool {
  return slot.claimed && !isOpen(slot);
}

/** Its program waits for calls, and each of them waits for something that others hold. */
export function isStill(run: Run): bool {
  return run.unsettled > 0 && run.unsettled == run.waits;
}

// ── what has changed ──────────────────────────────────────────────────────────────────────────

/** Something other than a call's state may have closed a circle. */
let suspicious: bool = false;
const changed: List = makeList(sizeof<usize>(), 16); // Slot: those that are in another state since then

/** Sizes have changed, or one circle of perhaps several was broken. */
export function suspect(): void {
  suspicious = true;
}

/** The slot is in another state than it was. */
export function noteChange(slot: Slot): void {
  if (holders == 0 || (slot.run.parent == 0 && slot.opened == 0 && !hasLocks(slot))) return;
  store<usize>(grow(changed), changetype<usize>(slot));
}

/** Those that wait for its keys may wait for more than before: it has begun and waits again, or it went before them. */
function keepsMore(slot: Slot): bool {
  if (!hasLocks(slot) || !isWaiting(slot.state) || slot.state == State.suspended) return false;
  return slot.start != 0 || slot.asks != 0 || changetype<Conditions>(slot.conditions).preempts;
}

/** Somebody waits for the run, and its next call is not sure to move. */
function isHeldUp(run: Run): bool {
  if (!isStill(run) || waitingFor(run) === null) return false;
  const next = slotAt(run, firstOpen(run));
  return next === null || !(next.state == State.suspended ? isMovedBelow(next) : hasRoomBesideKept(next));
}

/** It waits for no run, or for one that does not stand still. */
function isMovedBelow(slot: Slot): bool {
  for (let at = slot.opened; at != 0; at = changetype<Run>(at).nextOpened)
    if (!isStill(changetype<Run>(at))) return true;
  return !waitsForRun(slot);
}

/** Can there be a circle now that was none when this was last asked? A new one has somebody in it who has just come to a stop. */
export function mayHaveClosed(): bool {
  let may = suspicious;
  for (let i: u32 = 0; i < changed.length && !may; i++) {
    const slot = changetype<Slot>(load<usize>(changed.at + <usize>i * sizeof<usize>()));
    may = isHeldUp(slot.run) || keepsMore(slot);
    if (slot.state == State.suspended) {
      for (let run = slot.opened; run != 0 && !may; run = changetype<Run>(run).nextOpened)
        may = isHeldUp(changetype<Run>(run));
    }
  }
  changed.length = 0;
  suspicious = false;
  return may && holders > 0;
}
