// What the demo has to say in the end: a table of the calls, the timeline, the promises, and a line that
// sums it up. Pure: facts in, lines out.
import type { RunView } from "../../../../bindings/js/src/api.ts";
import { duration } from "../duration.ts";
import { type Colour, type Look, marksOf, painter } from "../paint.ts";
import { plain } from "../plain-text.ts";
import { type Cell, type Column, tableLines } from "../table.ts";
import { kindMark, timelineLines } from "../timeline.ts";
import type { Checked } from "./promises.ts";
import { type How, type Story, WAYS } from "./story.ts";

/** What broke a promise is listed up to here. */
const BROKEN_MAX = 5;
/** A timeline of more calls than this says nothing any more. */
const TIMELINE_CALLS_MAX = 60;

const WAY_COLOURS: Readonly<Record<How, Colour | undefined>> = {
  executed: undefined,
  replayed: "cyan",
  "re-executed": "yellow",
  reconciled: "magenta",
  surfaced: "magenta",
};

const MEANINGS: Readonly<Record<How, string>> = {
  executed: "called, and it answered",
  replayed: "had settled: its outcome came from the journal, nothing was called",
  "re-executed": "in doubt, and it may run twice or its reconciler said not done",
  reconciled: "in doubt: its reconciler said how it ended, nothing was called",
  surfaced: "in doubt, with nobody to ask: the program is told that nobody knows",
};

interface Field {
  readonly column: Column;
  /** Cells of the terminal from which on there is room for it. */
  readonly from?: number;
  /** Says something only when there was a kill. */
  readonly ofKill?: true;
  readonly cell: (story: Story, look: Look) => Cell;
}

const FIELDS: readonly Field[] = [
  { column: { title: "call" }, cell: ({ id }) => ({ text: id, colour: "bold" }) },
  { column: { title: "tool", shrinkTo: 6 }, cell: ({ tool }) => ({ text: plain(tool) }) },
  {
    column: { title: "about", shrinkTo: 5 },
    from: 120,
    cell: ({ about }) => ({ text: plain(about), colour: "dim" }),
  },
  { column: { title: "effect" }, from: 80, cell: ({ effect }) => ({ text: effect }) },
  {
    column: { title: "the kill" },
    ofKill: true,
    cell: ({ found = "" }) => ({ text: found, colour: found === "in doubt" ? "red" : "dim" }),
  },
  {
    column: { title: "asked" },
    from: 80,
    ofKill: true,
    cell: ({ said = "" }) => ({ text: said, colour: "magenta" }),
  },
  { column: { title: "then" }, cell: ({ how }) => ({ text: how, colour: WAY_COLOURS[how] }) },
  {
    column: { title: "outcome" },
    cell: ({ outcome }, look) => {
      const { mark, colour } = kindMark(outcome, look);
      return { text: `${mark} ${outcome}`, colour };
    },
  },
  { column: { title: "began", align: "right" }, cell: ({ began }) => times(began) },
  { column: { title: "ended", align: "right" }, cell: ({ ended }) => times(ended) },
];

/** Once is what one expects. */
const times = (count: number): Cell => ({ text: String(count), colour: count === 1 ? undefined : "yellow" });

/** A line per call, and what the words mean. Without a kill there is nothing to say of how it found them. */
export function storyLines(stories: readonly Story[], look: Look): string[] {
  const killed = stories.some(({ found }) => found !== undefined);
  const fields = FIELDS.filter(({ from = 0, ofKill }) => look.width >= from && (killed || ofKill === undefined));
  const table = tableLines(
    fields.map(({ column }) => column),
    stories.map((story) => fields.map(({ cell }) => cell(story, look))),
    look,
  );
  const paint = painter(look);
  const words = WAYS.filter((way) => stories.some(({ how }) => how === way));
  return [
    ...table,
    "",
    ...words.map((way) => `${paint(WAY_COLOURS[way], way.padEnd(11))}  ${paint("dim", MEANINGS[way])}`),
  ];
}

/** A line per promise, and below a broken one what broke it. */
export function promiseLines(checked: readonly Checked[], look: Look): string[] {
  const paint = painter(look);
  const marks = marksOf(look);
  return checked.flatMap(({ promise, cases, broken }) => {
    const kept = broken.length === 0;
    const mark = kept
      ? paint(cases === 0 ? "dim" : "green", cases === 0 ? marks.dot : marks.yes)
      : paint("red", marks.no);
    const count = cases === 0 ? "no case" : cases === 1 ? "1 case" : `${cases} cases`;
    const line = `  ${mark} ${promise}  ${paint("dim", count)}`;
    const more = broken.length > BROKEN_MAX ? [`      and ${broken.length - BROKEN_MAX} more`] : [];
    return [line, ...broken.slice(0, BROKEN_MAX).map((what) => paint("red", `      ${plain(what)}`)), ...more];
  });
}

/** How many calls went which way: `9 executed, 6 replayed, …`. */
export function waysOf(stories: readonly Story[]): string {
  const counts = WAYS.map((way) => [way, stories.filter(({ how }) => how === way).length] as const);
  return counts
    .filter(([, count]) => count > 0)
    .map(([way, count]) => `${count} ${way}`)
    .join(", ");
}

export interface Report {
  readonly stories: readonly Story[];
  readonly checked: readonly Checked[];
  readonly journal: RunView;
  readonly killed: boolean;
  readonly tookMs: number;
}

export const isKept = (checked: readonly Checked[]): boolean => checked.every(({ broken }) => broken.length === 0);

function summary({ stories, checked, killed, tookMs }: Report, look: Look): string {
  const paint = painter(look);
  const marks = marksOf(look);
  const broken = checked.filter((one) => one.broken.length > 0).length;
  const what = `${stories.length} calls, ${killed ? "killed once" : "not killed"}: ${waysOf(stories)}. ${duration(tookMs)}.`;
  return broken === 0
    ? `${paint("green", `${marks.yes} All ${checked.length} promises kept.`)} ${what}`
    : `${paint("red", `${marks.no} ${broken} of ${checked.length} promises BROKEN.`)} ${what}`;
}

/** The whole report. */
export function reportLines(report: Report, look: Look): string[] {
  const paint = painter(look);
  const chart =
    report.stories.length > TIMELINE_CALLS_MAX
      ? [paint("dim", `The timeline of ${report.stories.length} calls is left out; with --keep it can be drawn later.`)]
      : timelineLines(report.journal, look);
  return [
    "",
    ...storyLines(report.stories, look),
    "",
    ...chart,
    "",
    paint("bold", "Promises"),
    ...promiseLines(report.checked, look),
    "",
    summary(report, look),
  ];
}
