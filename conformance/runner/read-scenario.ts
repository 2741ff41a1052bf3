// A scenario file as data. The format is conformance/scenarios/README.md; what it cannot be is refused with
// its line. It plays nothing.
import type { Capability } from "../protocol/capabilities.ts";
import { LEVELS, type Level, type Program, type WireTool } from "../protocol/messages.ts";
import { ENVIRONMENT_NAMES } from "./environments.ts";
import { type Line, LineReader, type Outline, readOutline } from "./outline.ts";
import { idsOf, readEnding, readProgram, readTool, readVerdict, VERDICTS } from "./read-program.ts";
import { readOrder, readRunLine, readScript } from "./read-script.ts";
import {
  DEFAULT_RUN,
  type JournalRow,
  type LedgerRow,
  type Life,
  type OrderRow,
  type Played,
  type Scenario,
  type ScriptLine,
  type ShareRow,
} from "./scenario.ts";

const LIMITS = [
  "concurrency",
  "workers",
  "keyConcurrency",
  "tenantConcurrency",
  "queue",
  "queuePerTenant",
  "queuePerBatch",
  "whenFull",
  "lanes",
  "lanesWaitMs",
  "undeclared",
];

/** A scenario that cannot be read: a fault of the suite, not of a host. */
export class BadScenario extends Error {}

/** What the lines of a file add up to. */
interface Parts {
  rules: number[];
  needs: Capability[];
  under: string[];
  tools: [string, WireTool][];
  limits: Scenario["limits"];
  leaseMs: number | undefined;
  programs: [string, Program][];
  play: [string, Played][];
  lives: Life[];
  ledger: LedgerRow[];
  shares: ShareRow[];
  order: OrderRow[];
  journals: { run: string; rows: JournalRow[] }[];
}

const words = (reader: LineReader): string[] => {
  const found: string[] = [];
  while (reader.left > 0) found.push(reader.word("a word"));
  return found;
};

const SECTIONS: Readonly<Record<string, (parts: Parts, reader: LineReader, line: Line) => void>> = {
  rules(parts, reader) {
    while (reader.left > 0) parts.rules.push(reader.integer("a rule"));
  },
  needs(parts, reader) {
    parts.needs.push(...(words(reader) as Capability[]));
  },
  under(parts, reader) {
    const names = words(reader);
    const strange = names.find((name) => !ENVIRONMENT_NAMES.includes(name));
    if (strange !== undefined) reader.fail(`there is no environment ${strange}, only ${ENVIRONMENT_NAMES.join(", ")}`);
    parts.under.push(...names);
  },
  tool(parts, reader) {
    parts.tools.push(readTool(reader) as [string, WireTool]);
  },
  limits(parts, reader) {
    parts.limits = reader.values(LIMITS);
  },
  lease(parts, reader) {
    parts.leaseMs = reader.integer("milliseconds");
  },
  program(parts, reader, line) {
    parts.programs.push([reader.left === 0 ? "main" : reader.word("a name"), readProgram(line.children)]);
  },
  play(parts, _reader, line) {
    parts.play.push(...line.children.map((child) => playOf(new LineReader(child))));
  },
  life(parts, reader, line) {
    const host = reader.field("host")?.text === "other" ? "other" : "same";
    const { torn = 0 } = reader.integers(["torn"]);
    const threads = reader.field("threads")?.text;
    if (threads !== undefined && threads !== "no") reader.fail("threads is no, or is left out");
    const options = readRunLine(reader, DEFAULT_RUN);
    const isTool = ({ tokens: [first] }: Line): boolean => first?.text === "tool";
    const tools = Object.fromEntries(line.children.filter(isTool).map(readToolLine));
    const script = readScript(line.children.filter((child) => !isTool(child)));
    const first: ScriptLine = { at: line.number, text: `run ${DEFAULT_RUN}`, do: "run", ...options };
    parts.lives.push({
      host,
      torn,
      threads: threads === undefined,
      tools,
      script: script.some((one) => one.do === "run") ? script : [first, ...script],
    });
  },
  ledger(parts, _reader, line) {
    for (const child of line.children) {
      const row = new LineReader(child);
      const id = row.word("a call id");
      const run = row.field("run")?.text;
      parts.ledger.push({ id, run, ...row.integers(["calls", "asks", "keys", "atOnce"]) });
      row.done();
    }
  },
  shares(parts, _reader, line) {
    for (const child of line.children) {
      const row = new LineReader(child);
      const ids = idsOf(row.word("call ids"), row);
      const { first = 0, least = 0, most = first } = row.integers(["first", "least", "most"]);
      if (first === 0) row.fail("first= is missing: of how many calls");
      row.done();
      parts.shares.push({ ids, first, least, most, text: child.text.trim() });
    }
  },
  order(parts, _reader, line) {
    parts.order.push(...readOrder(line.children));
  },
  journal(parts, reader, line) {
    const run = reader.left === 0 ? DEFAULT_RUN : reader.word("the run's id");
    parts.journals.push({ run, rows: line.children.map((child) => journalRow(new LineReader(child))) });
  },
};

function readToolLine(line: Line): readonly [string, WireTool] {
  const reader = new LineReader(line);
  reader.word("tool");
  const tool = readTool(reader);
  reader.done();
  return tool;
}

function playOf(reader: LineReader): [string, Played] {
  const id = reader.word("a call id");
  const isVerdict = VERDICTS.some((verdict) => reader.line.tokens[1]?.text === verdict);
  const played: Played = isVerdict ? { verdict: readVerdict(reader) } : { ending: readEnding(reader) };
  reader.done();
  return [id, played];
}

function journalRow(reader: LineReader): JournalRow {
  const kind = reader.word("the entry's kind");
  const fields = reader.line.tokens.flatMap(({ name, json, text }) =>
    name === undefined ? [] : [[name, json ?? text] as const],
  );
  return { kind, fields: Object.fromEntries(fields) };
}

function levelOf(id: string): Level {
  const level = LEVELS.find((one) => id.startsWith(`${one}/`));
  if (level === undefined) throw new BadScenario(`${id} lies in no level: ${LEVELS.join(", ")}`);
  return level;
}

/** Reads a scenario; `id` is its place, `level/name`. Throws `BadScenario`. */
export function readScenario(id: string, text: string): Scenario {
  const parts: Parts = {
    rules: [],
    needs: [],
    under: [],
    tools: [],
    limits: {},
    leaseMs: undefined,
    programs: [],
    play: [],
    lives: [],
    ledger: [],
    shares: [],
    order: [],
    journals: [],
  };
  let outline: Outline;
  try {
    outline = readOutline(text);
    for (const line of outline.lines) readSection(parts, line);
  } catch (error) {
    throw new BadScenario(`${id}, ${(error as Error).message}`, { cause: error });
  }
  if (outline.prose === "") throw new BadScenario(`${id} does not open with a comment that says why it exists`);
  if (parts.lives.length === 0) throw new BadScenario(`${id} has no life`);
  if (parts.lives.some(({ threads }) => !threads) && !parts.needs.includes("no-threads"))
    throw new BadScenario(`${id} has a life without threads and does not need the capability no-threads`);
  const play = new Map<string, Played>();
  for (const [call, played] of parts.play) play.set(call, { ...play.get(call), ...played });
  return {
    ...parts,
    id,
    level: levelOf(id),
    prose: outline.prose,
    tools: Object.fromEntries(parts.tools),
    programs: Object.fromEntries(parts.programs),
    play,
  };
}

function readSection(parts: Parts, line: Line): void {
  const reader = new LineReader(line);
  const name = reader.word("a section");
  const section = Object.hasOwn(SECTIONS, name) ? SECTIONS[name] : undefined;
  if (section === undefined) reader.fail(`there is no section ${name}, only ${Object.keys(SECTIONS).join(", ")}`);
  else section(parts, reader, line);
  reader.done();
}
