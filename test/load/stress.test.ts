// 5.1 baseline and 5.2 stress: values and order with and without limits, bursts, and a small grid of sizes and caps.
// HOLDFAST_LOAD_LONG=1 adds the large grid and the sustained load; what they measure they print.
import { setTimeout as delay } from "node:timers/promises";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { tool } from "holdfast";
import { describe, expect, test } from "vitest";
import { batch, callsOf, counts, nothingHeld, open, UNLIMITED } from "./accounted.ts";
import { Inside, measured } from "./inside.ts";

const { HOLDFAST_LOAD_LONG: long } = process.env;

describe("base.single", () => {
  test("one call: its value, one attempt, nothing held", async () => {
    const inside = new Inside();
    const runtime = await open({ work: tool({ run: inside.taking(1) }) });
    expect(await batch(runtime, "one", callsOf("work", 1))).toMatchObject([{ kind: "ok", value: 0, attempts: 1 }]);
    expect(inside.began).toBe(1);
  });
});

describe("base.sequential_3", () => {
  test("three, one after the other: never two at once, each with its own value", async () => {
    const inside = new Inside();
    const runtime = await open({ work: tool({ run: inside.taking(2) }) });
    const values = await runtime.run("three", async (run: any) => {
      const seen: number[] = [];
      for (const n of [1, 2, 3]) seen.push(await run.call("work", n));
      return seen;
    });
    expect([values, inside.peak]).toEqual([[1, 2, 3], 1]);
  });
});

describe("base.parallel_2_4", () => {
  for (const many of [2, 4]) {
    test(`${many} at once: values in request order although they end in reverse, all inside together`, async () => {
      const inside = new Inside();
      const ended: number[] = [];
      const work = tool({
        run: (n: number) =>
          inside.count(() =>
            delay(20 * (many - n))
              .then(() => ended.push(n))
              .then(() => n),
          ),
      });
      const runtime = await open({ work });
      const told: number[] = [];
      const outcomes = await batch(runtime, "some", callsOf("work", many), {
        onOutcome: (_, index) => told.push(index),
      });
      const order = Array.from({ length: many }, (_, n) => n);
      expect(outcomes.map((one) => one.kind === "ok" && one.value)).toEqual(order);
      expect([inside.peak, ended, told]).toEqual([many, [...order].reverse(), order]);
    });
  }
});

describe("base.limits_off_equals_on", () => {
  test("the same calls under generous limits of every kind come to the same", async () => {
    const work = () =>
      tool({
        effect: "read",
        run: async (n: number) => {
          if (n % 7 === 3) throw new Error(`no ${n}`);
          await delay(n % 3);
          return n * n;
        },
      });
    const generous = {
      concurrency: 1_000,
      rate: [
        { limit: 100_000, perMs: 1_000 },
        { limit: 100_000, perMs: 1_000, mode: "pace" as const, burst: 1_000 },
      ],
      breaker: { minimumCalls: 100_000 },
      adaptive: { initial: 1_000 },
      keys: { concurrency: 1_000 },
      tenants: { concurrency: 1_000 },
      queue: { delay: true },
    };
    const results = [];
    for (const limits of [UNLIMITED, generous]) {
      const runtime = await open({ work: work() }, { limits });
      const outcomes = await batch(runtime, "same", callsOf("work", 200), { key: "k", tenant: "t" });
      results.push(
        outcomes.map((one) => [
          one.id,
          one.kind,
          one.attempts,
          one.kind === "ok" ? one.value : (one as any).error?.message,
        ]),
      );
    }
    expect(results[1]).toEqual(results[0]);
  });
});

const latencies = {
  "0 ms": () => 0,
  "10 ms": () => 10,
  "100 ms": () => 100,
  uneven: (n: number) => Math.min(200, Math.round(Math.exp(1 + ((n * 7919) % 100) / 40))),
} as const;

/** One cell of the grid: all succeed, and the peak is the cap or all there are. */
async function cell(many: number, cap: number, latency: keyof typeof latencies): Promise<Record<string, number>> {
  const inside = new Inside();
  const ms = latencies[latency];
  const work = tool({ effect: "read", run: (n: number) => inside.count(() => (ms(n) === 0 ? n : delay(ms(n), n))) });
  const runtime = await open({ work }, { limits: { concurrency: cap, startsPerStepMax: 1_000_000 } });
  const [from, cpu] = [performance.now(), process.cpuUsage()];
  const outcomes = await batch(runtime, "cell", callsOf("work", many));
  const [took, used] = [performance.now() - from, process.cpuUsage(cpu)];
  expect(counts(outcomes)).toEqual({ ok: many });
  expect(inside.began).toBe(many);
  expect(inside.peak).toBeLessThanOrEqual(cap);
  if (ms(0) >= 10 && many >= cap) expect(inside.peak).toBe(cap);
  const waited = outcomes.map((one) => (one.startedAt ?? 0) - one.queuedAt).sort((a, b) => a - b);
  await runtime.close();
  return {
    "calls a second": Math.round((many * 1000) / took),
    "cpu ms": (used.user + used.system) / 1000,
    "waited p50": waited[Math.floor(many * 0.5)]!,
    "waited p99": waited[Math.floor(many * 0.99)]!,
    "rss MB": process.memoryUsage.rss() / 2 ** 20,
  };
}

describe("stress", () => {
  const sizes = long ? [10, 50, 100, 500, 1000, 5000] : [10, 100, 1000];
  const caps = long ? [1, 4, 16, 64, 1_000_000] : [4, 64, 1_000_000];
  const kinds = (long ? Object.keys(latencies) : ["0 ms", "10 ms"]) as (keyof typeof latencies)[];
  for (const latency of kinds)
    test(`[${sizes}] calls of ${latency} under caps of [${caps}]: no errors, and never more at once than the cap`, async () => {
      for (const many of sizes)
        for (const cap of caps) {
          const tooLong = (many / Math.min(cap, many)) * latencies[latency](50) > (long ? 120_000 : 1_000);
          if (!tooLong) measured(`stress ${latency} ${many} calls, cap ${cap}`, await cell(many, cap, latency));
        }
    });
});

describe("stress.burst", () => {
  test("5 bursts of 1000, each while the last still runs: nothing refused, nothing lost, the cap holds", async () => {
    const inside = new Inside();
    const runtime = await open(
      { work: tool({ effect: "read", run: inside.taking(1) }) },
      { limits: { concurrency: 64 } },
    );
    const bursts = [];
    for (let n = 0; n < 5; n++) {
      bursts.push(batch(runtime, `burst-${n}`, callsOf("work", 1_000)));
      await delay(10);
    }
    for (const outcomes of await Promise.all(bursts)) expect(counts(outcomes)).toEqual({ ok: 1_000 });
    expect([inside.began, inside.peak]).toEqual([5_000, 64]);
    nothingHeld(runtime, ["work"]);
  });
});

/** MB that are held once the collector has been through: what a process has of the system goes up and down by itself. */
function heldMb(): number {
  setFlagsFromString("--expose-gc");
  (runInNewContext("gc") as () => void)();
  const { heapUsed, external } = process.memoryUsage();
  return (heapUsed + external) / 2 ** 20;
}

describe.runIf(long)("stress.sustained", () => {
  test("10 minutes of 500 calls a second: what is held stays flat", { timeout: 900_000 }, async () => {
    const inside = new Inside();
    const runtime = await open(
      { work: tool({ effect: "read", run: inside.taking(10) }) },
      { limits: { concurrency: 64 } },
    );
    const held: number[] = [];
    for (let second = 0; second < 600; second++) {
      const next = delay(1_000);
      expect(counts(await batch(runtime, `second-${second}`, callsOf("work", 500)))).toEqual({ ok: 500 });
      await runtime.prune({ olderThanMs: 0 });
      if (second % 60 === 59) {
        const rss = process.memoryUsage.rss() / 2 ** 20;
        held.push(heldMb());
        measured("stress.sustained", { minute: held.length, "held MB": held.at(-1)!, "rss MB": rss });
      }
      await next;
    }
    // The last half grows by less than a megabyte a minute.
    expect(held.at(-1)! - held[4]!).toBeLessThan(5);
  });
});
