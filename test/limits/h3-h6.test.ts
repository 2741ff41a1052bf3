// H3 and H6: how starts are shared among those who wait, and how calls that touch the same do not meet.
import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { type Asked, CoreWorld, limit, many, SECOND } from "./core-world.ts";

/** How many of the first `starts` belong to whoever has this letter. */
const share = (world: CoreWorld, letter: string, starts: number): number =>
  world.order.slice(0, starts).filter((name) => name.startsWith(letter)).length;

/** Runs `starts` calls of flows with these weights, on one permit of the scope that is the bottleneck. */
function flows(weights: readonly number[], starts: number, bottleneck: "runtime" | "tool" = "runtime"): CoreWorld {
  const limits = bottleneck === "tool" ? [limit("concurrency", { size: 1 })] : [];
  const world = new CoreWorld({ concurrency: bottleneck === "tool" ? 50 : 1, tools: [{}, {}], limits });
  world.setLimit("runtime", 0, 0);
  for (const [i, weight] of weights.entries()) {
    const letter = String.fromCharCode(97 + i);
    world.batch(many(letter, starts), { run: i, tenant: letter, weight: weight * 1000 });
  }
  world.setLimit("runtime", 0, bottleneck === "tool" ? 50 : 1);
  while (world.order.length < starts) world.ok([...world.running][0] as string);
  return world;
}

describe("fairness", () => {
  test.each([
    ["runtime", [1, 1]],
    ["runtime", [9, 1]],
    ["runtime", [5, 3, 2]],
    ["tool", [9, 1]],
    ["tool", [5, 3, 2]],
  ] as const)("h3.share: on the %s, weights %j give shares of starts", (bottleneck, weights) => {
    const starts = 100;
    const world = flows(weights, starts, bottleneck);
    const sum = weights.reduce((a, b) => a + b, 0);
    for (const [i, weight] of weights.entries()) {
      const slack = 1 + ((weights.length - 2) * weight) / sum + 1e-9;
      const got = share(world, String.fromCharCode(97 + i), starts);
      expect(Math.abs(got - (starts * weight) / sum), `flow ${i} got ${got}`).toBeLessThanOrEqual(slack);
    }
  });

  test("h3.share: any weights, within the bound of Goyal and Vin; without weights they miss it", () => {
    const holds = (weighted: boolean): void =>
      fc.assert(
        fc.property(fc.array(fc.integer({ min: 1, max: 20 }), { minLength: 2, maxLength: 5 }), (weights) => {
          const world = flows(weighted ? weights : weights.map(() => 1), 60);
          for (let starts = 1; starts <= 60; starts++) {
            const got = weights.map((weight, i) => share(world, String.fromCharCode(97 + i), starts) / weight);
            for (const [i, a] of got.entries())
              for (const [j, b] of got.entries())
                expect(Math.abs(a - b)).toBeLessThanOrEqual(1 / weights[i]! + 1 / weights[j]! + 1e-3);
          }
        }),
        { numRuns: 60, seed: 3 },
      );
    holds(true);
    expect(() => holds(false)).toThrow();
  });

  test("h3.mouse_elephant: one call beside ten thousand waits for one start", () => {
    const world = new CoreWorld({ concurrency: 1 });
    world.batch(many("elephant", 10_000));
    world.batch([{ name: "mouse" }], { run: 1 });
    world.ok("elephant0");
    world.ok([...world.running][0] as string);
    expect(world.order.slice(0, 3)).toContain("mouse");
    // First come first served would have put it last.
    const one = new CoreWorld({ concurrency: 1 });
    one.batch([...many("elephant", 100), { name: "mouse" }]);
    for (let i = 0; i < 100; i++) one.ok([...one.running][0] as string);
    expect(one.order.indexOf("mouse")).toBe(100);
  });

  test.each(["idle", "paused"])("h3.no_credit: whoever was %s gets its share from then on, and no more", (how) => {
    const world = new CoreWorld({ concurrency: 1, tools: [{}, {}] });
    world.batch(many("a", 200), { run: 0, tenant: "a" });
    if (how === "paused") {
      world.event("pause", { mode: 1, slot: 1 });
      world.batch(many("b", 100, { tool: 1 }), { run: 1, tenant: "b" });
    }
    for (let i = 0; i < 80; i++) world.ok([...world.running][0] as string);
    expect(share(world, "b", 1000)).toBe(0);
    if (how === "paused") world.event("unpause", { mode: 1, slot: 1 });
    else world.batch(many("b", 100), { run: 1, tenant: "b" });
    const from = world.order.length;
    for (let i = 0; i < 40; i++) world.ok([...world.running][0] as string);
    const later = world.order.slice(from).filter((name) => name.startsWith("b")).length;
    expect(Math.abs(later - 20)).toBeLessThanOrEqual(2);
  });

  test("h3.heavy_call: a call of all eight units starts after those before it, and others of other tools go on", () => {
    const world = new CoreWorld({ concurrency: 100, tools: [{}, {}], limits: [limit("concurrency", { size: 8 })] });
    world.batch([
      ...many("light", 8),
      { name: "heavy", weight: 8 },
      ...many("later", 20),
      ...many("other", 4, { tool: 1 }),
    ]);
    expect([...world.running].filter((name) => name.startsWith("other"))).toHaveLength(4);
    for (let i = 0; i < 8; i++) {
      expect(world.running.has("later0")).toBe(false);
      world.ok(`light${i}`);
    }
    expect(world.running.has("heavy")).toBe(true);
    world.runDown();
  });

  test("h3.starvation: an endless stream of high priority starves nobody", () => {
    const world = new CoreWorld({ concurrency: 1 });
    world.batch([{ name: "busy" }, { name: "low" }], { tenant: "t" });
    let served = 0;
    for (let i = 0; i < 100 && !world.order.includes("low"); i++) {
      world.batch(many(`h${i}_`, 2, { priority: 9 }), { run: 1, tenant: "t" });
      world.pass(SECOND / 2);
      world.ok([...world.running][0] as string);
      served++;
    }
    expect(served).toBeLessThan(100);
  });

  test("h3.liveness: with cancels and changing limits, everything ends", () => {
    const step = fc.record({ what: fc.constantFrom("ok", "cancel", "limit", "pass"), of: fc.nat(29), size: fc.nat(4) });
    return fc.assert(
      fc.property(fc.array(step, { maxLength: 50 }), (steps) => {
        const world = new CoreWorld({
          concurrency: 3,
          tools: [{}, {}],
          limits: [limit("window", { size: 2, per: SECOND }), limit("pace", { number: 1, size: 5, per: SECOND, a: 1 })],
        });
        world.batch(
          Array.from({ length: 30 }, (_, i) => ({
            name: `c${i}`,
            tool: i % 2,
            weight: 1 + (i % 3),
            ...(i % 5 === 0 ? { writes: ["k"] } : i % 5 === 1 ? { reads: ["k"] } : {}),
          })),
        );
        for (const { what, of, size } of steps) {
          if (what === "limit") world.setLimit("runtime", 0, size);
          else if (what === "pass") world.pass(333_333);
          else if (what === "cancel") world.cancel(`c${of}`);
          else if (world.running.size > 0) world.ok([...world.running][of % world.running.size] as string);
        }
        world.setLimit("runtime", 0, 3);
        world.runDown((name) => (world.aborted.includes(name) ? world.stopped(name) : world.ok(name)));
      }),
      { numRuns: 150 },
    );
  });

  test("h3.key_gc: of many tenants and keys nothing is left once they are through", () => {
    const world = new CoreWorld({
      concurrency: 4,
      limits: [
        limit("window", { scope: "key", size: 1, per: SECOND }),
        limit("concurrency", { scope: "tenant", size: 2 }),
      ],
    });
    const empty = world.standing;
    for (let i = 0; i < 3_000; i++) {
      world.batch([{ name: `c${i}`, key: `key${i}` }], { run: i % 7, tenant: `tenant${i}` });
      world.ok(`c${i}`);
    }
    expect(world.standing.scopes).toBeGreaterThan(0);
    world.pass(10 * SECOND);
    world.pass(10 * SECOND);
    expect(world.standing.scopes).toBe(empty.scopes);
    // The queues of the seven open runs may keep a lane each.
    expect(world.standing.flows).toBeLessThanOrEqual(empty.flows + 2);
  });

  test("h7.cost_curve, C1: what a start costs, in comparisons, does not depend on how many wait", () => {
    const perStart = (count: number): number => {
      const world = new CoreWorld({ concurrency: 8, tools: [{}, {}], limits: [limit("concurrency", { size: 4 })] });
      const asked = (letter: string): Asked[] =>
        Array.from({ length: count / 10 }, (_, i) => ({ name: `${letter}${i}`, tool: i % 2, priority: i % 7 }));
      for (let run = 0; run < 10; run++) world.batch(asked(String.fromCharCode(97 + run)), { run });
      const before = world.standing.comparisons;
      for (let i = 0; i < 500; i++) world.ok([...world.running][0] as string);
      return Number(world.standing.comparisons - before) / 500;
    };
    const [small, large] = [perStart(1_000), perStart(30_000)];
    // C1: a·log2(n) + b: five more doublings cost at most a few comparisons each.
    expect(large).toBeLessThan(small + 5 * 12);
  });
});

describe("locks", () => {
  const call = fc.record({
    reads: fc.uniqueArray(fc.constantFrom("a", "b", "c"), { maxLength: 2 }),
    writes: fc.uniqueArray(fc.constantFrom("a", "b", "c"), { maxLength: 2 }),
  });

  /** Two calls conflict when one writes what the other reads or writes. */
  const conflict = (x: Asked, y: Asked): boolean =>
    [...(x.writes ?? [])].some((name) => y.writes?.includes(name) || y.reads?.includes(name)) ||
    [...(y.writes ?? [])].some((name) => x.reads?.includes(name));

  test("h6.rw_exclusive, h6.multi_key_deadlock: no overlap, no overtaking, no idle wait, no deadlock", () => {
    const holds = (declared: boolean): void =>
      fc.assert(
        fc.property(fc.array(call, { minLength: 2, maxLength: 40 }), fc.infiniteStream(fc.nat()), (calls, picks) => {
          const asked: Asked[] = calls.map((one, i) => ({ name: `c${i}`, ...one }));
          const world = new CoreWorld({ concurrency: 1000 });
          world.batch(declared ? asked : asked.map(({ name }) => ({ name })));
          const check = (): void => {
            world.drain();
            for (const [i, one] of asked.entries()) {
              const earlier = asked.slice(0, i).filter((other) => conflict(one, other) && !world.ended.has(other.name));
              // The oracle: it runs exactly when no earlier unfinished call conflicts.
              if (!world.ended.has(one.name)) expect(world.running.has(one.name)).toBe(earlier.length === 0);
            }
          };
          check();
          world.runDown((name) => {
            const list = [...world.running];
            const pick = picks.next().value;
            const one = list[pick % list.length] ?? name;
            if (pick % 7 === 0) world.cancel(`c${pick % asked.length}`);
            if (world.running.has(one)) world.aborted.includes(one) ? world.stopped(one) : world.ok(one);
            check();
          });
        }),
        { numRuns: 150, seed: 5 },
      );
    holds(true);
    expect(() => holds(false)).toThrow();
  });

  test("h6.rw_no_starvation: neither readers nor writers wait behind later ones", () => {
    const world = new CoreWorld({ concurrency: 10 });
    world.batch([...many("r", 5, { reads: ["k"] }), { name: "w", writes: ["k"] }, ...many("s", 50, { reads: ["k"] })]);
    expect(world.running.size).toBe(5);
    for (let i = 0; i < 5; i++) world.ok(`r${i}`);
    expect([...world.running]).toEqual(["w"]);
    world.ok("w");
    expect(world.running.size).toBe(10);
    world.runDown();
  });

  test("h6.rw_cancel_waiter: a cancelled writer lets the readers behind it in, in the same step", () => {
    const world = new CoreWorld({ concurrency: 10 });
    world.batch([{ name: "r", reads: ["k"] }, { name: "w", writes: ["k"] }, ...many("s", 3, { reads: ["k"] })]);
    expect(world.running.size).toBe(1);
    world.cancel("w");
    expect(world.startsOfStep).toBe(3);
    world.runDown();
  });
});
