// From the limits that a user gives to the rows of the core: each option is checked where it stands, and a
// wrong one is refused by its path before anything is opened.
import { CalendarZone, isTimeZone, ODD_MS_MAX, ZONE_PER_MS_MAX, ZONE_PER_MS_MIN } from "./calendar-zone.ts";
import { type Limit, NONE } from "./core.ts";
import {
  checkChoice,
  checkFunction,
  checkInteger,
  checkKeys,
  checkNumber,
  refuseOption,
  SPAN_MS_MAX,
} from "./options.ts";
import type { CallError } from "./outcome.ts";

/** Where the rows of a scope belong. */
export interface ScopeRef {
  readonly kind: Limit["scope"];
  readonly number: number;
}

/** What a scope was given, besides its rows. */
export interface CheckedScope {
  readonly rows: readonly Limit[];
  readonly concurrency: number;
  /** Rows of calendars by the clocks of a zone: where their periods lie is said when the time is known. */
  readonly zones: ReadonlyMap<Limit, CalendarZone>;
  /** Longest span, ms, that a rate or a breaker looks back; 0 = none does. */
  readonly looksBackMs: number;
  readonly isFailure: ((error: CallError) => boolean) | undefined;
}

/** Numbers for what rates count; 0 is starts. */
export class Meters {
  readonly #numbers = new Map<string, number>([["calls", 0]]);

  /** The number of a meter that a rate counts; a new one for a new name. */
  take(name: string): number {
    const known = this.#numbers.get(name);
    if (known !== undefined) return known;
    const number = this.#numbers.size;
    this.#numbers.set(name, number);
    return number;
  }

  /** Undefined: no rate counts it. */
  of(name: string): number | undefined {
    return this.#numbers.get(name);
  }

  get names(): string[] {
    return [...this.#numbers.keys()];
  }
}

export const SCOPE_KEYS = ["concurrency", "rate", "breaker", "adaptive", "ramp"] as const;
export const CONCURRENCY_MOST = 1_000_000;
const UNITS_MOST = 0x7fffffff;
const BLANK: Limit = {
  kind: "concurrency",
  scope: "runtime",
  mode: 0,
  number: 0,
  meter: 0,
  size: 0n,
  per: 0n,
  a: 0n,
  b: 0n,
};

const us = (ms: number): bigint => BigInt(ms) * 1000n;

/** A row for this scope. */
export function row(kind: Limit["kind"], ref: ScopeRef, fields: Partial<Limit>): Limit {
  return { ...BLANK, kind, scope: ref.kind, number: ref.number, ...fields };
}

/** A rate as it was given. */
interface CheckedRate {
  readonly row: Limit;
  readonly zone?: CalendarZone;
}

function checkRate(path: string, rate: unknown, ref: ScopeRef, meters: Meters): CheckedRate {
  if (typeof rate !== "object" || rate === null) refuseOption(path, rate, "{ limit, perMs } or a list of those");
  const given = checkKeys(path, rate, ["limit", "perMs", "mode", "burst", "utcOffsetMinutes", "timeZone", "counts"]);
  if (given.limit === undefined) refuseOption(`${path}.limit`, undefined, "how many may start in perMs");
  if (given.perMs === undefined) refuseOption(`${path}.perMs`, undefined, "a span in milliseconds");
  const limit = checkInteger(`${path}.limit`, given.limit, 1, UNITS_MOST, 1);
  const perMs = checkInteger(`${path}.perMs`, given.perMs, 1, SPAN_MS_MAX, 1);
  const mode = checkChoice(`${path}.mode`, given.mode, ["window", "pace", "calendar"], "window");
  const counts = given.counts ?? "calls";
  if (typeof counts !== "string" || counts === "") refuseOption(`${path}.counts`, counts, 'a name such as "tokens"');
  const meter = meters.take(counts as string);
  const common = { size: BigInt(limit), per: us(perMs), meter };
  if (mode !== "pace" && given.burst !== undefined)
    refuseOption(`${path}.burst`, given.burst, 'absent: only mode "pace" has a burst');
  for (const name of ["utcOffsetMinutes", "timeZone"])
    if (mode !== "calendar" && given[name] !== undefined)
      refuseOption(`${path}.${name}`, given[name], 'absent: only mode "calendar" goes by a clock');
  switch (mode) {
    case "window":
      return { row: row("window", ref, common) };
    case "pace": {
      const usual = Math.max(1, Math.min(UNITS_MOST, Math.floor((limit * 1000) / perMs)));
      const most = Math.max(1, Math.min(UNITS_MOST, Number((1n << 62n) / us(perMs))));
      const burst = checkInteger(`${path}.burst`, given.burst, 1, most, Math.min(usual, most));
      return { row: row("pace", ref, { ...common, a: BigInt(burst) }) };
    }
    default: {
      if (given.timeZone !== undefined) {
        const zone = checkZone(path, given, perMs);
        return { row: row("calendar", ref, common), zone };
      }
      const offset = checkInteger(`${path}.utcOffsetMinutes`, given.utcOffsetMinutes, -1440, 1440, 0) * 60_000;
      return { row: row("calendar", ref, { ...common, a: BigInt(((-offset % perMs) + perMs) % perMs) }) };
    }
  }
}

function checkZone(path: string, given: Readonly<Record<string, unknown>>, perMs: number): CalendarZone {
  const { timeZone } = given;
  if (given.utcOffsetMinutes !== undefined)
    refuseOption(`${path}.utcOffsetMinutes`, given.utcOffsetMinutes, "absent where there is a timeZone");
  if (typeof timeZone !== "string" || !isTimeZone(timeZone))
    return refuseOption(`${path}.timeZone`, timeZone, 'an IANA time zone, such as "America/Los_Angeles"');
  checkInteger(`${path}.perMs`, perMs, ZONE_PER_MS_MIN, ZONE_PER_MS_MAX, perMs);
  return new CalendarZone(timeZone, perMs);
}

function checkBreaker(path: string, breaker: unknown, ref: ScopeRef): Limit | undefined {
  if (breaker === undefined || breaker === false) return undefined;
  const known = ["failureRatio", "minimumCalls", "windowMs", "openMs", "probes", "whenOpen", "isFailure"];
  const given = checkKeys(path, breaker === true ? {} : breaker, known);
  const ratio = checkNumber(`${path}.failureRatio`, given.failureRatio, 0.001, 1, 0.5);
  checkFunction(`${path}.isFailure`, given.isFailure);
  return row("breaker", ref, {
    size: BigInt(checkInteger(`${path}.minimumCalls`, given.minimumCalls, 1, 1_000_000, 20)),
    per: us(checkInteger(`${path}.windowMs`, given.windowMs, 1, SPAN_MS_MAX, 10_000)),
    a: BigInt(Math.max(1, Math.round(ratio * 1000))),
    b: us(checkInteger(`${path}.openMs`, given.openMs, 1, SPAN_MS_MAX, 30_000)),
    meter: checkInteger(`${path}.probes`, given.probes, 1, 1_000_000, 1),
    mode: checkChoice(`${path}.whenOpen`, given.whenOpen, ["fail", "wait"], "fail") === "wait" ? 1 : 0,
  });
}

function checkAdaptive(path: string, adaptive: unknown, ref: ScopeRef, concurrency: number): Limit | undefined {
  if (adaptive === undefined || adaptive === false) return undefined;
  const given = checkKeys(path, adaptive === true ? {} : adaptive, ["initial", "least"]);
  const most = concurrency === NONE || concurrency === 0 ? CONCURRENCY_MOST : concurrency;
  const least = checkInteger(`${path}.least`, given.least, 1, most, 1);
  const initial = checkInteger(`${path}.initial`, given.initial, least, most, Math.max(least, Math.min(10, most)));
  return row("adaptive", ref, { size: BigInt(initial), a: BigInt(least) });
}

function checkBoolean(path: string, value: unknown, otherwise: boolean): boolean {
  if (value === undefined) return otherwise;
  return typeof value === "boolean" ? value : refuseOption(path, value, "true or false");
}

/** Checks what one scope is given; `given` are its options, their keys already known. */
export function checkScope(
  path: string,
  given: Readonly<Record<string, unknown>>,
  ref: ScopeRef,
  meters: Meters,
  otherwise: number = NONE,
): CheckedScope {
  const concurrency = checkInteger(`${path}.concurrency`, given.concurrency, 0, CONCURRENCY_MOST, otherwise);
  const rates = given.rate === undefined ? [] : Array.isArray(given.rate) ? given.rate : [given.rate];
  const isList = Array.isArray(given.rate);
  const checked = rates.map((rate, i) => checkRate(isList ? `${path}.rate[${i}]` : `${path}.rate`, rate, ref, meters));
  const rows = checked.map(({ row }) => row);
  const zones = new Map(checked.flatMap(({ row, zone }) => (zone === undefined ? [] : [[row, zone] as const])));
  const breaker = checkBreaker(`${path}.breaker`, given.breaker, ref);
  const adaptive = checkAdaptive(`${path}.adaptive`, given.adaptive, ref, concurrency);
  const ramp = checkBoolean(`${path}.ramp`, given.ramp, true);
  const looksBack = [...rows, ...(breaker === undefined ? [] : [breaker])].map(
    (one) => Number(one.per / 1000n) + (zones.has(one) ? ODD_MS_MAX : 0),
  );
  return {
    rows: [
      row("concurrency", ref, { size: BigInt(concurrency) }),
      ...rows,
      ...(breaker === undefined ? [] : [breaker]),
      ...(adaptive === undefined ? [] : [adaptive]),
      ...(ramp ? [] : [row("ramp", ref, { mode: 0 })]),
    ],
    concurrency,
    zones,
    looksBackMs: Math.max(0, ...looksBack),
    isFailure: (given.breaker as { isFailure?: (error: CallError) => boolean } | undefined)?.isFailure,
  };
}
