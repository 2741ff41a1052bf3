// A resolution of the core, with its payload, as the outcome that the program sees.
import type { Resolution } from "./core.ts";
import type { Json, Outcome, OutcomeFacts } from "./outcome.ts";
import type { Payload } from "./payload.ts";
import { isTimeout, keptReason } from "./reasons.ts";

function kept(payload: Payload | undefined): Json | undefined {
  return payload?.kind === "value" ? payload.value : undefined;
}

export function outcomeOf(id: string, tool: string, row: Resolution, payload: Payload | undefined): Outcome {
  const startedAt = Number(row.startedAt);
  const facts: OutcomeFacts = {
    id,
    tool,
    attempts: row.attempts,
    source: row.source,
    replayed: row.replayed,
    queuedAt: Number(row.queuedAt),
    ...(startedAt === 0 ? {} : { startedAt }),
    endedAt: Number(row.endedAt),
  };
  switch (row.outcome) {
    case "ok":
      // The journal's bytes of a success may be unreadable to this build: that is loud, and this slot's alone.
      if (payload?.kind === "error") return { kind: "error", error: payload.error, ...facts };
      return { kind: "ok", value: payload?.value, ...facts };
    case "error":
      if (payload?.kind === "error") return { kind: "error", error: payload.error, ...facts };
      return { kind: "error", error: { name: "Error", message: "nothing is recorded of how it failed" }, ...facts };
    case "not-started":
      return { kind: "not-started", ...keptReason(kept(payload)), ...facts };
    case "timed-out":
      return { kind: "timed-out", reason: isTimeout(kept(payload)) ? "timeout" : "deadline", ...facts };
    default:
      return { kind: row.outcome, ...facts };
  }
}
