// How a call ended, as programs see it. Plain data: an outcome is journaled, so it survives as JSON.

/** Anything that JSON can hold, nested at most 64 deep. */
export type Json = null | boolean | number | string | readonly Json[] | { readonly [key: string]: Json };

/** What a tool declares of itself: may it run twice? `once` unless declared. */
export type Effect = "read" | "idempotent" | "once";

/** A failure as data: what is kept of a thrown value. */
export interface CallError {
  readonly name: string;
  readonly message: string;
  readonly code?: string | number;
  readonly data?: Json;
  readonly stack?: string;
}

/** How the outcome came to be known. `surfaced`: nobody knows whether the call happened. */
export type Source = "executed" | "re-executed" | "reconciled" | "surfaced";

/**
 * Why a call was never started: its own or its batch's deadline, or less than `minBudgetMs` left until then (`budget`); `startWithinMs`; the queue was full, or it was dropped
 * from it (`overloaded`); or it asks for more than a limit will ever grant (`limit`).
 */
export type NotStartedReason = "deadline" | "start-within" | "overloaded" | "limit" | "budget";

/** What every outcome says, whatever its kind. Times are wall-clock milliseconds since the epoch. */
export interface OutcomeFacts {
  /** The call id. */
  readonly id: string;
  readonly tool: string;
  /** How often the tool was called, over all processes; 0 if never. */
  readonly attempts: number;
  readonly source: Source;
  /** True when the outcome came from the journal: nothing was called for it in this process. */
  readonly replayed: boolean;
  readonly queuedAt: number;
  /** Absent when no attempt was made. */
  readonly startedAt?: number;
  readonly endedAt: number;
}

/** How a slot ended. Exactly one per call, in request order; it never changes once seen. */
export type Outcome<Value = Json | undefined> =
  | (OutcomeFacts & {
      readonly kind: "ok";
      readonly value: Value;
      /**
       * The value is another tool's (`tool({ fallback })`), which was called instead of what its own tool came to. `attempts`
       * counts calls of its own tool; `source` and the times are of the call that gave the value.
       */
      readonly fallback?: { readonly tool: string; readonly callId: string; readonly insteadOf: NotOk };
    })
  | NotOk;

/** An outcome without a value. */
export type NotOk = OutcomeFacts & {
  /** Another tool was called instead, and came to nothing either. */
  readonly fallback?: { readonly tool: string; readonly callId: string; readonly outcome: NotOk };
} & (
    | { readonly kind: "error"; readonly error: CallError }
    /** It was started and nobody knows whether it happened: ask a person, or look it up. */
    | { readonly kind: "unknown" }
    /** `timeout`: its last attempt took longer than it may; `deadline`: the call or its batch had to be over. */
    | { readonly kind: "timed-out"; readonly reason: "timeout" | "deadline" }
    | {
        readonly kind: "not-started";
        readonly reason: NotStartedReason;
        /** Wall-clock ms at which it is worth trying again. */
        readonly retryAt?: number;
        /** Which limit, where one decided. */
        readonly limit?: string;
      }
    /** `preempted`: a call of higher priority needed what it had locked (`preempt`, `preemptible`). Absent: its run, or it, was cancelled. */
    | { readonly kind: "cancelled"; readonly reason?: "preempted" }
  );

export type OutcomeKind = Outcome["kind"];

/** What a reconciler says of a call in doubt. Make one with `done`, `failed`, `notDone`, `unknown`. */
export type Verdict<Value = Json | undefined> =
  | { readonly kind: "done"; readonly value: Value }
  | { readonly kind: "failed"; readonly error: unknown }
  | { readonly kind: "not-done" }
  | { readonly kind: "unknown" };

/** Verdict: it happened, with this result. The call settles as ok; the tool is not called. */
export function done(): Verdict<undefined>;
export function done<const Value>(value: Value): Verdict<Value>;
export function done(value?: unknown): Verdict<unknown> {
  return { kind: "done", value };
}

/** Verdict: it was tried and failed for good. The call settles as an error; the tool is not called. */
export function failed(error: unknown): Verdict<never> {
  return { kind: "failed", error };
}

/** Verdict: it certainly did not happen. The tool is called once more. */
export function notDone(): Verdict<never> {
  return { kind: "not-done" };
}

/** Verdict: nobody can tell yet. The reconciler is asked again, with back-off, up to a bound. */
export function unknown(): Verdict<never> {
  return { kind: "unknown" };
}
