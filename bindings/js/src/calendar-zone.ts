// When the days of a time zone begin: an hour early or late where clocks change for daylight saving. The core
// counts in whole periods and knows of no zones; it is told when a period begins and which one is odd.

/** Does this environment know the zone? IANA names only: an offset is no place whose clocks change. */
export function isTimeZone(name: string): boolean {
  if (!/^[A-Za-z]/.test(name)) return false;
  try {
    return new Intl.DateTimeFormat("en-US", { timeZone: name }) !== undefined;
  } catch (thrown) {
    if (thrown instanceof RangeError) return false;
    throw thrown;
  }
}

/** Where periods lie, wall ms. */
export interface Grid {
  /** When one of them begins. */
  readonly begins: number;
  /** When that one ends, where it is shorter or longer than the others; 0 = it is not. */
  readonly oddEnd: number;
  /** From then on this may be wrong, and is to be asked for again. */
  readonly staleAt: number;
}

const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;
const WEEK_MS = 7 * DAY_MS;
/** Shorter and longer periods of a zone are refused: an odd one would not be told from another. */
export const ZONE_PER_MS_MIN = HOUR_MS;
export const ZONE_PER_MS_MAX = WEEK_MS;
/** By how much a period may be longer at most, about: no zone puts its clocks back further today. */
export const ODD_MS_MAX = 3 * HOUR_MS;
/** How far a change is looked for. */
const HORIZON_MS = 400 * DAY_MS;
/** No zone changes its clocks twice in that time. */
const STRIDE_MS = WEEK_MS;

/** Periods of `perMs` that begin by the clocks of a zone: at its midnight, where they are days. */
export class CalendarZone {
  readonly #perMs: number;
  readonly #format: Intl.DateTimeFormat;

  constructor(timeZone: string, perMs: number) {
    this.#perMs = perMs;
    this.#format = new Intl.DateTimeFormat("en-US", {
      timeZone,
      calendar: "gregory",
      numberingSystem: "latn",
      hourCycle: "h23",
      year: "numeric",
      month: "numeric",
      day: "numeric",
      hour: "numeric",
      minute: "numeric",
      second: "numeric",
    });
  }

  /** How far the zone's clocks are ahead of UTC, ms. */
  #offset(at: number): number {
    const part: Record<string, number> = {};
    for (const { type, value } of this.#format.formatToParts(at)) part[type] = Number(value);
    const { year = 0, month = 0, day = 0, hour = 0, minute = 0, second = 0 } = part;
    return Date.UTC(year, month - 1, day, hour, minute, second) - Math.floor(at / 1000) * 1000;
  }

  /** The first ms after `from`, up to `to`, at which the clocks say something else than they would have; undefined: none. */
  #change(from: number, to: number): number | undefined {
    const offset = this.#offset(from);
    if (this.#offset(to) === offset) return undefined;
    let [before, after] = [from, to];
    while (after - before > 1) {
      const middle = Math.floor((before + after) / 2);
      if (this.#offset(middle) === offset) before = middle;
      else after = middle;
    }
    return after;
  }

  /** When the period that has this moment ends. */
  #endOf(at: number): number {
    const offset = this.#offset(at);
    const localEnd = (Math.floor((at + offset) / this.#perMs) + 1) * this.#perMs;
    const change = this.#change(at, localEnd - offset);
    if (change === undefined) return localEnd - offset;
    // A midnight that the clocks leap over is the moment of the leap.
    return Math.max(change, localEnd - this.#offset(change));
  }

  #beginningOf(at: number): number {
    let begins = this.#endOf(at - this.#perMs - DAY_MS);
    for (let next = this.#endOf(begins); next <= at; next = this.#endOf(begins)) begins = next;
    return begins;
  }

  /** Where periods lie from the present one on: up to the next odd one, and that one itself. */
  grid(wallMs: number): Grid {
    const begins = this.#beginningOf(wallMs);
    const until = wallMs + HORIZON_MS;
    // From a moment before: the clocks may change as the period begins.
    for (let from = begins - 1; from < until; ) {
      const change = this.#change(from, from + STRIDE_MS);
      from = change ?? from + STRIDE_MS;
      if (change === undefined) continue;
      for (let at = Math.max(begins, this.#beginningOf(change - 1)), next = 0; at <= change; at = next) {
        next = this.#endOf(at);
        if (next - at !== this.#perMs) return { begins: at, oddEnd: next, staleAt: next };
      }
    }
    return { begins, oddEnd: 0, staleAt: wallMs + HORIZON_MS / 2 };
  }
}
