// What a reaction asks for that waits for no disk: calls get their slots, what runs is told to stop,
// reconcilers are asked, the program learns that it was refused or no longer matches.
import type { Action, Placement } from "./core.ts";
import { NONE } from "./core.ts";
import { emitQueued, stepOf } from "./emit.ts";
import type { HoldfastError } from "./errors.ts";
import type { EventHub } from "./event-hub.ts";
import type { Happened } from "./inbox.ts";
import type { LiveRun, LiveSlot } from "./live-run.ts";
import { type Difference, difference, MISMATCH_KINDS } from "./mismatch.ts";
import { performAbort } from "./perform.ts";
import type { Clock, Ports } from "./ports.ts";
import { duplicateId, earlier } from "./prepared-call.ts";
import { runEnded } from "./run-end.ts";

/** Calls have become slots. */
export function place(run: LiveRun, row: Placement, { waiting }: Happened, hub: EventHub, clock: Clock): void {
  for (let i = 0; i < row.count; i++) {
    const { call, wait, position } = waiting[row.call + i]!;
    const before = run.byId.get(call.id);
    const slot: LiveSlot = {
      ordinal: row.slot + i,
      call,
      generation: (row.fresh ? run.idUses.get(call.id) : run.generations.get(row.slot + i)) ?? 0,
      announced: wait.announced,
      claimed: undefined,
      wait: wait.announced ? undefined : wait,
      position,
      inFlight: undefined,
      heldBack: 0,
      ask: undefined,
      outcome: undefined,
      tenant: wait.tenant,
      deadline: earlier(call.deadline, wait.deadline),
      reason: undefined,
      fallback: undefined,
    };
    run.slots[slot.ordinal] = slot;
    if (before === undefined || before.ordinal < slot.ordinal) run.byId.set(call.id, slot);
    if (hub.listening && !wait.announced) emitQueued(hub, run, slot, clock.wallMs());
  }
}

/** What acting at once needs, and the differences that it finds. */
export interface AtOnce {
  readonly happened: Happened;
  readonly hub: EventHub;
  readonly clock: Clock;
  readonly ask: (run: LiveRun, slot: LiveSlot, action: Action) => void;
  readonly differences: Map<LiveRun, Difference[]>;
}

/** Carries out one action that is not gated. */
export function actAtOnce(run: LiveRun, action: Action, withThese: AtOnce): void {
  const { happened, hub, clock } = withThese;
  const slot = action.slot === NONE ? undefined : run.slots[action.slot];
  switch (action.kind) {
    case "abort":
      if (slot !== undefined) performAbort(slot, action);
      return;
    case "reconcile":
      if (slot === undefined || run.stopped !== undefined) return;
      if (hub.listening)
        hub.emit({ ...stepOf(run, slot, clock.wallMs()), kind: "reconciling", attempt: action.attempt });
      withThese.ask(run, slot, action);
      return;
    case "carry-on":
      slot?.inFlight?.carryOn?.();
      return;
    case "mismatch": {
      const ordinal = action.slot === NONE ? undefined : action.slot;
      const journaled = ordinal === undefined ? undefined : run.journaled[ordinal];
      const found = difference(
        MISMATCH_KINDS[action.code] ?? "unused-slot",
        ordinal,
        journaled,
        happened.waiting[action.call]?.call,
      );
      const known = withThese.differences.get(run);
      if (known === undefined) withThese.differences.set(run, [found]);
      else known.push(found);
      return;
    }
    case "unawaited":
      if (slot === undefined) return;
      run.unawaited.push(slot.call.id);
      if (hub.listening) hub.emit({ ...stepOf(run, slot, clock.wallMs()), kind: "unawaited" });
      return;
    case "refuse":
      refuse(run, action, happened);
      return;
    case "call":
    case "released":
      throw new Error(`the core gave an ungated ${action.kind}`);
  }
}

function refuse(run: LiveRun, action: Action, { events, waiting }: Happened): void {
  const call = waiting[action.call];
  if (call !== undefined) {
    call.wait.reject(refusalError(action.code, run, call.call.id));
    return;
  }
  for (const event of events) {
    if (event.kind !== "claim" || event.run !== run.number) continue;
    const slot = run.slots[event.slot];
    if (slot?.outcome === undefined) slot?.wait?.reject(refusalError(action.code, run, slot.call.id));
  }
}

function refusalError(code: number, run: LiveRun, callId: string): HoldfastError {
  if (code === 0) return duplicateId(callId, `run ${JSON.stringify(run.id)} has already made a call of that id`);
  return runEnded(run);
}

/** In mode adapt: says which slots of the journal the program no longer makes. */
export function reportLeftBehind(
  run: LiveRun,
  differences: readonly Difference[],
  hub: EventHub,
  { clock, warn }: Pick<Ports, "clock" | "warn">,
): void {
  const said: string[] = [];
  for (const { slot, journal } of differences) {
    if (journal === undefined || slot === undefined) continue;
    const { id, tool, state } = journal;
    said.push(`${id} (${state === "in-doubt" ? "in doubt" : state})`);
    hub.emit({ at: clock.wallMs(), runId: run.id, callId: id, tool, slot, kind: "left-behind", state });
  }
  if (said.length === 0) return;
  const more = said.length > LEFT_SHOWN_MAX ? ` and ${said.length - LEFT_SHOWN_MAX} more` : "";
  warn(
    `run ${JSON.stringify(run.id)} leaves behind ${said.length} of the calls in its journal: ${said.slice(0, LEFT_SHOWN_MAX).join(", ")}${more}. They stay in the journal; its program no longer makes them.`,
  );
}

const LEFT_SHOWN_MAX = 10;
