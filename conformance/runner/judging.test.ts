// The judges and the reports, given results by hand: each sees what is wrong, and only that.
import { describe, expect, test } from "vitest";
import type { Capability } from "../protocol/capabilities.ts";
import { judgeEnds } from "./judge-ends.ts";
import { judgeLedger, judgeOrder, judgeShares } from "./judge-trace.ts";
import { has, same } from "./match.ts";
import { brokenPromises } from "./promises.ts";
import { readScenario } from "./read-scenario.ts";
import { htmlPage } from "./report-html.ts";
import { junitXml } from "./report-junit.ts";
import { exitOf, type ScenarioResult, type SuiteResult } from "./result.ts";
import type { TraceEvent } from "./trace.ts";

const capabilities: ReadonlySet<Capability> = new Set(["points", "attempts", "keys", "sources"]);
const judge = () => ({ capabilities, bindings: new Map() });
const event = (what: TraceEvent["what"], more: Partial<TraceEvent> = {}): TraceEvent => ({
  what,
  life: 1,
  run: "r",
  ...more,
});
const put = { id: "A", tool: "put" };
const once = readScenario("recovery/x", "# Why.\ntool put once\nprogram\n  batch into=all\n    A put\nlife\n");

describe("matching", () => {
  test("a wildcard is anything that is there, a name the same wherever it stands", () => {
    const bindings = new Map();
    expect(same(["$t", "_", { a: "$t" }], [7, null, { a: 7 }], bindings)).toBe(true);
    expect(same("$t", 8, bindings)).toBe(false);
    expect(same("_", undefined, bindings)).toBe(false);
    expect(same({ a: 1 }, { a: 1, b: 2 }, bindings)).toBe(false);
    expect(has({ a: 1 }, { a: 1, b: 2 }, bindings)).toBe(true);
    expect(same([{ a: 1, _: "_" }], [{ a: 1, b: 2 }], bindings)).toBe(true);
    expect(same([{ a: 1, _: "_" }], [{ b: 2 }], bindings)).toBe(false);
    expect(has({ constructor: "_" }, {}, bindings)).toBe(false);
  });
});

describe("outcomes", () => {
  const rows = [{ id: "A", kind: "ok", value: 1, attempts: 2 }] as const;
  const found = (result: readonly object[], shows = capabilities) =>
    judgeEnds(
      { kind: "outcomes", run: undefined, rows },
      { kind: "returned", result: result as never },
      { ...judge(), capabilities: shows },
    );

  test("that are as expected are no finding; one more, one less, another kind, value or count is", () => {
    const right = { id: "A", kind: "ok", value: 1, attempts: 2 };
    expect(found([right])).toEqual([]);
    for (const wrong of [
      [],
      [right, right],
      [{ ...right, kind: "error" }],
      [{ ...right, value: 2 }],
      [{ ...right, attempts: 1 }],
    ])
      expect(found(wrong)).toHaveLength(1);
  });

  test("of a full queue say when it is worth trying again", () => {
    const refused = [{ id: "A", kind: "not-started", retryAt: "_" }] as const;
    const shows = new Set<Capability>(["queues"]);
    const found = (more: object, capabilities: ReadonlySet<Capability>) =>
      judgeEnds(
        { kind: "outcomes", run: undefined, rows: refused },
        { kind: "returned", result: [{ id: "A", kind: "not-started", ...more }] },
        { bindings: new Map(), capabilities },
      );
    expect(found({ retryAt: 1_700_000_000_000 }, shows)).toEqual([]);
    expect(found({}, shows)).toHaveLength(1);
    expect(found({}, new Set())).toEqual([]);
  });

  test("say whose value it is that another tool gave, and of no other that it was", () => {
    const found = (row: object, got: object, ...shows: Capability[]) =>
      judgeEnds(
        { kind: "outcomes", run: undefined, rows: [{ id: "A", kind: "ok", ...row }] },
        { kind: "returned", result: [{ id: "A", kind: "ok", ...got }] },
        { bindings: new Map(), capabilities: new Set(shows), loosely: true },
      ).length;
    const marked = { fallback: "get", insteadOf: "error" };
    expect(found(marked, marked, "fallbacks")).toBe(0);
    expect(found(marked, {}, "fallbacks")).toBe(1);
    expect(found({}, marked, "fallbacks")).toBe(1);
    expect(found(marked, { ...marked, insteadOf: "timed-out" }, "fallbacks")).toBe(1);
    expect(found(marked, {})).toBe(0);
  });

  test("say that they were preempted, of a host that preempts", () => {
    const found = (got: object, ...shows: Capability[]) =>
      judgeEnds(
        { kind: "outcomes", run: undefined, rows: [{ id: "A", kind: "cancelled", reason: "preempted" }] },
        { kind: "returned", result: [{ id: "A", kind: "cancelled", ...got }] },
        { bindings: new Map(), capabilities: new Set(shows) },
      ).length;
    expect(found({ reason: "preempted" }, "preemption")).toBe(0);
    expect(found({}, "preemption")).toBe(1);
    expect(found({})).toBe(0);
  });

  test("are not asked for what the host cannot show", () => {
    expect(found([{ id: "A", kind: "ok", value: 1 }], new Set())).toEqual([]);
    expect(found([{ id: "A", kind: "ok", value: 1 }])).toHaveLength(1);
  });
});

describe("the promises", () => {
  const started = event("durable", { kind: "started", id: "A" });
  const call = (n: number, more: Partial<TraceEvent> = {}) =>
    event("call", { ...put, n, attempt: n, key: "k", ...more });
  const broken = (...trace: TraceEvent[]) => brokenPromises(once, trace, capabilities).map(({ expected }) => expected);

  test("hold for an honest host", () => {
    const again = event("durable", { kind: "started", id: "A", life: 2 });
    const verdict = event("verdict", { ...put, life: 2, outcome: "not-done" });
    expect(broken(started, call(1), event("kill"), verdict, again, call(2, { life: 2 }))).toEqual([]);
  });

  test("hold when the outside had refused the call: then it did not happen", () => {
    const refused = event("answer", { ...put, n: 1, outcome: "overloaded" });
    expect(broken(started, call(1), refused, started, call(2))).toEqual([]);
    expect(broken(started, call(1), event("answer", { ...put, n: 1, outcome: "ok" }), started, call(2))).toHaveLength(
      1,
    );
  });

  test.each([
    ["a call before its start is durable", [call(1), started], "after its start is durable"],
    ["a once tool that runs twice", [started, started, call(1), call(2)], "once: the tool may not run twice"],
    [
      "a call after it has settled",
      [started, event("durable", { kind: "settled", id: "A" }), event("ask", { ...put, n: 1, key: "k" })],
      "never, once it has settled",
    ],
    ["another key", [started, call(1), event("ask", { ...put, n: 2, key: "l" })], "the key k for every attempt"],
    [
      "a key of two calls",
      [started, call(1), event("ask", { id: "B", tool: "put", n: 2, key: "k" })],
      "a key of its own",
    ],
    [
      "an outcome that changes",
      [
        event("said", { value: [{ id: "A", kind: "ok", value: 1 }] }),
        event("returned", { life: 2, value: [{ id: "A", kind: "error" }] }),
      ],
      "what was seen: ok 1",
    ],
  ] as const)("%s breaks one", (_, trace, promise) => {
    expect(broken(...trace)).toEqual([promise]);
  });
});

test("the ledger counts what the outside has seen, and the most at once", () => {
  const calls = [1, 2, 3].map((n) => event("call", { id: `n${n}`, tool: "put", n }));
  const trace = [calls[0]!, calls[1]!, event("answer", { id: "n1", tool: "put", n: 1 }), calls[2]!];
  expect(judgeLedger([{ id: "tool:put", run: undefined, calls: 3, atOnce: 2 }], trace, true)).toEqual([]);
  expect(judgeLedger([{ id: "*", run: undefined, calls: 2, atOnce: 1 }], trace, true)).toHaveLength(2);
});

test("shares count whose the first calls were", () => {
  const trace = ["A", "B", "A", "B", "B"].map((id) => event("call", { id }));
  const row = { ids: ["A"], first: 4, least: 2, most: 2, text: "A first=4" };
  expect(judgeShares([row, { ...row, ids: ["A", "B"], most: 4 }], trace)).toEqual([]);
  expect(judgeShares([{ ...row, least: 3, most: 4 }], trace)[0]?.got).toBe("2 of A B A B");
  expect(judgeShares([{ ...row, first: 5, most: 1 }], trace)).toHaveLength(1);
  expect(judgeShares([{ ...row, first: 6 }], trace)).toHaveLength(1); // there were not so many
});

test("a partial order is broken by the wrong order, and by what never happened", () => {
  const rows = [{ first: { what: "call" }, second: { what: "returned" }, text: "call < returned" }] as const;
  expect(judgeOrder(rows, [event("call"), event("returned")])).toEqual([]);
  expect(judgeOrder(rows, [event("returned"), event("call")])[0]?.got).toBe("returned came first");
  expect(judgeOrder(rows, [event("call")])[0]?.got).toBe("returned never happened");
});

describe("reports", () => {
  const hostile = '</script><img src=x onerror="alert(1)">\u0000';
  const result = (status: ScenarioResult["status"], id = "recovery/x"): ScenarioResult => ({
    id,
    level: "recovery",
    prose: hostile,
    rules: [3],
    host: "mine",
    status,
    reason: hostile,
    findings: [{ what: hostile, expected: hostile, got: hostile }],
    fault: { kind: "garbage", message: hostile },
    rounds: 1,
    ms: 5,
    transcript: [{ life: 1, ms: 0, from: "host", text: hostile }],
  });
  const suite = (...results: readonly ScenarioResult[]): SuiteResult => ({
    hosts: [{ name: "mine", version: hostile, command: "", levels: ["recovery"], capabilities: [] }],
    results,
    seed: 1,
    startedAt: "2026-01-01T00:00:00.000Z",
    ms: 9,
  });

  test("what a host says is text on the page, never markup", () => {
    const page = htmlPage(suite(result("failed")));
    expect(page.match(/<script/g)).toHaveLength(2);
    expect(page.match(/<\/script>/g)).toHaveLength(2);
    expect(page).not.toContain("<img");
  });

  test("JUnit tells failures, skips and errors apart, and stays XML", () => {
    const xml = junitXml(
      suite(
        result("failed"),
        result("not-covered"),
        result("known-failing"),
        result("harness-fault"),
        result("passed"),
      ),
    );
    expect(xml).toContain('tests="5" failures="1" errors="1" skipped="2"');
    expect(xml).not.toContain("\u0000");
    expect(xml).not.toContain("<img");
  });

  test("the exit code says what CI must know", () => {
    expect(exitOf([result("passed"), result("not-covered"), result("known-failing")])).toBe(0);
    expect(exitOf([result("passed"), result("failed"), result("harness-fault")])).toBe(1);
    expect(exitOf([result("listed-but-passes")])).toBe(1);
    expect(exitOf([result("harness-fault")])).toBe(3);
  });
});
