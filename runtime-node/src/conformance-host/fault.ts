// Where the conformance host can be made wrong on purpose: each part is a piece of the host that a fault swaps.
// Without a fault none is there. It is how the suite proves that it bites; no user of the package meets it.
import type { Limits } from "../../../bindings/js/src/limits.ts";
import type {
  Ending,
  Reducer,
  Step,
  WaitReason,
  WireCall,
  WireGauge,
  WireTool,
  WireVerdict,
} from "../../../conformance/protocol/messages.ts";
import type { Context, Journal, Outcome } from "../index.ts";

/** What holds a call, if it waits. */
export interface Held {
  readonly why?: WaitReason;
  readonly limit?: string;
}

export interface Fault {
  readonly name: string;
  /** What is wrong with it, in a sentence. */
  readonly what: string;
  /** A journal between the driver and the real one. */
  readonly journal?: (inner: Journal) => Journal;
  /** What a tool declares of itself. */
  readonly tool?: (spec: WireTool) => WireTool;
  /** A step of a program, before it is carried out. */
  readonly step?: (step: Step) => Step;
  /** The calls of a batch, before they are made. */
  readonly calls?: (calls: readonly WireCall[]) => readonly WireCall[];
  readonly concurrency?: (given: number | undefined) => number | undefined;
  /** All outcomes of a batch, before the program sees them; it may throw instead. */
  readonly outcomes?: (outcomes: readonly Outcome[], calls: readonly WireCall[]) => readonly Outcome[];
  readonly outcome?: (outcome: Outcome) => Outcome;
  readonly key?: (key: string, attempt: number) => string;
  readonly verdict?: (verdict: WireVerdict) => WireVerdict;
  /** How the outside says that a call ended. */
  readonly ending?: (ending: Ending) => Ending;
  /** What a running tool comes to. */
  readonly whileRunning?: (ended: Promise<unknown>, ctx: Context) => Promise<unknown>;
  readonly limits?: (declared: Limits) => Limits;
  /** What comes of a call that was told to slow down; `again` makes it once more, within its attempt. */
  readonly slowDown?: (retryAfterMs: number, again: () => Promise<unknown>) => Promise<unknown>;
  /** In which order a program is told of outcomes, whatever it asked for. */
  readonly tells?: "request" | "completion";
  readonly reducers?: (keys: Readonly<Record<string, Reducer>>) => Readonly<Record<string, Reducer>>;
  /** A child is a run of its own. */
  readonly childAlone?: boolean;
  /** Nothing comes of what the owner says to its limits. */
  readonly deafToControl?: boolean;
  /** What is said to be in use of a limit. */
  readonly gauge?: (gauge: WireGauge) => WireGauge;
  /** What is said to hold a call. */
  readonly held?: (why: Held) => Held;
  readonly runId?: (id: string) => string;
  readonly draw?: (what: "now" | "random" | "uuid") => Promise<number | string>;
  /** How a run is run. */
  readonly running?: (start: () => Promise<unknown>) => Promise<unknown>;
}
