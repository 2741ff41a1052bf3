// What holds after every step, whatever was said: nobody waits without a reason (P6), nobody is forgotten
// (P7), a look too many changes nothing (D3), nor does in which order limits were written down (D4), and no
// step starts more than it may (O4). The oracle knows rules and lists, and looks at all calls each time.
import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { Limit } from "../../core/dist/glue.js";
import { type Asked, CoreWorld, limit, noRamp, SECOND } from "./core-world.ts";

const CALLS = 24;
const PACE = SECOND / 4; // four a second, one at a time

const call = fc.record({
  tool: fc.integer({ min: 0, max: 1 }),
  key: fc.constantFrom(undefined, "k", "l"),
  write: fc.constantFrom(undefined, undefined, "x", "y"),
  priority: fc.integer({ min: -2, max: 2 }),
});
const step = fc.record({
  what: fc.constantFrom("ok", "ok", "fail", "cancel", "pass", "tool limit", "runtime limit"),
  of: fc.nat(CALLS - 1),
  size: fc.integer({ min: 0, max: 4 }),
});
type Step = typeof step extends fc.Arbitrary<infer T> ? T : never;

const LIMITS: readonly Limit[] = [
  limit("concurrency", { scope: "tool", number: 0, size: 2 }),
  limit("pace", { scope: "tool", number: 1, size: 4, per: SECOND, a: 1 }),
  limit("concurrency", { scope: "key", size: 1 }),
  // The oracle knows caps, not how they grow.
  ...noRamp({ scope: "runtime" }, { scope: "tool" }, { scope: "tool", number: 1 }),
];

function asked(calls: readonly { key?: string | undefined; write?: string | undefined }[]): Asked[] {
  return calls.map(({ key, write, ...one }, i) => ({
    name: `c${i}`,
    ...one,
    ...(key === undefined ? {} : { key }),
    ...(write === undefined ? {} : { writes: [write] }),
  }));
}

/** What the rules say of all calls, counted anew each time. */
class Oracle {
  runtime = 3;
  tool = 2;
  constructor(
    readonly world: CoreWorld,
    readonly calls: readonly Asked[],
  ) {}

  #used(of: (one: Asked) => boolean): number {
    // One that was told to stop holds until it has.
    return this.calls.filter((one) => this.world.running.has(one.name) && of(one)).length;
  }

  lastOf(tool: number): number {
    return (
      this.world.starts.filter(({ name }) => this.#call(name).tool === tool).at(-1)?.at ?? Number.NEGATIVE_INFINITY
    );
  }

  #call(name: string): Asked {
    return this.calls.find((one) => one.name === name)!;
  }

  /** The names of all that refuses this call now. */
  refusers(one: Asked): string[] {
    const found: string[] = [];
    const before = this.calls.slice(0, this.calls.indexOf(one));
    const over = (other: Asked): boolean => this.world.ended.has(other.name) && !this.world.running.has(other.name);
    if (one.writes?.some((name) => before.some((other) => other.writes?.includes(name) && !over(other))))
      found.push("lock:lock");
    if (this.#used(() => true) >= this.runtime) found.push("permits:runtime");
    if (one.tool === 0 && this.#used(({ tool }) => tool === 0) >= this.tool) found.push("permits:tool");
    if (one.key !== undefined && this.#used(({ key }) => key === one.key) >= 1) found.push("permits:key");
    if (one.tool === 1 && this.world.now < this.lastOf(1) + PACE) found.push("rate:tool");
    return found;
  }

  get waiting(): Asked[] {
    return this.calls.filter(({ name }) => !this.world.running.has(name) && !this.world.ended.has(name));
  }
}

function apply(world: CoreWorld, oracle: Oracle, { what, of, size }: Step): void {
  if (what === "pass") world.pass(size * 90_000);
  else if (what === "cancel") world.cancel(`c${of}`);
  else if (what === "runtime limit") {
    oracle.runtime = size;
    world.setLimit("runtime", 0, size);
  } else if (what === "tool limit") {
    oracle.tool = size;
    world.setLimit("tool", 0, size);
  } else if (world.running.size > 0) {
    const name = [...world.running][of % world.running.size] as string;
    if (world.aborted.includes(name)) world.stopped(name);
    else if (what === "ok") world.ok(name);
    else world.fail(name);
  }
}

/** Plays the steps, looking after each; at the end everything comes to its end. */
function played(limits: readonly Limit[], look: (world: CoreWorld, oracle: Oracle) => void): fc.IProperty<unknown> {
  return fc.property(
    fc.array(call, { minLength: CALLS, maxLength: CALLS }),
    fc.array(step, { maxLength: 40 }),
    (calls, steps) => {
      const world = new CoreWorld({ concurrency: 3, tools: [{}, {}], limits });
      const oracle = new Oracle(world, asked(calls));
      world.batch(oracle.calls);
      look(world, oracle);
      for (const one of steps) {
        apply(world, oracle, one);
        world.drain();
        look(world, oracle);
      }
      world.setLimit("tool", 0, 2);
      world.setLimit("runtime", 0, 3);
      world.runDown((name) => (world.aborted.includes(name) ? world.stopped(name) : world.ok(name)));
    },
  );
}

describe("P6: work conservation", () => {
  test("whoever waits is refused by something, and explain names a thing that refuses", () => {
    const holds = (limits: readonly Limit[]): void =>
      fc.assert(
        played(limits, (world, oracle) => {
          const wrong = oracle.waiting.flatMap((one) => {
            const refusers = oracle.refusers(one);
            const { kind, scope } = world.explain(one.name);
            // `turn`: it is behind others of its line, and one of them is refused.
            const isNamed = kind === "turn" ? refusers.length > 0 : refusers.includes(`${kind}:${scope}`);
            return isNamed ? [] : [`${one.name} waits for ${kind} of ${scope}; the oracle: ${refusers}`];
          });
          expect(wrong).toEqual([]);
        }),
        { numRuns: 60, seed: 6, endOnFailure: true },
      );
    holds(LIMITS);
    // The control: a core with a limit that the oracle does not know of lets calls wait for nothing.
    expect(() => holds([...LIMITS, limit("concurrency", { scope: "tool", number: 1, size: 1 })])).toThrow();
  });

  test("the same in notices, told once for each that did not start at once", () => {
    void fc.assert(
      fc.property(fc.array(call, { minLength: CALLS, maxLength: CALLS }), (calls) => {
        const world = new CoreWorld({ concurrency: 3, tools: [{}, {}], limits: LIMITS });
        world.event("watch", { mode: 1 });
        const oracle = new Oracle(world, asked(calls));
        world.batch(oracle.calls);
        expect(world.notices.map(({ slot }) => `c${slot}`)).toEqual(oracle.waiting.map(({ name }) => name));
        for (const { kind } of world.notices) expect(kind).not.toBe("free");
        world.runDown();
      }),
      { numRuns: 30 },
    );
    // The control: nobody watches.
    const deaf = new CoreWorld({ concurrency: 1 });
    deaf.batch([{ name: "a" }, { name: "b" }]);
    expect(deaf.notices).toEqual([]);
  });
});

describe("P7: no lost wake-up", () => {
  test("who could start later without further ado is woken for by then", () => {
    const holds = (wakes: boolean): void =>
      fc.assert(
        played(LIMITS, (world, oracle) => {
          const byTime = oracle.waiting.filter((one) => oracle.refusers(one).join() === "rate:tool");
          if (byTime.length === 0) return;
          const wakeAt = wakes ? world.wakeAt : 0;
          expect(wakeAt).toBeGreaterThan(world.now);
          expect(wakeAt).toBeLessThanOrEqual(oracle.lastOf(1) + PACE);
        }),
        { numRuns: 60, seed: 7, endOnFailure: true },
      );
    holds(true);
    expect(() => holds(false)).toThrow();
  });
});

describe("D3 and D4", () => {
  const trace = (limits: readonly Limit[], extra: boolean) => (calls: readonly Asked[], steps: readonly Step[]) => {
    const world = new CoreWorld({ concurrency: 3, tools: [{}, {}], limits });
    const oracle = new Oracle(world, calls);
    world.batch(calls);
    for (const one of steps) {
      apply(world, oracle, one);
      world.drain();
      for (let i = 0; extra && i < 3; i++) {
        const due = world.wakeAt;
        if (due !== 0 && due <= world.now + 1) break;
        world.now += 1;
        const { placements, entries, actions, resolutions } = world.handle([]);
        expect([...placements, ...entries, ...actions, ...resolutions]).toEqual([]);
        expect(world.wakeAt).toBe(due);
        world.now -= 1;
      }
    }
    world.setLimit("tool", 0, 2);
    world.setLimit("runtime", 0, 3);
    world.runDown((name) => (world.aborted.includes(name) ? world.stopped(name) : world.ok(name)));
    return { order: world.order, ended: [...world.ended].map(([name, { outcome }]) => `${name} ${outcome}`) };
  };
  const both = (one: ReturnType<typeof trace>, other: ReturnType<typeof trace>): void =>
    fc.assert(
      fc.property(
        fc.array(call, { minLength: CALLS, maxLength: CALLS }),
        fc.array(step, { maxLength: 30 }),
        (calls, steps) => {
          expect(one(asked(calls), steps)).toEqual(other(asked(calls), steps));
        },
      ),
      { numRuns: 50, seed: 8, endOnFailure: true },
    );

  test("D3: a tick before it is due does nothing, and nothing comes of it later", () => {
    both(trace(LIMITS, false), trace(LIMITS, true));
  });

  test("D4: limits count the same in whatever order they are written; fewer of them do not", () => {
    both(trace(LIMITS, false), trace([...LIMITS].reverse(), false));
    expect(() => both(trace(LIMITS, false), trace(LIMITS.slice(1), false))).toThrow();
  });

  test("D4: keys and tenants count the same whatever they are called", () => {
    const order = (names: readonly [string, string]): string[] => {
      const world = new CoreWorld({ concurrency: 1, limits: [limit("concurrency", { scope: "key", size: 1 })] });
      for (const run of [0, 1, 2, 3]) {
        const name = names[run % 2] as string;
        const calls = Array.from({ length: 6 }, (_, i) => ({ name: `r${run}_${i}`, key: names[i % 2] as string }));
        world.batch(calls, { run, tenant: name, weight: 1000 * (1 + (run % 2)) });
      }
      world.runDown();
      return world.order;
    };
    expect(order(["a", "b"])).toEqual(order(["zebra", "aardvark"]));
    expect(order(["a", "b"])).not.toEqual(order(["a", "a"])); // but who is who does matter
  });
});

describe("O4: starts of one step", () => {
  test("never more than may, and as many as may while there is more", () => {
    const holds = (bounded: boolean): void =>
      fc.assert(
        fc.property(fc.integer({ min: 1, max: 9 }), fc.integer({ min: 1, max: 60 }), (most, count) => {
          const limits = [
            ...noRamp({ scope: "runtime" }),
            ...(bounded ? [limit("steps", { scope: "runtime", size: most })] : []),
          ];
          const world = new CoreWorld({ concurrency: 0, limits });
          world.batch(Array.from({ length: count }, (_, i) => ({ name: `c${i}` })));
          world.setLimit("runtime", 0, 1000);
          for (let left = count; left > 0; left -= Math.min(most, left)) {
            expect(world.startsOfStep).toBe(Math.min(most, left));
            if (left > most) expect(world.wakeAt).toBeLessThanOrEqual(world.now); // there is more, at once
            world.handle([]);
          }
          world.runDown();
        }),
        { numRuns: 40, seed: 9, endOnFailure: true },
      );
    holds(true);
    expect(() => holds(false)).toThrow();
  });
});
