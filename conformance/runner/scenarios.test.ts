// Scenario texts: those that are there can be read and say what they must; what cannot be one is refused with
// its line.
import { fileURLToPath } from "node:url";
import { describe, expect, test } from "vitest";
import { ENVIRONMENTS } from "./environments.ts";
import { readKnownFailing } from "./known-failing.ts";
import { loadScenarios } from "./load-scenarios.ts";
import { readScenario } from "./read-scenario.ts";

const all = loadScenarios(fileURLToPath(new URL("../scenarios", import.meta.url)));
const LEAST = "# Why.\ntool put once\nprogram\n  return 1\nlife\n  result 1\n";

describe("the scenarios", () => {
  test("are read, each level has some, and each says why it exists", () => {
    expect(new Set(all.map(({ level }) => level)).size).toBe(5);
    expect(all.filter(({ prose }) => prose.length < 40).map(({ id }) => id)).toEqual([]);
  });

  test("expect something: of a run, of the ledger or of the journal", () => {
    const expects = all.filter(({ ledger, journals, lives }) => {
      return (
        ledger.length + journals.length > 0 || lives.some(({ script }) => script.some((line) => line.do === "expect"))
      );
    });
    expect(all.length - expects.length).toBe(0);
  });

  test("that environments make end otherwise have one life, without a script of its own", () => {
    const otherwise = ENVIRONMENTS.filter(({ asWritten }) => !asWritten).map(({ name }) => name);
    expect(otherwise).toContain("crash-each");
    const scripted = all.filter(
      ({ under, lives }) =>
        under.some((name) => otherwise.includes(name)) &&
        (lives.length !== 1 || lives[0]?.script.some((line) => !["run", "expect", "order"].includes(line.do))),
    );
    expect(scripted.map(({ id }) => id)).toEqual([]);
  });

  // What is not here: damaged payloads, checkpoints and versions of the file (34, 65, 72: the tests of the store),
  // no journal (79), every crash at once (80: the simulation).
  test("hold every rule of recovery that is seen from outside", () => {
    const held = new Set(all.flatMap(({ rules }) => rules));
    const rules = Array.from({ length: 80 }, (_, i) => i + 1);
    expect(rules.filter((rule) => !held.has(rule))).toEqual([34, 65, 72, 79, 80]);
  });
});

describe("a text", () => {
  test("becomes a scenario", () => {
    const { programs, lives, tools, play } = readScenario(
      "recovery/x",
      '# Why.\ntool put idempotent attempts=3\nprogram\n  batch into=all concurrency=2\n    n[1..3] put {"a b":[1]}\n    - put\n  if all is ok\n    return 1\n  else\n    return all\nplay\n  n1 "x y"\n  n2 done null\nlife version=1\n  kill before settled n1\n',
    );
    expect(tools).toEqual({ put: { effect: "idempotent", attempts: 3 } });
    expect(programs.main).toEqual([
      {
        batch: [
          ...["n1", "n2", "n3"].map((id) => ({ id, tool: "put", input: { "a b": [1] } })),
          { tool: "put", input: {} },
        ],
        concurrency: 2,
        into: "all",
      },
      { if: "all", is: "ok", do: [{ return: 1 }], else: [{ return: { $: "all" } }] },
    ]);
    expect([...play]).toEqual([
      ["n1", { ending: { outcome: "ok", value: "x y" } }],
      ["n2", { verdict: { verdict: "done", value: null } }],
    ]);
    expect(lives[0]?.script).toMatchObject([
      { do: "run", run: "r", program: "main", version: "1" },
      { do: "kill", point: { when: "before", entry: { kind: "settled", id: "n1" } } },
    ]);
  });

  test("says of limits what goes over the wire, and in a script what holds a call", () => {
    const { limits, programs, tools, lives, shares, order } = readScenario(
      "limits/x",
      `# Why.
limits concurrency=1 queue=2 whenFull=drop-lower-only lanes=true
tool put once throttles=2 whenOpen=wait rates=[{"limit":1,"perMs":9,"counts":"tokens"}]
program
  batch into=all tenant="T" tenantWeight=3 tell=request
    A put weight=2 reads=x writes=["y","z"] cost={"tokens":8} sheddable=true priority=-2
  reduce all keys={"n":"sum"} into=sums
life
  answer A overloaded retryAfterMs=5 scope=runtime
  answer A "a" cost={"tokens":2}
  held A by=lock limit=locks run=two
  set-limit tools.put concurrency=0
shares
  t[1..2] first=3 least=1
order
  call A < call B < call C
`,
    );
    expect(limits).toEqual({ concurrency: 1, queue: 2, whenFull: "drop-lower-only", lanes: true });
    const rates = [{ limit: 1, perMs: 9, counts: "tokens" }];
    expect(tools.put).toEqual({ effect: "once", throttles: 2, whenOpen: "wait", rates });
    expect(programs.main).toEqual([
      {
        batch: [
          {
            id: "A",
            tool: "put",
            input: {},
            weight: 2,
            reads: "x",
            writes: ["y", "z"],
            cost: { tokens: 8 },
            sheddable: true,
            priority: -2,
          },
        ],
        into: "all",
        tenant: "T",
        tenantWeight: 3,
        tell: "request",
      },
      { reduce: "all", keys: { n: "sum" }, into: "sums" },
    ]);
    expect(lives[0]?.script.slice(1)).toMatchObject([
      { do: "answer", id: "A", ending: { outcome: "overloaded", retryAfterMs: 5, scope: "runtime" } },
      { do: "answer", id: "A", ending: { outcome: "ok", value: "a", cost: { tokens: 2 } } },
      { do: "held", id: "A", run: "two", by: "lock", limit: "locks" },
      { do: "set-limit", limit: "tools.put", concurrency: 0 },
    ]);
    expect(shares).toMatchObject([{ ids: ["t1", "t2"], first: 3, least: 1, most: 3 }]);
    expect(order.map(({ first, second }) => `${first.id}${second.id}`)).toEqual(["AB", "BC"]);
  });

  test("says what a tool, a call and a step want of their start, and what a limit must come to", () => {
    const { limits, programs, tools, lives } = readScenario(
      "limits/x",
      `# Why.
limits undeclared=exclusive
tool put read fallback={"tool":"get","when":["error"]} minBudgetMs=5 afterGrace=abandon holdWhileWaiting=true
program
  batch bufferedBytesMax=9
    A put preempt=cancel minBudgetMs=7
  stream ahead=2 order=completion into=all
    B put preemptible=true
life
  answer A "a" observed=[{"counts":"calls","remaining":1,"resetMs":9}]
  gauge tools.put abandoned=1
  outcomes
    A ok fallback=get insteadOf=error
`,
    );
    expect(limits).toEqual({ undeclared: "exclusive" });
    expect(tools.put).toEqual({
      effect: "read",
      fallback: { tool: "get", when: ["error"] },
      minBudgetMs: 5,
      afterGrace: "abandon",
      holdWhileWaiting: true,
    });
    expect(programs.main).toEqual([
      { batch: [{ id: "A", tool: "put", input: {}, preempt: "cancel", minBudgetMs: 7 }], bufferedBytesMax: 9 },
      {
        stream: [{ id: "B", tool: "put", input: {}, preemptible: true }],
        ahead: 2,
        order: "completion",
        into: "all",
      },
    ]);
    expect(lives[0]?.script.slice(1)).toMatchObject([
      { do: "answer", ending: { value: "a", observed: [{ counts: "calls", remaining: 1, resetMs: 9 }] } },
      { do: "gauge", limit: "tools.put", of: { abandoned: 1 } },
      { do: "expect", ends: { rows: [{ id: "A", kind: "ok", fallback: "get", insteadOf: "error" }] } },
    ]);
  });

  test.each([
    ["recovery/x", "tool put once\nlife\n", "does not open with a comment"],
    ["recovery/x", "# Why.\ntool put once\n", "has no life"],
    ["nowhere/x", LEAST, "lies in no level"],
    ["recovery/x", `${LEAST}tool put maybe\n`, "line 7: the effect is one of read, idempotent, once"],
    ["recovery/x", `${LEAST}  wait\n`, "line 7: what happens is missing"],
    ["recovery/x", `${LEAST}      kill\n`, "line 7: it is indented too far"],
    ["recovery/x", `${LEAST}   kill\n`, "line 7: indent by two blanks"],
    ["recovery/x", `${LEAST}  answer A {"a":\n`, "line 7: this JSON is not well-formed"],
    ["recovery/x", `${LEAST}  answer A "a" later\n`, 'line 7: nobody knows what "later" means here'],
    ["recovery/x", `${LEAST}under water\n`, "line 7: there is no environment water"],
    ["recovery/x", `${LEAST}life threads=yes\n`, "line 7: threads is no, or is left out"],
    ["recovery/x", `${LEAST}life threads=no\n`, "does not need the capability no-threads"],
    ["recovery/x", `${LEAST}weather\n`, "line 7: there is no section weather"],
    ["recovery/x", `${LEAST}  held A by=nothing\n`, "line 7: by= is one of permits, reserved"],
    ["recovery/x", `${LEAST}  gauge runtime\n`, "line 7: inUse= or abandoned= is missing"],
    ["recovery/x", `${LEAST}  set-limit runtime\n`, "line 7: concurrency= is missing"],
    ["recovery/x", `${LEAST}shares\n  A least=1\n`, "line 8: first= is missing"],
    ["recovery/x", `${LEAST}  explode\n`, "line 7: there is no such line in a script"],
  ])("%s %j is refused", (id, text, why) => {
    expect(() => readScenario(id, text)).toThrow(why);
  });
});

test("a list of known failures wants a reason for each, once", () => {
  expect([...readKnownFailing("# ours\n\nlimits/x it waits\n")]).toEqual([["limits/x", "it waits"]]);
  expect(() => readKnownFailing("limits/x\n")).toThrow("line 1: limits/x is listed without a reason");
  expect(() => readKnownFailing("a x\na y\n")).toThrow("line 2: a is listed twice");
});
