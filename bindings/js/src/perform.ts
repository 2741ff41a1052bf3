// Carries out what the core has decided about one slot: calls the tool, asks the reconciler, tells
// either to stop, and turns what comes back into what the core is told. Decides nothing.
import type { Context, Program } from "./api.ts";
import { describeError, refusal } from "./call-error.ts";
import { type Action, NONE } from "./core.ts";
import { idempotencyKey, type Sha256 } from "./digest.ts";
import { HoldfastError } from "./errors.ts";
import type { Cost, LimitName } from "./limits.ts";
import { type InFlight, type LiveRun, type LiveSlot, makeInFlight, signalOf, tellToStop } from "./live-run.ts";
import type { CallError, Json, Verdict } from "./outcome.ts";
import { errorPayload, type Payload, resultPayload } from "./payload.ts";
import { checkedProgress } from "./progress.ts";
import type { Headers, Observed } from "./provider-headers.ts";
import { isOverloaded } from "./reasons.ts";
import { isThenable } from "./thenable.ts";
import type { ReconcileContext } from "./tool.ts";
import { WorkerLostError, type WorkerPool } from "./worker-pool.ts";
import type { WorkerReport } from "./worker-report.ts";

/** What the core is told of an attempt. */
export interface Reports {
  settled(run: LiveRun, slot: LiveSlot, attempt: number, payload: Payload, final: boolean): void;
  /** The outside said "slow down": nothing happened. `data` as of an OverloadedError. */
  overloaded(run: LiveRun, slot: LiveSlot, attempt: number, error: CallError): void;
  spent(run: LiveRun, slot: LiveSlot, attempt: number, actual: Cost): void;
  observed(slot: LiveSlot, limit: LimitName | undefined, observed: Headers | readonly Observed[]): void;
  /** The same two from a worker. */
  reported(run: LiveRun, slot: LiveSlot, attempt: number, report: WorkerReport): void;
  /** `began`: false when it was told to stop before it could. */
  stopped(run: LiveRun, slot: LiveSlot, attempt: number, began: boolean): void;
  lost(run: LiveRun, slot: LiveSlot, attempt: number, payload: Payload): void;
  reconciled(run: LiveRun, slot: LiveSlot, ask: number, verdict: Verdict["kind"], payload: Payload | undefined): void;
  noVerdict(run: LiveRun, slot: LiveSlot, attempt: number, why: unknown): void;
  progress(run: LiveRun, slot: LiveSlot, attempt: number, value: Json): void;
  suspend(run: LiveRun, slot: LiveSlot, attempt: number): void;
  resume(run: LiveRun, slot: LiveSlot, attempt: number): void;
}

export interface PerformWith {
  readonly reports: Reports;
  readonly workers: WorkerPool | undefined;
  readonly sha256: Sha256;
  readonly resultBytesMax: number;
  /** Ends a run that cannot go on here. */
  readonly stop: (run: LiveRun, error: HoldfastError) => void;
  readonly runChild: (
    parent: LiveRun,
    slot: LiveSlot,
    inFlight: InFlight,
    program: Program<any, any>,
    name: string | undefined,
  ) => Promise<unknown>;
}

const REASONS = ["it ran out of time", "it was cancelled", "its run was stopped", "the ask ran out of time"];

function stopReason(code: number): Error {
  const error = new Error(`the call was told to stop: ${REASONS[code] ?? "no longer wanted"}`);
  error.name = code === 0 || code === 3 ? "TimeoutError" : "AbortError";
  return error;
}

/** How an attempt ended that gave no result. */
type Ending = "interrupted" | "stopped" | "lost" | "overloaded" | "refused" | "failed";

function endingOf(inFlight: InFlight, thrown: unknown): Ending {
  try {
    // Its child run was interrupted, so this call is interrupted: in doubt, and not a failure.
    if (inFlight.childStopped !== undefined && thrown === inFlight.childStopped) return "interrupted";
    if (inFlight.told !== undefined && endedAsTold(inFlight, thrown)) return "stopped";
    if (thrown instanceof WorkerLostError) return "lost";
    if (isOverloaded(thrown)) return "overloaded";
    return thrown instanceof HoldfastError ? "refused" : "failed";
  } catch {
    return "failed"; // a proxy whose traps throw
  }
}

/** Did it end because it was told to, and not with an error of its own? */
function endedAsTold(inFlight: InFlight, thrown: unknown): boolean {
  if (thrown === inFlight.told || thrown instanceof WorkerLostError) return true;
  const name = (thrown as { name?: unknown } | null)?.name;
  return name === "AbortError" || name === "TimeoutError";
}

/** What a tool holds in its hands. A class, so that the signal is made only for those who look at it. */
class CallContext implements Context {
  readonly #run: LiveRun;
  readonly #slot: LiveSlot;
  readonly #inFlight: InFlight;
  readonly #with: PerformWith;
  readonly #until: number;
  constructor(run: LiveRun, slot: LiveSlot, inFlight: InFlight, until: number, performWith: PerformWith) {
    this.#run = run;
    this.#slot = slot;
    this.#inFlight = inFlight;
    this.#until = until;
    this.#with = performWith;
  }
  get runId(): string {
    return this.#run.id;
  }
  get callId(): string {
    return this.#slot.call.id;
  }
  get attempt(): number {
    return this.#inFlight.attempt;
  }
  get idempotencyKey(): string {
    return keyOf(this.#run, this.#slot, this.#with.sha256);
  }
  get signal(): AbortSignal {
    return signalOf(this.#inFlight);
  }
  get deadline(): number {
    // Absent would be `undefined` here; a getter cannot be absent.
    return (this.#until === 0 ? undefined : this.#until) as number;
  }
  cost(actual: Cost): void {
    this.#with.reports.spent(this.#run, this.#slot, this.#inFlight.attempt, actual);
  }
  observe(headers: Headers | readonly Observed[], limit?: LimitName): void {
    this.#with.reports.observed(this.#slot, limit, headers);
  }
  progress(value: Json): void {
    this.#with.reports.progress(this.#run, this.#slot, this.#inFlight.attempt, checkedProgress(value));
  }
  run<Result>(program: Program<any, Result>, options?: { readonly name?: string }): Promise<Result> {
    return this.#with.runChild(this.#run, this.#slot, this.#inFlight, program, options?.name) as Promise<Result>;
  }
}

function keyOf(run: LiveRun, slot: LiveSlot, sha256: Sha256): string {
  return idempotencyKey(run.key, slot.call.id, slot.generation, sha256);
}

/** Starts an attempt. Its start is durable by now. */
export function performCall(run: LiveRun, slot: LiveSlot, action: Action, withThese: PerformWith): void {
  const { attempt } = action;
  const inFlight = makeInFlight(attempt);
  slot.inFlight = inFlight;
  const { reports } = withThese;
  if (slot.heldBack === attempt) {
    reports.stopped(run, slot, attempt, false);
    return;
  }
  const done = (result: unknown): void => {
    const payload = resultPayload(result, withThese.resultBytesMax);
    reports.settled(run, slot, attempt, payload, true);
  };
  const failed = (thrown: unknown): void => {
    const ending = endingOf(inFlight, thrown);
    switch (ending) {
      case "interrupted":
        withThese.stop(run, inFlight.childStopped as HoldfastError);
        reports.stopped(run, slot, attempt, true);
        break;
      case "stopped":
        reports.stopped(run, slot, attempt, true);
        break;
      case "lost":
        reports.lost(run, slot, attempt, errorPayload(describeError(thrown)));
        break;
      case "overloaded":
        reports.overloaded(run, slot, attempt, describeError(thrown));
        break;
      case "refused":
      case "failed":
        reports.settled(run, slot, attempt, errorPayload(describeError(thrown)), ending === "refused");
        break;
    }
  };
  const { declared } = slot.call;
  if (declared === undefined) throw new Error("the core called a tool that is not declared");
  try {
    const until = Number(action.until);
    const result =
      declared.module === undefined
        ? (declared.options.run as NonNullable<typeof declared.options.run>)(
            slot.call.parsed,
            new CallContext(run, slot, inFlight, until, withThese),
          )
        : runInWorker(run, slot, inFlight, until, withThese);
    // By way of a real promise: a careless thenable may settle twice.
    if (isThenable(result)) Promise.resolve(result).then(done, failed);
    else done(result);
  } catch (thrown) {
    failed(thrown);
  }
}

function runInWorker(
  run: LiveRun,
  slot: LiveSlot,
  inFlight: InFlight,
  until: number,
  withThese: PerformWith,
): Promise<unknown> {
  const { declared, parsed } = slot.call;
  if (withThese.workers === undefined || declared?.module === undefined)
    throw new Error("a worker tool was declared where there are no workers");
  // What was moved is gone here: another attempt, or the reconciler, would find it empty.
  const neededOnce = declared.policy.attempts === 1 && declared.options.reconcile === undefined;
  const transfer = neededOnce ? declared.options.transfer?.(parsed) : undefined;
  inFlight.job = withThese.workers.run(
    {
      module: declared.module,
      input: parsed,
      context: {
        runId: run.id,
        callId: slot.call.id,
        attempt: inFlight.attempt,
        idempotencyKey: keyOf(run, slot, withThese.sha256),
        ...(until === 0 ? {} : { deadline: until }),
      },
      resultBytesMax: withThese.resultBytesMax,
      ...(transfer === undefined ? {} : { transfer: [...transfer] }),
    },
    {
      onProgress: (value) => withThese.reports.progress(run, slot, inFlight.attempt, value),
      onReport: (report) => withThese.reports.reported(run, slot, inFlight.attempt, report),
    },
  );
  return inFlight.job.result;
}

/** A reconciler's answer, if it is one. */
function readVerdict(answer: unknown): Verdict | undefined {
  if (typeof answer !== "object" || answer === null) return undefined;
  switch ((answer as { kind?: unknown }).kind) {
    case "done":
    case "failed":
    case "not-done":
    case "unknown":
      return answer as Verdict;
    default:
      return undefined;
  }
}

function verdictPayload(verdict: Verdict, bytesMax: number): { kind: Verdict["kind"]; payload: Payload | undefined } {
  switch (verdict.kind) {
    case "done": {
      const payload = resultPayload(verdict.value, bytesMax);
      return { kind: payload.kind === "error" ? "failed" : "done", payload };
    }
    case "failed":
      return { kind: "failed", payload: errorPayload(describeError(verdict.error)) };
    default:
      return { kind: verdict.kind, payload: undefined };
  }
}

/** Asks the reconciler. Whatever is not a verdict is none: it is asked again, up to its bound. */
export function performAsk(run: LiveRun, slot: LiveSlot, action: Action, withThese: PerformWith): void {
  const ask = action.code;
  const inFlight = makeInFlight(action.attempt);
  slot.ask = inFlight;
  const { reports } = withThese;
  const context: ReconcileContext = {
    runId: run.id,
    callId: slot.call.id,
    attempt: action.attempt,
    idempotencyKey: keyOf(run, slot, withThese.sha256),
    get signal() {
      return signalOf(inFlight);
    },
  };
  /** False: the ask was given up, and its run's number may be another's by now. */
  const ended = (): boolean => {
    if (slot.ask !== inFlight) return false;
    slot.ask = undefined;
    return true;
  };
  const answered = (answer: unknown): void => {
    const verdict = readVerdict(answer);
    if (verdict === undefined) {
      failed(refusal("no-verdict", "the reconciler answered neither done(…), failed(…), notDone() nor unknown()"));
      return;
    }
    const { kind, payload } = verdictPayload(verdict, withThese.resultBytesMax);
    if (!ended()) return;
    reports.reconciled(run, slot, ask, kind, payload);
  };
  const failed = (thrown: unknown): void => {
    if (!ended()) return;
    reports.noVerdict(run, slot, action.attempt, thrown);
    reports.reconciled(run, slot, ask, "unknown", undefined);
  };
  try {
    const reconcile = slot.call.declared?.options.reconcile;
    if (reconcile === undefined) throw new Error("the core asked a reconciler that is not declared");
    const answer = reconcile(slot.call.parsed, context);
    if (isThenable(answer)) Promise.resolve(answer).then(answered).catch(failed);
    else answered(answer);
  } catch (thrown) {
    failed(thrown);
  }
}

/** Tells an attempt, or an ask, to stop. */
export function performAbort(slot: LiveSlot, action: Action): void {
  const inFlight = action.code === 3 ? slot.ask : slot.inFlight;
  if (inFlight === undefined) {
    // An abort waits for no disk, the call before it does: that one is not to begin any more.
    if (action.code !== 3) slot.heldBack = action.attempt;
    return;
  }
  if (action.code === 3) slot.ask = undefined; // whatever it says now, nobody asks any more
  tellToStop(inFlight, stopReason(action.code), Number(action.until) / 1000);
}

/** What the core would have said of a slot whose run is forgotten: the call and the ask are told to stop. */
export function performForget(slot: LiveSlot): void {
  const blank = {
    kind: "abort",
    gate: "none",
    run: 0,
    slot: slot.ordinal,
    attempt: 0,
    call: NONE,
    until: 0n,
  } as const;
  performAbort(slot, { ...blank, code: 2 });
  performAbort(slot, { ...blank, code: 3 });
}
