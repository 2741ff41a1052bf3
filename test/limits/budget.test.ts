// `minBudgetMs`: a call with less time left than it needs is not started, and waits for nothing that would leave less.
import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { overloaded, tool } from "../../bindings/js/src/index.ts";
import { Puppets, settle, start, World } from "../rules/fakes.ts";
import { CoreWorld, limit, many, SECOND } from "./core-world.ts";

const MS = 1_000;

describe("h9.min_budget: in the core", () => {
  const step = fc.record({ later: fc.integer({ min: 0, max: 300 * MS }), how: fc.constantFrom("ok", "fail", "busy") });

  /** Random ends of calls under a rate, with retries: how many began with less left than 200 ms, of how many. */
  function begun(budget: number, steps: readonly { later: number; how: string }[]): { late: number; all: number } {
    const world = new CoreWorld({
      concurrency: 2,
      tools: [{ attempts: 4, backoff: 100_000n, backoffMost: 100_000n }],
      limits: [limit("window", { size: 5, per: 400 * MS })],
    });
    const deadline = world.now + SECOND;
    world.batch(many("c", 12, { budget }), { deadline: 1_000 });
    for (const { later, how } of steps) {
      world.pass(later);
      const name = [...world.running].find((one) => !world.aborted.includes(one));
      if (name === undefined) continue;
      if (how === "ok") world.ok(name);
      else if (how === "fail") world.fail(name);
      else world.overloaded(name, 50 * MS);
    }
    world.pass(SECOND);
    world.runDown((name) => (world.aborted.includes(name) ? world.stopped(name) : world.ok(name)));
    expect(world.ended.size).toBe(12);
    return { late: world.starts.filter(({ at }) => at > deadline - 200 * MS).length, all: world.starts.length };
  }

  test("h9.min_budget: whatever ends when, nothing begins with less left, no retry either", () => {
    const holds = (budget: number): void =>
      fc.assert(
        fc.property(fc.array(step, { minLength: 4, maxLength: 40 }), (steps) => {
          const { late, all } = begun(budget, steps);
          expect(all).toBeGreaterThan(0);
          expect(late).toBe(0);
        }),
        { numRuns: 200, seed: 9 },
      );
    holds(200 * MS);
    expect(() => holds(0)).toThrow();
  });

  test.each([
    ["a rate", (world: CoreWorld) => world.ok("a"), [limit("window", { size: 1, per: SECOND })]],
    ["a rest", (world: CoreWorld) => world.overloaded("a", SECOND), []],
    [
      "an open breaker that calls wait for",
      (world: CoreWorld) => world.fail("a"),
      [limit("breaker", { size: 1, per: SECOND, a: 500, b: SECOND, meter: 1, mode: 1 })],
    ],
  ] as const)("no wait for %s is begun that leaves too little", (_, end, limits) => {
    for (const budget of [300 * MS, 0]) {
      const world = new CoreWorld({ limits });
      world.batch([{ name: "a" }]);
      end(world);
      world.batch([{ name: "b", budget }], { deadline: 1_200 });
      const waits = budget === 0;
      expect(world.ended.has("b")).toBe(!waits);
      if (!waits) {
        expect(world.ended.get("b")).toMatchObject({ outcome: "not-started", reason: "budget" });
        expect(world.ended.get("b")!.until).toBeGreaterThan(world.wall + 900);
      }
      world.runDown();
    }
  });

  test("told to slow down for longer than leaves enough: that is its outcome", () => {
    const world = new CoreWorld();
    world.batch([{ name: "c", budget: 300 * MS }], { deadline: 1_000 });
    world.overloaded("c", 800 * MS);
    expect(world.ended.get("c")).toMatchObject({ outcome: "error", reason: "rate-limited-beyond-deadline" });
    world.finish();
  });
});

describe("through the driver", () => {
  test("a tool, a batch or a call says it; the outcome says why, also after a restart", async () => {
    const world = new World();
    const puppets = new Puppets();
    const tools = {
      work: tool({ effect: "idempotent", run: puppets.tool("work"), minBudgetMs: 300 }),
      quick: tool({ effect: "idempotent", run: () => "quick" }),
    };
    const calls = [
      { id: "tool", tool: "work", input: 0, deadlineMs: 200 },
      { id: "call", tool: "work", input: 0, deadlineMs: 200, minBudgetMs: 100 },
      { id: "plenty", tool: "work", input: 0, deadlineMs: 2_000 },
      { id: "plain", tool: "quick", input: 0, deadlineMs: 200 },
    ];
    const program = async (run: any) => [
      await run.batch(calls),
      await run.batch([{ id: "batch", tool: "quick", input: 0 }], { deadlineMs: 50, minBudgetMs: 60 }),
    ];
    const first = world.host(tools);
    start(first, "r", program);
    await settle();
    expect([...puppets.pending.keys()]).toEqual(["call", "plenty"]);
    puppets.end("call", 1);
    await settle();
    first.crash();
    await world.clock.pass(500);
    const run = start(world.host(tools), "r", program);
    await settle();
    puppets.end("plenty", 2);
    await settle();
    const [ends, later] = run.result as any[];
    expect(ends.map(({ kind, reason, replayed }: any) => `${kind} ${reason ?? "-"} ${replayed}`)).toEqual([
      "not-started budget true",
      "ok - true",
      "ok - false",
      "ok - true",
    ]);
    expect(ends[0]).not.toHaveProperty("limit");
    expect(later).toMatchObject([{ kind: "not-started", reason: "budget" }]);
  });

  test("a rest that leaves too little is named, and another tool may be quicker", async () => {
    const world = new World();
    const puppets = new Puppets();
    const tools = {
      work: tool({ effect: "idempotent", run: puppets.tool("work") }),
      patient: tool({ effect: "read", run: () => "old" }),
      hasty: tool({ effect: "read", run: puppets.tool("hasty"), fallback: { tool: "patient", when: ["budget"] } }),
    };
    const host = world.host(tools, {
      limits: { groups: { api: { tools: ["work", "hasty"], rate: { limit: 1, perMs: 10_000 } } } },
    });
    start(host, "other", (run) => run.call("work", 0));
    await settle();
    const said = { deadlineMs: 5_000, minBudgetMs: 1_000, input: 0 };
    const run = start(host, "r", (it) =>
      it.batch([
        { id: "w", tool: "work", ...said },
        { id: "h", tool: "hasty", ...said },
      ]),
    );
    await settle();
    const [refused, mended] = run.result as any[];
    expect(refused).toMatchObject({ kind: "not-started", reason: "budget", limit: "groups.api" });
    expect(refused.retryAt).toBeGreaterThan(world.clock.wallMs() + 9_000);
    expect(mended).toMatchObject({ kind: "ok", value: "old", fallback: { insteadOf: { reason: "budget" } } });
  });

  test("a 429 that leaves too little ends the call at once", async () => {
    const world = new World();
    const puppets = new Puppets();
    const host = world.host({ work: tool({ effect: "once", run: puppets.tool("work") }) });
    const run = start(host, "r", (it) =>
      it.batch([{ id: "w", tool: "work", input: 0, deadlineMs: 5_000, minBudgetMs: 2_000 }]),
    );
    await settle();
    puppets.fail("w", overloaded({ retryAfterMs: 4_000 }));
    await settle();
    expect(run.result).toMatchObject([{ kind: "error", error: { code: "rate-limited-beyond-deadline" } }]);
  });
});
