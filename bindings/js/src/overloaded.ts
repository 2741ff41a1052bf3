// How a tool says that the outside asked it to slow down: it throws this, and says that nothing happened.
import { refuseOption } from "./options.ts";

/** Which scope is to rest: the call's tool, its key, the whole runtime, or a group of tools. */
export type OverloadedScope = "tool" | "key" | "runtime" | `groups.${string}`;

export interface OverloadedOptions {
  /** How long to rest, ms. Absent: the runtime backs off by itself, longer each time, up to a minute. */
  readonly retryAfterMs?: number;
  /** The same as HTTP's `Retry-After` has it: seconds, or a date. `retryAfterMs` goes before it. */
  readonly retryAfter?: string | number | null;
  /** Default `tool`. */
  readonly scope?: OverloadedScope;
  readonly message?: string;
}

/** Thrown by a tool: the outside refused the call, nothing happened, and the whole scope is to rest. */
export class OverloadedError extends Error {
  override readonly name = "OverloadedError";
  readonly code = "overloaded";
  /** Plain data, so that it crosses from a worker and stays in the journal. */
  readonly data: {
    readonly retryAfterMs?: number;
    readonly retryAfter?: string | number;
    readonly scope?: OverloadedScope;
  };

  constructor(options: OverloadedOptions = {}) {
    super(options.message ?? "the outside said: slow down");
    const { retryAfterMs, retryAfter, scope } = options;
    if (retryAfterMs !== undefined && !(Number.isFinite(retryAfterMs) && retryAfterMs >= 0))
      refuseOption("overloaded.retryAfterMs", retryAfterMs, "a number of milliseconds, 0 or more");
    this.data = {
      ...(retryAfterMs === undefined ? {} : { retryAfterMs }),
      ...(retryAfter === undefined || retryAfter === null ? {} : { retryAfter }),
      ...(scope === undefined ? {} : { scope }),
    };
  }
}

/**
 * The outside refused the call: a 429, a 503, a 529. The tool throws it and so says that **nothing happened**: whatever
 * its effect the call goes back to its place, its retries untouched, and nothing of the scope starts until the rest is over.
 */
export function overloaded(options?: OverloadedOptions): OverloadedError {
  return new OverloadedError(options);
}

const MS_MAX = 86_400_000; // a day: whoever asks for more is not to be believed

/** How long to rest, ms; 0 = it did not say. `retryAfter` as HTTP has it (RFC 9110, 10.2.3). */
export function retryAfterMs(data: unknown, wallMs: number): number {
  const said = (typeof data === "object" && data !== null ? data : {}) as Readonly<Record<string, unknown>>;
  if (typeof said.retryAfterMs === "number" && said.retryAfterMs >= 0)
    return Math.min(Math.ceil(said.retryAfterMs), MS_MAX);
  const after = typeof said.retryAfter === "string" ? said.retryAfter.trim() : said.retryAfter;
  if (after === undefined || after === null || after === "") return 0;
  const seconds = Number(after);
  if (Number.isFinite(seconds)) return seconds < 0 ? 0 : Math.min(Math.ceil(seconds * 1000), MS_MAX);
  const date = Date.parse(String(after));
  return Number.isNaN(date) ? 0 : Math.min(Math.max(date - wallMs, 0), MS_MAX);
}
