// Rates: how much of a meter may be started per time. `window` never lets more than its limit into any
// span of its length: a ring of sub-windows, the oldest counted whole. `pace` spreads it evenly: GCRA
// (ITU-T I.371), in whole numbers. `calendar` counts from midnight to midnight, where the host says when those are:
// time zones are none of the core's business. None of them has a timer.
import { LimitKind } from "./codes";
import { make } from "./memory";
import { Limit } from "./records";
import { Scope } from "./scopes";
import { now, onClock, wall } from "./turn";

const HOUR: u64 = 3_600_000_000;
const FINE: u32 = 60; // sub-windows of up to an hour
const COARSE: u32 = 288; // of anything longer: five minutes of a day

@unmanaged
export class Rate {
  next: usize; // the scope's next Rate
  kind: u8; // LimitKind: window, pace, calendar
  meter: u32;
  /** Its row among the limits that were configured. */
  row: u32;
  limit: u64;
  /** µs; of a calendar ms. */
  per: u64;
  /** The provider says that nothing is left before this moment, on the clock of now. */
  emptyUntil: u64;
  // window: units in the last parts + 1 sub-windows, and the number of the newest; calendar: used in this period.
  parts: u32;
  width: u64;
  used: u64;
  newest: u64;
  ring: usize; // u32 × (parts + 1)
  // pace: the theoretical arrival time as µs and a fraction of `limit`.
  burst: u64;
  arrival: u64;
  fraction: u64;
  // calendar, in wall ms: when one of its periods begins, when that one ends if it is no `per` long (0: it is), and
  // when the present one ends.
  begins: u64;
  oddEnd: u64;
  ends: u64;
}

export function addRate(scope: Scope, limit: Limit, row: u32): void {
  const rate = changetype<Rate>(make(offsetof<Rate>()));
  rate.kind = limit.kind;
  rate.meter = limit.meter;
  rate.row = row;
  rate.limit = limit.size;
  rate.per = limit.kind == LimitKind.calendar ? limit.per / 1000 : limit.per;
  if (limit.kind == LimitKind.pace) rate.burst = limit.a;
  else if (limit.kind == LimitKind.calendar) {
    rate.begins = limit.a;
    rate.oddEnd = limit.b;
  }
  join(scope, rate);
}

function join(scope: Scope, rate: Rate): void {
  if (rate.kind == LimitKind.window) makeRing(rate);
  rate.next = scope.rates;
  scope.rates = changetype<usize>(rate);
  scope.gated = true;
}

function makeRing(rate: Rate): void {
  rate.parts = rate.per <= HOUR ? FINE : COARSE;
  rate.width = (rate.per + rate.parts - 1) / rate.parts;
  rate.ring = make(<usize>(rate.parts + 1) * 4);
}

/** The same rates for a scope made of a template, with nothing counted yet. */
export function copyRates(from: Scope, to: Scope): void {
  for (let at = from.rates; at != 0; at = changetype<Rate>(at).next) {
    const rate = changetype<Rate>(at);
    const copy = changetype<Rate>(make(offsetof<Rate>()));
    copy.kind = rate.kind;
    copy.meter = rate.meter;
    copy.row = rate.row;
    copy.limit = rate.limit;
    copy.per = rate.per;
    copy.burst = rate.burst;
    copy.begins = rate.begins;
    copy.oddEnd = rate.oddEnd;
    join(to, copy);
  }
}

export function freeRates(scope: Scope): void {
  let at = scope.rates;
  while (at != 0) {
    const rate = changetype<Rate>(at);
    at = rate.next;
    if (rate.ring != 0) heap.free(rate.ring);
    heap.free(changetype<usize>(rate));
  }
  scope.rates = 0;
}

// ── window ────────────────────────────────────────────────────────────────────────────────────

function inRing(rate: Rate, part: u64): usize {
  return rate.ring + <usize>(part % (rate.parts + 1)) * 4;
}

/** Sub-windows that have passed whole are counted no more. */
function turnRing(rate: Rate): void {
  const newest = now / rate.width;
  if (newest <= rate.newest) return;
  if (newest - rate.newest > rate.parts) {
    memory.fill(rate.ring, 0, <usize>(rate.parts + 1) * 4);
    rate.used = 0;
  } else {
    for (let part = rate.newest + 1; part <= newest; part++) {
      const at = inRing(rate, part);
      rate.used -= load<u32>(at);
      store<u32>(at, 0);
    }
  }
  rate.newest = newest;
}

/** When so many more fit: the edge at which enough of the oldest has passed. */
function windowOpens(rate: Rate, cost: u64): u64 {
  let over = rate.used + cost - rate.limit; // it was refused, so more than 0
  let part = rate.newest >= rate.parts ? rate.newest - rate.parts : 0;
  for (; part < rate.newest; part++) {
    const units = <u64>load<u32>(inRing(rate, part));
    if (units >= over) break;
    over -= units;
  }
  return (part + rate.parts + 1) * rate.width;
}

function addToRing(rate: Rate, units: u64, part: u64): void {
  const at = inRing(rate, part);
  const before = load<u32>(at);
  store<u32>(at, <u32>min<u64>(before + units, u32.MAX_VALUE));
  rate.used += load<u32>(at) - before;
}

// ── pace ──────────────────────────────────────────────────────────────────────────────────────

/** The arrival time after so many more at this moment. */
function arriveAfter(rate: Rate, units: u64, at: u64): void {
  if (rate.arrival < at) {
    rate.arrival = at;
    rate.fraction = 0;
  }
  const product = rate.fraction + units * rate.per;
  rate.arrival += product / rate.limit;
  rate.fraction = product % rate.limit;
}

/** When so many would conform: their arrival time less the tolerance, rounded up. */
function paceOpens(rate: Rate, cost: u64): u64 {
  const late = rate.arrival >= now;
  const base = late ? rate.arrival : now;
  const ahead = (late ? rate.fraction : 0) + cost * rate.per; // in 1/limit µs past base
  const tolerance = rate.burst * rate.per;
  if (ahead > tolerance) return base + (ahead - tolerance + rate.limit - 1) / rate.limit;
  const back = (tolerance - ahead) / rate.limit;
  return base > back ? base - back : 0;
}

// ── calendar ──────────────────────────────────────────────────────────────────────────────────

/** When the period that has this moment of the wall clock ends. */
function endOf(rate: Rate, at: u64): u64 {
  const isOdd = rate.oddEnd != 0 && at >= rate.begins;
  if (isOdd && at < rate.oddEnd) return rate.oddEnd;
  const from = isOdd ? rate.oddEnd : rate.begins;
  if (at >= from) return at + rate.per - ((at - from) % rate.per);
  const back = (from - at) % rate.per;
  return at + (back == 0 ? rate.per : back);
}

/** When it began. */
function beginningOf(rate: Rate, at: u64): u64 {
  const isOdd = rate.oddEnd != 0 && at >= rate.begins && at < rate.oddEnd;
  return isOdd ? rate.begins : endOf(rate, at) - rate.per;
}

function turnCalendar(rate: Rate): void {
  if (wall < rate.ends) return; // the wall clock may step back; a quota does not return for it
  rate.ends = endOf(rate, wall);
  rate.used = 0;
}

/** Periods begin elsewhere from now on: what the present one has used counts on until its new end. */
export function regrid(rate: Rate, begins: u64, oddEnd: u64): void {
  rate.begins = begins;
  rate.oddEnd = oddEnd;
  if (wall < rate.ends) rate.ends = endOf(rate, wall);
}

// ── what a scope asks ─────────────────────────────────────────────────────────────────────────

/** The largest cost that could ever be granted. */
export function mostOf(rate: Rate): u64 {
  return rate.kind == LimitKind.pace ? rate.burst : rate.limit;
}

/** When so many may start: now or before, or the earliest moment. Takes nothing. */
export function opensAt(rate: Rate, cost: u64): u64 {
  if (rate.emptyUntil > now) return rate.emptyUntil;
  switch (<LimitKind>rate.kind) {
    case LimitKind.window:
      turnRing(rate);
      return rate.used + cost <= rate.limit ? now : windowOpens(rate, cost);
    case LimitKind.pace:
      return paceOpens(rate, cost);
    default:
      turnCalendar(rate);
      return rate.used + cost <= rate.limit ? now : onClock(rate.ends);
  }
}

/** Counts so many, whether they fit or not. */
export function charge(rate: Rate, units: u64): void {
  switch (<LimitKind>rate.kind) {
    case LimitKind.window:
      turnRing(rate);
      addToRing(rate, units, rate.newest);
      return;
    case LimitKind.pace:
      arriveAfter(rate, units, now);
      return;
    default:
      turnCalendar(rate);
      rate.used += units;
  }
}

/** Less was used than was counted at `at`: what is still counted of it goes. */
export function refund(rate: Rate, units: u64, at: u64): void {
  switch (<LimitKind>rate.kind) {
    case LimitKind.window: {
      turnRing(rate);
      const part = at / rate.width;
      if (part > rate.newest || rate.newest - part > rate.parts) return;
      const place = inRing(rate, part);
      const back = min<u64>(units, load<u32>(place));
      store<u32>(place, load<u32>(place) - <u32>back);
      rate.used -= back;
      return;
    }
    case LimitKind.pace: {
      const span = (units * rate.per) / rate.limit;
      rate.arrival = rate.arrival > now + span ? rate.arrival - span : min(rate.arrival, now);
      return;
    }
    default:
      turnCalendar(rate);
      rate.used -= min(rate.used, units);
  }
}

/** What was started at an earlier moment, by another process: counted where it would stand now. */
export function chargeEarlier(rate: Rate, units: u64, at: u64): void {
  switch (<LimitKind>rate.kind) {
    case LimitKind.window: {
      turnRing(rate);
      const part = at / rate.width;
      if (part > rate.newest || rate.newest - part > rate.parts) return;
      addToRing(rate, units, part);
      return;
    }
    case LimitKind.pace:
      arriveAfter(rate, units, at);
      return;
    default:
      turnCalendar(rate);
      if (now - at <= (wall - beginningOf(rate, wall)) * 1000) rate.used += units;
  }
}

/** The provider says how much is left, and when all of it is back. Only ever tightens. */
export function observe(rate: Rate, remaining: u64, resetsIn: u64): void {
  if (remaining == 0 && resetsIn != 0) rate.emptyUntil = max(rate.emptyUntil, now + resetsIn);
  switch (<LimitKind>rate.kind) {
    case LimitKind.window:
    case LimitKind.calendar: {
      const used = remaining >= rate.limit ? 0 : rate.limit - remaining;
      if (rate.kind == LimitKind.window) turnRing(rate);
      else turnCalendar(rate);
      if (used > rate.used) charge(rate, used - rate.used);
      return;
    }
    default: {
      if (remaining >= rate.burst) return;
      // As if the burst had been used up but for what remains.
      const span = ((rate.burst - remaining) * rate.per) / rate.limit;
      if (rate.arrival < now + span) {
        rate.arrival = now + span;
        rate.fraction = 0;
      }
    }
  }
}

/** What it has counted, for eyes. */
export function usedOf(rate: Rate): u64 {
  if (rate.kind == LimitKind.window) turnRing(rate);
  else if (rate.kind == LimitKind.calendar) turnCalendar(rate);
  else return rate.arrival <= now ? 0 : ((rate.arrival - now) * rate.limit + rate.per - 1) / rate.per;
  return rate.used;
}

/** Nothing of it counts any more: its scope may be forgotten, at the earliest then. */
export function forgottenAt(rate: Rate): u64 {
  if (rate.emptyUntil > now) return rate.emptyUntil;
  switch (<LimitKind>rate.kind) {
    case LimitKind.window:
      turnRing(rate);
      return rate.used == 0 ? now : (rate.newest + rate.parts + 1) * rate.width;
    case LimitKind.pace:
      return rate.arrival;
    default:
      turnCalendar(rate);
      return rate.used == 0 ? now : onClock(rate.ends);
  }
}

export function limitOf(rate: Rate): u64 {
  return rate.kind == LimitKind.pace ? rate.burst : rate.limit;
}
