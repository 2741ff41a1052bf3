// The script of a life, and what is expected at its end, read from the lines of a scenario.
import { type Json, WAIT_REASONS } from "../protocol/messages.ts";
import { type Line, LineReader } from "./outline.ts";
import { idsOf, OUTCOME_KINDS, readEnding, readVerdict } from "./read-program.ts";
import {
  type AppendPoint,
  DEFAULT_RUN,
  type Ends,
  type OrderRow,
  type OutcomeRow,
  type Pattern,
  type RunLine,
  type ScriptLine,
  TRACE_KINDS,
} from "./scenario.ts";

const ENTRY_KINDS = ["run-opened", "planned", "started", "attempt-failed", "settled", "late", "run-closed"];
const OUTCOME_FIELDS = ["attempts", "source", "replayed", "reason", "retryAt", "fallback", "insteadOf"];
type Fields = Readonly<Record<string, Json>>;

/** `call A`, `durable settled A`, `report late A`, `said` … */
function readPattern(reader: LineReader): Pattern {
  const what = reader.choice("what happens", TRACE_KINDS);
  const kinded = what === "append" || what === "durable" || what === "report";
  const kind = kinded && reader.left > 0 ? { kind: reader.word("a kind") } : {};
  const named = !["said", "returned", "threw", "kill"].includes(what);
  const id = named && reader.left > 0 ? { id: reader.word("a call id") } : {};
  const run = reader.field("run");
  const numbers = reader.integers(["attempt"]);
  return { what, ...kind, ...id, ...numbers, ...(run === undefined ? {} : { run: run.text }) };
}

/** `<pattern> < <pattern>`, and on with `< <pattern>`. */
export function readOrder(lines: readonly Line[]): OrderRow[] {
  return lines.flatMap((line) => {
    const sides: Line["tokens"][number][][] = [[]];
    for (const token of line.tokens) {
      if (token.text === "<") sides.push([]);
      else sides.at(-1)?.push(token);
    }
    if (sides.length === 1) new LineReader(line).fail("write: <what comes first> < <what comes then>");
    const patterns = sides.map((tokens) => {
      const reader = new LineReader({ ...line, tokens });
      const pattern = readPattern(reader);
      reader.done();
      return pattern;
    });
    const text = line.text.trim();
    return patterns.slice(1).map((second, i) => ({ first: patterns[i] as Pattern, second, text }));
  });
}

/** `before settled A`, `after append 3`. */
function readPoint(reader: LineReader): AppendPoint {
  const when = reader.choice("the moment", ["before", "after"]);
  if (reader.wordIf("append")) return { when, entry: { nth: reader.integer("the number of the append") } };
  const kind = reader.choice("the entry", ENTRY_KINDS);
  return { when, entry: { kind, ...(reader.left > 0 ? { id: reader.word("a call id") } : {}) } };
}

/** The options of a run, on its own line or on its life's. */
export function readRunLine(reader: LineReader, run: string): RunLine {
  const version = reader.field("version");
  const mismatch = reader.field("onMismatch");
  return {
    run,
    program: reader.field("program")?.text ?? "main",
    ...(version === undefined ? {} : { version: version.text }),
    ...(reader.field("refuseOtherVersion")?.json === true ? { refuseOtherVersion: true } : {}),
    ...(mismatch === undefined ? {} : { onMismatch: mismatch.text === "adapt" ? "adapt" : "fail" }),
    ...reader.integers(["waitMs"]),
  };
}

function readOutcomes(line: Line): OutcomeRow[] {
  return line.children.flatMap((child) => {
    const reader = new LineReader(child);
    const ids = idsOf(reader.word("a call id"), reader);
    const kind = reader.choice("the kind", OUTCOME_KINDS);
    const nothing = kind === "ok" && reader.wordIf("nothing") ? { nothing: true } : {};
    const given = reader.json();
    const detail = given === undefined ? {} : kind === "error" ? { error: given as Fields } : { value: given };
    const fields = Object.fromEntries(
      OUTCOME_FIELDS.flatMap((name) => {
        const token = reader.field(name);
        return token === undefined ? [] : [[name, token.json ?? token.text]];
      }),
    );
    reader.done();
    return ids.map((id): OutcomeRow => ({ id, kind, ...nothing, ...detail, ...fields }));
  });
}

function readThrows(reader: LineReader): Ends {
  const run = reader.field("run")?.text;
  const error = Object.fromEntries(
    ["code", "name", "message"].flatMap((name) => {
      const token = reader.field(name);
      return token === undefined ? [] : [[name, token.json ?? token.text]];
    }),
  );
  const { children } = reader.line;
  const differences = children.map((child) => {
    const row = new LineReader(child);
    const found = { kind: row.word("the kind"), id: row.word("the call id") };
    row.done();
    return found;
  });
  return { kind: "throws", run, error, differences: children.length === 0 ? undefined : differences };
}

/** The line as what it says, without its place. */
type Said = ScriptLine extends infer One ? (One extends ScriptLine ? Omit<One, "at" | "text"> : never) : never;

function saidBy(reader: LineReader, line: Line): Said {
  const word = reader.word("a line of a script");
  switch (word) {
    case "run":
      return { do: "run", ...readRunLine(reader, reader.word("the run's id")) };
    case "wait":
    case "never":
      return { do: word, pattern: readPattern(reader) };
    case "answer":
      return { do: "answer", id: reader.word("a call id"), ending: readEnding(reader) };
    case "verdict":
      return { do: "verdict", id: reader.word("a call id"), verdict: readVerdict(reader) };
    case "hold":
      return { do: "hold", id: reader.word("a call id") };
    case "said": {
      const value = reader.json();
      return { do: "said", value: value ?? "_" };
    }
    case "kill":
      return { do: "kill", point: reader.left === 0 ? undefined : readPoint(reader) };
    case "fail":
    case "stay":
      return { do: word, point: readPoint(reader) };
    case "go":
      return { do: "go" };
    case "cancel":
      return { do: "cancel", run: reader.left === 0 ? DEFAULT_RUN : reader.word("the run's id") };
    case "set-limit": {
      const limit = reader.word("a limit");
      const { concurrency = reader.fail("concurrency= is missing") } = reader.integers(["concurrency"]);
      return { do: word, limit, concurrency };
    }
    case "pause":
      return { do: word, limit: reader.word("a limit"), ...reader.integers(["forMs"]) };
    case "resume":
      return { do: word, limit: reader.word("a limit") };
    case "set-priority": {
      const id = reader.word("a call id");
      return { do: word, id, priority: reader.integer("the priority"), run: reader.field("run")?.text ?? DEFAULT_RUN };
    }
    case "held": {
      const id = reader.word("a call id");
      const run = reader.field("run")?.text ?? DEFAULT_RUN;
      const why = reader.field("by")?.text;
      const by =
        WAIT_REASONS.find((reason) => reason === why) ?? reader.fail(`by= is one of ${WAIT_REASONS.join(", ")}`);
      return { do: word, id, run, by, ...reader.given(["limit"], ({ text }) => text) };
    }
    case "gauge": {
      const limit = reader.word("a limit");
      const of = reader.integers(["inUse", "abandoned"]);
      if (Object.keys(of).length === 0) reader.fail("inUse= or abandoned= is missing");
      return { do: word, limit, of };
    }
    case "pass":
    case "still":
      return { do: word, ms: reader.integer("milliseconds") };
    case "freeze":
      return { do: "freeze" };
    case "thaw":
    case "rival":
      return { do: word, script: readScript(line.children) };
    case "outcomes":
      return { do: "expect", ends: { kind: "outcomes", run: reader.field("run")?.text, rows: readOutcomes(line) } };
    case "result": {
      const value = reader.json();
      if (value === undefined) reader.fail("the result is missing");
      return { do: "expect", ends: { kind: "result", run: reader.field("run")?.text, value: value as Json } };
    }
    case "throws":
      return { do: "expect", ends: readThrows(reader) };
    case "order":
      return { do: "order", rows: readOrder(line.children) };
    default:
      return reader.fail("there is no such line in a script");
  }
}

/** The lines under a life. */
export function readScript(lines: readonly Line[]): ScriptLine[] {
  return lines.map((line) => {
    const reader = new LineReader(line);
    const said = saidBy(reader, line);
    reader.done();
    return { at: line.number, text: line.text.trim(), ...said } as ScriptLine;
  });
}
