// Who goes first when much comes for long: the bound of priority at every load, and shares of time where
// calls of some take twenty times as long as those of others.
import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { CoreWorld, limit, many, SECOND } from "./core-world.ts";

const STEP = SECOND;

describe("h2.aging.bound (F5)", () => {
  /** Calls come at this load to one permit, all of one batch's flow: `stay` says how priorities are spread. */
  function loaded(load: number, priorities: readonly number[], ordered = true) {
    const order = limit("order", { scope: "runtime", a: ordered ? STEP : 0, b: 60 * SECOND });
    const world = new CoreWorld({ concurrency: 1, limits: [order] });
    const queued = new Map<string, { at: number; priority: number; started: number }>();
    const service = SECOND;
    const gap = Math.floor(service / load);
    const from = world.now;
    let done = 0;
    // An announced batch is one flow, and its calls are asked for one by one.
    world.announce(priorities.map((priority, i) => ({ name: `c${i}`, priority })));
    for (const [i, priority] of priorities.entries()) {
      const at = from + i * gap;
      for (; from + (done + 1) * service <= at; done++) {
        world.pass(from + (done + 1) * service - world.now);
        const next = world.running.values().next();
        if (!next.done) world.ok(next.value);
      }
      world.pass(at - world.now);
      queued.set(`c${i}`, { at, priority, started: -1 });
      world.claim(`c${i}`);
    }
    world.runDown();
    for (const [place, { name }] of world.starts.entries()) queued.get(name)!.started = place;
    return { world, queued: [...queued.values()] };
  }

  const spread = fc.array(fc.integer({ min: 0, max: 9 }), { minLength: 30, maxLength: 60 });

  test.each([0.95, 1, 1.2, 2])("load %d: who waits goes in the order of t − p × step, whoever came when", (load) => {
    const holds = (ordered: boolean): void =>
      fc.assert(
        fc.property(spread, (priorities) => {
          const { world, queued } = loaded(load, priorities, ordered);
          const startAt = (one: { started: number }): number => world.starts[one.started]!.at;
          const wrong = queued.flatMap((a) =>
            queued.filter((b) => {
              const bothWait = b.at < startAt(a) && a.at < startAt(b);
              const first = a.at - a.priority * STEP < b.at - b.priority * STEP;
              return bothWait && first && a.started > b.started;
            }),
          );
          expect(wrong).toEqual([]);
          // Hence: whoever overtook came less than (9 − p) steps later.
          for (const a of queued) {
            const late = queued.filter(
              (b) => b.started < a.started && b.at >= a.at + (9 - a.priority) * STEP && b.at > a.at,
            );
            expect(late).toEqual([]);
          }
        }),
        { numRuns: 20, seed: 12, endOnFailure: true },
      );
    holds(true);
    // Without a step for priorities they count nothing. At a load below one nobody waits long enough to show it.
    if (load > 1) expect(() => holds(false)).toThrow();
  });
});

describe("h3.share by time", () => {
  /** Two tenants, one permit; calls of `a` take twenty times as long. Gives the time that each had, and a start's millisecond. */
  function timeOf(shared: boolean, weights: readonly [number, number]): { a: number; b: number } {
    const limits = shared ? [limit("share", { scope: "runtime", mode: 1 })] : [];
    const world = new CoreWorld({ concurrency: 1, limits });
    world.setLimit("runtime", 0, 0);
    const calls = (letter: string) => Array.from({ length: 1_500 }, (_, i) => ({ name: `${letter}${i}` }));
    for (const [run, letter] of ["a", "b"].entries())
      world.batch(calls(letter), { run, tenant: letter, weight: 1000 * weights[run]! });
    world.setLimit("runtime", 0, 1);
    const spent = { a: 0, b: 0 };
    for (let i = 0; i < 400; i++) {
      const name = [...world.running][0] as string;
      const takes = name.startsWith("a") ? SECOND / 5 : SECOND / 100;
      world.pass(takes);
      spent[name[0] as "a" | "b"] += takes;
      world.ok(name);
    }
    return spent;
  }

  test.each([
    [1, 1],
    [3, 1],
    [1, 4],
  ] as const)("weights %i:%i give shares of time, to one call each; without it, shares of starts", (a, b) => {
    const time = timeOf(true, [a, b]);
    // Goyal and Vin's bound in time: |W_a/w_a − W_b/w_b| ≤ c_a/w_a + c_b/w_b.
    const slack = SECOND / 5 / a + SECOND / 100 / b;
    expect(Math.abs(time.a / a - time.b / b)).toBeLessThanOrEqual(slack);
    const starts = timeOf(false, [a, b]);
    expect(Math.abs(starts.a / a - starts.b / b)).toBeGreaterThan(10 * slack);
  });

  const calls = (letter: string) => many(letter, 50, { effect: "once", reconciles: true });

  test.each([
    [
      "waits for its child run",
      (world: CoreWorld) => {
        world.nest("a0", 9, []);
        world.pass(10 * SECOND);
        world.resume("a0");
      },
      (world: CoreWorld) => world.ok("a0"),
    ],
    [
      "waits for its reconciler to be asked",
      (world: CoreWorld) => {
        world.lost("a0");
        world.pass(10 * SECOND);
      },
      (world: CoreWorld) => world.verdict("a0", "done"),
    ],
  ])("what passes while a call %s is nobody's time", (_, goAway, end) => {
    const world = new CoreWorld({ concurrency: 1, limits: [limit("share", { scope: "runtime", mode: 1 })] });
    for (const [run, letter] of ["a", "b"].entries()) world.batch(calls(letter), { run, tenant: letter });
    expect(world.order).toEqual(["a0"]);
    world.setLimit("runtime", 0, 0);
    goAway(world);
    world.setLimit("runtime", 0, 1);
    end(world);
    for (let i = 0; i < 20; i++) {
      world.pass(SECOND / 50);
      world.ok([...world.running][0] as string);
    }
    expect(world.order.slice(1, 21).join("").replaceAll(/\d/g, "")).toMatch(/^b?(ab){9,10}a?$/);
  });
});
