// H1: unlimited concurrency. What runs at once is counted inside the tools, with the cap and without it.
import { setTimeout as delay } from "node:timers/promises";
import { tool } from "holdfast";
import pLimit from "p-limit";
import PQueue from "p-queue";
import { describe, expect, test } from "vitest";
import { batch, callsOf, counts, nothingHeld, open, UNLIMITED } from "./accounted.ts";
import { Gate, Inside, until } from "./inside.ts";

describe("h1.cap.exact", () => {
  for (const many of [10, 50, 100, 1000]) {
    test(`[${many}] with a cap of 8 the peak inside the tools is 8, and all succeed`, async () => {
      const inside = new Inside();
      const runtime = await open({ slow: tool({ run: inside.taking(3) }) }, { limits: { concurrency: 8 } });
      const outcomes = await batch(runtime, "capped", callsOf("slow", many));
      expect(counts(outcomes)).toEqual({ ok: many });
      expect([inside.began, inside.peak]).toEqual([many, 8]);
    });

    test(`[${many}] control: without a cap all ${many} are inside at once`, async () => {
      const inside = new Inside();
      const gate = new Gate(many);
      const slow = tool({ run: () => inside.count(() => gate.pass().then(() => true)) });
      const runtime = await open({ slow }, { limits: UNLIMITED });
      expect(counts(await batch(runtime, "free", callsOf("slow", many)))).toEqual({ ok: many });
      expect(inside.peak).toBe(many);
    });
  }
});

describe("h1.cap.timeout_truth", () => {
  const MANY = 10;

  test("a tool that ignores its abort and outlives its timeout still counts: 2 stay 2", async () => {
    const inside = new Inside();
    const deaf = tool({ effect: "read", timeoutMs: 20, graceMs: 1, run: inside.taking(120) });
    const runtime = await open({ deaf }, { limits: { concurrency: 2 } });
    const outcomes = await batch(runtime, "deaf", callsOf("deaf", MANY));
    expect(counts(outcomes)).toEqual({ "timed-out": MANY });
    expect([inside.began, inside.peak]).toEqual([MANY, 2]);
    await until(() => inside.now === 0, "the last has left");
    await until(() => runtime.limit("runtime").inUse === 0, "and given its permit back");
  });

  test("also where its outcome is known long before it leaves: the permit is lent until then, and can be seen", async () => {
    const inside = new Inside();
    const gate = new Gate(2);
    const deaf = tool({
      effect: "read",
      timeoutMs: 10,
      graceMs: 1,
      run: () => inside.count(() => gate.opened.then(() => true)),
    });
    const runtime = await open({ deaf }, { limits: { concurrency: 1 } });
    const outcomes = await batch(runtime, "one", callsOf("deaf", 1));
    expect(counts(outcomes)).toEqual({ "timed-out": 1 });
    expect([inside.now, runtime.limit("runtime").inUse]).toEqual([1, 1]);
    gate.release();
    await until(() => runtime.limit("runtime").inUse === 0, "its permit is back");
  });

  test("with afterGrace abandon the others go on, and what still runs is counted, not forgotten", async () => {
    const inside = new Inside();
    const gate = new Gate(Number.POSITIVE_INFINITY);
    const run = (): Promise<boolean> => inside.count(() => gate.opened.then(() => true));
    const deaf = tool({ effect: "read", timeoutMs: 200, graceMs: 1, afterGrace: "abandon", run });
    const runtime = await open({ deaf }, { limits: { tools: { deaf: { concurrency: 2 } } } });
    const seen: number[] = [];
    const watching = (async () => {
      for await (const event of runtime.events()) if (event.kind === "abandoned") seen.push(event.abandoned);
    })();
    expect(counts(await batch(runtime, "deaf", callsOf("deaf", MANY)))).toEqual({ "timed-out": MANY });
    // All that are inside have given their permits to others: the tests above are the control, where 2 stay 2.
    await until(() => runtime.limit("tools.deaf").abandoned === inside.now, "all that run are counted");
    expect(inside.now).toBeGreaterThan(2);
    expect(runtime.limit("runtime")).toMatchObject({ inUse: 0, abandoned: inside.now });
    expect(inside.peak).toBe(inside.now);
    gate.release();
    await until(() => runtime.limit("tools.deaf").abandoned === 0, "all have left");
    expect([inside.now, runtime.limit("tools.deaf").inUse]).toEqual([0, 0]);
    await runtime.close({ graceMs: 0 });
    await watching;
    expect(seen).toEqual(Array.from({ length: inside.began }, (_, n) => n + 1));
  });

  test("control: a queue whose timeout gives the slot away has more inside than its cap", async () => {
    const inside = new Inside();
    const queue = new PQueue({ concurrency: 2, timeout: 20 });
    const work = inside.taking(200);
    const ends = await Promise.allSettled(Array.from({ length: MANY }, (_, n) => queue.add(() => work(n))));
    expect(ends.every(({ status }) => status === "rejected")).toBe(true);
    expect(inside.peak).toBeGreaterThan(2);
    await until(() => inside.now === 0, "all have left");
  });
});

describe("h1.permit.leak", () => {
  const module = new URL("./threads.mjs", import.meta.url);

  test("threads that die, calls that time out, are cancelled or throw: every permit comes back, once", async () => {
    const inside = new Inside();
    const tools = {
      dies: tool<any, any>({ effect: "read", worker: module, export: "dies" }),
      hangs: tool<any, any>({ effect: "read", worker: module, export: "hangs", timeoutMs: 30, graceMs: 10 }),
      throws: tool({ run: () => Promise.reject(new Error("no")) }),
      fine: tool({ effect: "read", run: inside.taking(2) }),
    };
    const runtime = await open(tools, { limits: { concurrency: 4 }, workers: { size: 2 } });
    const names = Object.keys(tools);
    const mixed = Array.from({ length: 40 }, (_, n) => ({ id: `call-${n}`, tool: names[n % 4]!, input: n }));
    const outcomes = await batch(runtime, "mixed", mixed);
    expect(counts(outcomes)).toEqual({ error: 20, "timed-out": 10, ok: 10 });
    await until(() => runtime.limit("runtime").inUse === 0, "all is back");
    nothingHeld(runtime, names);

    const cancelled = new AbortController();
    const left = runtime.run("left", (run: any) => run.batch(callsOf("hangs", 8)), { signal: cancelled.signal });
    left.catch(() => undefined);
    await until(() => runtime.limit("runtime").inUse > 0, "some run");
    cancelled.abort();
    await left.catch(() => undefined);
    await until(() => runtime.limit("runtime").inUse === 0, "all is back");

    // And not once too often: the cap is what it was.
    const before = inside.peak;
    inside.peak = 0;
    expect(counts(await batch(runtime, "after", callsOf("fine", 50)))).toEqual({ ok: 50 });
    expect([before, inside.peak]).toEqual([expect.any(Number), 4]);
  });
});

describe("h1.nested.no_deadlock", () => {
  test("a tool that runs a batch of its own under a cap of 1 gives its permit back meanwhile, three deep", async () => {
    const inside = new Inside();
    const leaf = tool({ effect: "read", run: inside.taking(1) });
    const nest = tool({
      effect: "idempotent",
      run: (depth: number, ctx): Promise<number> =>
        ctx.run(async (run: any) => {
          const calls = depth === 1 ? callsOf("leaf", 3) : [{ id: "deeper", tool: "nest", input: depth - 1 }];
          const outcomes = await run.batch(calls);
          return outcomes.reduce((sum: number, one: any) => sum + (depth === 1 ? 1 : one.value), 0);
        }),
    });
    const runtime = await open({ leaf, nest }, { limits: { concurrency: 1 } });
    const outcomes = await batch(runtime, "nested", [
      { id: "a", tool: "nest", input: 3 },
      { id: "b", tool: "nest", input: 2 },
    ]);
    expect(outcomes.map((one) => one.kind === "ok" && one.value)).toEqual([3, 3]);
    expect(inside.peak).toBe(1);
  });

  test("with holdWhileWaiting it keeps it: the inner calls are a typed error that names the limit, and nothing hangs", async () => {
    const inner: any[] = [];
    const leaf = tool({ effect: "read", run: () => true });
    const nest = tool({
      effect: "idempotent",
      holdWhileWaiting: true,
      run: (many: number, ctx): Promise<number> =>
        ctx.run(async (run: any) => {
          inner.push(...(await run.batch(callsOf("leaf", many))));
          return many;
        }),
    });
    const runtime = await open({ leaf, nest }, { limits: { concurrency: 2 } });
    const outcomes = await batch(runtime, "one", [{ id: "a", tool: "nest", input: 3 }]);
    expect([counts(outcomes), counts(inner)]).toEqual([{ ok: 1 }, { ok: 3 }]); // one of two is enough for one
    inner.length = 0;
    const both = await batch(runtime, "two", [
      { id: "a", tool: "nest", input: 2 },
      { id: "b", tool: "nest", input: 2 },
    ]);
    expect(counts(both)).toEqual({ ok: 2 });
    const refused = inner.filter(({ kind }) => kind === "error");
    expect(refused.length).toBeLessThanOrEqual(2);
    for (const { error } of refused)
      expect(error).toMatchObject({ code: "would-deadlock", data: { limit: "runtime" } });
    inner.length = 0;
    runtime.setLimit("runtime", { concurrency: 1 });
    expect(counts(await batch(runtime, "three", [{ id: "a", tool: "nest", input: 2 }]))).toEqual({ ok: 1 });
    expect(inner.map(({ error }) => [error?.code, error?.data?.limit])).toEqual([
      ["would-deadlock", "runtime"],
      ["would-deadlock", "runtime"],
    ]);
  });

  test("control: a limiter whose holders keep their slot while they wait never gets to the inner call", async () => {
    const limit = pLimit(1);
    let inner = 0;
    const outer = limit(() => limit(() => ++inner));
    const first = await Promise.race([outer.then(() => "done"), delay(300, "still waiting")]);
    expect([first, inner, limit.pendingCount]).toEqual(["still waiting", 0, 1]);
  });
});
