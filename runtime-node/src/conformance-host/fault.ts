// Where the conformance host can be made wrong on purpose: each part is a piece of the host that a fault swaps.
// Without a fault none is there. It is how the suite proves that it bites; no user of the package meets it.
import type { WireCall, WireVerdict } from "../../../conformance/protocol/messages.ts";
import type { Context, Journal, Outcome } from "../index.ts";

export interface Fault {
  readonly name: string;
  /** What is wrong with it, in a sentence. */
  readonly what: string;
  /** A journal between the driver and the real one. */
  readonly journal?: (inner: Journal) => Journal;
  /** The calls of a batch, before they are made. */
  readonly calls?: (calls: readonly WireCall[]) => readonly WireCall[];
  readonly concurrency?: (given: number | undefined) => number | undefined;
  /** All outcomes of a batch, before the program sees them; it may throw instead. */
  readonly outcomes?: (outcomes: readonly Outcome[], calls: readonly WireCall[]) => readonly Outcome[];
  readonly outcome?: (outcome: Outcome) => Outcome;
  readonly key?: (key: string, attempt: number) => string;
  readonly verdict?: (verdict: WireVerdict) => WireVerdict;
  /** What a running tool comes to. */
  readonly whileRunning?: (ended: Promise<unknown>, ctx: Context) => Promise<unknown>;
  readonly runId?: (id: string) => string;
  readonly draw?: (what: "now" | "random" | "uuid") => Promise<number | string>;
  /** How a run is run. */
  readonly running?: (start: () => Promise<unknown>) => Promise<unknown>;
}
