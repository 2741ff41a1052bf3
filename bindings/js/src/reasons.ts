// Why a limit or a deadline decided, as journals and programs have it: words and names instead of this host's
// numbers. What the core decides without a result of the tool gets its payload here.
import { refusal } from "./call-error.ts";
import type { CoreEntry, Limit, Reason, ScopeKind } from "./core.ts";
import { encodeText } from "./json.ts";
import type { CallError, Json, NotStartedReason } from "./outcome.ts";
import { errorPayload, type Payload } from "./payload.ts";

/** Names of scopes and back. */
export interface LimitNames {
  nameOf(kind: Limit["scope"], number: number): string;
  find(name: string): { readonly kind: ScopeKind; readonly number: number } | undefined;
}

/** What is kept of a decision: in the payload of a not-started, timed-out or cancelled slot. */
export interface KeptReason {
  readonly reason: NotStartedReason;
  /** Wall ms at which it is worth trying again. */
  readonly retryAt?: number;
  readonly limit?: string;
}

const WORDS: Readonly<Partial<Record<Reason, NotStartedReason>>> = {
  deadline: "deadline",
  "start-within": "start-within",
  overloaded: "overloaded",
  "too-large": "limit",
  budget: "budget",
};

/** The code by which an outcome, a journal and every host know that the outside said "slow down". */
export const OVERLOADED = "overloaded";

const PREEMPTED = "preempted";

/** Does the journal say of a cancelled call that it made room for a more urgent one? */
export function wasPreempted(value: Json | undefined): boolean {
  return (value as { readonly reason?: unknown } | null | undefined)?.reason === PREEMPTED;
}

/** The payload of an entry in which a limit or a deadline decided; undefined when the tool's own counts. */
export function reasonPayload(entry: CoreEntry, names: LimitNames): Payload | undefined {
  if (entry.kind !== "settled" || entry.reason === "none") return undefined;
  if (entry.outcome === "error" && entry.reason === OVERLOADED) return undefined; // what the tool threw says it, with whose limit
  const limit = limitOf(entry, names);
  const retryAt = entry.until === 0n ? undefined : Number(entry.until);
  const data = { ...(limit === undefined ? {} : { limit }), ...(retryAt === undefined ? {} : { retryAt }) };
  if (entry.outcome === "error") {
    const when = retryAt === undefined ? "" : ` until ${new Date(retryAt).toISOString()}`;
    const what =
      entry.reason === "circuit-open"
        ? `too many calls under ${limit} failed: it is not called${when}`
        : entry.reason === "would-deadlock"
          ? `all that it needs of ${limit} is held by calls that wait for it; allow more at once, or let them give back what they hold`
          : `${limit} rests${when}, and the call's deadline is before that`;
    return errorPayload({ ...refusal(entry.reason, what), data });
  }
  const kept = entry.reason === PREEMPTED ? { reason: PREEMPTED } : { reason: WORDS[entry.reason] ?? "limit", ...data };
  return { kind: "value", value: kept, bytes: encodeText(JSON.stringify(kept)) };
}

function limitOf({ reason, until, scope, number }: CoreEntry, names: LimitNames): string | undefined {
  // Of an overload it is the queue, not one of the scopes; of a budget a scope only where one says until when it refuses.
  const byNone = reason === "deadline" || reason === "start-within" || reason === OVERLOADED;
  return byNone || (reason === "budget" && until === 0n) ? undefined : names.nameOf(scope, number);
}

/** What a journal keeps of a decision. Nothing, or something odd, is the deadline: all that format 1 knew at first. */
export function keptReason(value: Json | undefined): KeptReason {
  if (typeof value !== "object" || value === null || Array.isArray(value)) return { reason: "deadline" };
  const { reason, retryAt, limit } = value as { readonly [key: string]: Json };
  const known = Object.values(WORDS).find((word) => word === reason) ?? "deadline";
  return {
    reason: known,
    ...(typeof retryAt === "number" ? { retryAt } : {}),
    ...(typeof limit === "string" ? { limit } : {}),
  };
}

/** Of a slot that is timed out: was it by its own time, not by a deadline? */
export function isTimeout(value: Json | undefined): boolean {
  return value === undefined || (value as { readonly reason?: Json } | null)?.reason === "timeout";
}

/** Did a tool throw `overloaded()`, here or in a worker? */
export function isOverloaded(thrown: unknown): boolean {
  const { name, code } = Object(thrown) as { readonly name?: unknown; readonly code?: unknown };
  return name === "OverloadedError" && code === OVERLOADED;
}

/** Does the journal say of this failed attempt that the outside said "slow down", and of which scope? */
export function saidOverloaded(error: CallError | undefined): { readonly limit: string | undefined } | undefined {
  if (error?.name !== "OverloadedError" || error.code !== OVERLOADED) return undefined;
  const limit = (error.data as { readonly limit?: unknown } | undefined)?.limit;
  return { limit: typeof limit === "string" ? limit : undefined };
}

/** The limit that rests until past the call's deadline, if that was what ended it. */
export function limitThatRests(payload: Payload): string | undefined {
  if (payload.kind !== "error") return undefined;
  const { name, code, data } = payload.error;
  if (name !== "HoldfastError" || code !== "rate-limited-beyond-deadline") return undefined;
  const limit = (data as { readonly limit?: unknown } | undefined)?.limit;
  return typeof limit === "string" ? limit : undefined;
}
