// What nobody should do, and somebody will: a flood of names, limits that change at every step, numbers at
// the ends of their ranges, calls that are made and cancelled as others end, an outside that slows to a crawl.
import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { tool } from "../../bindings/js/src/index.ts";
import { settle, start, World } from "../rules/fakes.ts";
import { CoreWorld, limit, many, noRamp, SECOND } from "./core-world.ts";

/** 10^5 by default; `KEY_FLOOD=1000000` for the full flood. */
const FLOOD = Number(process.env.KEY_FLOOD ?? 100_000);
const TOGETHER = 20;

describe("adv.key_flood", () => {
  const flooded = (count: number) => {
    const limits = [
      limit("window", { scope: "key", size: 1, per: SECOND }),
      limit("concurrency", { scope: "tenant", size: TOGETHER }),
    ];
    const world = new CoreWorld({ concurrency: TOGETHER, limits });
    const empty = world.standing;
    let most = 0;
    for (let i = 0; i < count; i += TOGETHER) {
      world.now += TOGETHER * 1_000;
      const asked = Array.from({ length: TOGETHER }, (_, j) => ({ name: `c${i + j}`, key: `key${i + j}` }));
      world.batch(asked, { tenant: `tenant${i}` });
      world.allOk(asked.map(({ name }) => name));
      most = Math.max(most, world.standing.scopes);
    }
    return { world, empty, most };
  };

  test("a name that nobody says any more is forgotten while others come", () => {
    const { world, empty, most } = flooded(FLOOD);
    expect(world.order).toHaveLength(FLOOD);
    // A key is remembered for its window, and at a thousand names a second that is some thousands.
    expect(most).toBeGreaterThan(500);
    expect(most).toBeLessThan(5_000);
    world.pass(10 * SECOND);
    world.pass(10 * SECOND);
    expect(world.standing.scopes).toBe(empty.scopes);
    world.finish();
  }, 300_000);

  test("the control: as long as its window is open a name is remembered", () => {
    expect(flooded(400).world.standing.scopes).toBeGreaterThanOrEqual(400);
  });
});

describe("adv.config_change_storm", () => {
  const CALLS = 40;
  const PACE = SECOND / 10; // of the tool: one at a time
  const change = fc.record({ scope: fc.constantFrom("runtime", "tool", "key"), size: fc.integer({ min: 0, max: 5 }) });
  const what = fc.constantFrom("ok", "ok", "cancel");
  const step = fc.record({ change, what, of: fc.nat(), pass: fc.constantFrom(0, 10_000, PACE, 350_000) });
  /** What of the oracle's rules is left out, so that it must be found wrong. */
  type Without = "nothing" | "the changes" | "calls that were told to stop" | "what refusals would burn";

  /** What the rules say must have started, step by step: an oracle of counts. */
  class Storm {
    readonly sizes = { runtime: 3, tool: Number.POSITIVE_INFINITY, key: 2 };
    started = 0;
    nextAt = 0;
    constructor(
      readonly world: CoreWorld,
      readonly without: Without,
    ) {}

    get #inside(): number {
      const { running, aborted } = this.world;
      const told = [...running].filter((name) => aborted.includes(name)).length;
      // P4: one that was told to stop and has not yet is inside.
      return running.size - (this.without === "calls that were told to stop" ? told : 0);
    }

    /** From the last look until now: each start takes the pace, whoever is refused takes nothing (P5). */
    look(from: number, insideBefore: number): void {
      const cap = Math.min(...Object.values(this.sizes));
      let inside = insideBefore;
      for (let at = Math.max(from, this.nextAt); at <= this.world.now; at = this.nextAt) {
        if (this.started === CALLS || inside >= cap) break;
        this.started++;
        inside++;
        this.nextAt = at + PACE * (this.without === "what refusals would burn" ? 2 : 1);
      }
      // P1: no more than may. P6: and no less. P7: at the very moment.
      expect(this.world.order).toHaveLength(this.started);
      expect(this.world.standing.inUse).toBe(this.#inside); // P2
    }
  }

  const holds = (without: Without): void =>
    fc.assert(
      fc.property(fc.array(step, { minLength: 5, maxLength: 40 }), (steps) => {
        const limits = [
          limit("concurrency", { scope: "key", size: 2 }),
          limit("pace", { size: 10, per: SECOND, a: 1 }),
          ...noRamp({ scope: "runtime" }, { scope: "tool" }, { scope: "key" }),
        ];
        const world = new CoreWorld({ concurrency: 3, limits });
        const storm = new Storm(world, without);
        world.batch(many("c", CALLS, { key: "k" }));
        storm.look(world.now, 0);
        for (const { change, what, of, pass } of steps) {
          storm.sizes[change.scope as keyof typeof storm.sizes] = change.size;
          let inside = world.running.size;
          if (without !== "the changes") world.setLimit(change.scope as "runtime", 0, change.size);
          storm.look(world.now, inside);
          if (world.running.size > 0) {
            const name = [...world.running][of % world.running.size] as string;
            inside = world.running.size - (what === "ok" || world.aborted.includes(name) ? 1 : 0);
            if (world.aborted.includes(name)) {
              world.stopped(name);
              world.stopped(name); // P3: a second word of the same changes nothing
            } else if (what === "ok") {
              world.ok(name);
              world.ok(name);
            } else world.cancel(name);
            storm.look(world.now, inside);
          }
          const from = world.now;
          inside = world.running.size;
          if (pass > 0) world.pass(pass); // P7 as well: `pass` holds each wake-up to its word
          storm.look(from, inside);
        }
        for (const scope of ["runtime", "tool", "key"] as const) world.setLimit(scope, 0, 4);
        world.runDown((name) => (world.aborted.includes(name) ? world.stopped(name) : world.ok(name)));
      }),
      { numRuns: 80, seed: 11, endOnFailure: true },
    );

  test("P1–P7: another limit at every step, and no limit is ever passed, lost, burnt or forgotten", () => {
    holds("nothing");
  });

  test.each(["the changes", "calls that were told to stop", "what refusals would burn"] as const)(
    "the control: an oracle without %s is found wrong",
    (without) => {
      expect(() => holds(without)).toThrow();
    },
  );
});

describe("numbers at the ends of their ranges", () => {
  test.each([
    ["zero", 0, "invalid-option"],
    ["negative", -1, "invalid-option"],
    ["half", 1.5, "invalid-option"],
    ["not a number", Number.NaN, "invalid-option"],
    ["beyond all integers", 2 ** 53, "invalid-option"],
  ])("adv.weights: %s", async (_, weight, code) => {
    const world = new World();
    const host = world.host({ work: tool({ effect: "read", run: () => 1 }) }, { limits: { concurrency: 4 } });
    const run = start(host, "r", (one: any) => one.batch([{ id: "c", tool: "work", input: 0, weight }]));
    await settle();
    expect(run.error).toMatchObject({ code, details: { path: "calls[0].weight" } });
  });

  test("adv.weights: more than there will ever be is said, as much as there is may go, alone", () => {
    const world = new CoreWorld({ concurrency: 0xfffffffe });
    world.batch([{ name: "huge", weight: 0xffffffff }, { name: "all", weight: 0xfffffffe }, { name: "one" }]);
    expect(world.ended.get("huge")).toMatchObject({ outcome: "not-started", reason: "too-large" });
    expect([...world.running]).toEqual(["all"]); // no sum wraps around
    world.ok("all");
    expect([...world.running]).toEqual(["one"]);
    world.runDown();
  });

  test.each([-1001, 1001, 2 ** 31 - 1, -(2 ** 31)])("adv.priority_extremes: %i is refused", (priority) => {
    const world = new CoreWorld({ concurrency: 1 });
    world.batch([{ name: "c", priority }]);
    expect(world.refused).toHaveLength(1);
    expect(world.order).toEqual([]);
  });

  test.each([1, 1_000, 2 ** 40])("adv.priority_extremes: from −1000 to 1000, with a step of %i µs", (a) => {
    const order = limit("order", { scope: "runtime", a, b: 60 * SECOND });
    const world = new CoreWorld({ concurrency: 1, limits: [order] });
    const priorities = [0, -1000, 1000, -999, 999, 1, -1];
    world.batch([{ name: "busy" }]);
    world.batch(priorities.map((priority) => ({ name: `p${priority}`, priority })));
    world.ok("busy");
    world.reprioritise("p-1000", 1000); // as far as it can be moved, and back
    world.reprioritise("p-1000", -1000);
    world.runDown();
    expect(world.order.slice(1)).toEqual(["p1000", "p999", "p1", "p0", "p-1", "p-999", "p-1000"]);
  });
});

describe("adv.reentrant", () => {
  test("calls that are made and cancelled as others end: all end once, and never more at once than may", () => {
    return fc.assert(
      fc.property(fc.array(fc.nat(5), { minLength: 1, maxLength: 40 }), (whats) => {
        const world = new CoreWorld({
          concurrency: 2,
          tools: [{}],
          limits: [limit("queue", { scope: "runtime", size: 8 })],
        });
        world.batch(many("first", 4));
        const left = [...whats];
        let made = 0;
        let asked = 4;
        world.runDown((name) => {
          const what = left.pop() ?? 0;
          // Before its own end, so that the core hears of others while it runs.
          if (what >= 3) {
            world.batch(many(`n${made++}_`, what - 2));
            asked += what - 2;
          }
          const waits = [...Array(made).keys()].map((i) => `n${i}_0`).find((one) => !world.ended.has(one));
          if (what % 2 === 1 && waits !== undefined) world.cancel(waits);
          if (world.aborted.includes(name)) world.stopped(name);
          else world.ok(name);
          expect(world.running.size).toBeLessThanOrEqual(2);
        });
        expect(world.ended.size).toBe(asked);
      }),
      { numRuns: 80 },
    );
  });
});

describe("h5.slow_downstream", () => {
  /** Ten a second come, and ten can be served; then the outside takes a hundred times as long for ten seconds. */
  function slowed(bounded: boolean) {
    const limits = bounded ? [limit("queue", { scope: "runtime", size: 20, mode: 1 })] : [];
    const world = new CoreWorld({ concurrency: 2, limits });
    const ends = new Map<string, number>();
    const depth: number[] = [];
    const tick = SECOND / 10;
    for (let at = 0; at < 300; at++) {
      world.batch([{ name: `c${at}` }]);
      const isSlow = at >= 50 && at < 150;
      for (const name of world.running) if (!ends.has(name)) ends.set(name, at + (isSlow ? 100 : 1));
      world.pass(tick);
      for (const name of [...world.running]) if ((ends.get(name) ?? Number.POSITIVE_INFINITY) <= at + 1) world.ok(name);
      depth.push(world.standing.queued);
    }
    return { world, depth };
  }

  test("the queue grows to its bound, then drops, and is empty again as soon as it can be", () => {
    const { world, depth } = slowed(true);
    expect(Math.max(...depth)).toBe(20);
    const dropped = [...world.ended.values()].filter(({ reason }) => reason === "overloaded");
    expect(dropped.length).toBeGreaterThan(50);
    // Two are served for one that comes: twenty drain in twenty ticks, and a tenth more.
    const recovers = depth.findIndex((waiting, at) => at >= 150 && waiting === 0);
    expect(recovers).toBeGreaterThan(150);
    expect(recovers).toBeLessThanOrEqual(150 + 22);
    world.runDown();
  });

  test("the control: without a bound it grows past it, and nothing is dropped", () => {
    const { world, depth } = slowed(false);
    expect(Math.max(...depth)).toBeGreaterThan(80);
    expect([...world.ended.values()].every(({ outcome }) => outcome === "ok")).toBe(true);
  });
});
