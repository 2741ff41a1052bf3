// What a scenario is: a program, how its tools behave, when its host dies, and what must be seen of it.
// Types only; reading it is in read-scenario.ts, playing it in stage.ts.
import type { Capability } from "../protocol/capabilities.ts";
import type {
  Ending,
  Json,
  Level,
  OutcomeKind,
  Program,
  WaitReason,
  WireGauge,
  WireLimits,
  WireTool,
  WireVerdict,
} from "../protocol/messages.ts";

/** What happened, as the trace has it and as a line asks for it. Fields that are absent match anything. */
export interface Pattern {
  readonly what: TraceKind;
  /** Of append and durable: the entry's kind; of report: what is reported. */
  readonly kind?: string;
  /** Call id. */
  readonly id?: string;
  readonly attempt?: number;
  readonly run?: string;
}

export const TRACE_KINDS = [
  "call",
  "ask",
  "abort",
  "answer",
  "verdict",
  "append",
  "durable",
  "said",
  "report",
  "returned",
  "threw",
  "kill",
] as const;
export type TraceKind = (typeof TRACE_KINDS)[number];

/** One outcome that is expected. */
export interface OutcomeRow {
  readonly id: string;
  readonly kind: OutcomeKind;
  /** Absent: any. */
  readonly value?: Json;
  /** The result must be none: undefined, void. */
  readonly nothing?: boolean;
  /** These fields of the error, at least. */
  readonly error?: Readonly<Record<string, Json>>;
  readonly reason?: string;
  /** It says when it is worth trying again. */
  readonly retryAt?: "_";
  /** The tool that was called instead, and the kind of what its own came to. */
  readonly fallback?: string;
  readonly insteadOf?: OutcomeKind;
  readonly attempts?: number;
  readonly source?: string;
  readonly replayed?: boolean;
}

/** What a run must come to. */
export type Ends =
  | { readonly kind: "outcomes"; readonly run: string | undefined; readonly rows: readonly OutcomeRow[] }
  | { readonly kind: "result"; readonly run: string | undefined; readonly value: Json }
  | {
      readonly kind: "throws";
      readonly run: string | undefined;
      readonly error: Readonly<Record<string, Json>>;
      readonly differences: readonly { readonly kind: string; readonly id: string }[] | undefined;
    };

/** How a run is started. */
export interface RunLine {
  readonly run: string;
  readonly program: string;
  readonly version?: string;
  readonly refuseOtherVersion?: boolean;
  readonly onMismatch?: "fail" | "adapt";
  readonly waitMs?: number;
}

/** A line of a life's script: the runner waits for something, or does something. */
export type ScriptLine = { readonly at: number; readonly text: string } & (
  | ({ readonly do: "run" } & RunLine)
  | { readonly do: "wait"; readonly pattern: Pattern }
  | { readonly do: "answer"; readonly id: string; readonly ending: Ending }
  | { readonly do: "verdict"; readonly id: string; readonly verdict: WireVerdict }
  | { readonly do: "hold"; readonly id: string }
  | { readonly do: "said"; readonly value: Json }
  | { readonly do: "never"; readonly pattern: Pattern }
  | { readonly do: "kill"; readonly point: AppendPoint | undefined }
  | { readonly do: "fail" | "stay"; readonly point: AppendPoint }
  | { readonly do: "go" }
  | { readonly do: "cancel"; readonly run: string }
  | { readonly do: "set-limit"; readonly limit: string; readonly concurrency: number }
  | { readonly do: "pause"; readonly limit: string; readonly forMs?: number }
  | { readonly do: "resume"; readonly limit: string }
  | { readonly do: "set-priority"; readonly id: string; readonly run: string; readonly priority: number }
  | ({ readonly do: "held" } & HeldLine)
  | { readonly do: "gauge"; readonly limit: string; readonly of: Partial<WireGauge> }
  | { readonly do: "pass" | "still"; readonly ms: number }
  | { readonly do: "freeze" }
  | { readonly do: "thaw" | "rival"; readonly script: readonly ScriptLine[] }
  | { readonly do: "expect"; readonly ends: Ends }
  | { readonly do: "order"; readonly rows: readonly OrderRow[] }
);

/** What holds a call that waits. */
export interface HeldLine {
  readonly id: string;
  readonly run: string;
  readonly by: WaitReason;
  /** Whose limit; absent: any. */
  readonly limit?: string;
}

/** Where in an append: just before the group is written, or when it is durable and nobody knows yet. */
export interface AppendPoint {
  readonly when: "before" | "after";
  /** The group with this entry in it; or the n-th group of the life, 1-based. */
  readonly entry: { readonly kind: string; readonly id?: string } | { readonly nth: number };
}

export interface OrderRow {
  readonly first: Pattern;
  readonly second: Pattern;
  readonly text: string;
}

/** What one process of a host lives through. */
export interface Life {
  readonly host: "same" | "other";
  /** Bytes that are missing at the end of the journal when it begins. */
  readonly torn: number;
  /** May it use threads? */
  readonly threads: boolean;
  /** Tools that this process declares otherwise, or besides. */
  readonly tools: Readonly<Record<string, WireTool>>;
  readonly script: readonly ScriptLine[];
}

/** What the outside has seen of a call in the end. */
export interface LedgerRow {
  readonly id: string;
  readonly run: string | undefined;
  readonly calls?: number;
  readonly asks?: number;
  /** How many different idempotency keys. */
  readonly keys?: number;
  /** Most of its tool's calls at once. */
  readonly atOnce?: number;
}

/** Of the first calls of all lives, so many are of these ids. */
export interface ShareRow {
  readonly ids: readonly string[];
  readonly first: number;
  readonly least: number;
  readonly most: number;
  readonly text: string;
}

/** One entry that the journal must hold: the columns that are named. */
export interface JournalRow {
  readonly kind: string;
  readonly fields: Readonly<Record<string, Json>>;
}

/** How a call ends when no script says otherwise. */
export interface Played {
  readonly ending?: Ending;
  readonly verdict?: WireVerdict;
}

export interface Scenario {
  /** `level/name`. */
  readonly id: string;
  readonly level: Level;
  /** Why it exists, for people. */
  readonly prose: string;
  readonly rules: readonly number[];
  readonly needs: readonly Capability[];
  readonly tools: Readonly<Record<string, WireTool>>;
  readonly limits: WireLimits;
  readonly leaseMs: number | undefined;
  readonly programs: Readonly<Record<string, Program>>;
  readonly play: ReadonlyMap<string, Played>;
  readonly lives: readonly Life[];
  readonly ledger: readonly LedgerRow[];
  readonly shares: readonly ShareRow[];
  readonly order: readonly OrderRow[];
  readonly journals: readonly { readonly run: string; readonly rows: readonly JournalRow[] }[];
  /** Environments that multiply it. */
  readonly under: readonly string[];
}

/** The run of a life that names none. */
export const DEFAULT_RUN = "r";
