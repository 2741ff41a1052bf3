// The messages of the host protocol as types. What the schemas beside this file say, in TypeScript; the
// schemas count, and whatever crosses a pipe is checked against them (checked.ts).

/** Anything that JSON can hold. */
export type Json = null | boolean | number | string | readonly Json[] | { readonly [key: string]: Json };

export type Level = "recovery" | "batches" | "limits" | "time" | "interchange";
export const LEVELS: readonly Level[] = ["recovery", "batches", "limits", "time", "interchange"];

/** What a host may be able to do or to show. See WRITE-A-HOST.md. */
export type Capability =
  | "points"
  | "attempts"
  | "keys"
  | "sources"
  | "reconcile"
  | "mismatch"
  | "adapt"
  | "draws"
  | "announce"
  | "later"
  | "children"
  | "retry"
  | "timeouts"
  | "deadline"
  | "cancel"
  | "reports"
  | "limits"
  | "lease"
  | "versions"
  | "odd-results"
  | "inner-tools"
  | "no-threads"
  | "priority"
  | "locks"
  | "rates"
  | "breakers"
  | "holdfast-journal"
  | "reuse";

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
  | { readonly type: "ended"; readonly session: number };

export type HostMessage = Hello | SessionMessage;

export type Effect = "read" | "idempotent" | "once";

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
  readonly reads?: string;
  readonly writes?: string;
}

export type Step =
  | {
      readonly batch: readonly WireCall[];
      readonly concurrency?: number;
      readonly deadlineMs?: number;
      readonly into?: string;
      readonly later?: string;
    }
  | { readonly await: string; readonly into?: string }
  | { readonly call: WireCall; readonly into?: string }
  | { readonly announce: readonly WireCall[]; readonly deadlineMs?: number }
  | { readonly claim: string; readonly into?: string }
  | { readonly draw: "now" | "random" | "uuid"; readonly into: string }
  | { readonly if: string; readonly is: OutcomeKind; readonly do: Program; readonly else?: Program }
  | { readonly say: Json }
  | { readonly return: Json }
  | { readonly throw: WireError };

export type Program = readonly Step[];

/** How a tool that the runner plays ends. */
export type Ending =
  | { readonly outcome: "ok"; readonly value: Json }
  | { readonly outcome: "error"; readonly error: WireError }
  | { readonly outcome: "odd"; readonly odd: "nothing" | "function" | "cycle" | "thrown-cycle" };

/** What a reconciler that the runner plays says. */
export type WireVerdict =
  | { readonly verdict: "done"; readonly value: Json }
  | { readonly verdict: "failed" | "throws"; readonly error: WireError }
  | { readonly verdict: "not-done" | "unknown" };

export interface Begin {
  readonly type: "begin";
  readonly session: number;
  readonly journal: string;
  readonly tools: Readonly<Record<string, WireTool>>;
  readonly limits: { readonly concurrency?: number; readonly workers?: number };
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

export type RunnerMessage =
  | Begin
  | RunMessage
  | ({ readonly type: "answer"; readonly session: number; readonly n: number } & Ending)
  | ({ readonly type: "verdict"; readonly session: number; readonly n: number } & WireVerdict)
  | { readonly type: "go"; readonly session: number; readonly n: number; readonly fail?: boolean }
  | { readonly type: "cancel"; readonly session: number; readonly run: string }
  | { readonly type: "end"; readonly session: number };
