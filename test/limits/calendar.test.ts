// Days of 23, 24 and 25 hours: quotas that reset at the midnight of a place. The core knows no zones, so it is held,
// with what the host tells it, against midnights found by asking the place's clock every quarter of an hour.
import { describe, expect, test } from "vitest";
import { CalendarZone, isTimeZone } from "../../bindings/js/src/calendar-zone.ts";
import { tool } from "../../bindings/js/src/index.ts";
import { checkOptions } from "../../bindings/js/src/open-runtime.ts";
import { type Host, Puppets, settle, start, World } from "../rules/fakes.ts";
import { CoreWorld, limit } from "./core-world.ts";

const HOUR = 3_600_000;
const DAY = 24 * HOUR;
const QUARTER = HOUR / 4;
const LOS_ANGELES = "America/Los_Angeles";

/** Wall ms at which a new day begins in the zone: where its date is another than a quarter of an hour before. */
function midnights(timeZone: string, from: number, until: number): number[] {
  const format = new Intl.DateTimeFormat("en-CA", { timeZone, dateStyle: "short" });
  const found: number[] = [];
  for (let at = from; at < until; at += QUARTER) {
    if (format.format(at) !== format.format(at - QUARTER)) found.push(at);
  }
  return found;
}

/** The core with one start a day, by a grid that is asked for when it is due; gives when calls started, wall ms. */
function dailyStarts(from: number, days: number, grid: CalendarZone["grid"]): number[] {
  let { begins, oddEnd, staleAt } = grid(from);
  const daily = new CoreWorld({ limits: [limit("calendar", { size: 1, per: DAY * 1000, a: begins, b: oddEnd })] });
  daily.now += (from - daily.wall) * 1000;
  daily.batch(Array.from({ length: days }, (_, i) => ({ name: `c${i}` })));
  for (let started = 1; started < days; started++) {
    daily.allOk([...daily.running]);
    daily.pass(daily.wakeAt - daily.now);
    if (daily.wall < staleAt) continue;
    ({ begins, oddEnd, staleAt } = grid(daily.wall));
    daily.event("calendar", { mode: 1, slot: 0, a: BigInt(begins), b: BigInt(oddEnd) });
  }
  daily.allOk([...daily.running]);
  daily.finish();
  return daily.starts.map(({ at }) => Math.floor(daily.wall - (daily.now - at) / 1000));
}

const at = (text: string): number => Date.parse(text);

describe("h8.rpm_tpm_rpd: the days of a zone", () => {
  test.each([
    [LOS_ANGELES, [23, 25]],
    ["Europe/Berlin", [23, 25]],
    ["Australia/Sydney", [25, 23]], // southern
    ["Australia/Lord_Howe", [24.5, 23.5]], // by half an hour
    ["America/Santiago", [25, 23]], // at midnight, which it leaps over
    ["Africa/Cairo", [23, 25]], // so does it
    ["Africa/Casablanca", [25, 23]], // around Ramadan
    ["America/Sao_Paulo", []], // none
    ["Asia/Kathmandu", []], // none, 5:45 ahead
    ["UTC", []],
  ])(
    "%s: its odd days in 2024 and 2025 have %j hours, and a quota of one a day starts at its midnights",
    (zone, odd) => {
      const from = at("2024-01-10T15:00:00Z");
      const days = 720;
      const expected = midnights(zone, from, from + (days + 2) * DAY).slice(0, days - 1);
      const calendar = new CalendarZone(zone, DAY);
      const starts = dailyStarts(from, days, (wall) => calendar.grid(wall));
      expect(starts).toEqual([from, ...expected]);
      const lengths = starts.slice(2).map((end, i) => (end - starts[i + 1]!) / HOUR);
      expect(lengths.filter((hours) => hours !== 24)).toEqual([...odd, ...odd]);
      // The control: whoever is told of no change is off from the first one on.
      const deaf = calendar.grid(from).begins;
      const still = dailyStarts(from, days, () => ({ begins: deaf, oddEnd: 0, staleAt: Number.POSITIVE_INFINITY }));
      expect(JSON.stringify(still) === JSON.stringify(starts)).toBe(odd.length === 0);
    },
  );

  test("hours of a zone half an hour off, and the week that holds a change", () => {
    const lordHowe = new CalendarZone("Australia/Lord_Howe", HOUR);
    // Back by half an hour at two: the hour from one to two takes an hour and a half.
    const { begins, oddEnd } = lordHowe.grid(at("2024-04-06T00:00:00Z"));
    expect([begins, oddEnd]).toEqual([at("2024-04-06T14:00:00Z"), at("2024-04-06T15:30:00Z")]);
    const week = new CalendarZone(LOS_ANGELES, 7 * DAY).grid(at("2024-03-08T00:00:00Z"));
    expect((week.oddEnd - week.begins) / HOUR).toBe(7 * 24 - 1);
  });

  test("after a sleep of years it is told where days lie then", () => {
    const calendar = new CalendarZone(LOS_ANGELES, DAY);
    const { begins, oddEnd } = calendar.grid(at("2026-07-01T12:00:00Z"));
    expect([begins, oddEnd]).toEqual([at("2026-11-01T07:00:00Z"), at("2026-11-02T08:00:00Z")]);
  });
});

/** A host under a quota of two a day, at this wall time. */
function stage(now: string, rate: object = { timeZone: LOS_ANGELES }) {
  const world = new World();
  const puppets = new Puppets();
  world.clock.stepWall(at(now) - world.clock.wallMs());
  const tools = { work: tool({ effect: "idempotent", run: puppets.tool("work") }) };
  const limits = { keys: { rate: { limit: 2, perMs: DAY, mode: "calendar", ...rate } } };
  const host = (): Host<any> => world.host(tools, { limits });
  const ask = (on: Host<any>, run: string, count = 1): void => {
    const calls = Array.from({ length: count }, (_, i) => ({ id: `${run}${i}`, tool: "work", input: i, key: "user" }));
    start(on, run, (one) => one.batch(calls));
  };
  return { world, puppets, host, ask };
}

describe("through the driver", () => {
  test.each([
    ["23 hours", "2024-03-10T08:00:00Z", 23],
    ["25 hours", "2024-11-03T07:00:00Z", 25],
    ["24 hours", "2024-06-10T07:00:00Z", 24],
  ])("a day of %s: what begins it is counted until it is over, and no longer", async (_, midnight, hours) => {
    const { world, puppets, host, ask } = stage(midnight);
    const one = host();
    ask(one, "r", 3);
    await settle();
    expect(puppets.began).toHaveLength(2);
    const until = at(midnight) + hours * HOUR;
    expect(one.runtime.explain("r", "r2")).toMatchObject({ why: "rate", limit: "keys", mayStartAt: until });
    await world.clock.pass(hours * HOUR - 1);
    expect(puppets.began).toHaveLength(2);
    await world.clock.pass(1);
    expect(puppets.began).toHaveLength(3);
  });

  test.each([
    ["crash", true],
    ["sleep", false],
  ])("after a %s over the change: the same day is used up still, the next is fresh", async (_, crashes) => {
    const { world, puppets, host, ask } = stage("2024-11-03T08:00:00Z"); // 1:00 a.m., before the clocks go back
    let one = host();
    ask(one, "r", 2);
    await settle();
    if (crashes) one.crash();
    world.clock.stepWall(22.5 * HOUR); // 10:30 p.m. of the same day, 23.5 hours of it gone
    await world.clock.pass(1);
    if (crashes) one = host();
    ask(one, "later");
    await settle();
    const midnight = at("2024-11-04T08:00:00Z");
    expect(one.runtime.explain("later", "later0")).toMatchObject({ why: "rate", mayStartAt: midnight });
    await world.clock.pass(midnight - world.clock.wallMs());
    expect(puppets.began).toHaveLength(3);
  });

  test("the control: with a fixed offset that day is over an hour too soon, also after a crash", async () => {
    const { world, puppets, host, ask } = stage("2024-11-03T08:00:00Z", { utcOffsetMinutes: -420 });
    const one = host();
    ask(one, "r", 2);
    await settle();
    one.crash();
    world.clock.stepWall(23.25 * HOUR); // 11:15 p.m.
    ask(host(), "later");
    await settle();
    expect(puppets.began).toHaveLength(3);
  });

  test("asleep from one offset to the other: days begin at midnight there as well", async () => {
    const { world, puppets, host, ask } = stage("2024-01-15T20:00:00Z");
    const one = host();
    ask(one, "r");
    await settle();
    world.clock.stepWall(at("2024-11-20T20:00:00Z") - world.clock.wallMs()); // past both changes of the year
    ask(one, "s", 3);
    await settle();
    expect(puppets.began).toHaveLength(3);
    const waits = one.runtime.explain("s", "s2") as any;
    expect(waits.mayStartAt).toBe(at("2024-11-21T08:00:00Z"));
    world.clock.stepWall(at("2025-06-20T20:00:00Z") - world.clock.wallMs());
    ask(one, "t", 3);
    await settle();
    expect((one.runtime.explain("t", "t1") as any).mayStartAt).toBe(at("2025-06-21T07:00:00Z"));
  });
});

describe("what is no time zone", () => {
  const tools = { work: tool({ run: () => 1 }) };
  const day = { limit: 1, perMs: DAY, mode: "calendar" };
  test.each([
    ["limits.rate.timeZone", { ...day, timeZone: "Mars/Olympus" }],
    ["limits.rate.timeZone", { ...day, timeZone: "+01:00" }],
    ["limits.rate.timeZone", { ...day, timeZone: 1 }],
    ["limits.rate.timeZone", { ...day, timeZone: "" }],
    ["limits.rate.timeZone", { limit: 1, perMs: DAY, timeZone: LOS_ANGELES }],
    ["limits.rate.utcOffsetMinutes", { ...day, timeZone: LOS_ANGELES, utcOffsetMinutes: 60 }],
    ["limits.rate.perMs", { ...day, timeZone: LOS_ANGELES, perMs: HOUR - 1 }],
    ["limits.rate.perMs", { ...day, timeZone: LOS_ANGELES, perMs: 8 * DAY }],
  ])("dx.config_errors: %s of %j", (path, rate) => {
    expect(() => checkOptions({ tools, limits: { rate } }, [])).toThrow(
      expect.objectContaining({ code: "invalid-option", details: expect.objectContaining({ path }) }),
    );
  });

  test("names that are known, whatever their case, and no others", () => {
    expect([LOS_ANGELES, "UTC", "europe/berlin"].map(isTimeZone)).toEqual([true, true, true]);
    expect(["", "Nowhere", "-0800", "America/Los Angeles"].map(isTimeZone)).toEqual(Array(4).fill(false));
  });
});
