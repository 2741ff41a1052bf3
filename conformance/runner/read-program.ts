// The steps of a program, and how tools end, read from the lines of a scenario into what goes over the wire.
import type {
  Effect,
  Ending,
  Json,
  OutcomeKind,
  Program,
  Reducer,
  Step,
  WireCall,
  WireError,
  WireTool,
  WireVerdict,
} from "../protocol/messages.ts";
import { type Line, LineReader } from "./outline.ts";

export const OUTCOME_KINDS: readonly OutcomeKind[] = [
  "ok",
  "error",
  "unknown",
  "timed-out",
  "not-started",
  "cancelled",
];
const EFFECTS: readonly Effect[] = ["read", "idempotent", "once"];
const TOOL_INTEGERS = [
  "timeoutMs",
  "graceMs",
  "attempts",
  "backoffMs",
  "asks",
  "askBackoffMs",
  "askTimeoutMs",
  "concurrency",
  "rate",
  "ratePerMs",
  "breakerCalls",
  "breakerOpenMs",
  "throttles",
  "minBudgetMs",
];
const TOOL_VALUES = ["rates", "whenOpen", "fallback", "afterGrace", "holdWhileWaiting"];
/** What a call says of its start. */
const CALL_VALUES = [
  "reads",
  "writes",
  "weight",
  "key",
  "cost",
  "startWithinMs",
  "sheddable",
  "background",
  "minBudgetMs",
  "preempt",
  "preemptible",
];
const RANGE = /^(.*)\[(\d+)\.\.(\d+)\]$/;
const RANGE_MAX = 100_000;

/** `n[1..3]` is n1, n2, n3; any other text is itself. */
export function idsOf(text: string, reader: LineReader): string[] {
  const range = RANGE.exec(text);
  if (range === null) return [text];
  const [from, to] = [Number(range[2]), Number(range[3])];
  if (to < from || to - from >= RANGE_MAX) reader.fail(`a range holds 1 to ${RANGE_MAX} ids`);
  return Array.from({ length: to - from + 1 }, (_, i) => `${range[1]}${from + i}`);
}

function callsOf(line: Line): WireCall[] {
  return line.children.flatMap((child) => callsOfLine(new LineReader(child)));
}

/** `id tool {input}`; the id `-` is none. */
function callsOfLine(reader: LineReader): WireCall[] {
  const ids = idsOf(reader.word("the call's id"), reader);
  const tool = reader.word("the call's tool");
  const input = reader.json() ?? {};
  const bounds = reader.integers(["timeoutMs", "deadlineMs", "priority"]);
  const start = reader.values(CALL_VALUES);
  reader.done();
  return ids.map((id) => ({ ...(id === "-" ? {} : { id }), tool, input, ...bounds, ...start }));
}

/** JSON as it stands, or a word: the variable of that name. */
function expression(reader: LineReader): Json {
  return reader.json() ?? { $: reader.word("a variable or JSON") };
}

function into(reader: LineReader, name = "into"): Record<string, string> {
  return reader.given([name], ({ text }) => text);
}

function readStep(line: Line, next: Line | undefined): Step {
  const reader = new LineReader(line);
  const step = stepOf(reader, line, next);
  reader.done();
  return step;
}

function stepOf(reader: LineReader, line: Line, next: Line | undefined): Step {
  switch (reader.word("a step")) {
    case "batch": {
      const options = reader.integers(["concurrency", "deadlineMs", "tenantWeight", "bufferedBytesMax"]);
      const whose = reader.values(["tenant", "tell"]);
      return { batch: callsOf(line), ...options, ...whose, ...into(reader), ...into(reader, "later") };
    }
    case "stream": {
      const options = { ...reader.integers(["ahead", "concurrency"]), ...reader.values(["order"]) };
      return { stream: callsOf(line), ...options, ...into(reader) };
    }
    case "await":
      return { await: reader.word("a variable"), ...into(reader) };
    case "call": {
      const variable = into(reader);
      return { call: callsOfLine(reader)[0] as WireCall, ...variable };
    }
    case "announce": {
      return { announce: callsOf(line), ...reader.integers(["deadlineMs"]) };
    }
    case "claim":
      return { claim: reader.word("a call id"), ...into(reader) };
    case "reduce": {
      const reduce = reader.word("a variable");
      const { keys = {} } = reader.values(["keys"]) as { keys?: Readonly<Record<string, Reducer>> };
      return { reduce, keys, into: reader.field("into")?.text ?? reader.fail("into= is missing") };
    }
    case "draw": {
      const draw = reader.choice("what is drawn", ["now", "random", "uuid"]);
      return { draw, into: reader.field("into")?.text ?? reader.fail("into= is missing") };
    }
    case "if": {
      const variable = reader.word("a variable");
      if (!reader.wordIf("is")) reader.fail("write: if <variable> is <kind>");
      const kind = reader.choice("the kind", OUTCOME_KINDS);
      const otherwise = next?.text.trim() === "else" ? { else: readProgram(next.children) } : {};
      return { if: variable, is: kind, do: readProgram(line.children), ...otherwise };
    }
    case "say":
      return { say: expression(reader) };
    case "return":
      return { return: expression(reader) };
    case "throw":
      return { throw: readError(reader) };
    default:
      return reader.fail("there is no such step");
  }
}

/** The steps under a line. */
export function readProgram(lines: readonly Line[]): Program {
  return lines.flatMap((line, i) => {
    if (line.text.trim() === "else") {
      if (!/^\s*if /.test(lines[i - 1]?.text ?? "")) new LineReader(line).fail("there is no if before this else");
      return [];
    }
    return [readStep(line, lines[i + 1])];
  });
}

/** `{"message":"…"}`, in which the name may be left out. */
function readError(reader: LineReader): WireError {
  const given = reader.json() ?? { message: "it failed" };
  if (typeof given !== "object" || given === null || Array.isArray(given)) reader.fail("an error is a JSON object");
  return { name: "Error", message: "it failed", ...(given as object) };
}

/** How a call ends: JSON, or `error {…}`, `overloaded`, `nothing`, `function`, `cycle`, `thrown-cycle`. */
export function readEnding(reader: LineReader): Ending {
  const value = reader.json();
  if (value !== undefined) return { outcome: "ok", value, ...reader.values(["cost", "observed"]) };
  const how = reader.choice("how it ends", ["error", "overloaded", "nothing", "function", "cycle", "thrown-cycle"]);
  if (how === "overloaded") return { outcome: how, ...reader.integers(["retryAfterMs"]), ...reader.values(["scope"]) };
  return how === "error" ? { outcome: "error", error: readError(reader) } : { outcome: "odd", odd: how };
}

export const VERDICTS = ["done", "failed", "not-done", "unknown", "throws"] as const;

/** What a reconciler says: `done <json>`, `failed {…}`, `not-done`, `unknown`, `throws {…}`. */
export function readVerdict(reader: LineReader): WireVerdict {
  const verdict = reader.choice("the verdict", VERDICTS);
  switch (verdict) {
    case "done":
      return { verdict, value: reader.json() ?? null };
    case "failed":
    case "throws":
      return { verdict, error: readError(reader) };
    default:
      return { verdict };
  }
}

/** `tool name effect [reconciler] [inner=…] [numbers] [rates=[{…}]] [whenOpen=wait] [fallback={…}] …`, with the program of a child run under it. */
export function readTool(reader: LineReader): readonly [string, WireTool] {
  const name = reader.word("the tool's name");
  const effect = reader.choice("the effect", EFFECTS);
  const reconciler = reader.wordIf("reconciler") ? { reconciler: true } : {};
  const inner = reader.field("inner");
  const child = reader.line.children.length === 0 ? {} : { child: readProgram(reader.line.children) };
  const numbers = { ...reader.integers(TOOL_INTEGERS), ...reader.values(TOOL_VALUES) };
  return [name, { effect, ...reconciler, ...numbers, ...(inner === undefined ? {} : { inner: inner.text }), ...child }];
}
