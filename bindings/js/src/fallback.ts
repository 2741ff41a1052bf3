// What stands in for a call that its tool could not carry out: another tool, with the same input. Here is for
// which ends that is so, what the journal keeps of it, and how the outcome is marked. Calls nothing.
import type { CoreEntry } from "./core.ts";
import { encodeText } from "./json.ts";
import { checkKeys, refuseOption } from "./options.ts";
import type { NotOk, Outcome } from "./outcome.ts";
import type { Payload } from "./payload.ts";
import { saidOverloaded } from "./reasons.ts";
import type { FallbackReason } from "./tool.ts";

const REASONS: readonly FallbackReason[] = [
  "circuit-open",
  "overloaded",
  "error",
  "timed-out",
  "start-within",
  "limit",
  "budget",
];
const USUAL: readonly FallbackReason[] = ["circuit-open", "overloaded"];

/** What a tool declares, checked. */
export interface Fallback {
  readonly tool: string;
  readonly when: ReadonlySet<FallbackReason>;
}

/** Checks what one tool says. Throws `invalid-option` by path; whether the other tool is there, `checkFallbacks` says. */
export function checkFallback(path: string, value: unknown): Fallback | undefined {
  if (value === undefined) return undefined;
  const { tool, when = USUAL } = checkKeys(path, value, ["tool", "when"]);
  if (typeof tool !== "string") return refuseOption(`${path}.tool`, tool, "the name of another declared tool");
  if (!Array.isArray(when) || when.length === 0)
    return refuseOption(
      `${path}.when`,
      when,
      `a list of ${REASONS.map((reason) => JSON.stringify(reason)).join(", ")}`,
    );
  for (const [i, reason] of when.entries()) {
    if (!REASONS.includes(reason))
      refuseOption(`${path}.when[${i}]`, reason, `one of ${REASONS.map((known) => JSON.stringify(known)).join(", ")}`);
  }
  return { tool, when: new Set(when as readonly FallbackReason[]) };
}

/** Every fallback is a declared tool, and none leads back to where it came from. Throws `invalid-option` by path. */
export function checkFallbacks(fallbacks: ReadonlyMap<string, Fallback | undefined>): void {
  for (const [name, first] of fallbacks) {
    const way = [name];
    for (let next = first; next !== undefined; next = fallbacks.get(next.tool)) {
      const path = `tools.${way.at(-1)}.fallback.tool`;
      if (!fallbacks.has(next.tool)) refuseOption(path, next.tool, "the name of another declared tool");
      if (way.includes(next.tool))
        refuseOption(path, next.tool, `a tool that does not lead back: ${[...way, next.tool].join(" → ")}`);
      way.push(next.tool);
    }
  }
}

/** For which of the ends that a tool may name a slot settles so; undefined: nothing stands in for it. */
function reasonOf(row: CoreEntry, payload: Payload | undefined): FallbackReason | undefined {
  switch (row.outcome) {
    case "error":
      if (row.reason === "circuit-open") return "circuit-open";
      if (row.reason === "rate-limited-beyond-deadline") return "overloaded";
      return payload?.kind === "error" && saidOverloaded(payload.error) !== undefined ? "overloaded" : "error";
    case "timed-out":
      return row.reason === "none" ? "timed-out" : undefined; // no time is left to anybody after a deadline
    case "not-started":
      if (row.reason === "too-large") return "limit";
      return row.reason === "none" || row.reason === "deadline" ? undefined : (row.reason as FallbackReason);
    default:
      return undefined;
  }
}

/** The tool that is to be called now that the slot settles so, if its own says one for that. */
export function fallbackFor(
  fallback: Fallback | undefined,
  row: CoreEntry,
  payload: Payload | undefined,
): string | undefined {
  if (fallback === undefined) return undefined;
  const reason = reasonOf(row, payload);
  return reason !== undefined && fallback.when.has(reason) ? fallback.tool : undefined;
}

/** What the journal keeps of an end that another tool is to mend: a later build that declares otherwise does the same. */
export function withFallback(payload: Payload | undefined, tool: string): Payload {
  if (payload?.kind === "error")
    return { ...payload, bytes: encodeText(JSON.stringify({ ...payload.error, fallback: tool })) };
  const value = { reason: "timeout", ...(payload?.value as object | undefined), fallback: tool };
  return { kind: "value", value, bytes: encodeText(JSON.stringify(value)) };
}

/** The tool that the journal says stands in. Of a result nothing is read: what it holds is its tool's. */
export function keptFallback(outcome: Outcome["kind"], payload: Payload | undefined): string | undefined {
  if (payload === undefined) return undefined;
  if (payload.kind === "error") return outcome === "error" ? payload.fallback : undefined;
  if (outcome !== "not-started" && outcome !== "timed-out") return undefined;
  const tool = (payload.value as { readonly fallback?: unknown } | null | undefined)?.fallback;
  return typeof tool === "string" ? tool : undefined;
}

const ID = /^#fallback-of-(0|[1-9]\d{0,9})$/;

/** The call id of what stands in for the slot: of a form that no program may give, and as short whatever the call's own. */
export function fallbackId(ordinal: number): string {
  return `#fallback-of-${ordinal}`;
}

/** The ordinal for which a call of this id stands in; undefined: for none. */
export function fallbackOf(id: string): number | undefined {
  const ordinal = ID.exec(id)?.[1];
  return ordinal === undefined ? undefined : Number(ordinal);
}

/** What the program sees of a call that ended as `first` and for which another came to `second`. */
export function marked(first: NotOk, second: Outcome): Outcome {
  if (second.kind !== "ok") return failing(first, second);
  const { value, source, startedAt, endedAt } = second;
  const { id, tool, attempts, queuedAt } = first;
  // The one that stood in may have been stood in for.
  const insteadOf = second.fallback === undefined ? first : failing(first, second.fallback.insteadOf);
  return {
    kind: "ok",
    value,
    id,
    tool,
    attempts,
    source,
    replayed: first.replayed && second.replayed,
    queuedAt,
    ...(startedAt === undefined ? {} : { startedAt }),
    endedAt,
    fallback: {
      tool: second.fallback?.tool ?? second.tool,
      callId: second.fallback?.callId ?? second.id,
      insteadOf,
    },
  };
}

function failing(first: NotOk, second: NotOk): NotOk {
  return { ...first, fallback: { tool: second.tool, callId: second.id, outcome: second } };
}
