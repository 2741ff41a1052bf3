// H5, H9 and H10: a queue that is bounded, times that are kept, and what is given up first when there is too much.
import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { CoreWorld, limit, many, SECOND } from "./core-world.ts";

const queue = (size: number, mode = 0) => limit("queue", { scope: "runtime", size, mode });

describe("a bounded queue", () => {
  test("h4.queue_bound: never more wait than may; who is refused is told when to come again", () => {
    const holds = (bounded: boolean): void =>
      fc.assert(
        fc.property(fc.array(fc.integer({ min: 1, max: 12 }), { maxLength: 20 }), (sizes) => {
          const world = new CoreWorld({ concurrency: 2, limits: bounded ? [queue(10)] : [] });
          for (const [i, size] of sizes.entries()) {
            world.batch(many(`b${i}_`, size));
            expect(world.standing.queued).toBeLessThanOrEqual(10);
            if (world.running.size > 0) world.ok([...world.running][0] as string);
          }
          for (const { outcome, reason, until } of world.ended.values()) {
            if (outcome !== "not-started") continue;
            expect(reason).toBe("overloaded");
            expect(until).toBeGreaterThan(world.wall - 1_000);
          }
          world.runDown();
        }),
        { numRuns: 100, seed: 2 },
      );
    holds(true);
    expect(() => holds(false)).toThrow();
  });

  test("h5.pressure.hysteresis: up at 80 and 100 in a hundred, down at 60 and not before", () => {
    const world = new CoreWorld({ concurrency: 1, limits: [queue(10)] });
    const levels: number[] = [];
    world.batch([{ name: "busy" }]);
    for (let i = 0; i < 10; i++) {
      world.batch([{ name: `c${i}` }]);
      levels.push(world.pressure);
    }
    expect(levels).toEqual([0, 0, 0, 0, 0, 0, 0, 1, 1, 2]);
    const down: number[] = [];
    while (world.running.size > 0) {
      world.ok([...world.running][0] as string);
      down.push(world.pressure);
    }
    // 9, 8 … waiting: full until below 8, slow until below 6.
    expect(down.slice(0, 6)).toEqual([2, 2, 1, 1, 0, 0]);
    world.finish();
  });

  test("h5.retry_after_estimate: a producer that comes again when it was told to is let in", () => {
    const world = new CoreWorld({ concurrency: 4, limits: [queue(20)] });
    world.batch(many("c", 24));
    for (let i = 0; i < 40; i++) {
      world.pass(SECOND / 10);
      world.ok([...world.running][0] as string);
      world.batch([{ name: `d${i}` }]);
    }
    world.batch([{ name: "late" }]);
    const { outcome, until } = world.ended.get("late")!;
    expect(outcome).toBe("not-started");
    const wait = until - world.wall;
    expect(wait).toBeGreaterThan(500);
    for (let passed = 0; passed < wait; passed += 100) {
      world.pass(SECOND / 10);
      world.ok([...world.running][0] as string);
    }
    world.batch([{ name: "again" }]);
    expect(world.ended.has("again")).toBe(false);
    world.runDown();
  });

  test.each([
    ["reject-new", 0, ["new"]],
    ["drop-oldest-lowest", 1, ["low0"]],
    ["drop-lower-only", 2, ["low0"]],
  ] as const)("h10.shed_outcomes: %s", (_, mode, dropped) => {
    const world = new CoreWorld({ concurrency: 1, limits: [queue(4, mode)] });
    world.batch([{ name: "busy" }, ...many("low", 2, { priority: -1 }), ...many("mid", 2)]);
    world.batch([{ name: "new" }]);
    expect([...world.ended.keys()]).toEqual(dropped);
    for (const name of dropped)
      expect(world.ended.get(name)).toMatchObject({ outcome: "not-started", reason: "overloaded" });
    world.runDown();
  });

  test("h10.shed_outcomes: nobody higher is dropped while a lower one waits, and nobody who was started", () => {
    return fc.assert(
      fc.property(fc.array(fc.integer({ min: -3, max: 3 }), { minLength: 1, maxLength: 40 }), (priorities) => {
        const world = new CoreWorld({ concurrency: 1, limits: [queue(5, 1)] });
        world.batch([{ name: "busy", priority: 1000 }]);
        const waiting = new Map<string, number>();
        for (const [i, priority] of priorities.entries()) {
          const before = new Set(world.ended.keys());
          waiting.set(`c${i}`, priority);
          world.batch([{ name: `c${i}`, priority }]);
          for (const name of world.ended.keys()) {
            if (before.has(name)) continue;
            const own = waiting.get(name)!;
            waiting.delete(name);
            expect(own).toBeLessThanOrEqual(Math.min(...waiting.values(), own));
          }
        }
        expect(world.ended.has("busy")).toBe(false);
        world.runDown();
      }),
      { numRuns: 150 },
    );
  });

  describe("h10.ladder", () => {
    /** What has been given up so far, rung by rung, as a queue of ten fills up; and who starts as it drains. */
    function climbed(background: boolean, sheddable: boolean) {
      const world = new CoreWorld({ concurrency: 1, limits: [queue(10)] });
      const dropped = (prefix: string): number =>
        [...world.ended].filter(([name, { reason }]) => name.startsWith(prefix) && reason === "overloaded").length;
      world.batch([
        { name: "busy" },
        ...many("back", 2, { background }),
        ...many("shed", 3, { sheddable }),
        ...many("c", 2),
      ]);
      const calm = { pressure: world.pressure, shed: dropped("shed"), refused: dropped("d") };
      world.batch([{ name: "d0" }]);
      const slow = { pressure: world.pressure, shed: dropped("shed"), refused: dropped("d") };
      world.ok("busy");
      const first = [...world.running][0] as string;
      world.batch(many("d1", 5));
      const full = { pressure: world.pressure, shed: dropped("shed"), refused: dropped("d") };
      world.batch(many("d2", 3));
      const over = { pressure: world.pressure, shed: dropped("shed"), refused: dropped("d") };
      const back: number[] = [];
      const from = world.order.length;
      while (world.running.size > 0) {
        world.ok([...world.running][0] as string);
        back.push(world.pressure);
      }
      world.finish();
      return { calm, slow, first, full, over, back, drained: world.order.slice(from) };
    }

    test("first the background goes last, then the sheddable are dropped, then the new are refused; and back in reverse", () => {
      const { calm, slow, first, full, over, back, drained } = climbed(true, true);
      expect(calm).toEqual({ pressure: 0, shed: 0, refused: 0 });
      // 80 in a hundred: what is in the background waits for all others, and nobody is dropped yet.
      expect(slow).toEqual({ pressure: 1, shed: 0, refused: 0 });
      expect(first).toBe("shed0");
      expect(full).toEqual({ pressure: 2, shed: 2, refused: 0 });
      expect(over).toEqual({ pressure: 2, shed: 2, refused: 3 });
      // Down again, from full to slow to calm and never up. While it is slow the background starts nothing; then it does, in its turn among the others.
      expect(back).toEqual([...back].sort((a, b) => b - a));
      expect(new Set(back)).toEqual(new Set([2, 1, 0]));
      const calmAt = back.indexOf(0);
      expect(drained.slice(0, calmAt).filter((name) => name.startsWith("back"))).toEqual([]);
      expect(drained.slice(calmAt, calmAt + 3)).toContain("back0");
      expect(drained.at(-1)).not.toBe("back0");
    });

    test("the control: without the words for it nothing is deferred and nothing dropped, and the new are refused at once", () => {
      const { first, full } = climbed(false, false);
      expect(first).toBe("back0");
      expect(full).toMatchObject({ shed: 0, refused: 2 });
    });
  });

  test("h10.codel_lifo: in a queue that stands the old are dropped and the fresh are served in time", () => {
    const inTime = (watched: boolean): number => {
      const world = new CoreWorld({
        concurrency: 1,
        limits: [
          queue(100_000),
          ...(watched ? [limit("delay", { scope: "runtime", a: SECOND, per: 5 * SECOND })] : []),
        ],
      });
      const asked = new Map<string, number>();
      let good = 0;
      for (let tick = 0; tick < 1200; tick++) {
        // Three come for each that can be served.
        world.batch(many(`t${tick}_`, 3, { sheddable: true }));
        for (let i = 0; i < 3; i++) asked.set(`t${tick}_${i}`, world.now);
        world.pass(SECOND / 10);
        const name = [...world.running][0] as string;
        if (tick > 400 && world.now - asked.get(name)! <= 3 * SECOND) good++;
        world.ok(name);
      }
      world.runDown();
      return good / 800;
    };
    expect(inTime(true)).toBeGreaterThanOrEqual(0.8);
    expect(inTime(false)).toBeLessThan(0.1);
  });

  test("one step starts at most 64, and the next follows at once", () => {
    const world = new CoreWorld({ concurrency: 1000 });
    world.batch(many("c", 200));
    const steps = [world.startsOfStep];
    while (world.wakeAt !== 0 && world.wakeAt <= world.now) {
      world.handle([]);
      steps.push(world.startsOfStep);
    }
    expect(steps.filter((count) => count > 0)).toEqual([64, 64, 64, 8]);
    world.runDown();
  });
});

describe("times", () => {
  test("h9.batch_deadline: at half of it the rest is told, in one step, in order", () => {
    const world = new CoreWorld({ concurrency: 5 });
    world.batch(many("c", 20), { deadline: 1_000 });
    for (let i = 0; i < 5; i++) world.ok(`c${i}`);
    world.now += SECOND;
    world.handle([]);
    const settled = world.last!.entries.filter(({ kind }) => kind === "settled");
    expect(settled).toHaveLength(15);
    expect(settled.map(({ slot }) => slot)).toEqual([...settled.map(({ slot }) => slot)].sort((a, b) => a - b));
    expect(settled.filter(({ outcome }) => outcome === "timed-out")).toHaveLength(5);
    for (const { reason } of settled) expect(reason).toBe("deadline");
    expect(world.aborted).toHaveLength(5);
    for (const name of [...world.running]) world.stopped(name);
    world.finish();
  });

  test("h9.start_vs_run_vs_total: each has its own word", () => {
    const world = new CoreWorld({ concurrency: 2 });
    world.batch([
      { name: "runs", runFor: SECOND },
      { name: "total", deadline: 1_500 },
      { name: "start", startWithin: 500_000 },
    ]);
    world.pass(2 * SECOND);
    expect(world.ended.get("start")).toMatchObject({ outcome: "not-started", reason: "start-within" });
    expect(world.ended.get("runs")).toMatchObject({ outcome: "timed-out", reason: "none" });
    expect(world.ended.get("total")).toMatchObject({ outcome: "timed-out", reason: "deadline" });
    for (const name of [...world.running]) world.stopped(name);
    world.finish();
  });

  test("h9.one_timeout_only: a timeout tells one call to stop, and no other", () => {
    const world = new CoreWorld({ concurrency: 5 });
    world.batch([{ name: "slow", runFor: SECOND }, ...many("c", 4)]);
    world.pass(2 * SECOND);
    expect(world.aborted).toEqual(["slow"]);
    world.stopped("slow");
    world.runDown();
  });

  test("h9.timeout_vs_settle_race: in whichever order, one outcome and one return of the permit", () => {
    for (const first of ["settle", "time"] as const) {
      const world = new CoreWorld({ concurrency: 1 });
      world.batch([{ name: "c", runFor: SECOND }, { name: "next" }]);
      if (first === "settle") {
        world.ok("c");
        world.pass(2 * SECOND);
      } else {
        world.pass(2 * SECOND);
        world.ok("c");
      }
      expect(world.ended.get("c")!.outcome).toBe(first === "settle" ? "ok" : "timed-out");
      expect(world.running.has("next")).toBe(true);
      world.ok("next");
      world.finish();
    }
  });
});

/** The naive breaker: a list of samples. */
class ListBreaker {
  readonly samples: { at: number; failed: boolean }[] = [];
  opensAt(at: number, failed: boolean, least: number, width: number): boolean {
    this.samples.push({ at, failed });
    const newest = Math.floor(at / width);
    const recent = this.samples.filter((one) => Math.floor(one.at / width) > newest - 10);
    const failures = recent.filter((one) => one.failed).length;
    return failed && recent.length >= least && failures * 2 >= recent.length;
  }
}

describe("the breaker", () => {
  const breaker = (mode = 0) => limit("breaker", { size: 4, per: 10 * SECOND, a: 500, b: 3 * SECOND, meter: 1, mode });

  test("h10.breaker.model: it opens when a list of samples says so", () => {
    const sample = fc.record({
      later: fc.constantFrom(0, 300_000, SECOND, 15 * SECOND, 3600 * SECOND),
      failed: fc.boolean(),
    });
    const holds = (ring: boolean): void =>
      fc.assert(
        fc.property(fc.array(sample, { minLength: 1, maxLength: 40 }), (samples) => {
          const world = new CoreWorld({ limits: ring ? [breaker()] : [] });
          const list = new ListBreaker();
          for (const [i, { later, failed }] of samples.entries()) {
            world.pass(later);
            world.batch([{ name: `c${i}` }]);
            if (failed) world.fail(`c${i}`);
            else world.ok(`c${i}`);
            const opens = list.opensAt(world.now, failed, 4, SECOND);
            const state = world.core.gauge(BigInt(world.now), BigInt(world.wall), "tool", 0).breaker;
            expect(state === "open").toBe(opens);
            if (opens) break;
          }
          world.finish();
        }),
        { numRuns: 200, seed: 4 },
      );
    holds(true);
    expect(() => holds(false)).toThrow();
  });

  function opened(mode = 0): CoreWorld {
    const world = new CoreWorld({ limits: [breaker(mode)] });
    world.batch(many("old", 6));
    for (let i = 0; i < 4; i++) world.fail(`old${i}`);
    return world;
  }

  test("open: nothing starts; calls fail at once and are told until when, or wait", () => {
    const fails = opened();
    fails.batch([{ name: "c" }]);
    expect(fails.ended.get("c")).toMatchObject({ outcome: "error", reason: "circuit-open" });
    expect(fails.ended.get("c")!.until).toBe(fails.wall + 3_000);
    const waits = opened(1);
    waits.batch([{ name: "c" }]);
    expect(waits.explain("c")).toMatchObject({ kind: "breaker", scope: "tool" });
    waits.pass(3 * SECOND);
    expect(waits.running.has("c")).toBe(true);
    waits.runDown();
  });

  test("late outcomes of an older generation change nothing; a hung probe is a failed one; it doubles", () => {
    const world = opened(1);
    world.batch(many("c", 6));
    world.ok("old4"); // a late success of before
    expect(world.running.has("c0")).toBe(false);
    world.pass(3 * SECOND);
    expect(world.running.has("c0")).toBe(true);
    expect(world.running.has("c1")).toBe(false); // one probe
    world.ok("old5");
    expect(world.running.has("c1")).toBe(false);
    world.pass(4 * SECOND); // the probe hangs: it has failed, and the next wait is twice as long
    expect(world.running.has("c1")).toBe(false);
    world.pass(5.1 * SECOND);
    expect(world.running.has("c1")).toBe(true);
    world.ok("c1");
    expect(world.running.has("c2")).toBe(false); // closed, but slowly, and the hung one still runs
    world.ok("c0");
    expect(world.running.has("c2")).toBe(true);
    expect(world.running.has("c3")).toBe(false);
    world.runDown();
  });

  test("h10.breaker.isolates_tool: others are not touched", () => {
    const world = new CoreWorld({ tools: [{}, {}], limits: [breaker()] });
    world.batch(many("bad", 4));
    for (let i = 0; i < 4; i++) world.fail(`bad${i}`);
    world.batch([{ name: "other", tool: 1 }, { name: "c" }]);
    expect(world.running.has("other")).toBe(true);
    expect(world.ended.get("c")!.reason).toBe("circuit-open");
    world.runDown();
  });
});

describe("what finds its own pace", () => {
  test("h10.aimd: it settles below a backend of forty, and again after it has shrunk to ten", () => {
    const world = new CoreWorld({ concurrency: 200, limits: [limit("adaptive", { size: 10, a: 1 })] });
    world.batch(many("c", 20_000));
    let slots = 40;
    const caps: number[] = [];
    const work = (rounds: number): void => {
      for (let i = 0; i < rounds; i++) {
        const running = [...world.running];
        // The backend answers 429 to what is above its slots.
        if (running.length > slots) world.overloaded(running.at(-1) as string);
        else world.ok(running[0] as string);
        if (i % 20 === 0) world.pass(SECOND / 20);
        caps.push(world.core.gauge(BigInt(world.now), BigInt(world.wall), "tool", 0).cap);
      }
    };
    work(4_000);
    const settled = caps.slice(-500);
    expect(Math.min(...settled)).toBeGreaterThanOrEqual(34);
    expect(Math.max(...settled)).toBeLessThanOrEqual(42);
    slots = 10;
    work(400);
    expect(Math.max(...caps.slice(-50))).toBeLessThanOrEqual(12);
    slots = 40;
    work(3_000);
    expect(Math.min(...caps.slice(-300))).toBeGreaterThanOrEqual(34);
  });
});
