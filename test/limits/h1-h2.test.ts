// H1 and H2: how many at once, of everything that may be bounded, and who goes first of those that wait.
import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { CoreWorld, limit, many, SECOND } from "./core-world.ts";

describe("concurrency", () => {
  test.each([10, 50, 100, 1000])("h1.cap.exact: never more than eight of %i, and all of eight", (count) => {
    const world = new CoreWorld({ concurrency: 8 });
    world.batch(many("c", count));
    let peak = 0;
    world.runDown((name) => {
      peak = Math.max(peak, world.running.size);
      world.ok(name);
    });
    expect(peak).toBe(8);
    expect(world.order).toHaveLength(count);
    // The control: without a cap all run at once.
    const free = new CoreWorld({ concurrency: 0xffffffff });
    free.batch(many("c", count));
    free.drain();
    expect(free.running.size).toBe(count);
  });

  test("h1.cap.scopes: never above any of runtime, tool, group, key, tenant and batch", () => {
    const call = fc.record({
      tool: fc.integer({ min: 0, max: 1 }),
      key: fc.constantFrom(undefined, "k", "l"),
      weight: fc.integer({ min: 1, max: 2 }),
    });
    const limits = [
      limit("concurrency", { scope: "tool", number: 0, size: 3 }),
      limit("concurrency", { scope: "group", number: 0, size: 4 }),
      limit("member", { number: 0 }),
      limit("member", { number: 1 }),
      limit("concurrency", { scope: "key", size: 2 }),
      limit("concurrency", { scope: "tenant", size: 3 }),
    ];
    const holds = (bounded: boolean): void =>
      fc.assert(
        fc.property(fc.array(call, { maxLength: 30 }), fc.infiniteStream(fc.nat()), (calls, picks) => {
          const world = new CoreWorld({ concurrency: 5, tools: [{}, {}], limits: bounded ? limits : [] });
          const asked = calls.map(({ key, ...one }, i) => ({
            name: `c${i}`,
            ...one,
            ...(key === undefined ? {} : { key }),
          }));
          world.batch(asked.slice(0, 15), { concurrency: 4, tenant: "t" });
          world.batch(asked.slice(15), { run: 1, tenant: "t" });
          const units = (of: (one: (typeof asked)[number], i: number) => boolean): number =>
            asked.reduce((sum, one, i) => sum + (world.running.has(one.name) && of(one, i) ? one.weight : 0), 0);
          const check = (): void => {
            expect(units(() => true)).toBeLessThanOrEqual(bounded ? 3 : 5);
            if (!bounded) return;
            expect(units(({ tool }) => tool === 0)).toBeLessThanOrEqual(3);
            for (const key of ["k", "l"])
              expect(units((one) => "key" in one && one.key === key)).toBeLessThanOrEqual(2);
          };
          check();
          world.runDown((name) => {
            const list = [...world.running];
            world.ok(list[picks.next().value % list.length] ?? name);
            check();
          });
        }),
        { numRuns: 200 },
      );
    holds(true);
    holds(false);
  });

  test("h1.cap.runtime_change: lowered while all run, and raised again", () => {
    const world = new CoreWorld({ concurrency: 16 });
    world.batch(many("c", 60));
    world.setLimit("runtime", 0, 4);
    for (let i = 0; i < 12; i++) {
      world.ok(`c${i}`);
      expect(world.startsOfStep).toBe(0);
    }
    world.ok("c12");
    expect(world.startsOfStep).toBe(1);
    world.setLimit("runtime", 0, 16);
    expect(world.startsOfStep).toBe(12);
    world.runDown();
  });

  test("h1.cap.zero_and_resume: nothing starts and nothing wakes at 0; then in order", () => {
    const world = new CoreWorld({ concurrency: 0 });
    world.batch(many("c", 5));
    expect(world.order).toEqual([]);
    expect(world.wakeAt).toBe(0);
    world.setLimit("runtime", 0, 2);
    world.runDown();
    expect(world.order).toEqual(["c0", "c1", "c2", "c3", "c4"]);
  });

  test("h1.permit.leak: whatever is said twice or out of turn, all permits come back", () => {
    const step = fc.record({
      what: fc.constantFrom("ok", "fail", "cancel", "stopped", "overloaded", "pass"),
      of: fc.nat(20),
    });
    return fc.assert(
      fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
        const world = new CoreWorld({
          concurrency: 3,
          tools: [{ attempts: 2 }],
          limits: [limit("window", { size: 4, per: SECOND }), limit("concurrency", { scope: "key", size: 1 })],
        });
        world.batch(
          many("c", 12, { key: "k", runFor: 500_000 }).map((one, i) => (i % 3 === 0 ? one : { name: one.name })),
        );
        for (const { what, of } of steps) {
          if (what === "pass") world.pass(100_000);
          else {
            const name = `c${of % 12}`;
            if (what === "ok") world.ok(name);
            else if (what === "fail") world.fail(name);
            else if (what === "cancel") world.cancel(name);
            else if (what === "stopped") world.stopped(name);
            else world.overloaded(name, 1000);
          }
          expect(world.standing.inUse).toBeLessThanOrEqual(3);
        }
      }),
      { numRuns: 200 },
    );
  });

  test("h1.cap.timeout_truth: what runs is in use or counted as abandoned, and each permit returns once", () => {
    const step = fc.record({
      what: fc.constantFrom("ok", "fail", "cancel", "stopped", "overloaded", "pass", "pass", "limit"),
      of: fc.nat(20),
    });
    let peak = 0;
    const holds = (abandons: boolean): void =>
      fc.assert(
        fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
          const tools = [{ attempts: 2, grace: 100_000n, abandons }];
          const world = new CoreWorld({
            concurrency: 3,
            tools,
            limits: [limit("concurrency", { scope: "key", size: 1 })],
          });
          world.batch(
            many("c", 12, { runFor: 500_000 }).map((one, i) => ({
              ...one,
              ...(i % 3 === 0 ? { key: "k" } : {}),
              ...(i % 4 === 0 ? { writes: ["file"] } : {}),
            })),
          );
          for (const { what, of } of steps) {
            const name = `c${of % 12}`;
            if (what === "pass") world.pass(400_000);
            else if (what === "limit") world.setLimit("runtime", 0, 1 + (of % 3));
            else if (what === "overloaded") world.overloaded(name, 1000);
            else world[what](name);
            const { inUse, abandoned } = world.gauge("runtime");
            // P2, P4: nothing runs unseen; nothing is seen that does not run.
            expect(inUse + abandoned).toBe(world.running.size);
            expect(inUse).toBeLessThanOrEqual(3);
            if (abandons) peak = Math.max(peak, world.running.size);
            else expect([abandoned, world.running.size <= 3]).toEqual([0, true]);
            // A key that one call at a time may write, abandoned or not.
            expect(["c0", "c4", "c8"].filter((one) => world.running.has(one)).length).toBeLessThanOrEqual(1);
          }
          world.setLimit("runtime", 0, 3);
          world.runDown();
          expect(world.gauge("runtime")).toMatchObject({ inUse: 0, abandoned: 0 });
          expect(world.gauge("tool")).toMatchObject({ inUse: 0, abandoned: 0 });
        }),
        { numRuns: 200, seed: 5 },
      );
    holds(true);
    holds(false); // the control: who holds is never more than three, abandoned or not
    expect(peak).toBeGreaterThan(3);
  });

  test("h1.atomic_acquire: a call that one limit refuses takes nothing of another", () => {
    const rates = [
      limit("window", { size: 100, per: 60 * SECOND }),
      limit("window", { meter: 1, size: 10, per: 60 * SECOND }),
    ];
    const world = new CoreWorld({ concurrency: 1000, limits: rates });
    world.batch(many("c", 100, { cost: { 1: 1 } }));
    world.drain();
    expect(world.running.size).toBe(10);
    expect(world.explain("c10")).toMatchObject({ kind: "rate", inUse: 10n, size: 10n });
    world.runDown();
    // Had the refused ones burnt the first limit, the hundredth would have come ten minutes later.
    expect(world.starts.at(-1)?.at).toBeLessThan(11 * 61 * SECOND);
  });

  test("h8.cost_too_big: a call that asks for more than there will ever be is not started, and says so", () => {
    const world = new CoreWorld({ concurrency: 4, limits: [limit("window", { meter: 1, size: 10, per: SECOND })] });
    world.batch([{ name: "heavy", weight: 5 }, { name: "dear", cost: { 1: 11 } }, { name: "plain" }]);
    expect(world.ended.get("heavy")).toMatchObject({ outcome: "not-started", reason: "too-large" });
    expect(world.ended.get("dear")).toMatchObject({ outcome: "not-started", reason: "too-large" });
    world.runDown();
  });
});

describe("priority", () => {
  test("h2.order: the higher first, and first come first served within", () => {
    const world = new CoreWorld({ concurrency: 1 });
    world.batch([{ name: "first" }, ...many("low", 5), ...many("high", 3, { priority: 5 })]);
    world.runDown();
    expect(world.order).toEqual(["high0", "high1", "high2", "first", "low0", "low1", "low2", "low3", "low4"]);
  });

  test.each([0, 9])(
    "h2.aging.bound: a call of priority 0 is overtaken by ones of priority %i for so many steps only",
    (priority) => {
      const world = new CoreWorld({ concurrency: 1 });
      const asked = [
        { name: "busy" },
        { name: "low" },
        ...Array.from({ length: 30 }, (_, i) => ({ name: `h${i}`, priority })),
      ];
      world.batch(asked.slice(0, 2));
      for (let i = 0; i < 30; i++) {
        world.pass(SECOND);
        // All of one batch: one flow. A batch of its own would be fair to it, not prior.
        world.event("reprioritise", { run: 0, slot: 1, a: 0n });
        world.batch([asked[i + 2]!], { tenant: "one" });
      }
      world.runDown();
      const before = world.order.indexOf("low");
      expect(before).toBeLessThanOrEqual(1 + priority + 1);
    },
  );

  test("h2.reprioritise: another priority in the queue, at the cost of a logarithm", () => {
    const world = new CoreWorld({ concurrency: 1, limits: [limit("queue", { scope: "runtime", size: 1_000_000 })] });
    world.batch(many("c", 20_000));
    const before = world.standing.comparisons;
    for (let i = 0; i < 200; i++) world.reprioritise(`c${19_999 - i * 7}`, 1 + (i % 900));
    expect(Number(world.standing.comparisons - before) / 200).toBeLessThan(80);
    world.reprioritise("c12345", 1000);
    world.ok("c0");
    expect(world.order.at(-1)).toBe("c12345");
  });

  test("h2.retry_keeps_place: after an error and after a 429 a call stands where it stood", () => {
    const world = new CoreWorld({ concurrency: 1, tools: [{ attempts: 2, backoff: 1_000n, backoffMost: 1_000n }] });
    world.batch(many("c", 4));
    world.fail("c0");
    world.pass(1_000_000);
    world.ok("c1");
    expect(world.order).toEqual(["c0", "c1", "c0"]);
    world.overloaded("c0", SECOND);
    world.pass(3 * SECOND);
    expect(world.order).toEqual(["c0", "c1", "c0", "c0"]);
    world.runDown();
  });

  test("h2.lanes.guard: with lanes the higher go first whoever they belong to, but nobody waits for ever", () => {
    const world = new CoreWorld({
      concurrency: 1,
      limits: [limit("order", { scope: "runtime", mode: 1, a: SECOND, b: 5 * SECOND })],
    });
    world.batch(
      [
        { name: "busy", priority: 1000 },
        { name: "low", priority: -5 },
      ],
      { run: 0 },
    );
    let at = -1;
    for (let i = 0; i < 40 && at === -1; i++) {
      world.batch(many(`h${i}_`, 2, { priority: 9 }), { run: i + 1 });
      world.pass(SECOND);
      world.ok([...world.running][0] as string);
      if (world.order.includes("low")) at = i;
    }
    expect(at).toBeGreaterThan(2); // strict before the guard
    expect(at).toBeLessThanOrEqual(5);
    world.runDown();
  });
});

describe("locks and inversion", () => {
  test("h2.inversion.queued: whoever a high call waits for goes first; without it, after fifty", () => {
    const mediums = many("m", 50, { priority: 5 });
    const busy = { name: "busy", priority: 100 };
    const low = { name: "low", writes: ["k"] };
    const high = { name: "high", priority: 9, writes: ["k"] };
    const order = (asked: Parameters<CoreWorld["batch"]>[0]): string[] => {
      const world = new CoreWorld({ concurrency: 1 });
      world.batch(asked);
      world.runDown();
      return world.order;
    };
    expect(order([busy, low, ...mediums, high]).slice(0, 3)).toEqual(["busy", "low", "high"]);
    expect(order([busy, low, ...mediums, { ...high, writes: ["other"] }]).indexOf("low")).toBe(52);
  });

  test("h2.inversion.running: the high one starts in the step in which the low one ends", () => {
    const world = new CoreWorld({ concurrency: 2 });
    world.batch([
      { name: "low", writes: ["k"] },
      ...many("m", 5, { priority: 5, writes: ["k"] }),
      { name: "high", priority: 9, writes: ["k"] },
    ]);
    expect(world.explain("high")).toMatchObject({ kind: "lock", scope: "lock" });
    world.ok("low");
    expect(world.startsOfStep).toBe(1);
    world.runDown();
  });

  test("h2.inversion.transitive_and_undo: a chain goes first, and back when the high one is cancelled", () => {
    const chain = [
      { name: "busy", priority: 100 },
      { name: "a", writes: ["x"] },
      { name: "b", writes: ["x", "y"] },
      ...many("m", 3, { priority: 5 }),
      { name: "high", priority: 9, writes: ["y"] },
    ];
    const world = new CoreWorld({ concurrency: 1 });
    world.batch(chain);
    world.runDown();
    expect(world.order).toEqual(["busy", "a", "b", "high", "m0", "m1", "m2"]);
    const undone = new CoreWorld({ concurrency: 1 });
    undone.batch(chain);
    undone.cancel("high");
    undone.runDown();
    expect(undone.order).toEqual(["busy", "m0", "m1", "m2", "a", "b"]);
  });
});
