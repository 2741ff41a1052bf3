// A resolution of the core, with its payload, as the outcome that the program sees.
import type { Resolution } from "./core.ts";
import type { Json, Outcome, OutcomeFacts } from "./outcome.ts";
import type { Payload } from "./payload.ts";
import { isTimeout, keptReason, wasPreempted } from "./reasons.ts";

function kept(payload: Payload | undefined): Json | undefined {
  return payload?.kind === "value" ? payload.value : undefined;
}

type Writable<Facts> = { -readonly [Name in keyof Facts]: Facts[Name] };
type Ending<One = Outcome> = One extends unknown ? Omit<One, keyof OutcomeFacts> : never;

/** What it came to, and no more. */
function endingOf(row: Resolution, payload: Payload | undefined): Ending {
  switch (row.outcome) {
    case "ok":
      // The journal's bytes of a success may be unreadable to this build: that is loud, and this slot's alone.
      if (payload?.kind === "error") return { kind: "error", error: payload.error };
      return { kind: "ok", value: payload?.value };
    case "error":
      if (payload?.kind === "error") return { kind: "error", error: payload.error };
      return { kind: "error", error: { name: "Error", message: "nothing is recorded of how it failed" } };
    case "not-started":
      return { kind: "not-started", ...keptReason(kept(payload)) };
    case "timed-out":
      return { kind: "timed-out", reason: isTimeout(kept(payload)) ? "timeout" : "deadline" };
    case "cancelled":
      return { kind: "cancelled", ...(wasPreempted(kept(payload)) ? { reason: "preempted" } : {}) };
    default:
      return { kind: row.outcome };
  }
}

export function outcomeOf(id: string, tool: string, row: Resolution, payload: Payload | undefined): Outcome {
  // Field by field: to spread one object into another costs more than all else that is done for a call here.
  const outcome = endingOf(row, payload) as Writable<Outcome>;
  outcome.id = id;
  outcome.tool = tool;
  outcome.attempts = row.attempts;
  outcome.source = row.source;
  outcome.replayed = row.replayed;
  outcome.queuedAt = Number(row.queuedAt);
  if (row.startedAt !== 0n) outcome.startedAt = Number(row.startedAt);
  outcome.endedAt = Number(row.endedAt);
  return outcome;
}
