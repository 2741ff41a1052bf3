// A fallback: another tool is called where one came to nothing, as a call of its own, and the outcome says so.
import { describe, expect, test } from "vitest";
import { overloaded, tool } from "../../bindings/js/src/index.ts";
import { type Host, Puppets, settle, start, World } from "../rules/fakes.ts";
import { call, stage } from "./fallback-stage.ts";

/** Four failures open the breaker. */
async function opened(host: Host<any>): Promise<void> {
  start(host, "before", (run) => run.batch(["f0", "f1", "f2", "f3"].map((id) => call(id))));
  await settle();
  expect(host.runtime.limit("tools.live").breaker).toBe("open");
}

describe("h10.fallback_used_and_marked", () => {
  test("h10.fallback_used_and_marked: while the breaker is open the other tool is called, and the outcome says so", async () => {
    const { called, host } = stage();
    const one = host();
    await opened(one);
    called.length = 0;
    const run = start(one, "r", (it) => it.batch([call("a"), call("p", "plain"), call("b")]));
    await settle();
    expect(called).toEqual(["plain p", "cached #fallback-of-0", "cached #fallback-of-2"]);
    const [a, p] = run.result as any[];
    expect(a).toMatchObject({ id: "a", tool: "live", kind: "ok", value: { old: "a" }, attempts: 0, replayed: false });
    expect(a.fallback).toMatchObject({
      tool: "cached",
      callId: "#fallback-of-0",
      insteadOf: { kind: "error", error: { code: "circuit-open", data: { limit: "tools.live" } } },
    });
    expect(p).not.toHaveProperty("fallback");
    // Not a success of the first tool: its breaker has heard nothing, and its own slot ended as it ended.
    expect(one.runtime.limit("tools.live").breaker).toBe("open");
    const { slots } = await one.runtime.read("r");
    expect(slots.map(({ id, tool: name, outcome }) => `${id} ${name} ${outcome}`)).toEqual([
      "a live error",
      "p plain ok",
      "b live error",
      "#fallback-of-0 cached ok",
      "#fallback-of-2 cached ok",
    ]);
    const steps = one.events.filter((event: any) => event.callId === "a" && event.runId === "r");
    expect(steps.map(({ kind }) => kind)).toEqual(["queued", "planned", "settled", "fell-back"]);
  });

  test("the control: without one the program gets the refusal", async () => {
    const { called, host } = stage({ live: { fallback: undefined } });
    const one = host();
    await opened(one);
    called.length = 0;
    const run = start(one, "r", (it) => it.batch([call("a")]));
    await settle();
    expect(run.result).toMatchObject([{ kind: "error", error: { code: "circuit-open" } }]);
    expect(called).toEqual([]);
  });

  test("an end that is not named stays what it is; a named one is mended", async () => {
    const ends: Record<string, { when: string; run: () => unknown; more?: object }> = {
      thrown: { when: "error", run: () => Promise.reject(new Error("no")) },
      slow: { when: "timed-out", run: () => new Promise(() => undefined), more: { timeoutMs: 5, graceMs: 0 } },
      busy: { when: "overloaded", run: () => Promise.reject(overloaded()), more: { limits: { throttlesMax: 0 } } },
      heavy: { when: "limit", run: () => 1, more: { limits: { concurrency: 1 }, weight: 2 } },
    };
    for (const named of [true, false]) {
      const world = new World();
      const tools: Record<string, any> = { cached: tool({ effect: "read", run: () => "old" }) };
      for (const [name, { when, run, more }] of Object.entries(ends)) {
        const others = Object.values(ends).flatMap((end) => (end.when === when ? [] : [end.when]));
        tools[name] = tool({
          effect: "read",
          run,
          fallback: { tool: "cached", when: named ? [when] : others },
          ...more,
        } as never);
      }
      const run = start(world.host(tools), "r", (it) =>
        it.batch(Object.keys(ends).map((name) => ({ id: name, tool: name, input: 0 }))),
      );
      await world.clock.pass(2_000);
      const kinds = (run.result as any[]).map(({ kind, fallback }) => `${kind} ${fallback?.insteadOf.kind ?? "-"}`);
      expect(kinds).toEqual(
        named
          ? ["ok error", "ok timed-out", "ok error", "ok not-started"]
          : ["error -", "timed-out -", "error -", "not-started -"],
      );
    }
  });

  test("a fallback that fails as well: the first outcome stands, with both on record; a chain goes on", async () => {
    const { called, host, tools } = stage({ cached: { run: () => Promise.reject(new Error("empty")) } });
    const one = host();
    await opened(one);
    const run = start(one, "r", (it) => it.batch([call("a")]));
    await settle();
    expect(run.result).toMatchObject([
      {
        kind: "error",
        error: { code: "circuit-open" },
        fallback: { tool: "cached", callId: "#fallback-of-0", outcome: { kind: "error", error: { message: "empty" } } },
      },
    ]);
    const cached = tool({ ...tools.cached.options, fallback: { tool: "plain", when: ["error"] } } as never);
    const chain = start(host({ ...tools, cached }), "s", (it) => it.batch([call("a")]));
    await settle();
    expect(called.at(-1)).toBe("plain #fallback-of-1");
    expect(chain.result).toMatchObject([
      {
        id: "a",
        kind: "ok",
        value: "a",
        fallback: {
          tool: "plain",
          insteadOf: {
            error: { code: "circuit-open" },
            fallback: { tool: "cached", outcome: { error: { message: "empty" } } },
          },
        },
      },
    ]);
  });

  test("run.call gives its value, claim its outcome, and a call that no tool mends fails as it did", async () => {
    const { host } = stage();
    const one = host();
    await opened(one);
    const run = start(one, "r", async (it) => {
      await it.announce([call("later")]);
      const called = await it.call("live", "x");
      const invalid = await it.batch([{ id: "n", tool: "nobody", input: 0 }]);
      return [called, await it.claim("later"), invalid[0]];
    });
    await settle();
    expect(run.result).toMatchObject([
      { old: "x" },
      { kind: "ok", value: { old: "later" }, fallback: { tool: "cached" } },
      { kind: "error", error: { code: "unknown-tool" } },
    ]);
  });

  test.each(["request", "completion"] as const)(
    "order %s: each outcome is told once, when it is whole",
    async (order) => {
      const puppets = new Puppets();
      const { host } = stage({ cached: { run: puppets.tool("cached") } });
      const one = host();
      await opened(one);
      for (const id of ["0", "1", "2", "3"]) puppets.end(`#fallback-of-${id}`);
      const told: string[] = [];
      const run = start(one, "r", (it) =>
        it.batch([call("a"), call("p", "plain"), call("b")], {
          order,
          onOutcome: ({ id, kind }: any) => told.push(`${id} ${kind}`),
        }),
      );
      await settle();
      expect(told).toEqual(order === "request" ? [] : ["p ok"]);
      puppets.end("#fallback-of-2", 2);
      await settle();
      puppets.end("#fallback-of-0", 0);
      await settle();
      expect(told).toEqual(order === "request" ? ["a ok", "p ok", "b ok"] : ["p ok", "b ok", "a ok"]);
      expect((run.result as any[]).map(({ value }) => value)).toEqual([0, "p", 2]);
    },
  );

  test("its own limits, effect and times; the call's deadline, key and tenant", async () => {
    const puppets = new Puppets();
    const { world, host } = stage(
      {
        cached: { run: puppets.tool("cached"), limits: { concurrency: 1 } },
        live: { fallback: { tool: "cached", when: ["error"] } },
      },
      { keys: { concurrency: 5 } },
    );
    const one = host();
    const run = start(one, "r", (it) =>
      it.batch([{ ...call("a"), key: "k" }, call("b")], { deadlineMs: 1_000, concurrency: 2, tenant: "t" }),
    );
    await settle();
    expect([...puppets.pending.keys()]).toEqual(["#fallback-of-0"]);
    expect(one.runtime.explain("r", "#fallback-of-1")).toMatchObject({ why: "permits", limit: "tools.cached" });
    const plans = world.disk.of("r").filter(({ kind }) => kind === 1);
    const texts = plans.map(({ payload }) => new TextDecoder().decode(payload!));
    expect(texts[1]).toContain('"key":"k"');
    expect(texts[1]).toContain('"tenant":"t"');
    await world.clock.pass(1_500);
    puppets.fail("#fallback-of-0", puppets.pending.get("#fallback-of-0")!.signal.reason);
    await settle();
    expect(run.result).toMatchObject([
      { kind: "error", fallback: { outcome: { kind: "timed-out", reason: "deadline" } } },
      { kind: "error", fallback: { outcome: { kind: "not-started", reason: "deadline" } } },
    ]);
  });
});

describe("wrong fallbacks are refused by their path", () => {
  const declared = (fallback: unknown, cached: object = {}) => ({
    live: tool({ run: () => 1, fallback } as never),
    cached: tool({ run: () => 1, ...cached } as never),
  });
  test.each([
    ["tools.live.fallback", declared("cached")],
    ["tools.live.fallback.tool", declared({})],
    ["tools.live.fallback.tool", declared({ tool: "nobody" })],
    ["tools.live.fallback.tool", declared({ tool: "constructor" })],
    ["tools.live.fallback.tool", declared({ tool: "live" })],
    ["tools.cached.fallback.tool", declared({ tool: "cached" }, { fallback: { tool: "live" } })],
    ["tools.live.fallback.when", declared({ tool: "cached", when: [] })],
    ["tools.live.fallback.when", declared({ tool: "cached", when: "error" })],
    ["tools.live.fallback.when[1]", declared({ tool: "cached", when: ["error", "unknown"] })],
    ["tools.live.fallback.after", declared({ tool: "cached", after: 1 })],
  ])("%s", (path, tools) => {
    expect(() => new World().host(tools)).toThrow(new RegExp(`invalid-option: ${path.replace(/[.[\]]/g, "\\$&")} `));
  });

  test("an id of the form of a fallback's is refused", async () => {
    const { host } = stage();
    const run = start(host(), "r", (it) => it.batch([call("#fallback-of-0")]));
    await settle();
    expect(run.error).toMatchObject({ code: "invalid-call" });
  });
});
