// Events for the core, made whole: the fields that an event does not use are zero.
import type { Call, CoreEvent } from "./core.ts";
import { NONE } from "./core.ts";
import type { LiveRun } from "./live-run.ts";
import type { PreparedCall } from "./prepared-call.ts";

const BLANK: CoreEvent = {
  kind: "claim",
  outcome: "ok",
  verdict: "done",
  mode: 0,
  run: 0,
  slot: 0,
  attempt: 0,
  payload: 0,
  first: 0,
  count: 0,
  a: 0n,
  b: 0n,
};

/** An event of this kind with these fields. */
export function coreEvent(kind: CoreEvent["kind"], fields: Partial<CoreEvent>): CoreEvent {
  return { ...BLANK, kind, ...fields };
}

/** A prepared call as a row of the core. `ready` is the number of its payload, or 0; `terms` 1 + their row, or 0. */
export function coreCall(call: PreparedCall, ready: number, terms: number): Call {
  return {
    idHigh: call.idDigest.high,
    idLow: call.idDigest.low,
    inputHigh: call.digest.high,
    inputLow: call.digest.low,
    runFor: call.runForMs === 0 ? 0n : BigInt(call.runForMs) * 1000n,
    deadline: BigInt(call.deadline),
    tool: call.number,
    ready,
    effect: call.effect,
    reconciles: call.declared?.options.reconcile !== undefined && call.ready === undefined,
    readyOutcome: call.ready?.kind === "error" ? "error" : "ok",
    terms,
  };
}

export function cancelEvent(run: LiveRun): CoreEvent {
  return coreEvent("cancel", { run: run.number, slot: NONE });
}
