// What providers say of their limits in HTTP headers, read: how much is left and when all of it is back.
// OpenAI's x-ratelimit-*, Anthropic's anthropic-ratelimit-*, and the RateLimit draft of the IETF. Pure.

/** What a header says of one meter. */
export interface Observed {
  /** `calls` or `tokens`, or as it was given. */
  readonly counts: string;
  readonly remaining: number;
  /** Milliseconds until all of it is back; 0 = it did not say. */
  readonly resetMs: number;
}

/** Anything with `get`: a Response's headers, a Map. */
export interface Headers {
  /** The value of a header, whatever its case; null or undefined when it is not there. */
  get(name: string): string | null | undefined;
}

/** `1s`, `6m0s`, `120ms`, plain seconds, or a date. */
function span(text: string | null | undefined, wallMs: number): number {
  if (text === null || text === undefined || text === "") return 0;
  const seconds = Number(text);
  if (Number.isFinite(seconds)) return Math.max(0, Math.ceil(seconds * 1000));
  const parts = [...text.matchAll(/(\d+(?:\.\d+)?)(ms|s|m|h|d)/g)];
  if (parts.length > 0 && parts.map(([whole]) => whole).join("") === text) {
    const units = { ms: 1, s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000 } as const;
    return Math.ceil(parts.reduce((sum, [, n, unit]) => sum + Number(n) * units[unit as keyof typeof units], 0));
  }
  const date = Date.parse(text);
  return Number.isNaN(date) ? 0 : Math.max(0, date - wallMs);
}

const KNOWN = [
  ["calls", "x-ratelimit-remaining-requests", "x-ratelimit-reset-requests"],
  ["tokens", "x-ratelimit-remaining-tokens", "x-ratelimit-reset-tokens"],
  ["calls", "anthropic-ratelimit-requests-remaining", "anthropic-ratelimit-requests-reset"],
  ["tokens", "anthropic-ratelimit-tokens-remaining", "anthropic-ratelimit-tokens-reset"],
  ["input-tokens", "anthropic-ratelimit-input-tokens-remaining", "anthropic-ratelimit-input-tokens-reset"],
  ["output-tokens", "anthropic-ratelimit-output-tokens-remaining", "anthropic-ratelimit-output-tokens-reset"],
  ["calls", "ratelimit-remaining", "ratelimit-reset"],
] as const;

/** Of these headers those that are known, by name: to be read elsewhere. */
export function knownHeaders(headers: Headers): [name: string, value: string][] {
  return KNOWN.flatMap(([, left, reset]) =>
    [left, reset].flatMap((name): [string, string][] => {
      const value = headers.get(name);
      return value === null || value === undefined ? [] : [[name, value]];
    }),
  );
}

/** Everything that is known of these headers. `wallMs` is now, for those that name a date. */
export function readHeaders(headers: Headers, wallMs: number): Observed[] {
  return KNOWN.flatMap(([counts, left, reset]) => {
    const text = headers.get(left);
    const remaining = text === null || text === undefined || text === "" ? Number.NaN : Number(text);
    if (!Number.isFinite(remaining) || remaining < 0) return [];
    return [{ counts, remaining: Math.floor(remaining), resetMs: span(headers.get(reset), wallMs) }];
  });
}
