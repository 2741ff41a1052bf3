// What a turn made durable, as events for whoever watches. Only called when somebody does.
import type { CoreEntry } from "./core.ts";
import type { EventHub } from "./event-hub.ts";
import type { CallEvent } from "./events.ts";
import type { LiveRun, LiveSlot, RunTurn } from "./live-run.ts";

/** A call has its slot and waits for its permits. */
export function emitQueued(hub: EventHub, run: LiveRun, slot: LiveSlot, at: number): void {
  hub.emit({ ...stepOf(run, slot, at), kind: "queued" });
}

/** What every event about a call says. */
export function stepOf(run: LiveRun, slot: LiveSlot, at: number) {
  return { at, runId: run.id, callId: slot.call.id, tool: slot.call.tool, slot: slot.ordinal };
}

/** The event of an entry; settled ones come with their outcome, from the resolution. */
function eventOf(run: LiveRun, slot: LiveSlot, entry: CoreEntry): CallEvent | undefined {
  const step = stepOf(run, slot, Number(entry.at));
  const { attempt } = entry;
  switch (entry.kind) {
    case "started":
      return { ...step, kind: "started", attempt };
    case "attempt-failed": {
      const payload = run.payloads.get(entry.payload);
      const error =
        payload?.kind === "error" ? payload.error : { name: "TimeoutError", message: "the attempt ran out of time" };
      return {
        ...step,
        kind: "attempt-failed",
        attempt,
        error,
        nextAt: Number(entry.until),
        overloaded: entry.reason === "overloaded",
      };
    }
    case "late":
      return { ...step, kind: "late", attempt, outcome: entry.outcome === "ok" ? "ok" : "error" };
    default:
      return undefined;
  }
}

/** Events of all that a turn made durable. */
export function emitTurn(hub: EventHub, turn: RunTurn): void {
  const { run } = turn;
  for (const entry of turn.entries) {
    if (entry.kind === "planned") {
      for (let ordinal = entry.slot; ordinal < entry.slot + entry.count; ordinal++) {
        const slot = run.slots[ordinal];
        if (slot !== undefined) hub.emit({ ...stepOf(run, slot, Number(entry.at)), kind: "planned" });
      }
      continue;
    }
    if (entry.kind === "run-closed") {
      hub.emit({
        at: Number(entry.at),
        runId: run.id,
        kind: "run-closed",
        state: entry.outcome === "ok" ? "returned" : "threw",
      });
      continue;
    }
    const slot = run.slots[entry.slot];
    const event = slot === undefined ? undefined : eventOf(run, slot, entry);
    if (event !== undefined) hub.emit(event);
  }
}
