// The turn of an agent that the demo runs: which calls, on which files, how long each takes, and after how
// many settled calls it is killed. All of it follows from a seed and a count; nothing here touches a disk.
import { createHash } from "node:crypto";
import type { Json } from "../../../../bindings/js/src/outcome.ts";
import { type Dice, diceOf } from "./dice.ts";

export const CALLS_DEFAULT = 24;
/** Fewer could not have settled, running and waiting calls all at once. */
export const CALLS_MIN = 12;
export const CALLS_MAX = 200;
/** The run's id in the demo's journal. */
export const RUN_ID = "turn";

export type Input = { readonly [key: string]: Json };

/** What a call leaves on disk when it has happened exactly once. Digests are SHA-256 in hex. */
export type Trace =
  | {
      readonly kind: "edit";
      readonly path: string;
      readonly before: string;
      readonly after: string;
      readonly line: string;
    }
  | { readonly kind: "move"; readonly source: string; readonly destination: string; readonly digest: string }
  | { readonly kind: "write"; readonly path: string; readonly digest: string };

export interface PlannedCall {
  readonly id: string;
  readonly tool: string;
  readonly input: Input;
  /** What it is about, in a word or two. */
  readonly about: string;
  /** How long the way to the tool and the way back take, ms: where a crash finds the call decides what it leaves. */
  readonly beforeMs: number;
  readonly afterMs: number;
  readonly trace?: Trace;
}

export interface Turn {
  readonly seed: number;
  readonly calls: readonly PlannedCall[];
  /** Calls at once. */
  readonly lanes: number;
  readonly killAfter: number;
  /** Files that are there before: path and content. */
  readonly files: readonly (readonly [path: string, content: string])[];
}

export function digestOf(content: string | Uint8Array): string {
  return createHash("sha256").update(content).digest("hex");
}

type Draft = Omit<PlannedCall, "id">;
interface Recipe {
  readonly dice: Dice;
  readonly files: (readonly [string, string])[];
  /** Tells the files of several calls apart. */
  readonly number: number;
}
type Cook = (recipe: Recipe) => Draft;

const WORDS = [
  "amber",
  "birch",
  "cedar",
  "delta",
  "ember",
  "fjord",
  "grove",
  "heron",
  "inlet",
  "juniper",
  "kelp",
  "larch",
];
const STEADY = "reference.md";
const quick = (dice: Dice): { beforeMs: number; afterMs: number } => ({
  beforeMs: dice.between(10, 90),
  afterMs: dice.between(10, 110),
});
const words = (dice: Dice, count: number): string => Array.from({ length: count }, () => dice.pick(WORDS)).join(" ");
const two = (number: number): string => String(number).padStart(2, "0");

/** An edit that adds a line below a heading: done twice, the line would be there twice. */
const edit: Cook = ({ dice, files, number }) => {
  const path = `notes-${two(number)}.md`;
  const line = `- ${words(dice, 3)}\n`;
  const before = `# Notes ${number}\n\n## Log\n- ${words(dice, 5)}\n`;
  files.push([path, before]);
  const after = before.replace("## Log\n", `## Log\n${line}`);
  const trace: Trace = { kind: "edit", path, before: digestOf(before), after: digestOf(after), line };
  const edits = [{ oldText: "## Log\n", newText: `## Log\n${line}` }];
  return { tool: "edit_file", input: { path, edits, digest: trace.before }, about: path, ...quick(dice), trace };
};

const move: Cook = ({ dice, files, number }) => {
  const source = `inbox/letter-${two(number)}.txt`;
  const destination = `archive/letter-${two(number)}.txt`;
  const content = `${words(dice, 30)}\n`;
  files.push([source, content]);
  const trace: Trace = { kind: "move", source, destination, digest: digestOf(content) };
  return {
    tool: "move_file",
    input: { source, destination, digest: trace.digest },
    about: `letter-${two(number)}.txt`,
    ...quick(dice),
    trace,
  };
};

const write: Cook = ({ dice, number }) => {
  const path = `report-${two(number)}.md`;
  const content = `# Report ${number}\n\n${Array.from({ length: 40 }, () => words(dice, 10)).join("\n")}\n`;
  return {
    tool: "write_file",
    input: { path, content },
    about: path,
    ...quick(dice),
    trace: { kind: "write", path, digest: digestOf(content) },
  };
};

const toggle: Cook = ({ dice }) => ({
  tool: "toggle-simulated-logging",
  input: {},
  about: "nobody to ask",
  ...quick(dice),
});
const long: Cook = ({ dice }) => {
  const duration = dice.pick([2, 2.5]);
  return {
    tool: "trigger-long-running-operation",
    input: { duration, steps: 10 },
    about: `${duration} s`,
    beforeMs: 0,
    afterMs: 0,
  };
};
const chain: Cook = ({ dice }) => {
  const rounds = dice.between(100, 250) * 1_000;
  return {
    tool: "hash_chain",
    input: { text: words(dice, 3), rounds },
    about: `${rounds / 1_000}k rounds`,
    beforeMs: 0,
    afterMs: 0,
  };
};
const read: Cook = ({ dice }) => ({ tool: "read_text_file", input: { path: STEADY }, about: STEADY, ...quick(dice) });
const readMissing: Cook = ({ dice, number }) => {
  const path = `missing-${two(number)}.md`;
  return { tool: "read_text_file", input: { path }, about: path, ...quick(dice) };
};
const info: Cook = ({ dice }) => ({ tool: "get_file_info", input: { path: STEADY }, about: STEADY, ...quick(dice) });
const search: Cook = ({ dice }) => ({
  tool: "search_files",
  input: { path: ".", pattern: "**/*.md" },
  about: "**/*.md",
  ...quick(dice),
});
const folder: Cook = ({ dice, number }) => ({
  tool: "create_directory",
  input: { path: `drafts-${two(number)}` },
  about: `drafts-${two(number)}`,
  ...quick(dice),
});
const sum: Cook = ({ dice }) => {
  const [a, b] = [dice.between(1, 999), dice.between(1, 999)];
  return { tool: "get-sum", input: { a, b }, about: `${a} + ${b}`, ...quick(dice) };
};
const echo: Cook = ({ dice }) => {
  const message = words(dice, 2);
  return { tool: "echo", input: { message }, about: message, ...quick(dice) };
};

/** Slow, one of each kind of doubt: they are under way whenever the kill comes early. */
const SLOW: readonly Cook[] = [
  (recipe) => ({ ...edit(recipe), afterMs: recipe.dice.between(1_400, 1_900) }),
  (recipe) => ({ ...move(recipe), beforeMs: recipe.dice.between(1_400, 1_900) }),
  (recipe) => ({ ...toggle(recipe), afterMs: recipe.dice.between(1_400, 1_900) }),
  long,
];
const QUICK: readonly Cook[] = [
  read,
  write,
  sum,
  chain,
  edit,
  search,
  echo,
  move,
  info,
  folder,
  readMissing,
  write,
  chain,
  read,
  edit,
  sum,
];

/** The turn of this seed, `count` calls long. The same arguments give the same turn. */
export function planTurn(seed: number, count: number): Turn {
  const dice = diceOf(seed);
  const files: (readonly [string, string])[] = [[STEADY, `# Reference\n\n${words(dice, 60)}\n`]];
  const lanes = Math.min(8, Math.max(5, Math.floor(count / 3)));
  const quickOnes = dice.shuffle(Array.from({ length: count - SLOW.length }, (_, i) => QUICK[i % QUICK.length]!));
  const first = dice.shuffle([...SLOW, ...quickOnes.slice(0, lanes - SLOW.length)]);
  const cooks = [...first, ...quickOnes.slice(lanes - SLOW.length)];
  const calls = cooks.map((cook, i) => ({ id: `call-${two(i + 1)}`, ...cook({ dice, files, number: i + 1 }) }));
  const killAfter = dice.between(Math.ceil(count * 0.2), Math.floor(count * 0.35));
  return { seed, calls, lanes, killAfter, files };
}
