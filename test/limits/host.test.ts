// The limits through the driver: what a program, a tool and the owner of a runtime say and are told, and what
// a restart remembers. The clock stands until it is moved; the disk outlives its hosts.
import { describe, expect, test } from "vitest";
import { overloaded, tool } from "../../bindings/js/src/index.ts";
import { checkOptions } from "../../bindings/js/src/open-runtime.ts";
import { type Host, Puppets, settle, start, World } from "../rules/fakes.ts";

const calls = (count: number, more: object = {}) =>
  Array.from({ length: count }, (_, i) => ({ id: `c${i}`, tool: "work", input: i, ...more }));

function stage(limits: object = {}, declared: object = {}) {
  const world = new World();
  const puppets = new Puppets();
  const tools = { work: tool({ effect: "idempotent", run: puppets.tool("work"), ...declared } as never) };
  const host = (): Host<any> => world.host(tools, { limits });
  return { world, puppets, host, began: puppets.began };
}

describe("what a program is given", () => {
  test("dx.defaults_safe: nothing said is sixteen at once and a bounded queue", async () => {
    const { puppets, host } = stage();
    const { runtime } = host();
    const run = start({ runtime } as never, "r", (one) => one.batch(calls(40)));
    await settle();
    expect(puppets.began).toHaveLength(16);
    expect(runtime.limit("runtime")).toMatchObject({ size: 16, inUse: 16, breaker: "none" });
    for (let i = 0; i < 40; i++) {
      puppets.end(`c${i}`);
      await settle();
    }
    expect(run.result).toHaveLength(40);
  });

  test("h4.queue_bound: too many are refused as outcomes, and the batch is whole", async () => {
    const { puppets, host } = stage({ concurrency: 2, queue: { max: 3 } });
    const run = start(host(), "r", (one) => one.batch(calls(8)));
    await settle();
    for (let i = 0; i < 5; i++) {
      puppets.end(`c${i}`, i);
      await settle();
    }
    const outcomes = run.result as any[];
    expect(outcomes.map(({ kind }) => kind)).toEqual([...Array(5).fill("ok"), ...Array(3).fill("not-started")]);
    expect(outcomes[7]).toMatchObject({ reason: "overloaded", retryAt: expect.any(Number) });
  });

  test("h6.result_order, S1: outcomes are told in request order, or as they come", async () => {
    for (const order of ["request", "completion"] as const) {
      const { puppets, host } = stage();
      const told: number[] = [];
      const run = start(host(), "r", (one) =>
        one.batch(calls(4), { order, onOutcome: (_: unknown, i: number) => told.push(i) }),
      );
      await settle();
      for (const i of [2, 0, 3, 1]) {
        puppets.end(`c${i}`);
        await settle();
      }
      expect(run.done).toBe(true);
      expect(told).toEqual(order === "request" ? [0, 1, 2, 3] : [2, 0, 3, 1]);
    }
  });

  test("locks: a call that would wait for its own parent is an error that says so", async () => {
    const world = new World();
    const tools = {
      parent: tool({
        effect: "idempotent",
        writes: "file",
        run: (_: unknown, ctx) => ctx.run((run: any) => run.batch([{ tool: "child", input: 0 }])),
      }),
      child: tool({ effect: "idempotent", writes: "file", run: () => 1 }),
    };
    const run = start(world.host(tools), "r", (one) => one.call("parent", 0));
    await settle();
    expect((run.result as any)[0]).toMatchObject({ kind: "error", error: { code: "would-deadlock" } });
  });

  test("h1.nested.no_deadlock: with one permit a call that waits for its child lends it", async () => {
    const world = new World();
    const tools = {
      parent: tool({ effect: "idempotent", run: (_: unknown, ctx) => ctx.run((run: any) => run.call("child", 0)) }),
      child: tool({ effect: "idempotent", run: () => "done" }),
    };
    const run = start(world.host(tools, { limits: { concurrency: 1 } }), "r", (one) => one.call("parent", 0));
    await settle();
    expect(run.result).toBe("done");
  });
});

describe("why a call waits", () => {
  test("dx.blockedBy: the limit, its use and when, by explain and in events", async () => {
    const { world, puppets, host } = stage({ tools: { work: { rate: { limit: 2, perMs: 60_000 } } } });
    const one = host();
    start(one, "r", (run) => run.batch(calls(3)));
    await settle();
    const now = world.clock.wallMs();
    const held = { why: "rate", limit: "tools.work", inUse: 2, size: 2 };
    const explained = one.runtime.explain("r", "c2");
    expect(explained).toMatchObject({ state: "waiting", ...held });
    expect((explained as any).mayStartAt).toBeGreaterThan(now + 59_000);
    expect(one.events.filter(({ kind }) => kind === "waiting")).toMatchObject([{ callId: "c2", ...held }]);
    puppets.end("c0");
    await settle();
    expect(one.runtime.explain("r", "c0")).toEqual({ state: "settled" });
    expect(one.runtime.explain("r", "c1")).toEqual({ state: "started" });
    expect(() => one.runtime.explain("r", "nobody")).toThrow(/unknown-call/);
    expect(() => one.runtime.explain("nothing", "c0")).toThrow(/run-not-found/);
    await world.clock.pass(61_000);
    expect(puppets.began).toHaveLength(3);
  });

  test("setLimit, pause, resume and setPriority by name; a name that is none is refused with those there are", async () => {
    const { puppets, host } = stage({ concurrency: 1 });
    const { runtime } = host();
    runtime.pause("tools.work");
    start({ runtime } as never, "r", (run) => run.batch(calls(4)));
    await settle();
    expect(puppets.began).toEqual([]);
    expect(runtime.limit("tools.work").pausedUntil).toBe(Number.POSITIVE_INFINITY);
    expect(runtime.setPriority("r", "c3", 5)).toBe(true);
    runtime.resume("tools.work");
    await settle();
    expect([...puppets.pending.keys()]).toEqual(["c3"]);
    runtime.setLimit("runtime", { concurrency: 2 });
    puppets.end("c3");
    await settle();
    expect([...puppets.pending.keys()]).toEqual(["c3", "c0", "c1"]);
    expect(() => runtime.setLimit("tools.nothing", { concurrency: 1 })).toThrow(/unknown-limit.*tools\.work/);
    expect(() => runtime.pause("keys", { key: "k" })).toThrow(/unknown-limit/);
    expect(() => runtime.setLimit("runtime", { concurrency: -1 })).toThrow(/to\.concurrency/);
  });
});

describe("what the outside says", () => {
  test("overloaded(): nothing happened, so even a once tool is called again, and the whole tool rests", async () => {
    const { world, puppets, host } = stage({}, { effect: "once" });
    const one = host();
    const run = start(one, "r", (it) => it.batch(calls(2)));
    await settle();
    puppets.fail("c0", overloaded({ retryAfter: "7" }));
    puppets.end("c1");
    await settle();
    expect(one.runtime.explain("r", "c0")).toMatchObject({ why: "resting", limit: "tools.work" });
    await world.clock.pass(6_900);
    expect(puppets.began).toEqual(["work:1", "work:1"]);
    await world.clock.pass(1_500);
    expect(puppets.began).toEqual(["work:1", "work:1", "work:2"]);
    puppets.end("c0", "at last");
    await settle();
    expect((run.result as any)[0]).toMatchObject({ kind: "ok", value: "at last", attempts: 2 });
    expect(one.events.find(({ kind }) => kind === "attempt-failed")).toMatchObject({ overloaded: true });
  });

  test("ctx.cost and ctx.observe: an estimate is corrected, and headers only tighten", async () => {
    const world = new World();
    const seen: any[] = [];
    const tools = {
      model: tool({
        effect: "idempotent",
        cost: (input: number) => ({ tokens: input }),
        limits: { rate: { limit: 100, perMs: 60_000, counts: "tokens" } },
        run: (_: number, ctx) =>
          new Promise((resolve) => {
            seen.push({ ctx, resolve });
          }),
      }),
    };
    const one = world.host(tools);
    start(one, "r", (run) =>
      run.batch([60, 60, 10].map((input, i) => ({ id: `m${i}`, tool: "model" as const, input }))),
    );
    await settle();
    expect(seen).toHaveLength(1);
    expect(one.runtime.explain("r", "m1")).toMatchObject({ why: "rate", inUse: 60, size: 100 });
    seen[0].ctx.cost({ tokens: 30 });
    await settle();
    expect(seen).toHaveLength(3); // 30 + 60 + 10
    seen[1].ctx.observe(
      new Map([
        ["x-ratelimit-remaining-tokens", "0"],
        ["x-ratelimit-reset-tokens", "2m0s"],
      ]),
    );
    await settle();
    expect(() => seen[1].ctx.cost({ tokens: -1 })).toThrow(/cost\.tokens/);
  });

  test("the breaker: circuit-open is an error with when to retry, and what isFailure excuses does not count", async () => {
    const breaker = { minimumCalls: 2, isFailure: (error: { code?: unknown }) => error.code !== "excused" };
    const { world, puppets, host } = stage({ tools: { work: { breaker } } });
    const one = host();
    const round = async (id: string, error: unknown): Promise<any> => {
      const run = start(one, id, (it) => it.batch([{ id, tool: "work", input: 0 }]));
      await settle();
      puppets.fail(id, error);
      await settle();
      return (run.result as any)[0];
    };
    for (let i = 0; i < 4; i++) await round(`x${i}`, Object.assign(new Error("no"), { code: "excused" }));
    expect(one.runtime.limit("tools.work").breaker).toBe("closed");
    for (let i = 0; i < 4; i++) await round(`f${i}`, new Error("down"));
    expect(one.runtime.limit("tools.work").breaker).toBe("open");
    const refused = await round("late", new Error("never called"));
    expect(refused).toMatchObject({
      kind: "error",
      attempts: 0,
      error: { code: "circuit-open", data: { limit: "tools.work" } },
    });
    expect(refused.error.data.retryAt).toBe(world.clock.wallMs() + 30_000);
  });
});

describe("a restart", () => {
  test("a pause goes on where it was, for the run that was told and for all others", async () => {
    const { world, puppets, host } = stage({ tools: { work: { rate: { limit: 1000, perMs: 1_000 } } } });
    const first = host();
    start(first, "r", (run) => run.batch(calls(1)));
    await settle();
    puppets.fail("c0", overloaded({ retryAfterMs: 30_000 }));
    await settle();
    first.crash();
    await world.clock.pass(10_000);
    const second = host();
    start(second, "other", (run) => run.batch([{ id: "d", tool: "work", input: 0 }]));
    await settle();
    expect(second.runtime.explain("other", "d")).toMatchObject({ why: "resting", limit: "tools.work" });
    await world.clock.pass(19_000);
    expect(puppets.began).toHaveLength(1);
    await world.clock.pass(3_000);
    expect(puppets.began).toHaveLength(2);
  });

  test("a rate is not fresh: what was started in its window counts, whoever's run it was", async () => {
    const limits = {
      tools: { work: { rate: { limit: 3, perMs: 60_000 } } },
      keys: { rate: { limit: 2, perMs: 60_000 } },
    };
    const { world, puppets, host } = stage(limits);
    const first = host();
    start(first, "closed", (run) => run.batch(calls(2, { key: "user" })));
    await settle();
    puppets.end("c0");
    puppets.end("c1");
    await settle();
    first.crash();
    await world.clock.pass(20_000);
    const second = host();
    start(second, "new", (run) =>
      run.batch([
        { id: "a", tool: "work", input: 0, key: "user" },
        { id: "b", tool: "work", input: 0 },
        { id: "c", tool: "work", input: 0 },
      ]),
    );
    await settle();
    expect([...puppets.pending.keys()].slice(2)).toEqual(["b"]);
    expect(second.runtime.explain("new", "a")).toMatchObject({ why: "rate", limit: "keys" });
    expect(second.runtime.explain("new", "c")).toMatchObject({ why: "rate", limit: "tools.work", inUse: 3 });
    await world.clock.pass(42_000);
    expect([...puppets.pending.keys()].slice(2).sort()).toEqual(["a", "b", "c"]);
    // The control: a journal that is not the same one remembers nothing.
    const fresh = stage(limits);
    start(fresh.host(), "new", (run) => run.batch(calls(3)));
    await settle();
    expect(fresh.puppets.began).toHaveLength(3);
  });

  test("a breaker stays open for as long as it was to", async () => {
    const { world, puppets, host } = stage({
      tools: { work: { breaker: { minimumCalls: 2, openMs: 30_000, windowMs: 60_000 } } },
    });
    const first = host();
    const run = start(first, "r", (it) => it.batch(calls(2)));
    await settle();
    puppets.fail("c0", new Error("down"));
    puppets.fail("c1", new Error("down"));
    await settle();
    expect(run.done).toBe(true);
    first.crash();
    await world.clock.pass(10_000);
    const second = host();
    const later = start(second, "s", (it) => it.batch([{ id: "d", tool: "work", input: 0 }]));
    await settle();
    expect((later.result as any)[0]).toMatchObject({ error: { code: "circuit-open" } });
    await world.clock.pass(21_000);
    start(second, "t", (it) => it.batch([{ id: "e", tool: "work", input: 0 }]));
    await settle();
    expect(puppets.began).toHaveLength(3);
  });

  test("outcomes that a limit decided are the same on replay", async () => {
    const { puppets, host } = stage({ concurrency: 1, queue: { max: 1 } });
    const first = host();
    const program = async (run: any) => {
      const outcomes = await run.batch(calls(3));
      await new Promise((resolve) => run.signal.addEventListener("abort", resolve));
      return outcomes;
    };
    const live = start(first, "r", (run: any) => run.batch(calls(3)).then((all: any) => all));
    await settle();
    puppets.end("c0");
    await settle();
    puppets.end("c1");
    await settle();
    expect(live.done).toBe(true);
    const before = (live.result as any[]).map(({ kind, reason, retryAt }) => ({ kind, reason, retryAt }));
    expect(before[2]).toMatchObject({ kind: "not-started", reason: "overloaded" });
    first.crash();
    const again = start(host(), "r", program);
    await settle();
    expect((again.result as any[]).map(({ kind, reason, retryAt }) => ({ kind, reason, retryAt }))).toEqual(before);
  });
});

describe("wrong options are refused by their path", () => {
  const tools = { work: tool({ run: () => 1 }) };
  test.each([
    ["limits.concurrency", { concurrency: -1 }],
    ["limits.tools.nobody", { tools: { nobody: {} } }],
    ["limits.tools.work.rate.limit", { tools: { work: { rate: { perMs: 1 } } } }],
    [
      "limits.tools.work.rate[1].perMs",
      {
        tools: {
          work: {
            rate: [
              { limit: 1, perMs: 1 },
              { limit: 1, perMs: 0 },
            ],
          },
        },
      },
    ],
    ["limits.rate.burst", { rate: { limit: 1, perMs: 1, burst: 2 } }],
    ["limits.rate.mode", { rate: { limit: 1, perMs: 1, mode: "bucket" } }],
    ["limits.breaker.failureRatio", { breaker: { failureRatio: 2 } }],
    ["limits.adaptive.initial", { concurrency: 4, adaptive: { initial: 5 } }],
    ["limits.groups.api.tools[0]", { groups: { api: { tools: ["nobody"] } } }],
    ["limits.queue.whenFull", { queue: { whenFull: "panic" } }],
    ["limits.priority.stepMs", { priority: { stepMs: 0.5 } }],
    ["limits.tenants.share", { tenants: { share: "love" } }],
    ["limits.ramp", { ramp: 1 }],
    ["limits.concurency", { concurency: 1 }],
  ])("dx.config_errors: %s", (path, limits) => {
    expect(() => checkOptions({ tools, limits }, [])).toThrow(
      expect.objectContaining({ code: "invalid-option", details: expect.objectContaining({ path }) }),
    );
  });

  test.each([
    ["calls[0].weight", { weight: 0 }],
    ["calls[0].priority", { priority: 1001 }],
    ["calls[0].cost.tokens", { cost: { tokens: -1 } }],
    ["calls[0].reads[1]", { reads: ["a", ""] }],
    ["calls[0].sheddable", { sheddable: "yes" }],
    ["calls[0].preempt", { preempt: "kill" }],
    ["calls[0].preemptible", { preemptible: 1 }],
    ["calls[0].startWithinMs", { startWithinMs: 0 }],
    ["calls[0].minBudgetMs", { minBudgetMs: 0.5 }],
  ])("adv.weights, adv.priority_extremes: %s", async (path, more) => {
    const { host } = stage();
    const run = start(host(), "r", (one) => one.batch(calls(1, more)));
    await settle();
    expect(run.error).toMatchObject({ code: "invalid-option", details: { path } });
  });
});
