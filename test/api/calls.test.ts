// Calls that are wrong and tools that misbehave. What is wrong with one call is an outcome of its own slot;
// only a call that cannot be read as one is the caller's error. Nothing here may touch a sibling.
import { describe, expect, test } from "vitest";
import { settle } from "../rules/fakes.ts";
import { batchOf, Stage, told } from "../rules/stage.ts";

/** The outcomes of [bad, B], where B is a good sibling that ends as "b". */
async function beside(bad: unknown, stage = new Stage(), host = stage.host()): Promise<any[]> {
  const state = await stage.begin(host, (run) => run.batch([bad, { id: "B", tool: "work", input: 1 }]));
  await settle();
  await stage.end("B", "b");
  expect(state.error).toBeUndefined();
  const outcomes = state.result as any[];
  expect(outcomes[1]).toMatchObject({ kind: "ok", value: "b" });
  return outcomes;
}

function nested(depth: number): unknown {
  let value: unknown = 1;
  for (let i = 0; i < depth; i++) value = i % 2 === 0 ? [value] : { x: value };
  return value;
}

/** 2^60 numbers in sixty arrays. */
function shared(): unknown {
  let value: unknown = [1];
  for (let i = 0; i < 60; i++) value = [value, value];
  return value;
}

const cycle: Record<string, unknown> = {};
cycle.self = cycle;
class Point {
  x = 1;
}
const notJson: [string, unknown, RegExp][] = [
  ["a function", { f: () => 1 }, /\.f is a function/],
  ["a cycle", cycle, /more than 64 deep, or in a cycle/],
  ["a bigint", { n: 1n }, /\.n is a bigint/],
  ["a Map", new Map(), /is a Map/],
  ["a Set", { s: new Set() }, /\.s is a Set/],
  ["a Date", [new Date(0)], /\[0\] is a Date/],
  ["an object of a class", new Point(), /is a Point/],
  ["a typed array", new Uint8Array(2), /is a Uint8Array/],
  ["an Error", new Error("x"), /is a Error/],
  ["a key __proto__", JSON.parse('{"__proto__": 1}'), /key that would change a prototype/],
  ["a lone surrogate", { s: "a\ud800b" }, /\.s is a string with a lone surrogate/],
  ["a lone surrogate in a key", { "\udc00": 1 }, /a key with a lone surrogate/],
  ["100 levels", nested(100), /more than 64 deep/],
  // biome-ignore lint/suspicious/noSparseArray: a hole is what is tested
  ["a hole", [1, , 3], /\[1\] is a hole/],
  ["undefined in an array", [undefined], /\[0\] is undefined/],
  ["a symbol", { s: Symbol("x") }, /\.s is a symbol/],
  ["a symbol for a key", { [Symbol("x")]: 1 }, /a symbol for a key/],
  ["NaN", { n: Number.NaN }, /\.n is NaN/],
  ["Infinity", [Number.NEGATIVE_INFINITY], /\[0\] is -Infinity/],
];

describe("inputs", () => {
  test.each(notJson)("%s is an outcome of its own slot, that names the place", async (_, input, message) => {
    const stage = new Stage();
    const [bad] = await beside({ id: "A", tool: "work", input }, stage);
    expect(bad).toMatchObject({ id: "A", kind: "error", attempts: 0, error: { code: "input-not-json" } });
    expect(bad.error.message).toMatch(message);
    expect(bad.error.message).toContain("plain JSON"); // what to do next
    expect(stage.began).toEqual(["B:1"]);
  });

  test("64 levels are taken", async () => {
    const stage = new Stage();
    const state = await stage.begin(stage.host(), (run) => run.call("work", nested(64), { id: "A" }));
    await stage.end("A", nested(64));
    expect(state.result).toEqual(nested(64));
  });

  test("a getter that throws is an outcome of its own slot", async () => {
    const hostile = {
      get x() {
        throw new Error("no");
      },
    };
    const [bad] = await beside({ id: "A", tool: "work", input: hostile });
    expect(bad.error).toMatchObject({ code: "input-not-json" });
    expect(bad.error.message).toContain("cannot be read: no");
  });

  test("an undefined property is left out, as JSON does; no input at all is null", async () => {
    const stage = new Stage();
    await stage.begin(stage.host(), (run) =>
      run.batch([
        { id: "A", tool: "work", input: { a: undefined, b: 1 } },
        { id: "B", tool: "work" },
      ]),
    );
    expect(stage.attempts.get("A")![0]!.input).toStrictEqual({ b: 1 });
    expect(stage.attempts.get("B")![0]!.input).toBe(null);
  });

  test("an input that is changed afterwards is called as it was given", async () => {
    const stage = new Stage();
    const input = { list: [1] };
    await stage.begin(stage.host({ limits: { concurrency: 1 } }), (run) => {
      const batch = run.batch([{ id: "A", tool: "work", input }]);
      input.list.push(2);
      return batch;
    });
    expect(stage.attempts.get("A")![0]!.input).toEqual({ list: [1] });
  });

  test.each([
    ["too large", "x".repeat(2_000)],
    ["shared so often that its JSON would never end", shared()],
  ])("an input %s is an outcome of its own slot", async (_, input) => {
    const stage = new Stage();
    const [bad] = await beside({ id: "A", tool: "work", input }, stage, stage.host({ inputBytesMax: 1_024 }));
    expect(bad.error).toMatchObject({ code: "input-too-large" });
    expect(bad.error.message).toContain("1024 is the most. Store it elsewhere");
  });

  test("an unknown tool is an outcome of its own slot, that names those there are", async () => {
    const [bad] = await beside({ id: "A", tool: "wrok", input: 1 });
    expect(bad).toMatchObject({ kind: "error", attempts: 0, error: { code: "unknown-tool" } });
    expect(bad.error.message).toContain('"wrok"');
    expect(bad.error.message).toContain("look, work, send, pay");
  });
});

describe("calls that cannot be read as calls", () => {
  test.each<[unknown, RegExp]>([
    ["work", /calls\[0\] is a string/],
    [null, /calls\[0\] is null/],
    [{ input: 1 }, /calls\[0\] names no tool/],
    [{ tool: "", input: 1 }, /names no tool/],
    [{ tool: 5 }, /names no tool/],
    [{ tool: "work", inputs: 1 }, /unknown field "inputs".*id, tool, input/],
    [{ tool: "work", id: 5 }, /an id that is a number/],
    [{ tool: "work", id: "" }, /an id that is empty/],
    [{ tool: "work", id: "x".repeat(513) }, /an id that is 513 long/],
    [{ tool: "work", id: "a\nb" }, /control character/],
    [{ tool: "work", id: "\ud800" }, /lone surrogate/],
    [{ tool: "work", id: "#4" }, /Ids of that form are given to calls without one/],
  ])("%j is the caller's error, and nothing is planned", async (call, message) => {
    const stage = new Stage();
    const state = await stage.begin(stage.host(), (run) => run.batch([call]));
    expect(state.error).toMatchObject({ name: "HoldfastError", code: "invalid-call" });
    expect(state.error.message).toMatch(message);
    expect(stage.entries).toEqual([]);
  });

  test.each([undefined, null, {}, "AB", new Set()])(
    "calls that are no array are the caller's error: %s",
    async (calls) => {
      const stage = new Stage();
      const state = await stage.begin(stage.host(), (run) => run.batch(calls));
      expect(state.error).toMatchObject({ code: "invalid-call" });
    },
  );

  test("a batch of more than 100,000 calls is the caller's error", async () => {
    const stage = new Stage();
    const state = await stage.begin(stage.host(), (run) => run.batch(new Array(100_001)));
    expect(state.error.message).toContain("At most 100000 calls");
  });

  test("an id that an earlier batch of the run has is the caller's error", async () => {
    const stage = new Stage();
    const program = async (run: any) => {
      await batchOf("A")(run);
      await batchOf("B A")(run);
    };
    const state = await stage.begin(stage.host(), program);
    await stage.end("A", "a");
    expect(state.error).toMatchObject({ code: "duplicate-call-id", details: { id: "A" } });
    expect(stage.began).toEqual(["A:1"]);
    expect(stage.entries).not.toContain("run-closed 0/0"); // a mended program can go on
  });

  test("a refused batch refuses itself alone: one made beside it runs", async () => {
    const stage = new Stage();
    const program = async (run: any) => {
      const bad = batchOf("A A")(run).catch((error: any) => error.code);
      const good = batchOf("B")(run);
      return [await bad, ...(await good)];
    };
    const state = await stage.begin(stage.host(), program);
    await stage.end("B", "b");
    expect(state.result).toMatchObject(["duplicate-call-id", { id: "B", kind: "ok" }]);
  });
});

describe("results", () => {
  const asTool = (result: unknown, options = {}) => ({
    options: { effect: "idempotent", run: () => result, retry: { attempts: 3 }, ...options },
  });

  test.each(notJson)(
    "%s as a result is an error of its own slot, and is not tried again",
    async (_, result, message) => {
      const stage = new Stage();
      const host = stage.host({}, { ...stage.tools, odd: asTool(result) });
      const [bad] = await beside({ id: "A", tool: "odd", input: 1 }, stage, host);
      expect(bad).toMatchObject({ kind: "error", attempts: 1, error: { code: "result-not-json" } });
      expect(bad.error.message).toMatch(message);
    },
  );

  test("a result of 50 MB is an error of its own slot, bounded and typed", async () => {
    const stage = new Stage();
    const host = stage.host({}, { ...stage.tools, big: asTool("x".repeat(50 * 1024 * 1024)) });
    const [bad] = await beside({ id: "A", tool: "big", input: 1 }, stage, host);
    expect(bad.error).toMatchObject({ code: "result-too-large" });
    expect(bad.error.message).toContain("16777216 is the most. Store it elsewhere and return where");
    const written = stage.world.disk.of("r").reduce((sum, { payload }) => sum + (payload?.length ?? 0), 0);
    expect(written).toBeLessThan(2_000);
  });

  test.each([
    ["shared so often that its JSON would never end", shared()],
    ["an array with room for four billion", new Array(2 ** 32 - 1)],
    ["of more characters than a string can hold", Array.from({ length: 12 }, () => "x".repeat(50 * 1024 * 1024))],
    ["that is exact to the byte too large", "é".repeat(512)],
  ])("a result %s is an error of its own slot", async (_, result) => {
    const stage = new Stage();
    const host = stage.host({ resultBytesMax: 1_024 }, { ...stage.tools, big: asTool(result) });
    const [bad] = await beside({ id: "A", tool: "big", input: 1 }, stage, host);
    expect(bad.error.code).toMatch(/result-too-large/);
  });

  test("a result that is changed afterwards is the one that was returned", async () => {
    const stage = new Stage();
    const result = { list: [1] };
    const state = await stage.begin(stage.host(), batchOf("A"));
    const ending = stage.end("A", result);
    await ending;
    result.list.push(2);
    expect((state.result as any)[0].value).toEqual({ list: [1] });
  });
});

const unreadable = {
  get kind(): string {
    throw new Error("no");
  },
};

describe("tools that misbehave", () => {
  test.each<[string, unknown, object]>([
    ["a string", "no", { name: "NonError", message: "no", data: "no" }],
    ["undefined", undefined, { name: "NonError", message: "undefined" }],
    ["null", null, { name: "NonError", message: "null" }],
    ["a number", 7, { name: "NonError", message: "7", data: 7 }],
    ["an object", { status: 503 }, { name: "NonError", message: '{"status":503}', data: { status: 503 } }],
    [
      "an error of another realm",
      { name: "TypeError", message: "no", stack: "at x" },
      { name: "TypeError", message: "no", stack: "at x" },
    ],
    [
      "a proxy that throws at every touch",
      new Proxy(
        {},
        {
          get() {
            throw new Error("no");
          },
          getPrototypeOf() {
            throw new Error("no");
          },
        },
      ),
      { name: "NonError" },
    ],
    [
      "a function that cannot be shown",
      Object.assign(() => 1, {
        toString: () => {
          throw new Error("no");
        },
      }),
      { name: "NonError" },
    ],
  ])("one that throws %s has failed, with what is known of it", async (_, thrown, error) => {
    const stage = new Stage();
    const state = await stage.begin(stage.host(), batchOf("A B"));
    await stage.fail("A", thrown);
    await stage.end("B", "b");
    const [bad, good] = state.result as any[];
    expect(bad.error).toMatchObject(error);
    expect(good.kind).toBe("ok");
  });

  test("an error's text is bounded", async () => {
    const stage = new Stage();
    const state = await stage.begin(stage.host(), batchOf("A"));
    const huge = Object.assign(new Error("x".repeat(1e6)), { data: "y".repeat(1e6) });
    await stage.fail("A", huge);
    const [bad] = state.result as any[];
    expect(bad.error.message.length).toBeLessThan(9_000);
    expect(bad.error).not.toHaveProperty("data");
  });

  test("one that throws before it returns a promise has failed like any other", async () => {
    const stage = new Stage();
    const odd = {
      options: {
        run: () => {
          throw new Error("at once");
        },
      },
    };
    const [bad] = await beside({ id: "A", tool: "odd", input: 1 }, stage, stage.host({}, { ...stage.tools, odd }));
    expect(bad.error.message).toBe("at once");
  });

  test("one whose thenable has a getter that throws has failed", async () => {
    const stage = new Stage();
    const odd = {
      options: {
        run: () => ({
          // biome-ignore lint/suspicious/noThenProperty: a hostile thenable is what is tested
          get then() {
            throw new Error("getter");
          },
        }),
      },
    };
    const [bad] = await beside({ id: "A", tool: "odd", input: 1 }, stage, stage.host({}, { ...stage.tools, odd }));
    expect(bad.error.message).toBe("getter");
  });

  test("one that throws after its deadline changes nothing that was seen", async () => {
    const stage = new Stage();
    let seen: any;
    const host = stage.host();
    await stage.begin(host, async (run) => {
      seen = await batchOf("A", "work", { deadlineMs: 100 })(run);
      await new Promise(() => undefined);
    });
    await stage.world.clock.pass(100);
    const before = structuredClone(seen);
    await stage.fail("A", new Error("too late"));
    expect(seen).toEqual(before);
    expect(stage.entries.at(-1)).toBe("late 0/1");
  });

  test("one that never returns and ignores its abort keeps nobody else from ending", async () => {
    const stage = new Stage();
    const never = { options: { effect: "idempotent", timeoutMs: 100, run: () => new Promise(() => undefined) } };
    const host = stage.host({}, { ...stage.tools, never });
    const state = await stage.begin(host, batchOf("A:never B"));
    await stage.end("B", "b");
    await stage.world.clock.pass(100);
    expect(told(state.result)).toEqual(["A timed-out executed 1", 'B ok="b" executed 1']);
    expect(stage.entries.at(-1)).toBe("run-closed 0/0");
  });

  test("one that settles after its run is over reaches nobody", async () => {
    const stage = new Stage();
    const host = stage.host({}, { ...stage.tools, slow: stage.worker({ timeoutMs: 100 }) });
    await stage.begin(host, batchOf("A:slow"));
    await stage.world.clock.pass(100);
    expect(stage.entries.at(-1)).toBe("run-closed 0/0");
    await stage.end("A", "too late");
    expect(stage.entries.at(-1)).toBe("run-closed 0/0");
  });

  test("progress that is not JSON fails the tool that reports it, with a typed error", async () => {
    const stage = new Stage();
    const odd = { options: { run: (_: unknown, ctx: any) => ctx.progress(new Map()) } };
    const [bad] = await beside({ id: "A", tool: "odd", input: 1 }, stage, stage.host({}, { ...stage.tools, odd }));
    expect(bad.error).toMatchObject({ code: "invalid-call" });
    expect(bad.error.message).toContain("progress is a Map");
  });

  test.each([
    ["null", () => null],
    ["a verdict whose value is not JSON", () => ({ kind: "done", value: new Map() })],
    ["a promise of a verdict that throws when it is read", async () => unreadable],
    ["a verdict that throws when it is read", () => unreadable],
  ])("a reconciler that answers %s starts no call", async (_, answer) => {
    const stage = new Stage();
    await stage.life(batchOf("A", "pay"));
    stage.verdict = answer;
    const state = await stage.begin(stage.host(), batchOf("A", "pay"));
    await stage.world.clock.pass(60_000);
    expect(stage.began).toEqual(["A:1"]);
    expect((state.result as any[])[0].kind).toMatch(/unknown|error/);
  });
});
