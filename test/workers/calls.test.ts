// A call on its way through a worker, on a thread that is none: how it ends, what it tells meanwhile, and
// that nothing else that a thread says is heard.
import { beforeEach, describe, expect, test } from "vitest";
import { describeError } from "../../bindings/js/src/call-error.ts";
import { settle } from "./fake-threads.ts";
import { Puppets } from "./puppets.ts";

let puppets: Puppets;
beforeEach(() => {
  puppets = new Puppets();
});

describe("how a call ends", () => {
  test.each([[undefined], [null], [false], [0], [""], [{ a: [1, "x"] }]])("with %j", async (value) => {
    const called = puppets.call(puppets.pool(), "a");
    await settle();
    puppets.begun.get("a")!.resolve(value);
    await settle();
    expect(called).toMatchObject({ over: true, progress: [] });
    expect(called.value).toEqual(value);
    expect(called.error).toBeUndefined();
  });

  test("an error keeps its name, message, code, data and stack", async () => {
    const called = puppets.call(puppets.pool(), "a");
    await settle();
    const thrown = Object.assign(new RangeError("no"), { code: "E_NO", data: { tried: [1, 2] } });
    puppets.begun.get("a")!.reject(thrown);
    await settle();
    expect(describeError(called.error)).toEqual(describeError(thrown));
  });

  test.each([["a string"], [undefined], [{ odd: true }], [42]])(
    "what is thrown may be no error: %j",
    async (thrown) => {
      const called = puppets.call(puppets.pool(), "a");
      await settle();
      puppets.begun.get("a")!.reject(thrown);
      await settle();
      expect(describeError(called.error)).toEqual(describeError(thrown));
    },
  );

  test("settling twice is settling once", async () => {
    const called = puppets.call(puppets.pool(1), "a");
    await settle();
    puppets.begun.get("a")!.resolve("first");
    puppets.begun.get("a")!.reject(new Error("second"));
    puppets.begun.get("a")!.resolve("third");
    await settle();
    expect(called.value).toBe("first");
    expect(called).not.toHaveProperty("error");
  });

  test.each([
    ["a Map", new Map([[1, 2]])],
    ["a function", () => 1],
    ["a bigint", 7n],
    ["a symbol", Symbol("s")],
  ])("a result that no journal can hold is said to be one: %s", async (found, value) => {
    const pool = puppets.pool(1);
    const called = puppets.call(pool, "a");
    await settle();
    puppets.begun.get("a")!.resolve(value);
    await settle();
    expect(called.error).toMatchObject({ name: "HoldfastError", code: "result-not-json" });
    expect(called.error.message).toContain(found);
    puppets.call(pool, "b");
    await settle();
    expect(puppets.begun.has("b")).toBe(true);
    expect(puppets.threads.made).toHaveLength(1);
  });

  test.each([
    ["a module that is not there", { url: "file:///not-there.mjs" }, "nothing at file:///not-there.mjs"],
    ["no such export", { export: "missing" }, 'exports no function "missing"'],
    ["an export that is no function", { export: "notAFunction" }, 'exports no function "notAFunction"'],
    ["an export of every object", { export: "constructor" }, "exports no function"],
  ])("%s fails this call alone, and its thread goes on", async (_, options, words) => {
    const pool = puppets.pool(1);
    const called = puppets.call(pool, "a", options);
    await settle();
    expect(called.error).toMatchObject({ name: "HoldfastError", code: "worker-failed" });
    expect(called.error.message).toContain(words);
    puppets.call(pool, "b");
    await settle();
    expect(puppets.begun.has("b")).toBe(true);
    expect(puppets.threads.made).toHaveLength(1);
  });

  test.each<[string, () => unknown]>([
    ["long", () => "x".repeat(1_000_001)],
    // Forty arrays that share one another are 2^40 values.
    [
      "short, and endless when it is written out",
      () => Array.from({ length: 40 }).reduce((inner) => [inner, inner], 1),
    ],
  ])("a result that is too large does not leave its thread: %s", async (_, make) => {
    const called = puppets.call(puppets.pool(), "a");
    await settle();
    puppets.begun.get("a")!.resolve(make());
    await settle();
    expect(called.error).toMatchObject({ name: "HoldfastError", code: "result-too-large" });
  });

  test("an input that cannot be cloned fails this call alone", async () => {
    const pool = puppets.pool(1);
    const called = puppets.call(pool, "a", { input: { callback: () => 1 } });
    await settle();
    expect(called.error).toMatchObject({ code: "worker-failed" });
    puppets.call(pool, "b");
    await settle();
    expect([...puppets.begun.keys()]).toEqual(["b"]);
    expect(puppets.threads.made).toHaveLength(1);
  });

  test("what is to be transferred is moved and not copied", async () => {
    const buffer = new Uint8Array([1, 2, 3]).buffer;
    const called = puppets.call(puppets.pool(), "a", { input: { buffer }, transfer: [buffer] });
    await settle();
    expect(buffer.byteLength).toBe(0);
    expect(new Uint8Array(puppets.begun.get("a")!.input.buffer)).toEqual(new Uint8Array([1, 2, 3]));
    expect(called.over).toBe(false);
  });
});

describe("progress", () => {
  test("arrives as it is told", async () => {
    const called = puppets.call(puppets.pool(), "a");
    await settle();
    puppets.begun.get("a")!.ctx.progress({ part: 0.5 });
    await settle();
    expect(called.progress).toEqual([{ part: 0.5 }]);
  });

  test("a flood is thinned to the latest, and the last one is told", async () => {
    const called = puppets.call(puppets.pool(), "a");
    await settle();
    for (let n = 1; n <= 10_000; n++) puppets.begun.get("a")!.ctx.progress(n);
    await settle();
    expect(called.progress).toEqual([1]);
    await puppets.threads.time.pass(20);
    expect(called.progress).toEqual([1, 10_000]);
    await puppets.threads.time.pass(1_000);
    expect(called.progress).toEqual([1, 10_000]);
  });

  test("what comes after the end is nobody's", async () => {
    const pool = puppets.pool(1);
    const first = puppets.call(pool, "a");
    const second = puppets.call(pool, "b");
    await settle();
    const { ctx } = puppets.begun.get("a")!;
    puppets.begun.get("a")!.resolve();
    await settle();
    ctx.progress("too late");
    await puppets.threads.time.pass(100);
    expect([first.progress, second.progress]).toEqual([[], []]);
  });

  test("that is not JSON is refused to the tool", async () => {
    puppets.call(puppets.pool(), "a");
    await settle();
    expect(() => puppets.begun.get("a")!.ctx.progress(new Map())).toThrow(/^invalid-call: progress is a Map/);
  });
});

describe("garbage on the wire", () => {
  test.each<[string, unknown]>([
    ["nothing", undefined],
    ["null", null],
    ["text", "hello"],
    ["an empty object", {}],
    ["arguments that are no list", { id: "1", type: "APPLY", path: ["tell"], argumentList: 5 }],
    ["an argument that is none", { id: "1", type: "APPLY", path: ["tell"], argumentList: [null] }],
    [
      "an argument of a foreign kind",
      { id: "1", type: "APPLY", path: ["tell"], argumentList: [{ type: "HANDLER", name: "x" }] },
    ],
    [
      "a walk through the prototypes",
      { id: "1", type: "APPLY", path: ["tell", "constructor"], argumentList: [{ type: "RAW", value: "return 1" }] },
    ],
    ["a change of what is exposed", { id: "1", type: "SET", path: ["tell"], value: { type: "RAW", value: 1 } }],
    ["a release", { id: "1", type: "RELEASE" }],
    ["an answer that nobody waits for", { id: "1", type: "RAW", value: { kind: "returned", value: "forged" } }],
    [
      "progress of no call",
      {
        id: "1",
        type: "APPLY",
        path: ["tell"],
        argumentList: [{ type: "RAW", value: { kind: "progress", job: "1" } }],
      },
    ],
    [
      "progress that is no JSON",
      {
        id: "1",
        type: "APPLY",
        path: ["tell"],
        argumentList: [{ type: "RAW", value: { kind: "progress", job: 1, value: new Map() } }],
      },
    ],
    [
      "a message of no kind",
      { id: "1", type: "APPLY", path: ["tell"], argumentList: [{ type: "RAW", value: { kind: "exit" } }] },
    ],
  ])("%s is not heard", async (_, garbage) => {
    const pool = puppets.pool(1);
    const called = puppets.call(pool, "a");
    await settle();
    puppets.threads.made[0]!.inside.postMessage(garbage);
    await settle();
    expect(called).toMatchObject({ over: false, progress: [] });
    puppets.begun.get("a")!.resolve("true");
    await settle();
    expect(called.value).toBe("true");
  });
});
