// 5.4 adversarial and 5.5 recovery: what is meant to hurt, and whether anything is left of it afterwards.
import { getEventListeners } from "node:events";
import { setTimeout as delay } from "node:timers/promises";
import { type Outcome, overloaded, tool } from "holdfast";
import { describe, expect, test } from "vitest";
import { batch, callsOf, counts, nothingHeld, oneOutcomeEach, open } from "./accounted.ts";
import { Gate, Inside, measured, until } from "./inside.ts";
import { seeded } from "./seeded.ts";

describe("adv.fast_slow_mix", () => {
  /** 100 slow calls first, that end only when they may, then 300 fast ones; how many fast ones ended meanwhile? */
  async function through(own: boolean): Promise<number> {
    const [slow, fast] = [new Inside(), new Inside()];
    const gate = new Gate(1_000);
    const runtime = await open(
      {
        slow: tool({ effect: "read", run: (n: number) => slow.count(() => gate.opened.then(() => n)) }),
        fast: tool({ effect: "read", run: fast.taking(1) }),
      },
      { limits: { concurrency: 16, ...(own ? { tools: { slow: { concurrency: 4 } } } : {}) } },
    );
    const run = batch(runtime, "mix", [...callsOf("slow", 100), ...callsOf("fast", 300)]);
    if (own) await until(() => fast.ended === 300, "the fast are through");
    // The control waits for as many turns of the loop as the fast ones have calls: whoever may start has by then.
    else for (let turn = 0; turn < 300; turn++) await delay(0);
    expect(slow.now).toBe(own ? 4 : 16);
    const meanwhile = fast.ended;
    gate.release();
    expect(counts(await run)).toEqual({ ok: 400 });
    return meanwhile;
  }
  test("with a cap of its own the slow tool holds up none of the fast calls", async () => {
    expect(await through(true)).toBe(300);
  });
  test("control: without it the slow ones hold every permit, and no fast call runs", async () => {
    expect(await through(false)).toBe(0);
  });
});

describe("adv.key_flood", () => {
  test("20 000 keys of 4 tenants, one call each, under limits of their own: all served", async () => {
    const inside = new Inside();
    const work = tool({ effect: "read", run: (n: number) => inside.count(() => n) });
    const limits = { keys: { concurrency: 1 }, tenants: { concurrency: 1 } };
    const runtime = await open({ work }, { limits });
    const growth: number[] = [];
    for (let round = 0; round < 4; round++) {
      const calls = callsOf("work", 5_000, (n) => ({ key: `key-${round}-${n}` }));
      expect(counts(await batch(runtime, `flood-${round}`, calls, { tenant: `tenant-${round}` }))).toEqual({
        ok: 5_000,
      });
      await runtime.prune({ olderThanMs: 0 });
      growth.push(process.memoryUsage.rss() / 2 ** 20);
    }
    expect(inside.began).toBe(20_000);
    measured("adv.key_flood", { "rss MB by round": growth.map(Math.round).join(",") });
  });
});

describe("adv.weights", () => {
  for (const weight of [0, -1, 1.5, Number.NaN, Number.POSITIVE_INFINITY, 2 ** 40, "2"])
    test(`a weight of ${String(weight)} is refused by its path, and nothing is called`, async () => {
      const inside = new Inside();
      const runtime = await open({ work: tool({ run: inside.taking(0) }) });
      const run = runtime.run("odd", (r: any) => r.batch([{ tool: "work", input: null, weight }]));
      await expect(run).rejects.toMatchObject({ name: "HoldfastError", message: expect.stringContaining("weight") });
      expect(inside.began).toBe(0);
    });
});

describe("adv.priority_extremes", () => {
  test("−1000, 0 and 1000 start in that order reversed; one beyond is refused", async () => {
    const order: string[] = [];
    const gate = new Gate(1_000);
    const work = tool({
      effect: "read",
      run: async (id: string) => {
        order.push(id);
        await gate.opened;
        return id;
      },
    });
    const runtime = await open({ work }, { limits: { concurrency: 1 } });
    const calls = (["first", "low", "zero", "high"] as const).map((id) => ({
      id,
      tool: "work",
      input: id,
      priority: { first: 1000, low: -1000, zero: 0, high: 1000 }[id],
    }));
    const run = batch(runtime, "extremes", calls);
    await until(() => order.length === 1, "the first has it");
    gate.release();
    await run;
    expect(order).toEqual(["first", "high", "zero", "low"]);
    const beyond = runtime.run("beyond", (r: any) => r.batch([{ tool: "work", input: "x", priority: 1001 }]));
    await expect(beyond).rejects.toMatchObject({ name: "HoldfastError", message: expect.stringContaining("priority") });
  });
});

describe("adv.reentrant", () => {
  test("submitting, pausing, resizing and cancelling from where an outcome is told loses nothing", async () => {
    const inside = new Inside();
    const runtime = await open(
      { work: tool({ effect: "read", run: inside.taking(1) }) },
      { limits: { concurrency: 4 } },
    );
    const inner: Promise<Outcome[]>[] = [];
    const onOutcome = (_: Outcome, index: number): void => {
      if (index % 10 === 0) inner.push(batch(runtime, `inner-${index}`, callsOf("work", 5)));
      if (index % 10 === 3) runtime.setLimit("runtime", { concurrency: 1 + (index % 4) });
      if (index % 10 === 5) runtime.pause();
      if (index % 10 === 5) runtime.resume();
      if (index === 20) void runtime.run("doomed", (run: any) => run.batch(callsOf("work", 50))).catch(() => undefined);
      if (index === 30) runtime.cancel("doomed");
    };
    const outer = await batch(runtime, "outer", callsOf("work", 100), { onOutcome, order: "completion" });
    expect(counts(outer)).toEqual({ ok: 100 });
    for (const outcomes of await Promise.all(inner)) expect(counts(outcomes)).toEqual({ ok: 5 });
    await until(() => runtime.limit("runtime").inUse === 0, "all is back");
    expect(inner.length).toBe(10);
  });
});

describe("adv.config_change_storm", () => {
  /** 1000 calls while the size changes all the time; how often did one begin above the size in force? */
  async function storm(told: boolean) {
    const inside = new Inside();
    const next = seeded(4);
    let size = 8;
    let above = 0;
    let changes = 0;
    const work = tool({
      effect: "read",
      run: (n: number) =>
        inside.count(() => {
          if (inside.now > size) above++;
          return delay(1, n);
        }),
    });
    const runtime = await open({ work }, { limits: { concurrency: size, ramp: false } });
    const changing = setInterval(() => {
      const wanted = 1 + Math.floor(next() * 16);
      // Lowering it kills nothing, so a smaller one is in force once no more than that are lent. The control is not told.
      if (told && wanted < runtime.limit("runtime").inUse) return;
      if (told) runtime.setLimit("runtime", { concurrency: wanted });
      size = wanted;
      changes++;
    }, 1);
    const outcomes = await batch(runtime, "storm", callsOf("work", 1_000));
    clearInterval(changing);
    expect(counts(outcomes)).toEqual({ ok: 1_000 });
    expect(changes).toBeGreaterThan(5);
    return { above, peak: inside.peak };
  }

  test("a new size at every step: none begins above the size in force, and all end", async () => {
    const { above, peak } = await storm(true);
    expect(above).toBe(0);
    expect(peak).toBeLessThanOrEqual(16);
  });
  test("control: sizes that the runtime is not told of do not hold", async () => {
    expect((await storm(false)).above).toBeGreaterThan(0);
  });
});

describe("rec.after_failures", () => {
  test("after a batch that fails in every way the next is as one on a fresh runtime", async () => {
    const make = () => {
      const inside = new Inside();
      const order: number[] = [];
      let sick = false;
      const work = tool({
        effect: "read",
        timeoutMs: 2_000,
        run: (n: number, ctx) =>
          inside.count(async () => {
            if (!sick) order.push(n);
            if (sick && n % 3 === 0) throw new Error("sick");
            if (sick && n % 3 === 1) throw overloaded({ retryAfterMs: 1 });
            await delay(1, undefined, { signal: ctx.signal });
            return n;
          }),
      });
      return { inside, order, work, ail: (is: boolean) => (sick = is) };
    };
    const limits = { concurrency: 8, tools: { work: { throttlesMax: 2, ramp: false } } };
    const [tried, fresh] = [make(), make()];
    const old = await open({ work: tried.work }, { limits });
    tried.ail(true);
    expect(counts(await batch(old, "sick", callsOf("work", 60)))).toEqual({ error: 40, ok: 20 });
    tried.ail(false);
    tried.inside.peak = 0;
    const again = await batch(old, "well", callsOf("work", 200));
    const first = await batch(await open({ work: fresh.work }, { limits }), "well", callsOf("work", 200));
    const facts = (outcomes: readonly Outcome[]) => outcomes.map((one) => [one.id, one.kind, one.attempts, one.source]);
    expect(facts(again)).toEqual(facts(first));
    expect([tried.order, tried.inside.peak]).toEqual([fresh.order, fresh.inside.peak]);
  });
});

describe("rec.time", () => {
  test("after an outage full size is reached within log2 rounds of successes", async () => {
    const inside = new Inside();
    let out = true;
    const rounds: number[] = [];
    const ask = tool({
      run: (n: number) => {
        if (out) throw overloaded({ retryAfterMs: 150 });
        return inside.count(async () => {
          rounds.push(inside.now);
          await delay(4);
          return n;
        });
      },
    });
    const runtime = await open({ ask }, { limits: { concurrency: 32 } });
    const run = batch(runtime, "outage", callsOf("ask", 300));
    await until(() => runtime.limit("tools.ask").pausedUntil !== undefined, "it rests");
    const restsUntil = runtime.limit("tools.ask").pausedUntil!;
    out = false;
    expect(counts(await run)).toEqual({ ok: 300 });
    // 1 + 2 + 4 + 8 + 16 calls at most before all 32 may be inside.
    const full = rounds.indexOf(32);
    expect(full).toBeGreaterThan(0);
    expect(full).toBeLessThanOrEqual(1 + 2 + 4 + 8 + 16 + 32 + 32);
    const performanceToWall = Date.now() - performance.now();
    measured("rec.time", {
      "ms from the end of the rest to full size": inside.beginnings[full]! + performanceToWall - restsUntil,
    });
  });
});

describe("rec.cleanup", () => {
  test("after everything has happened nothing is left: listeners, timers, threads", async () => {
    const module = new URL("./threads.mjs", import.meta.url);
    const resources = (): number =>
      process.getActiveResourcesInfo().filter((name) => /Timeout|Worker|MessagePort/.test(name)).length;
    const before = resources();
    const cancel = new AbortController();
    const runtime = await open(
      {
        work: tool({ effect: "read", timeoutMs: 1_000, run: (n: number, ctx) => delay(1, n, { signal: ctx.signal }) }),
        hangs: tool<any, any>({ effect: "read", worker: module, export: "hangs", timeoutMs: 60_000, graceMs: 1 }),
      },
      { limits: { concurrency: 4, rate: { limit: 1_000, perMs: 60_000 }, breaker: true }, workers: { size: 2 } },
    );
    const outcomes: Outcome[] = [];
    const calls = [...callsOf("work", 100), ...callsOf("hangs", 4)];
    const run = runtime.run("all", async (r: any) => outcomes.push(...(await r.batch(calls))), {
      signal: cancel.signal,
    });
    run.catch(() => undefined);
    await until(() => runtime.limit("tools.hangs").inUse === 4, "only what hangs is left");
    expect(getEventListeners(cancel.signal, "abort").length).toBe(1);
    cancel.abort();
    await run.catch(() => undefined);
    oneOutcomeEach(calls, outcomes);
    expect(counts(outcomes)).toEqual({ ok: 100, cancelled: 4 });
    await until(() => runtime.limit("runtime").inUse === 0, "all is back");
    expect(getEventListeners(cancel.signal, "abort").length).toBe(0);
    nothingHeld(runtime, ["work", "hangs"]);
    await runtime.close();
    await until(() => resources() <= before, "no timer and no thread is left");
  });
});

describe("rec.cancel_batch", () => {
  test("cancelled in the middle: what was over stays, what ran is told, what waited never starts; the next run is served", async () => {
    const inside = new Inside();
    const work = tool({
      effect: "read",
      run: (n: number, ctx) => inside.count(() => delay(n < 20 ? 1 : 60_000, n, { signal: ctx.signal })),
    });
    const runtime = await open({ work }, { limits: { concurrency: 10 } });
    const calls = callsOf("work", 100);
    const outcomes: Outcome[] = [];
    const run = runtime.run("cut", async (r: any) => outcomes.push(...(await r.batch(calls))));
    run.catch(() => undefined);
    await until(() => inside.ended === 20 && inside.now === 10, "twenty are over and ten run");
    expect(runtime.cancel("cut")).toBe(true);
    await run.catch(() => undefined);
    oneOutcomeEach(calls, outcomes);
    expect(counts(outcomes)).toEqual({ ok: 20, cancelled: 80 });
    expect(outcomes.filter(({ attempts }) => attempts === 0).length).toBe(70);
    expect([inside.began, inside.now]).toEqual([30, 0]);
    expect(counts(await batch(runtime, "next", callsOf("work", 20)))).toEqual({ ok: 20 });
  });
});
