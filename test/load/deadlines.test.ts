// H9 and H10 as a program meets them: deadlines of calls, batches and trees; a breaker that spares the others; what
// goes first when there is too much; a size that finds itself. Exact moments are the core's tests.
import { setTimeout as delay } from "node:timers/promises";
import { overloaded, tool } from "holdfast";
import { describe, expect, test } from "vitest";
import { batch, callsOf, counts, oneOutcomeEach, open } from "./accounted.ts";
import { Gate, Inside, measured, until } from "./inside.ts";

/** A tool that runs until it is told to stop, and counts those that were. */
function obedient(inside: Inside, aborted: string[] = []) {
  return tool({
    effect: "read",
    run: (_: number, ctx) =>
      inside.count(
        () =>
          new Promise((_done, fail) =>
            ctx.signal.addEventListener("abort", () => {
              aborted.push(ctx.callId);
              fail(ctx.signal.reason);
            }),
          ),
      ),
  });
}

describe("h9.batch_deadline", () => {
  test("what runs is aborted, what waits never starts, and each says so", async () => {
    const inside = new Inside();
    const aborted: string[] = [];
    const runtime = await open({ hangs: obedient(inside, aborted) }, { limits: { concurrency: 8 } });
    const outcomes = await batch(runtime, "late", callsOf("hangs", 100), { deadlineMs: 150 });
    expect(outcomes.slice(0, 8)).toMatchObject(Array(8).fill({ kind: "timed-out", reason: "deadline" }));
    expect(outcomes.slice(8)).toMatchObject(Array(92).fill({ kind: "not-started", reason: "deadline", attempts: 0 }));
    expect([inside.began, aborted.length, inside.now]).toEqual([8, 8, 0]);
  });
});

describe("h9.tree", () => {
  test("three levels of runs end by the deadline of the outermost", async () => {
    const inside = new Inside();
    const deadlines: number[] = [];
    const nest = tool({
      effect: "idempotent",
      run: (depth: number, ctx): Promise<string[]> => {
        deadlines.push(ctx.deadline ?? Number.POSITIVE_INFINITY);
        return ctx.run(async (run: any) => {
          const calls = depth === 0 ? callsOf("hangs", 3) : [{ id: "in", tool: "nest", input: depth - 1 }];
          return (await run.batch(calls, { deadlineMs: 600_000 })).map((one: { kind: string }) => one.kind);
        });
      },
    });
    const runtime = await open({ hangs: obedient(inside), nest });
    const outcomes = await batch(runtime, "tree", [{ id: "top", tool: "nest", input: 2 }], { deadlineMs: 400 });
    expect(outcomes).toMatchObject([{ kind: "timed-out", reason: "deadline" }]);
    // A child's is never later than its parent's.
    expect(deadlines.length).toBe(3);
    for (const [i, at] of deadlines.entries()) if (i > 0) expect(at).toBeLessThanOrEqual(deadlines[i - 1]!);
    await until(() => inside.now === 0, "all have heard of it");
    expect(inside.began).toBe(3);
  });
});

describe("h9.no_hopeless_wait", () => {
  test("a Retry-After beyond the deadline ends the call at once, with when it is worth trying", async () => {
    let asked = 0;
    const ask = tool({
      run: () => {
        asked++;
        throw overloaded({ retryAfterMs: 3_600_000 });
      },
    });
    const runtime = await open({ ask });
    const calls = [{ id: "one", tool: "ask", deadlineMs: 600_000 }];
    const [outcome] = await batch(runtime, "hopeless", calls);
    expect(outcome).toMatchObject({ kind: "error", error: { code: "rate-limited-beyond-deadline" }, attempts: 1 });
    expect(asked).toBe(1);
  });
});

describe("h9.start_vs_run_vs_total", () => {
  test("each bound by itself, each with its own reason", async () => {
    const inside = new Inside();
    const runtime = await open({ hangs: obedient(inside) }, { limits: { concurrency: 2 } });
    const outcomes = await batch(runtime, "three", [
      { id: "runs", tool: "hangs", timeoutMs: 250 },
      { id: "total", tool: "hangs", deadlineMs: 250 },
      { id: "start", tool: "hangs", startWithinMs: 60 },
      { id: "queued", tool: "hangs", deadlineMs: 60 },
    ]);
    expect(outcomes).toMatchObject([
      { kind: "timed-out", reason: "timeout" },
      { kind: "timed-out", reason: "deadline" },
      { kind: "not-started", reason: "start-within" },
      { kind: "not-started", reason: "deadline" },
    ]);
    expect(inside.began).toBe(2);
  });
});

describe("h9.one_timeout_only", () => {
  test("one call's timeout aborts no other that runs beside it", async () => {
    const aborted: string[] = [];
    const work = tool({
      effect: "read",
      run: (ms: number, ctx) =>
        new Promise((done) => {
          ctx.signal.addEventListener("abort", () => {
            aborted.push(ctx.callId);
            done("aborted");
          });
          setTimeout(done, ms, "done");
        }),
    });
    const runtime = await open({ work });
    const calls = callsOf("work", 10, (n) => (n === 3 ? { input: 60_000, timeoutMs: 20 } : { input: 60 }));
    expect(counts(await batch(runtime, "ten", calls))).toEqual({ ok: 9, "timed-out": 1 });
    expect(aborted).toEqual(["work-3"]);
  });
});

describe("h10.breaker.isolates_tool", () => {
  /** Calls of a tool that fails beside one that does not; gives how often each was called. */
  async function called(breaker: boolean) {
    const [sick, well] = [new Inside(), new Inside()];
    const runtime = await open(
      {
        sick: tool({ run: () => sick.count(() => Promise.reject(new Error("unwell"))) }),
        well: tool({ run: well.taking(0) }),
      },
      {
        limits: {
          concurrency: 4,
          ...(breaker ? { tools: { sick: { breaker: { minimumCalls: 10, openMs: 60_000 } } } } : {}),
        },
      },
    );
    const calls = Array.from({ length: 200 }, (_, n) => ({ id: `c${n}`, tool: n % 2 ? "well" : "sick", input: n }));
    const outcomes = await batch(runtime, "mixed", calls);
    expect(counts(outcomes)).toEqual({ error: 100, ok: 100 });
    const refused = outcomes.filter((one) => one.kind === "error" && one.error.code === "circuit-open");
    expect(refused.every(({ attempts }) => attempts === 0)).toBe(true);
    return { sick: sick.began, well: well.began, refused: refused.length };
  }

  test("the sick tool is left alone once it is known, its calls fail with why, and the others are all served", async () => {
    const { sick, well, refused } = await called(true);
    expect([well, sick + refused]).toEqual([100, 100]);
    expect(sick).toBeLessThanOrEqual(10 + 4); // those that were out when it opened
  });
  test("control: without a breaker it is called every time", async () => {
    expect(await called(false)).toEqual({ sick: 100, well: 100, refused: 0 });
  });
});

describe("h10.ladder", () => {
  test("when the queue is full a sheddable call goes for one that is not, then the new are refused; each is told", async () => {
    const inside = new Inside();
    const gate = new Gate(1_000);
    const work = tool({ effect: "read", run: (n: number) => inside.count(() => gate.opened.then(() => n)) });
    const runtime = await open({ work }, { limits: { concurrency: 1, queue: { max: 20 } } });
    const first = batch(
      runtime,
      "first",
      callsOf("work", 21, (n) => (n > 10 ? { sheddable: true } : {})),
    );
    await until(() => runtime.pressure === 2, "the queue is full");
    const second = batch(runtime, "second", callsOf("work", 15));
    await delay(20);
    gate.release();
    const [one, two] = await Promise.all([first, second]);
    expect(counts(one)).toEqual({ ok: 11, "not-started": 10 });
    expect(one.filter(({ kind }) => kind === "not-started").map(({ id }) => Number(id.split("-")[1]))).toEqual(
      Array.from({ length: 10 }, (_, i) => 11 + i),
    );
    expect(counts(two)).toEqual({ ok: 10, "not-started": 5 });
    for (const refused of [...one, ...two].filter(({ kind }) => kind === "not-started"))
      expect(refused).toMatchObject({ reason: "overloaded" });
    expect(runtime.pressure).toBe(0);
  });
});

describe("h10.aimd", () => {
  const SLOTS = 40;
  /** A backend of 40 slots that refuses more, without saying when. Gives refusals per 1000 grants. */
  async function refused(adaptive: boolean) {
    const inside = new Inside();
    let refusals = 0;
    const ask = tool({
      run: (n: number) => {
        if (inside.now >= SLOTS) {
          refusals++;
          throw overloaded({ retryAfterMs: 5 });
        }
        return inside.count(() => delay(2, n));
      },
    });
    const runtime = await open(
      { ask },
      { limits: { concurrency: 200, tools: { ask: { concurrency: 200, adaptive, ramp: false, throttlesMax: 250 } } } },
    );
    const outcomes = await batch(runtime, "backend", callsOf("ask", 2_000));
    expect(counts(outcomes)).toEqual({ ok: 2_000 });
    return { refusals, cap: runtime.limit("tools.ask").cap, peak: inside.peak };
  }

  test("it finds its size below a backend of 40, and is refused rarely; fixed at 200 it is refused all the time", async () => {
    const found = await refused(true);
    const fixed = await refused(false);
    expect(found.cap).toBeLessThanOrEqual(SLOTS + 1);
    expect(found.peak).toBeLessThanOrEqual(SLOTS);
    expect(found.refusals * 5).toBeLessThan(fixed.refusals);
    measured("h10.aimd", { "refused adaptive": found.refusals, "refused fixed": fixed.refusals, cap: found.cap });
  });
});

describe("every batch of these", () => {
  test("would notice a call without an outcome", () => {
    expect(() => oneOutcomeEach(callsOf("work", 2), [])).toThrow();
  });
});
