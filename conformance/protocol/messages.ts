// The messages of the host protocol as types. What the schemas beside this file say, in TypeScript; the
// schemas count, and whatever crosses a pipe is checked against them (checked.ts).
import type { Capability } from "./capabilities.ts";

/** Anything that JSON can hold. */
export type Json = null | boolean | number | string | readonly Json[] | { readonly [key: string]: Json };

export type Level = "recovery" | "batches" | "limits" | "time" | "interchange";
export const LEVELS: readonly Level[] = ["recovery", "batches", "limits", "time", "interchange"];

export type OutcomeKind = "ok" | "error" | "unknown" | "timed-out" | "not-started" | "cancelled";
export type SlotState = "planned" | "in-doubt" | "settled";

/** A failure as data. */
export interface WireError {
  readonly name: string;
  readonly message: string;
  readonly code?: string | number;
  readonly data?: Json;
  /** Of a journal that no longer matches. */
  readonly differences?: readonly { readonly kind: string; readonly id: string; readonly state?: SlotState }[];
}

/** One entry of a group that is being appended. */
export interface WireEntry {
  readonly kind: string;
  readonly ids?: readonly string[];
  readonly attempt?: number;
  readonly outcome?: OutcomeKind;
}

/** How an outcome looks inside a result: fields that a host cannot show are absent. */
export interface WireOutcome {
  readonly id: string;
  readonly kind: OutcomeKind;
  readonly value?: Json;
  readonly error?: WireError;
  readonly reason?: string;
  /** Wall ms at which it is worth trying again. */
  readonly retryAt?: number;
  /** Another tool was called instead; of ok: the kind of what its own tool came to. */
  readonly fallback?: string;
  readonly insteadOf?: OutcomeKind;
  readonly tool?: string;
  readonly attempts?: number;
  readonly source?: string;
  readonly replayed?: boolean;
}

export interface Hello {
  readonly type: "hello";
  readonly protocol: 1;
  readonly name: string;
  readonly version: string;
  readonly levels: readonly Level[];
  readonly capabilities: readonly Capability[];
}

interface CallMessage {
  readonly session: number;
  readonly n: number;
  readonly run: string;
  readonly id: string;
  readonly tool: string;
  readonly input: Json;
  readonly attempt?: number;
  readonly key?: string;
}

/** What a host says once its session has begun. */
export type SessionMessage =
  | (CallMessage & { readonly type: "call" })
  | (CallMessage & { readonly type: "ask" })
  | { readonly type: "abort"; readonly session: number; readonly n: number }
  | {
      readonly type: "append";
      readonly session: number;
      readonly n: number;
      readonly run: string;
      readonly when: "before" | "after";
      readonly entries: readonly WireEntry[];
    }
  | { readonly type: "said"; readonly session: number; readonly run: string; readonly value: Json }
  | {
      readonly type: "report";
      readonly session: number;
      readonly run: string;
      readonly id: string;
      readonly what: "late" | "left-behind" | "unawaited" | "no-verdict";
      readonly state?: SlotState;
    }
  | { readonly type: "returned"; readonly session: number; readonly run: string; readonly result: Json }
  | { readonly type: "threw"; readonly session: number; readonly run: string; readonly error: WireError }
  | {
      readonly type: "explained";
      readonly session: number;
      /** Of the runner: the number of its `explain`. */
      readonly n: number;
      readonly state: CallState;
      /** Of waiting: what holds it, and which limit. */
      readonly why?: WaitReason;
      readonly limit?: string;
    }
  | ({
      readonly type: "gauged";
      readonly session: number;
      /** Of the runner: the number of its `gauge`. */
      readonly n: number;
    } & WireGauge)
  | { readonly type: "ended"; readonly session: number };

/** How much of a limit is in use, and how much of it calls that did not stop have given back. */
export interface WireGauge {
  readonly inUse: number;
  readonly abandoned: number;
}

/** Where a call stands. `absent`: it has not been made yet. */
export type CallState = "absent" | "planned" | "waiting" | "started" | "retrying" | "settled";

export const WAIT_REASONS = [
  "permits",
  "reserved",
  "paused",
  "resting",
  "rate",
  "breaker",
  "ramp",
  "lock",
  "turn",
  "steps",
  "buffer",
] as const;
export type WaitReason = (typeof WAIT_REASONS)[number];

export type HostMessage = Hello | SessionMessage;

export type Effect = "read" | "idempotent" | "once";

/** At most `limit` starts, or units of what calls cost, per `perMs`. */
export interface WireRate {
  readonly limit: number;
  readonly perMs: number;
  readonly mode?: "window" | "pace" | "calendar";
  readonly burst?: number;
  readonly timeZone?: string;
  readonly counts?: string;
}

/** For which ends of a call its fallback is called. */
export type FallbackReason =
  | "circuit-open"
  | "overloaded"
  | "error"
  | "timed-out"
  | "start-within"
  | "limit"
  | "budget";

/** What the outside says is left of what a rate counts, and when all of it is back. */
export interface WireObserved {
  readonly counts: string;
  readonly remaining: number;
  readonly resetMs: number;
}

/** A tool as a scenario declares it. Times in milliseconds. */
export interface WireTool {
  readonly effect: Effect;
  readonly reconciler?: boolean;
  readonly timeoutMs?: number;
  readonly graceMs?: number;
  readonly attempts?: number;
  readonly backoffMs?: number;
  readonly asks?: number;
  readonly askBackoffMs?: number;
  readonly askTimeoutMs?: number;
  readonly concurrency?: number;
  /** At most `rate` starts in any `ratePerMs`. */
  readonly rate?: number;
  readonly ratePerMs?: number;
  /** A breaker: opens when so many calls, at least, have failed by half or more; for so long. */
  readonly breakerCalls?: number;
  readonly breakerOpenMs?: number;
  /** What calls do while it is open. */
  readonly whenOpen?: "fail" | "wait";
  /** Rates besides `rate`; all hold together. */
  readonly rates?: readonly WireRate[];
  /** How often a call may be told to slow down before that is its error. */
  readonly throttles?: number;
  /** Another tool, called with the same input where this one comes to nothing. */
  readonly fallback?: { readonly tool: string; readonly when?: readonly FallbackReason[] };
  /** Its calls are not started with less left until their deadline. */
  readonly minBudgetMs?: number;
  /** Does a call that has not stopped a second after its grace keep its permits? */
  readonly afterGrace?: "hold" | "abandon";
  /** A call that waits for its child keeps its permits. */
  readonly holdWhileWaiting?: boolean;
  readonly child?: Program;
  readonly inner?: string;
}

/** One call that a program makes. */
export interface WireCall {
  readonly id?: string;
  readonly tool: string;
  readonly input: Json;
  readonly timeoutMs?: number;
  readonly deadlineMs?: number;
  readonly priority?: number;
  readonly reads?: string | readonly string[];
  readonly writes?: string | readonly string[];
  readonly weight?: number;
  /** Whose limit of keys it stands under. */
  readonly key?: string;
  /** By what a rate counts. */
  readonly cost?: Readonly<Record<string, number>>;
  readonly startWithinMs?: number;
  readonly sheddable?: boolean;
  readonly background?: boolean;
  /** Instead of its tool's. */
  readonly minBudgetMs?: number;
  /** Calls of lower priority that hold what it reads or writes are cancelled for it, where they are preemptible. */
  readonly preempt?: "cancel";
  readonly preemptible?: boolean;
}

export type Reducer = "last" | "first" | "append" | "sum" | "max" | "merge" | "cas" | "reject-conflict";

export type Step =
  | {
      readonly batch: readonly WireCall[];
      readonly concurrency?: number;
      readonly deadlineMs?: number;
      /** Whose it is, and what share of the starts that is worth. */
      readonly tenant?: string;
      readonly tenantWeight?: number;
      /** Say the id of each outcome: as they were asked for, or as they come. */
      readonly tell?: "request" | "completion";
      /** Bytes of outcomes that an earlier call may hold back, where they are told as they were asked for. */
      readonly bufferedBytesMax?: number;
      readonly into?: string;
      readonly later?: string;
    }
  | {
      /** Calls that come one after another; into: their outcomes, as they were given. */
      readonly stream: readonly WireCall[];
      readonly ahead?: number;
      readonly concurrency?: number;
      readonly order?: "request" | "completion";
      readonly into?: string;
    }
  | { readonly await: string; readonly into?: string }
  | { readonly call: WireCall; readonly into?: string }
  | { readonly announce: readonly WireCall[]; readonly deadlineMs?: number }
  | { readonly claim: string; readonly into?: string }
  | { readonly reduce: string; readonly keys: Readonly<Record<string, Reducer>>; readonly into: string }
  | { readonly draw: "now" | "random" | "uuid"; readonly into: string }
  | { readonly if: string; readonly is: OutcomeKind; readonly do: Program; readonly else?: Program }
  | { readonly say: Json }
  | { readonly return: Json }
  | { readonly throw: WireError };

export type Program = readonly Step[];

/** How a tool that the runner plays ends. */
export type Ending =
  | {
      readonly outcome: "ok";
      readonly value: Json;
      readonly cost?: Readonly<Record<string, number>>;
      readonly observed?: readonly WireObserved[];
    }
  | { readonly outcome: "error"; readonly error: WireError }
  | { readonly outcome: "overloaded"; readonly retryAfterMs?: number; readonly scope?: "tool" | "runtime" }
  | { readonly outcome: "odd"; readonly odd: "nothing" | "function" | "cycle" | "thrown-cycle" };

/** What a reconciler that the runner plays says. */
export type WireVerdict =
  | { readonly verdict: "done"; readonly value: Json }
  | { readonly verdict: "failed" | "throws"; readonly error: WireError }
  | { readonly verdict: "not-done" | "unknown" };

/** Limits of the whole host. Times in milliseconds. */
export interface WireLimits {
  readonly concurrency?: number;
  readonly workers?: number;
  readonly keyConcurrency?: number;
  readonly tenantConcurrency?: number;
  /** Calls that may wait: in all, of each tenant, of each batch. */
  readonly queue?: number;
  readonly queuePerTenant?: number;
  readonly queuePerBatch?: number;
  readonly whenFull?: "reject-new" | "drop-oldest-lowest" | "drop-lower-only";
  /** Priority before fairness; whoever has waited `lanesWaitMs` goes before all lanes. */
  readonly lanes?: boolean;
  readonly lanesWaitMs?: number;
  /** How calls run that say nothing of what they read or write. */
  readonly undeclared?: "parallel" | "exclusive";
}

export interface Begin {
  readonly type: "begin";
  readonly session: number;
  readonly journal: string;
  readonly tools: Readonly<Record<string, WireTool>>;
  readonly limits: WireLimits;
  readonly leaseMs?: number;
  readonly threads?: boolean;
}

export interface RunMessage {
  readonly type: "run";
  readonly session: number;
  readonly run: string;
  readonly program: Program;
  readonly version?: string;
  readonly refuseOtherVersion?: boolean;
  readonly onMismatch?: "fail" | "adapt";
  readonly waitMs?: number;
}

/** What the owner of the host does with its limits while calls wait. `limit`: `runtime` or `tools.<name>`. */
export type Control =
  | { readonly type: "set-limit"; readonly session: number; readonly limit: string; readonly concurrency: number }
  | { readonly type: "pause"; readonly session: number; readonly limit: string; readonly forMs?: number }
  | { readonly type: "resume"; readonly session: number; readonly limit: string }
  | {
      readonly type: "set-priority";
      readonly session: number;
      readonly run: string;
      readonly id: string;
      readonly priority: number;
    };

export type RunnerMessage =
  | Begin
  | RunMessage
  | ({ readonly type: "answer"; readonly session: number; readonly n: number } & Ending)
  | ({ readonly type: "verdict"; readonly session: number; readonly n: number } & WireVerdict)
  | { readonly type: "go"; readonly session: number; readonly n: number; readonly fail?: boolean }
  | { readonly type: "cancel"; readonly session: number; readonly run: string }
  | Control
  | {
      readonly type: "explain";
      readonly session: number;
      readonly n: number;
      readonly run: string;
      readonly id: string;
    }
  | { readonly type: "gauge"; readonly session: number; readonly n: number; readonly limit: string }
  | { readonly type: "end"; readonly session: number };
