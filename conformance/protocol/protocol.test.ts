// The protocol's gate: what is a message passes, what is not is refused with where and why, and a schema that
// says more than the check understands is refused as a whole.
import { describe, expect, test } from "vitest";
import { DEPTH_MAX, LINE_BYTES_MAX, NotAMessage, readHostLine, readRunnerLine, writeHostLine } from "./checked.ts";
import hostSays from "./host-says.schema.json" with { type: "json" };
import { LineTooLong, lineSplitter } from "./line-splitter.ts";
import runnerSays from "./runner-says.schema.json" with { type: "json" };
import { compileSchema } from "./schema.ts";

const hello = {
  type: "hello",
  protocol: 1,
  name: "mine",
  version: "1",
  levels: ["recovery"],
  capabilities: ["points"],
};
const call = { type: "call", session: 1, n: 1, run: "r", id: "A", tool: "send", input: null };
const inDepth = (depth: number): unknown => JSON.parse("[".repeat(depth) + "]".repeat(depth));

describe("what a host says", () => {
  test.each([
    hello,
    call,
    { ...call, attempt: 1, key: "k" },
    { type: "append", session: 1, n: 2, run: "r", when: "before", entries: [{ kind: "planned", ids: ["A"] }] },
    { type: "threw", session: 1, run: "r", error: { name: "E", message: "", code: 7 } },
    { ...call, input: inDepth(DEPTH_MAX - 1) },
  ])("%j is a message", (message) => {
    expect(readHostLine(JSON.stringify(message))).toEqual(message);
  });

  test.each([
    ["nonsense", "a line is not JSON"],
    ["7", 'it has no "type" of hello, call'],
    ['{"type":"__proto__"}', 'it has no "type" of'],
    [JSON.stringify({ ...hello, protocol: 2 }), "$.protocol is 2, not 1"],
    [JSON.stringify({ ...hello, levels: ["all"] }), '$.levels[0] is "all", not one of "recovery"'],
    [JSON.stringify({ ...hello, name: "<b>" }), "does not match"],
    [JSON.stringify({ ...call, input: undefined }), '$ has no field "input"'],
    [JSON.stringify({ ...call, inputs: 1 }), '$ has an unknown field "inputs"'],
    [JSON.stringify({ ...call, session: 1.5 }), "$.session is 1.5, not integer"],
    [JSON.stringify({ ...call, attempt: 0 }), "$.attempt is 0, which is less than 1"],
    [JSON.stringify({ ...call, id: "" }), '$.id is "", which is too short'],
    [JSON.stringify({ type: "append", session: 1, n: 1, run: "r", when: "after", entries: [] }), "has too few items"],
    [JSON.stringify({ ...call, input: inDepth(DEPTH_MAX) }), "nested deeper than"],
  ])("%s is refused", (line, why) => {
    expect(() => readHostLine(line)).toThrow(why);
    expect(() => readHostLine(line)).toThrow(NotAMessage);
  });

  test("brackets inside texts do not nest", () => {
    const message = { ...call, input: `${"[".repeat(1_000)}\\" {` };
    expect(readHostLine(JSON.stringify(message))).toEqual(message);
  });

  test("nobody sends what the other side must refuse", () => {
    expect(() => writeHostLine({ ...call, id: "" } as never)).toThrow("$.id");
    expect(() => writeHostLine({ ...call, input: "x".repeat(LINE_BYTES_MAX) } as never)).toThrow("longer than");
  });
});

test("a program's steps are told apart by what they do", () => {
  const run = (program: unknown): string => JSON.stringify({ type: "run", session: 1, run: "r", program });
  const inner = [{ say: 1 }, { return: { $: "x" } }];
  expect(
    readRunnerLine(
      run([
        { batch: [{ tool: "t", input: {} }], into: "x" },
        { if: "x", is: "ok", do: inner },
      ]),
    ),
  ).toBeDefined();
  expect(() => readRunnerLine(run([{ batch: [{ tool: "t" }] }]))).toThrow('$.program[0].batch[0] has no field "input"');
  expect(() => readRunnerLine(run([{ jump: 1 }]))).toThrow("$.program[0]");
});

test("a session may have to do without threads", () => {
  const begin = { type: "begin", session: 1, journal: "/tmp/j", tools: {}, limits: {}, threads: false };
  expect(readRunnerLine(JSON.stringify(begin))).toEqual(begin);
  expect(() => readRunnerLine(JSON.stringify({ ...begin, threads: "no" }))).toThrow('$.threads is "no", not boolean');
});

test("a message may name several keys, a rate for what calls cost, and one of the limits that there are", () => {
  const call = { tool: "t", input: {}, reads: "x", writes: ["y", "z"], cost: { tokens: 8 } };
  const run = { type: "run", session: 1, run: "r", program: [{ batch: [call], tenant: "T", tell: "completion" }] };
  expect(readRunnerLine(JSON.stringify(run))).toEqual(run);
  const negative = { ...run, program: [{ batch: [{ ...call, cost: { tokens: -1 } }] }] };
  expect(() => readRunnerLine(JSON.stringify(negative))).toThrow("tokens is -1, which is less than 0");
  const pause = { type: "pause", session: 1, limit: "tools.put" };
  expect(readRunnerLine(JSON.stringify(pause))).toEqual(pause);
  expect(() => readRunnerLine(JSON.stringify({ ...pause, limit: "mine" }))).toThrow("does not match");
  const explained = { type: "explained", session: 1, n: 1, state: "waiting", why: "rate", limit: "tools.put" };
  expect(readHostLine(JSON.stringify(explained))).toEqual(explained);
  expect(() => readHostLine(JSON.stringify({ ...explained, why: "mood" }))).toThrow('$.why is "mood", not one of');
});

test("a message may say what stands in, how much time a start needs, and how much of a limit is in use", () => {
  const tools = { put: { effect: "once", fallback: { tool: "get", when: ["budget"] }, afterGrace: "abandon" } };
  const begin = { type: "begin", session: 1, journal: "/tmp/j", tools, limits: { undeclared: "exclusive" } };
  expect(readRunnerLine(JSON.stringify(begin))).toEqual(begin);
  const never = { put: { effect: "once", fallback: { tool: "get", when: ["unknown"] } } };
  expect(() => readRunnerLine(JSON.stringify({ ...begin, tools: never }))).toThrow('when[0] is "unknown", not one of');
  const stream = { stream: [{ tool: "put", input: {}, minBudgetMs: 5 }], ahead: 2, into: "all" };
  const run = { type: "run", session: 1, run: "r", program: [stream] };
  expect(readRunnerLine(JSON.stringify(run))).toEqual(run);
  expect(() => readRunnerLine(JSON.stringify({ ...run, program: [{ ...stream, ahead: 0 }] }))).toThrow();
  const gauged = { type: "gauged", session: 1, n: 1, inUse: 0, abandoned: 1 };
  expect(readHostLine(JSON.stringify(gauged))).toEqual(gauged);
  expect(() => readHostLine(JSON.stringify({ ...gauged, abandoned: -1 }))).toThrow("$.abandoned is -1");
});

describe("a schema", () => {
  test("both of the protocol compile, form by form", () => {
    for (const schema of [hostSays, runnerSays]) {
      for (const name of Object.keys(schema.$defs)) {
        expect(() => compileSchema({ $defs: schema.$defs, $ref: `#/$defs/${name}` })).not.toThrow();
      }
    }
  });

  test.each([
    [{ type: "object", propertyNames: {} }, 'the schema uses "propertyNames"'],
    [{ $ref: "#/$defs/nowhere" }, "which it does not define"],
    [{ properties: { a: { constructor: 1 } } }, 'the schema uses "constructor"'],
  ])("%j is refused", (schema, why) => {
    expect(() => compileSchema(schema)).toThrow(why);
  });

  test("one that contains itself holds at every depth", () => {
    const tree = {
      $defs: { tree: { type: "object", additionalProperties: { $ref: "#/$defs/tree" } } },
      $ref: "#/$defs/tree",
    };
    const check = compileSchema(tree);
    expect(check({ a: { b: {} } })).toBeUndefined();
    expect(check({ a: { b: 1 } })).toBe("$.a.b is 1, not object");
  });
});

describe("lines", () => {
  test("are put together from pieces, whatever their ends", () => {
    const lines: string[] = [];
    const split = lineSplitter((line) => lines.push(line));
    for (const byte of Buffer.from('{"ü":"€"}\r\n\n{"b":1}\n{"c"')) split(Uint8Array.of(byte));
    expect(lines).toEqual(['{"ü":"€"}', '{"b":1}']);
  });

  test("without an end are refused before they fill the memory", () => {
    const split = lineSplitter(() => undefined);
    const piece = new Uint8Array(1 << 18).fill(0x78);
    for (let i = 0; i < 4; i++) split(piece);
    expect(() => split(piece)).toThrow(LineTooLong);
  });
});
