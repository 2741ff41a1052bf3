// What a tool in a real thread says of its limits, `ctx.cost` and `ctx.observe`, counts as it would from a function
// here; and what a thread says that is none of that counts for nothing.
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { openRuntime, tool } from "holdfast";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { readFromWorker } from "../../bindings/js/src/worker-protocol.ts";

const worker = new URL("./tools.mjs", import.meta.url);
let folder = "";
beforeAll(async () => {
  process.removeAllListeners("warning");
  folder = await mkdtemp(join(tmpdir(), "holdfast-"));
});
afterAll(() => rm(folder, { recursive: true }));

const METER = { rate: { limit: 100, perMs: 3_600_000, counts: "tokens" } };

/** `first` says something and goes on until `second`, which wants 60 of 100 tokens, has written its file; or for as long as that may wait. */
async function pair(name: string, says: object, more: object = {}) {
  const tools = {
    first: tool<any, any>({ effect: "read", worker, export: "reports", cost: { tokens: 60 }, timeoutMs: 20_000 }),
    second: tool<any, any>({ effect: "read", worker, export: "writes", cost: { tokens: 60 } }),
  };
  const runtime = await openRuntime({
    journal: "memory",
    tools,
    workers: { size: 2 },
    limits: { groups: { model: { tools: ["first", "second"], ...METER } }, ...more },
  });
  const file = join(folder, name);
  const waiting = (async (): Promise<string[]> => {
    const seen: string[] = [];
    for await (const event of runtime.events())
      if (event.kind === "waiting") seen.push(`${event.callId} ${event.why} ${event.inUse}`);
    return seen;
  })();
  const outcomes = await runtime.run("r", (run) =>
    run.batch([
      { id: "first", tool: "first", input: { ...says, until: file } },
      { id: "second", tool: "second", input: { file }, startWithinMs: 60_000 },
    ]),
  );
  await runtime.close();
  return { kinds: outcomes.map(({ kind }) => kind), seen: await waiting };
}

describe("ctx.cost in a thread", () => {
  test("corrects the estimate at once: who waited for the rate starts while it still runs", async () => {
    const { kinds, seen } = await pair("cost", { cost: { tokens: 30 } });
    expect(seen).toEqual(["second rate 60"]);
    expect(kinds).toEqual(["ok", "ok"]);
  });

  test("wrong numbers are refused to the tool, by their path", async () => {
    const runtime = await openRuntime({
      journal: "memory",
      tools: { reports: tool<any, any>({ effect: "read", worker, export: "reports" }) },
    });
    const outcomes = await runtime.run("r", (run) =>
      run.batch(
        [
          { cost: { tokens: -1 } },
          { cost: 5 },
          { rows: [{ counts: "tokens", remaining: -1, resetMs: 0 }] },
          { rows: [{ counts: "tokens", remaining: 1, resetMs: 0 }], limit: 7 },
          { cost: Object.fromEntries(Array.from({ length: 65 }, (_, i) => [`m${i}`, 1])) },
        ].map((input) => ({ tool: "reports" as const, input })),
      ),
    );
    const messages = outcomes.map((outcome) => (outcome.kind === "error" ? outcome.error.message : outcome.kind));
    expect(messages.map((message) => /^invalid-option: (\S+) is /.exec(message)?.[1])).toEqual([
      "cost.tokens",
      "cost",
      "observed[0].remaining",
      "limit",
      "cost",
    ]);
    await runtime.close();
  });
});

describe("ctx.observe in a thread", () => {
  const headers = [
    ["x-ratelimit-remaining-tokens", "0"],
    ["x-ratelimit-reset-tokens", "2h"],
  ];

  test.each([
    ["headers", { headers, limit: "groups.model" }],
    ["rows", { rows: [{ counts: "tokens", remaining: 0, resetMs: 7_200_000 }], limit: "groups.model" }],
  ])("%s tighten the limit that they name, for who comes after", async (_, says) => {
    const runtime = await openRuntime({
      journal: "memory",
      tools: { reports: tool<any, any>({ effect: "read", worker, export: "reports", cost: { tokens: 1 } }) },
      limits: { groups: { model: { tools: ["reports"], ...METER } } },
    });
    const calls = [says, {}].map((input, i) => async (run: any) => {
      const [outcome] = await run.batch([{ id: `c${i}`, tool: "reports", input, startWithinMs: 1_000 * (4 - 3 * i) }]);
      return outcome.reason ?? outcome.kind;
    });
    expect(await runtime.run("a", calls[0]!)).toBe("ok");
    expect(await runtime.run("b", calls[1]!)).toBe("start-within");
    await runtime.close();
  });

  test("the control: nothing said, nothing tightened; a limit that is none is a warning, and the call goes on", async () => {
    const warned = new Promise<string>((resolve) => {
      process.on("warning", ({ message }) => message.includes("cannot be counted") && resolve(message));
    });
    const { kinds } = await pair("none", { cost: { tokens: 40 }, headers, limit: "groups.nobody" });
    expect(kinds).toEqual(["ok", "ok"]);
    expect(await warned).toMatch(/the call first of first .*unknown-limit/);
  });
});

describe("a report that is none", () => {
  const report = (of: unknown, job: unknown = 1) => readFromWorker({ kind: "report", job, report: of });
  test.each([
    ["no report", undefined],
    ["of nothing known", { of: "money", actual: {} }],
    ["a cost that is none", { of: "cost", actual: [1] }],
    ["a cost below nothing", { of: "cost", actual: { tokens: -1 } }],
    [
      "a cost with too many numbers",
      { of: "cost", actual: Object.fromEntries(Array.from({ length: 65 }, (_, i) => [i, 1])) },
    ],
    ["a name that is too long", { of: "cost", actual: { ["x".repeat(1_001)]: 1 } }],
    ["headers that are no list", { of: "observed", observed: { get: 1 } }],
    ["a header of three", { of: "observed", observed: [["a", "b", "c"]] }],
    ["a value that is no text", { of: "observed", observed: [["a", 1]] }],
    ["too many rows", { of: "observed", observed: Array.from({ length: 65 }, () => ["a", "b"]) }],
    ["a span beyond all clocks", { of: "observed", observed: [{ counts: "calls", remaining: 1, resetMs: 1e300 }] }],
    ["a limit that is no name", { of: "observed", observed: [], limit: {} }],
  ])("%s", (_, said) => {
    expect(report(said)).toBeUndefined();
  });

  test("one that is: copied, whatever its names", () => {
    const actual = JSON.parse('{"__proto__": 1, "tokens": 2}');
    const heard: any = report({ of: "cost", actual });
    expect(heard).toMatchObject({ kind: "report", job: 1 });
    expect(Object.keys(heard.report.actual)).toEqual(["__proto__", "tokens"]);
    expect(Object.getPrototypeOf(heard.report.actual)).toBe(Object.prototype);
    expect(report({ of: "cost", actual }, "1")).toBeUndefined();
  });
});
