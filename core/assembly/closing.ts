// How a run ends: the cursor, the entry that closes it once all has settled, the forgetting of one
// that this host must not go on with, and the memory that goes when the last call has really ended.
import { dequeue, release, unlock } from "./admission";
import { AbortReason, ActionKind, EntryKind, Gate, State } from "./codes";
import { leaveBatch } from "./membership";
import { forgetNesting, leaveParent } from "./nesting";
import { action, entry } from "./output";
import { patienceOf, policyOf } from "./policies";
import { forgetBegun, freeRun, planAt, Run, Slot, slotAt } from "./runs";
import { arm, disarm, disarmPlan } from "./timers";
import { wall } from "./turn";

/** The cursor moves past a plan when the program has been given every slot of it. */
function moveCursor(run: Run): void {
  while (run.cursorPlan < run.planCount) {
    const plan = planAt(run, run.cursorPlan);
    if (plan.open > 0) return;
    run.cursor = plan.first + plan.count;
    run.cursorPlan++;
  }
}

/** The program has been given this slot's outcome. */
export function given(slot: Slot): void {
  slot.plan.open--;
  if (slot.plan.open == 0) {
    disarmPlan(slot.plan);
    moveCursor(slot.run);
  }
}

/** A claimed slot has settled. */
export function settledOne(slot: Slot): void {
  const run = slot.run;
  run.unsettled--;
  given(slot);
  closeIfSettled(run);
}

/** The program has ended and nothing is left to settle: the run is closed. */
export function closeIfSettled(run: Run): void {
  if (!run.closing || run.over || run.unsettled > 0) return;
  const row = entry(EntryKind.runClosed, run.number, 0, wall);
  row.outcome = run.closeOutcome;
  row.payload = run.closePayload;
  run.over = true;
  leaveParent(run);
  finishIfLeft(run);
}

/** Nothing more is said of the run: what runs is told to stop, what waits waits no more. In doubt stays in doubt. */
export function forget(run: Run): void {
  run.over = true;
  leaveParent(run);
  for (let i: u32 = 0; i < run.slotCount; i++) {
    const slot = slotAt(run, i)!;
    const told = slot.dueAt; // of one that has been told to stop: when nobody waits for that any more
    disarm(slot);
    dequeue(slot);
    switch (<State>slot.state) {
      case State.running:
      case State.suspended:
      case State.resuming:
        tell(slot, AbortReason.forgotten);
        slot.state = <u8>State.leaving;
        watchLeaving(slot, patienceOf(slot.tool));
        break;
      case State.ending:
      case State.cancelling:
        slot.state = <u8>State.leaving; // it has been told
        watchLeaving(slot, told);
        break;
      case State.leaving:
        if (!slot.abandoned) watchLeaving(slot, told);
        break;
      case State.asking:
        tell(slot, AbortReason.ask);
        release(slot);
        slot.state = <u8>State.planned;
        break;
    }
    // What still runs keeps its locks until it has ended; the rest keeps nobody waiting.
    if (slot.state != State.leaving) unlock(slot);
  }
  for (let i: u32 = 0; i < run.planCount; i++) disarmPlan(planAt(run, i));
  finishIfLeft(run);
}

/** It has been told to stop, and nothing else waits for it: where its tool says so, not even its permits. */
export function watchLeaving(slot: Slot, until: u64): void {
  if (!policyOf(slot.tool).abandons) return;
  slot.overdue = true; // its deadline has nothing left to decide
  slot.dueAt = until;
  arm(slot);
}

function tell(slot: Slot, reason: i32): void {
  const row = action(ActionKind.abort, Gate.none, slot.run.number, slot.ordinal);
  row.attempt = slot.attempt;
  row.code = <u8>reason;
  row.until = policyOf(slot.tool).grace;
}

let finished: usize = 0; // runs whose memory goes at the end of this turn

/** When a run is over and its last call has ended, its number is free. Looked at whenever either may have become true. */
export function finishIfLeft(run: Run): void {
  if (run.over && run.inFlight == 0 && !run.finishing) {
    run.finishing = true;
    run.nextFinished = finished;
    finished = changetype<usize>(run);
  }
}

/** Frees the runs of which nothing is left. Last in a turn: until then their records may be looked at. */
export function freeFinished(): void {
  while (finished != 0) {
    const run = changetype<Run>(finished);
    finished = run.nextFinished;
    action(ActionKind.released, Gate.written, run.number, 0);
    for (let i: u32 = 0; i < run.slotCount; i++) {
      const slot = slotAt(run, i)!;
      if (slot.timer != 0) disarm(slot);
      if (slot.begun != 0) forgetBegun(slot);
      unlock(slot);
      leaveBatch(slot);
    }
    forgetNesting(run);
    freeRun(run);
  }
}
