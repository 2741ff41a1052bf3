// Events for the core, made whole: the fields that an event does not use are zero.
import type { CheckedBatch } from "./batch-options.ts";
import type { Call, CoreEvent } from "./core.ts";
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

/** A batch of so many calls; `tenant`: 1 + its row among the keys, or 0. */
export function batchEvent(
  run: LiveRun,
  { concurrency, stream, bufferedBytesMax }: CheckedBatch,
  of: {
    readonly announced: boolean;
    readonly first: number;
    readonly count: number;
    readonly tenant: number;
    readonly weight: number;
    readonly deadline: number;
  },
): CoreEvent {
  return coreEvent("batch", {
    run: run.number,
    mode: of.announced ? 1 : 0,
    payload: bufferedBytesMax,
    first: of.first,
    count: of.count,
    slot: of.tenant,
    attempt: of.tenant === 0 ? 0 : Math.max(1, Math.round(of.weight * 1000)),
    a: (BigInt(stream) << 32n) + BigInt(concurrency),
    b: BigInt(of.deadline),
  });
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

/** Of one slot, or of all (NONE). */
export function cancelEvent(run: LiveRun, slot: number): CoreEvent {
  return coreEvent("cancel", { run: run.number, slot });
}
