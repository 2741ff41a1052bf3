// Where a backend gets most done, and whether a size that finds itself comes to lie there: a backend that gets slower
// the more are inside (Gunther's Universal Scalability Law), under the core, with a clock that is moved by hand.
import { expect, test } from "vitest";
import { scalability } from "../bench/limits/scalability.ts";
import { CoreWorld, limit, many, noRamp, SECOND } from "./core-world.ts";

const SIGMA = 0.02;
const KAPPA = (1 - SIGMA) / 40 ** 2;
/** What a call takes that begins as the n-th inside, µs: most gets done with 40. */
const takes = (inside: number): number =>
  Math.round((SECOND / 20) * (1 + SIGMA * (inside - 1) + KAPPA * inside * (inside - 1)));

/** Lets a backend work until so many calls are through; `bound`: it refuses what would be more inside. */
function work(world: CoreWorld, through: number, bound: number, watch: () => void = () => undefined): number {
  const begun = world.now;
  const ends = new Map<string, number>();
  let done = 0;
  while (done < through) {
    for (const name of world.running) {
      if (ends.has(name)) continue;
      if (ends.size >= bound) world.overloaded(name, SECOND / 100);
      else ends.set(name, world.now + takes(ends.size + 1));
    }
    const next = [...ends].reduce((a, b) => (b[1] < a[1] ? b : a));
    world.pass(next[1] - world.now);
    ends.delete(next[0]);
    world.ok(next[0]);
    done++;
    watch();
  }
  return (done * SECOND) / (world.now - begun);
}

function throughput(concurrency: number): { concurrency: number; perSecond: number } {
  const world = new CoreWorld({ concurrency });
  const calls = 40 * concurrency;
  world.batch(many("c", calls + concurrency));
  work(world, 10 * concurrency, Number.POSITIVE_INFINITY); // until all began beside as many
  return { concurrency, perSecond: work(world, 20 * concurrency, Number.POSITIVE_INFINITY) };
}

/** Where an adaptive size lies in the end, on average. */
function settles(bound: number): number {
  const limits = [limit("adaptive", { size: 10, a: 1 }), ...noRamp({ scope: "tool" })];
  const world = new CoreWorld({ concurrency: 200, limits });
  world.batch(many("c", 30_000));
  const caps: number[] = [];
  work(world, 12_000, bound, () => {
    caps.push(world.core.gauge(BigInt(world.now), BigInt(world.wall), "tool", 0).cap);
  });
  const last = caps.slice(-4_000);
  return last.reduce((sum, cap) => sum + cap, 0) / last.length;
}

test("stress.optimum: the fit finds where most gets done, and an adaptive size comes to lie within a fifth of it", () => {
  const points = [1, 2, 4, 8, 16, 32, 64, 128].map(throughput);
  const { knee } = scalability(points);
  expect(knee).toBeGreaterThan(36);
  expect(knee).toBeLessThan(44);
  const most = Math.max(...points.map(({ perSecond }) => perSecond));
  // What is fitted is there to be lost: twice as many at once get less done.
  expect(points.at(-1)!.perSecond).toBeLessThan(0.8 * most);
  const settled = settles(40);
  expect(settled).toBeGreaterThan(0.8 * knee);
  expect(settled).toBeLessThan(1.2 * knee);
});

test("control: of a backend that refuses nobody and only gets slow it does not hear", () => {
  expect(settles(Number.POSITIVE_INFINITY)).toBeGreaterThan(60);
});
