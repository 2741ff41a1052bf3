// H8: how much per time. Each rate is held against a naive list of all starts.
import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { Quota } from "../../runtime-node/src/cli/demo-limits/quota.ts";
import { CoreWorld, limit, many, noRamp, SECOND } from "./core-world.ts";

/** The most that any half-open window of this length has in it. */
function worst(starts: readonly { at: number; cost?: number }[], window: number): number {
  let most = 0;
  for (const { at } of starts) {
    const inside = starts.filter((other) => other.at >= at && other.at < at + window);
    most = Math.max(
      most,
      inside.reduce((sum, { cost = 1 }) => sum + cost, 0),
    );
  }
  return most;
}

const laters = fc.array(fc.constantFrom(0, 1, 7, 50_000, 400_000, 990_000, SECOND), { minLength: 1, maxLength: 40 });

describe("window", () => {
  test("h8.window: never more than the limit in any window, wherever it begins; without it, all at once", () => {
    const holds = (limited: boolean): void =>
      fc.assert(
        fc.property(laters, fc.integer({ min: 1, max: 9 }), (steps, size) => {
          const world = new CoreWorld({
            concurrency: 1000,
            limits: limited ? [limit("window", { size, per: SECOND })] : [],
          });
          for (const [i, later] of steps.entries()) {
            world.pass(later);
            world.batch(many(`b${i}_`, 5));
            world.drain();
          }
          world.runDown();
          expect(worst(world.starts, SECOND)).toBeLessThanOrEqual(size);
        }),
        { numRuns: 100, seed: 1 },
      );
    holds(true);
    expect(() => holds(false)).toThrow();
  });

  test("h8.window: the attack on fixed windows, sixty before a boundary and sixty after", () => {
    const world = new CoreWorld({ concurrency: 1000, limits: [limit("window", { size: 60, per: 60 * SECOND })] });
    world.pass(49.9 * SECOND);
    world.batch(many("a", 60));
    world.pass(0.2 * SECOND);
    world.batch(many("b", 60));
    world.drain();
    expect(world.order).toHaveLength(60);
    world.runDown();
    expect(worst(world.starts, 60 * SECOND)).toBe(60);
    // R5: under demand at least 60 of 61 parts of the nominal rate.
    expect(world.starts.at(-1)!.at - world.starts[0]!.at).toBeLessThanOrEqual(61 * SECOND);
  });

  test("h8.50_at_10_per_s in the core: fifty calls at ten per second", () => {
    const world = new CoreWorld({ concurrency: 100, limits: [limit("window", { size: 10, per: SECOND })] });
    const from = world.now;
    world.batch(many("c", 50));
    world.runDown();
    expect(worst(world.starts, SECOND)).toBe(10);
    expect(world.starts.at(-1)!.at - from).toBeGreaterThanOrEqual(4 * SECOND);
    expect(world.starts.at(-1)!.at - from).toBeLessThanOrEqual(4.3 * SECOND);
  });

  test("h8.long_durations: thirty days are enforced, and the core asks to be woken after them", () => {
    const month = 30 * 24 * 3600 * SECOND;
    const world = new CoreWorld({ concurrency: 10, limits: [limit("window", { size: 2, per: month })] });
    world.batch(many("c", 3));
    expect(world.order).toHaveLength(2);
    expect(world.wakeAt - world.now).toBeGreaterThan(2 ** 31 * 1000);
    world.runDown();
    expect(world.starts.at(-1)!.at - world.starts[0]!.at).toBeGreaterThanOrEqual(month);
  });
});

describe("pace", () => {
  test("h8.pace: any window has at most burst + ⌊w/T⌋, and h8.retry_at: it starts at the microsecond it says", () => {
    return fc.assert(
      fc.property(laters, fc.integer({ min: 1, max: 7 }), fc.integer({ min: 1, max: 4 }), (steps, size, burst) => {
        const world = new CoreWorld({ concurrency: 1000, limits: [limit("pace", { size, per: SECOND, a: burst })] });
        for (const [i, later] of steps.entries()) {
          world.pass(later);
          world.batch(many(`b${i}_`, 3));
          world.drain();
        }
        const before = world.order.length;
        if (world.wakeAt !== 0) {
          const due = world.wakeAt;
          world.now = due - 1;
          world.handle([]);
          expect(world.order).toHaveLength(before);
          world.now = due;
          world.handle([]);
          expect(world.order.length).toBeGreaterThan(before);
        }
        world.runDown();
        for (const { at } of world.starts)
          for (const span of [0, 333_333, SECOND, 3 * SECOND]) {
            const inside = world.starts.filter((other) => other.at >= at && other.at <= at + span).length;
            expect(inside).toBeLessThanOrEqual(burst + Math.floor((span * size) / SECOND));
          }
      }),
      { numRuns: 100 },
    );
  });
});

describe("several rates, costs, calendars", () => {
  test("h8.rpm_tpm_rpd: the one that binds is named, and the day begins at its offset", () => {
    const day = 24 * 3600 * SECOND;
    const world = new CoreWorld({
      concurrency: 1000,
      limits: [
        limit("window", { size: 30, per: 60 * SECOND }),
        limit("window", { meter: 1, size: 100, per: 60 * SECOND }),
        limit("calendar", { size: 40, per: day, a: 3_600_000 }),
      ],
    });
    world.batch(many("c", 50, { cost: { 1: 5 } }));
    world.drain();
    expect(world.running.size).toBe(20);
    expect(world.explain("c49")).toMatchObject({ kind: "rate", size: 100n, inUse: 100n });
    world.pass(65 * SECOND);
    expect(world.order).toHaveLength(40);
    const waits = world.explain("c49");
    expect(waits).toMatchObject({ kind: "rate", size: 40n });
    expect((Number(waits.until) - 3_600_000) % 86_400_000).toBe(0);
    world.runDown();
  });

  test("h8.reconcile: more is a debt that drains first, less is given back, and no window has more than it may", () => {
    return fc.assert(
      fc.property(
        fc.array(fc.tuple(fc.integer({ min: 1, max: 20 }), fc.integer({ min: 0, max: 40 })), { maxLength: 25 }),
        (costs) => {
          const world = new CoreWorld({
            concurrency: 1,
            limits: [limit("window", { meter: 1, size: 40, per: SECOND })],
          });
          world.batch(costs.map(([estimate], i) => ({ name: `c${i}`, cost: { 1: estimate } })));
          world.runDown((name) => world.ok(name, { 1: costs[Number(name.slice(1))]![1] }));
          const spent = world.starts.map(({ name, at }) => ({ at, cost: costs[Number(name.slice(1))]![1] }));
          // R6: at most one call in flight can overshoot, by as much as its actual cost exceeds the estimate.
          const overshoot = Math.max(0, ...costs.map(([estimate, actual]) => actual - estimate));
          expect(worst(spent, SECOND)).toBeLessThanOrEqual(40 + overshoot);
        },
      ),
      { numRuns: 150 },
    );
  });

  test("h8.no_burn: ten thousand looks at a full rate cost nothing", () => {
    const world = new CoreWorld({ concurrency: 100, limits: [limit("window", { size: 1, per: SECOND })] });
    world.batch(many("c", 3));
    for (let i = 0; i < 10_000; i++) world.handle([]);
    const from = world.now;
    world.runDown();
    expect(world.starts.at(-1)!.at - from).toBeLessThanOrEqual(2.2 * SECOND);
  });
});

describe("what the provider says", () => {
  test("h8.retry_after: the whole scope rests, order and retries untouched, then it starts with one, two, four", () => {
    const world = new CoreWorld({ concurrency: 8 });
    world.batch(many("c", 90));
    world.overloaded("c0", 5 * SECOND);
    const from = world.now;
    for (let i = 1; i < 8; i++) world.ok(`c${i}`);
    expect(world.running.size).toBe(0);
    expect(world.explain("c0")).toMatchObject({ kind: "resting", scope: "tool" });
    world.pass(world.wakeAt - world.now);
    const resumed = world.starts.at(-1)!;
    expect(resumed.name).toBe("c0"); // in its old place
    expect(resumed.at - from).toBeGreaterThanOrEqual(5 * SECOND);
    expect(resumed.at - from).toBeLessThanOrEqual(5.5 * SECOND + 1);
    const sizes: number[] = [];
    for (let round = 0; round < 6; round++) {
      sizes.push(world.running.size);
      for (const name of [...world.running]) world.ok(name);
    }
    expect(sizes.slice(0, 3)).toEqual([1, 2, 4]);
    expect(sizes.at(-1), String(sizes)).toBe(8);
    for (const [i, size] of sizes.entries()) expect(size).toBeLessThanOrEqual(2 ** i);
    world.runDown();
  });

  /** Four hosts with fifty calls each on a provider of sixty a minute that none of them knows, to the millisecond. */
  function storm(ramp: boolean): { refused: number; attempts: number; ok: number } {
    const quota = new Quota({ requests: { limit: 60, perMs: 60_000 } });
    const limits = ramp ? [] : noRamp({ scope: "runtime" }, { scope: "tool" });
    const hosts = [11, 22, 33, 44].map((seed) => ({ world: new CoreWorld({ seed, limits }), out: new Set<string>() }));
    const ends: { at: number; host: (typeof hosts)[number]; name: string; rest: number | undefined }[] = [];
    const asked = new Map<string, number>();
    let refused = 0;
    const ask = (host: (typeof hosts)[number]): void => {
      for (const name of host.world.running) {
        if (host.out.has(name)) continue;
        host.out.add(name);
        const answer = quota.ask(host.world.now / 1000, 1);
        const rest = "why" in answer ? Math.ceil(answer.retryAfterMs) * 1000 : undefined;
        if (rest !== undefined) refused++;
        asked.set(name, (asked.get(name) ?? 0) + 1);
        ends.push({ at: host.world.now + 20_000, host, name, rest });
      }
    };
    for (const [i, host] of hosts.entries()) host.world.batch(many(`h${i}_`, 50));
    for (let now = hosts[0]!.world.now; ends.length > 0 || hosts.some(({ world }) => world.ended.size < 50); ) {
      for (const host of hosts) ask(host);
      const wakes = hosts.map(({ world }) => (world.wakeAt === 0 ? Number.POSITIVE_INFINITY : world.wakeAt));
      now = Math.max(now, Math.min(...ends.map(({ at }) => at), ...wakes));
      for (const { world } of hosts) {
        world.now = now;
        if (world.wakeAt !== 0 && world.wakeAt <= now) world.handle([]);
      }
      for (const one of ends.filter(({ at }) => at <= now)) {
        ends.splice(ends.indexOf(one), 1);
        one.host.out.delete(one.name);
        if (one.rest === undefined) one.host.world.ok(one.name);
        else one.host.world.overloaded(one.name, one.rest);
      }
    }
    const ok = hosts.flatMap(({ world }) => [...world.ended.values()]).filter(({ outcome }) => outcome === "ok").length;
    return { refused, attempts: Math.max(...asked.values()), ok };
  }

  test("h8.429_storm: 200 calls of four hosts on 60 a minute", () => {
    const slow = storm(true);
    const fast = storm(false);
    expect([slow.ok, fast.ok]).toEqual([200, 200]);
    expect(slow.attempts).toBeLessThanOrEqual(3);
    // The control, without the slow start.
    expect(fast.attempts).toBeGreaterThan(3);
    expect(slow.refused).toBeLessThan(fast.refused);
  });

  test("h8.429_storm: hosts that are told the same at once come back in different milliseconds; with one seed they would not", () => {
    /** The ms at which each of four hosts makes its first call after a rest of a minute. */
    const returns = (seeds: readonly number[]): number[] =>
      seeds.map((seed) => {
        const world = new CoreWorld({ seed });
        world.batch(many("c", 2));
        world.overloaded("c0", 60 * SECOND);
        world.ok("c1");
        world.pass(62 * SECOND);
        return Math.floor(world.starts.at(-1)!.at / 1000);
      });
    let together = 0;
    for (let storm = 0; storm < 50; storm++) {
      const at = returns([1, 2, 3, 4].map((host) => host + 10 * storm));
      for (const ms of at) expect(ms).toBeGreaterThanOrEqual(70_000); // never before it was told
      if (new Set(at).size < 4) together++;
    }
    // A second has a thousand ms, so of fifty storms one in three hundred pairs may meet.
    expect(together).toBeLessThanOrEqual(2);
    expect(new Set(returns([7, 7, 7, 7])).size).toBe(1);
  });

  test.each([
    ["nothing said: half a second to a minute", 0, SECOND / 2, 60 * SECOND],
    ["an absurd time is a day", 10 ** 9 * SECOND, 24 * 3600 * SECOND, 24 * 3600 * SECOND + SECOND],
  ])("h8.retry_after: %s", (_, told, least, most) => {
    const world = new CoreWorld();
    world.batch(many("c", 2));
    world.overloaded("c0", told);
    const rest = world.wakeAt - world.now;
    expect(rest).toBeGreaterThanOrEqual(least);
    expect(rest).toBeLessThanOrEqual(most + SECOND);
  });

  test("h8.retry_after: past the deadline it fails at once, and says until when", () => {
    const world = new CoreWorld();
    world.batch([{ name: "c", deadline: 3_000 }]);
    world.overloaded("c", 5 * SECOND);
    expect(world.ended.get("c")).toMatchObject({ outcome: "error", reason: "rate-limited-beyond-deadline" });
    expect(world.ended.get("c")!.until).toBeGreaterThanOrEqual(world.wall + 5_000);
  });

  test("h8.retry_after: told by a call that has settled, it rests all the same; control: one that failed then", () => {
    const startsNext = (end: (world: CoreWorld) => void): boolean => {
      const world = new CoreWorld();
      world.batch([{ name: "c", deadline: 100 }]);
      world.pass(SECOND / 5);
      expect(world.ended.get("c")).toMatchObject({ outcome: "timed-out" });
      end(world);
      expect(world.ended.get("c")).toMatchObject({ outcome: "timed-out" });
      world.batch([{ name: "d" }]);
      return world.order.includes("d");
    };
    expect(startsNext((world) => world.fail("c"))).toBe(true);
    expect(startsNext((world) => world.overloaded("c", SECOND))).toBe(false);
  });

  test("a call is told to slow down so often, and then it is its error", () => {
    const world = new CoreWorld({ tools: [{ throttles: 2 }] });
    world.batch([{ name: "c", effect: "once" }]);
    for (let i = 0; i < 3; i++) {
      world.overloaded("c", 1000);
      world.pass(SECOND);
    }
    expect(world.ended.get("c")).toMatchObject({ outcome: "error" });
    expect(world.order).toHaveLength(3);
    world.finish();
  });

  test("h8.header_sync_tightens_only: fewer left counts, more left does not", () => {
    const world = new CoreWorld({ concurrency: 100, limits: [limit("window", { size: 10, per: SECOND })] });
    world.batch(many("c", 4));
    world.event("observed", { mode: 1, slot: 0, attempt: 0, a: 9n });
    world.batch(many("d", 3));
    expect(world.running.size).toBe(7);
    world.event("observed", { mode: 1, slot: 0, attempt: 0, a: 1n });
    world.batch(many("e", 3));
    expect(world.running.size).toBe(8);
    world.event("observed", { mode: 1, slot: 0, attempt: 0, a: 0n, b: BigInt(9 * SECOND) });
    world.pass(5 * SECOND);
    expect(world.running.size).toBe(8);
    world.runDown();
  });

  test("h8.clock: a clock that steps back or stands delays nothing beyond what it would have been", () => {
    const steps = fc.array(fc.integer({ min: -5 * SECOND, max: 2 * SECOND }), { maxLength: 30 });
    return fc.assert(
      fc.property(steps, (laters) => {
        const run = (monotone: boolean): string[] => {
          const world = new CoreWorld({ concurrency: 3, limits: [limit("window", { size: 2, per: SECOND })] });
          world.batch(many("c", 20));
          let real = world.now;
          let most = world.now;
          const seen: string[] = [];
          for (const later of laters) {
            real = Math.max(SECOND, real + later);
            most = Math.max(most, real);
            world.now = monotone ? most : real;
            if (world.running.size > 0) world.ok([...world.running][0] as string);
            else world.handle([]);
            seen.push([...world.running].join());
          }
          return seen;
        };
        expect(run(false)).toEqual(run(true));
      }),
      { numRuns: 100 },
    );
  });
});
