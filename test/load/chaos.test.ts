// 5.3 chaos: failures, slowness, timeouts, refusals, dying threads and hosts, injected by count and by seed. Exactly
// what was injected fails; nothing else is touched, nothing is lost, every permit comes back.
import { setTimeout as delay } from "node:timers/promises";
import { overloaded, tool } from "holdfast";
import { describe, expect, onTestFinished, test } from "vitest";
import { type Provider, startProvider } from "../../runtime-node/src/cli/demo-limits/provider.ts";
import { batch, callsOf, counts, nothingHeld, open, UNLIMITED } from "./accounted.ts";
import { Inside, measured, until } from "./inside.ts";
import { seeded } from "./seeded.ts";

describe("chaos.fail_30pct", () => {
  test("exactly the injected third fails, while all run beside one another; the others are untouched", async () => {
    const inside = new Inside();
    const die = seeded(30);
    const injected = new Set(Array.from({ length: 300 }, (_, n) => n).filter(() => die() < 0.3));
    const work = tool({
      run: (n: number) =>
        inside.count(async () => {
          await delay(n % 5);
          if (injected.has(n)) throw new Error(`injected ${n}`);
          return n;
        }),
    });
    const runtime = await open({ work }, { limits: { concurrency: 16 } });
    const outcomes = await batch(runtime, "thirds", callsOf("work", 300));
    for (const [n, one] of outcomes.entries())
      expect(one).toMatchObject(
        injected.has(n) ? { kind: "error", error: { message: `injected ${n}` } } : { kind: "ok", value: n },
      );
    expect(counts(outcomes).error).toBe(injected.size);
    expect([inside.began, inside.peak]).toEqual([300, 16]); // concurrent, and each called once
  });
});

describe("chaos.slow_10pct", () => {
  test("a tenth takes a hundred times as long: no call of the others waits for it, and all succeed", async () => {
    const inside = new Inside();
    let slowLeft = 20;
    let fastAfterSlow = 0;
    const work = tool({
      effect: "read",
      run: (n: number) =>
        inside.count(async () => {
          const slow = n % 10 === 0;
          await delay(slow ? 200 : 2);
          if (slow) slowLeft--;
          else if (slowLeft === 0) fastAfterSlow++;
          return n;
        }),
    });
    const runtime = await open({ work }, { limits: { concurrency: 32 } });
    expect(counts(await batch(runtime, "slow", callsOf("work", 200)))).toEqual({ ok: 200 });
    expect(inside.peak).toBe(32);
    // All fast ones are through while a slow one still runs.
    expect(fastAfterSlow).toBe(0);
  });

  test("control: one at a time, every call waits for every slow one before it", async () => {
    const inside = new Inside();
    let behind = 0;
    let slow = 0;
    const work = tool({
      effect: "read",
      run: (n: number) =>
        inside.count(async () => {
          if (n % 10 === 0) {
            slow++;
            await delay(20);
          } else behind += slow;
          return n;
        }),
    });
    const runtime = await open({ work }, { limits: { concurrency: 1 } });
    expect(counts(await batch(runtime, "convoy", callsOf("work", 100)))).toEqual({ ok: 100 });
    expect(behind).toBe(9 * (1 + 2 + 3 + 4 + 5 + 6 + 7 + 8 + 9 + 10));
  });
});

describe("chaos.timeouts", () => {
  test("a fifth never answers: exactly those time out, one by one, and no other call is aborted", async () => {
    const inside = new Inside();
    const aborted: number[] = [];
    const work = tool({
      effect: "read",
      timeoutMs: 400,
      run: (n: number, ctx) =>
        inside.count(
          () =>
            new Promise<number>((done, fail) => {
              ctx.signal.addEventListener("abort", () => {
                aborted.push(n);
                fail(ctx.signal.reason);
              });
              if (n % 5 !== 0) setTimeout(done, 1, n);
            }),
        ),
    });
    const runtime = await open({ work }, { limits: { concurrency: 50 } });
    const outcomes = await batch(runtime, "hang", callsOf("work", 100));
    for (const [n, one] of outcomes.entries())
      expect(one).toMatchObject(n % 5 === 0 ? { kind: "timed-out", reason: "timeout" } : { kind: "ok", value: n });
    expect(aborted.sort((a, b) => a - b)).toEqual(Array.from({ length: 20 }, (_, i) => i * 5));
  });
});

describe("chaos.429", () => {
  test("503 and 529 by outages, then 429 by a quota: all calls succeed, each is granted once", async () => {
    const one = (status: number) =>
      startProvider({
        requests: { limit: 20, perMs: 300 },
        latencyMs: 3,
        retryAfter: "milliseconds",
        outages: [{ fromMs: 0, untilMs: 1_500, status }],
      });
    let providers: Provider[] = [];
    const asking = (which: number) =>
      tool({
        run: async (_: number, ctx) => {
          const response = await fetch(providers[which]!.url, {
            method: "POST",
            body: JSON.stringify({ id: ctx.callId }),
          });
          const body = (await response.json()) as { id: string };
          if (response.status === 200) return body.id;
          throw overloaded({ retryAfterMs: Number(response.headers.get("retry-after-ms")) });
        },
      });
    const runtime = await open({ first: asking(0), second: asking(1) });
    // Last of all: their outages begin with them.
    providers = await Promise.all([one(503), one(529)]);
    onTestFinished(async () => {
      for (const provider of providers) await provider.close();
    });
    const calls = [...callsOf("first", 60), ...callsOf("second", 60)];
    expect(counts(await batch(runtime, "storm", calls))).toEqual({ ok: 120 });
    const asked = providers.flatMap((provider) => provider.asked);
    const by = (status: number) => asked.filter((request) => request.status === status);
    // A refused call went back, a granted one was not asked again.
    expect(new Set(by(200).map(({ id }) => id)).size).toBe(120);
    expect(by(200).length).toBe(120);
    for (const status of [503, 529, 429]) expect([status, by(status).length > 0]).toEqual([status, true]);
    measured("chaos.429", { "429": by(429).length, "503": by(503).length, "529": by(529).length });
  });
});

describe("chaos.worker_kill", () => {
  const module = new URL("./threads.mjs", import.meta.url);

  test("threads die under a third of the attempts: every call has one outcome, and no permit is lost", async () => {
    const frail = tool<any, any>({
      effect: "idempotent",
      worker: module,
      export: "frail",
      retry: { attempts: 4, backoffMs: 1, backoffMsMax: 5 },
    });
    const runtime = await open({ frail }, { limits: { concurrency: 4 }, workers: { size: 4 } });
    const die = seeded(9);
    // Which attempts of a call die is drawn before: 0 = none, 4 = all it has.
    const deaths = Array.from({ length: 32 }, () => (die() < 0.35 ? 1 + Math.floor(die() * 4) : 0));
    const calls = callsOf("frail", 32, (n) => ({ input: { dies: deaths[n]! } }));
    const outcomes = await batch(runtime, "frail", calls);
    for (const [n, one] of outcomes.entries())
      expect([n, one.kind, one.attempts]).toEqual([n, deaths[n]! >= 4 ? "error" : "ok", Math.min(4, deaths[n]! + 1)]);
    await until(() => runtime.limit("runtime").inUse === 0, "all is back");
    nothingHeld(runtime, ["frail"]);
  });

  test("control: without further attempts each first death is the call's end", async () => {
    const frail = tool<any, any>({ effect: "idempotent", worker: module, export: "frail" });
    const runtime = await open({ frail }, { limits: UNLIMITED, workers: { size: 2 } });
    const outcomes = await batch(
      runtime,
      "frail",
      callsOf("frail", 6, (n) => ({ input: { dies: n % 2 } })),
    );
    expect(outcomes.map(({ kind }) => kind)).toEqual(["ok", "error", "ok", "error", "ok", "error"]);
  });
});
