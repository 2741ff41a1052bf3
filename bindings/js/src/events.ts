// What can be watched: every step of every call, with its time. For eyes only; nothing depends on it.
import type { Waiting } from "./limits.ts";
import type { CallError, Json, Outcome } from "./outcome.ts";

interface Step {
  /** Wall-clock milliseconds. */
  readonly at: number;
  readonly runId: string;
}

interface CallStep extends Step {
  readonly callId: string;
  readonly tool: string;
  /** Ordinal of its slot in the run. */
  readonly slot: number;
}

export type CallEvent =
  | (Step & { readonly kind: "run-opened"; readonly fence: number; readonly recovered: boolean })
  | (Step & { readonly kind: "run-closed"; readonly state: "returned" | "threw" })
  /** It was told to stop or had to: its journal can be opened again. */
  | (Step & { readonly kind: "run-stopped"; readonly error: CallError })
  | (CallStep & { readonly kind: "planned" })
  | (CallStep & { readonly kind: "queued" })
  /** It did not start at once: what holds it. */
  | (CallStep & { readonly kind: "waiting" } & Waiting)
  /** It did not stop within its grace: its permits returned without it, and it may still run. `abandoned`: units of this runtime that do. */
  | (CallStep & { readonly kind: "abandoned"; readonly attempt: number; readonly abandoned: number })
  /** How full the queue is has changed. */
  | { readonly kind: "pressure"; readonly at: number; readonly level: 0 | 1 | 2 }
  | (CallStep & { readonly kind: "started"; readonly attempt: number })
  | (CallStep & { readonly kind: "progress"; readonly attempt: number; readonly value: Json })
  | (CallStep & {
      readonly kind: "attempt-failed";
      readonly attempt: number;
      readonly error: CallError;
      readonly nextAt: number;
      /** The outside said "slow down": not an error of its own. */
      readonly overloaded: boolean;
    })
  | (CallStep & { readonly kind: "reconciling"; readonly attempt: number })
  /** The reconciler threw, or what it said is no verdict: it is asked again. */
  | (CallStep & { readonly kind: "no-verdict"; readonly attempt: number; readonly error: CallError })
  | (CallStep & { readonly kind: "settled"; readonly attempt: number; readonly outcome: Outcome })
  /** It came to nothing, and another tool is called instead, as a call of its own. */
  | (CallStep & { readonly kind: "fell-back"; readonly to: string; readonly outcome: Outcome })
  | (CallStep & { readonly kind: "replayed"; readonly attempt: number; readonly outcome: Outcome })
  | (CallStep & { readonly kind: "late"; readonly attempt: number; readonly outcome: "ok" | "error" })
  /** Planned slots that the program left behind (`adapt`), or calls it never awaited. */
  | (CallStep & { readonly kind: "left-behind"; readonly state: "planned" | "in-doubt" | "settled" })
  | (CallStep & { readonly kind: "unawaited" })
  /** The listener was too slow: this many events before this one are gone. */
  | { readonly kind: "missed"; readonly at: number; readonly count: number };
