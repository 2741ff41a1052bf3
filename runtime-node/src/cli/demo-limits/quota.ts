// What a simulated provider grants: requests and tokens in a sliding window, calls at once, outages. It is
// the strict kind: every window of that length holds, wherever it begins. Pure but for what it remembers;
// the time is an argument.

/** So much in any window of this length. */
export interface WindowQuota {
  readonly limit: number;
  readonly perMs: number;
}

/** From when to when, ms after the provider began, nothing but this status is answered. */
export interface Outage {
  readonly fromMs: number;
  readonly untilMs: number;
  /** 503 unless said otherwise. */
  readonly status?: number;
}

export interface QuotaOptions {
  readonly requests?: WindowQuota;
  readonly tokens?: WindowQuota;
  /** Requests under way at once. */
  readonly concurrency?: number;
  readonly outages?: readonly Outage[];
}

/** What is said to one request. `retryAfterMs` is when, at the earliest, the same request would be granted. */
export type Answer =
  | { readonly status: 200 }
  | {
      readonly status: number;
      readonly why: "requests" | "tokens" | "concurrency" | "outage";
      readonly retryAfterMs: number;
    };

interface Granted {
  readonly at: number;
  readonly cost: number;
}

/** A log of what was granted in the last window: exact, and as long as its limit. */
class SlidingLog {
  readonly #quota: WindowQuota;
  #granted: Granted[] = [];

  constructor(quota: WindowQuota) {
    this.#quota = quota;
  }

  #forget(now: number): void {
    const first = this.#granted.findIndex(({ at }) => at > now - this.#quota.perMs);
    this.#granted = first === -1 ? [] : this.#granted.slice(first);
  }

  used(now: number): number {
    this.#forget(now);
    return this.#granted.reduce((sum, { cost }) => sum + cost, 0);
  }

  /** Ms until so much is free; 0 now, Infinity if never. */
  waitMs(now: number, cost: number): number {
    if (cost > this.#quota.limit) return Number.POSITIVE_INFINITY;
    let excess = this.used(now) + cost - this.#quota.limit;
    if (excess <= 0) return 0;
    for (const granted of this.#granted) {
      excess -= granted.cost;
      if (excess <= 0) return granted.at + this.#quota.perMs - now;
    }
    return this.#quota.perMs;
  }

  take(now: number, cost: number): void {
    this.#granted.push({ at: now, cost });
  }

  /** What is left, and when all of it is free again. */
  standing(now: number): { readonly limit: number; readonly remaining: number; readonly resetMs: number } {
    const remaining = Math.max(0, this.#quota.limit - this.used(now));
    const last = this.#granted.at(-1);
    return {
      limit: this.#quota.limit,
      remaining,
      resetMs: last === undefined ? 0 : last.at + this.#quota.perMs - now,
    };
  }
}

export type Standing = ReturnType<SlidingLog["standing"]>;

export class Quota {
  readonly #options: QuotaOptions;
  readonly #requests: SlidingLog | undefined;
  readonly #tokens: SlidingLog | undefined;
  #underWay = 0;

  constructor(options: QuotaOptions) {
    this.#options = options;
    this.#requests = options.requests && new SlidingLog(options.requests);
    this.#tokens = options.tokens && new SlidingLog(options.tokens);
  }

  /** Answers a request of so many tokens. One that is granted is under way until `end`. */
  ask(now: number, tokens: number): Answer {
    const outage = this.#options.outages?.find(({ fromMs, untilMs }) => now >= fromMs && now < untilMs);
    if (outage !== undefined)
      return { status: outage.status ?? 503, why: "outage", retryAfterMs: outage.untilMs - now };
    if (this.#underWay >= (this.#options.concurrency ?? Number.POSITIVE_INFINITY))
      return { status: 429, why: "concurrency", retryAfterMs: 0 };
    const waits = [
      { why: "requests", retryAfterMs: this.#requests?.waitMs(now, 1) ?? 0 },
      { why: "tokens", retryAfterMs: this.#tokens?.waitMs(now, tokens) ?? 0 },
    ] as const;
    const longest = waits[1].retryAfterMs > waits[0].retryAfterMs ? waits[1] : waits[0];
    if (longest.retryAfterMs > 0) return { status: 429, ...longest };
    this.#requests?.take(now, 1);
    this.#tokens?.take(now, tokens);
    this.#underWay++;
    return { status: 200 };
  }

  /** A granted request has been answered. */
  end(): void {
    this.#underWay--;
  }

  standing(now: number): { readonly requests?: Standing; readonly tokens?: Standing } {
    return {
      ...(this.#requests === undefined ? {} : { requests: this.#requests.standing(now) }),
      ...(this.#tokens === undefined ? {} : { tokens: this.#tokens.standing(now) }),
    };
  }
}
