// What the demo of limits has to say in the end: both runs side by side as a table and as charts, and a line
// that sums it up. Pure: facts in, lines out.
import { duration } from "../duration.ts";
import { type Colour, type Look, marksOf, painter } from "../paint.ts";
import { type Cell, tableLines } from "../table.ts";
import { type Account, accountOf, type RunFacts } from "./account.ts";
import { chartLines, legendLines, scaleOf } from "./chart.ts";
import type { Scene } from "./scene.ts";

export interface Report {
  readonly scene: Scene;
  readonly without: RunFacts;
  readonly holdfast: RunFacts;
  readonly broken: readonly string[];
}

interface Row {
  readonly title: string;
  readonly text: (account: Account) => string;
  /** Whether a number is good or bad to see. */
  readonly colour?: (account: Account) => Colour | undefined;
}

const requests = (count: number): string => `${count} request${count === 1 ? "" : "s"}`;
const badUnlessNone = (count: number): Colour => (count === 0 ? "green" : "red");
const REASONS: Readonly<Record<string, string>> = { requests: "rate", concurrency: "at once" };
const reasons = ({ refusedFor }: Account): string =>
  Object.entries(refusedFor)
    .map(([why, count]) => `${count} ${REASONS[why] ?? why}`)
    .join(", ");

const ROWS: readonly Row[] = [
  { title: "calls", text: ({ calls }) => String(calls) },
  {
    title: "got through",
    text: ({ succeeded }) => String(succeeded),
    colour: ({ failed }) => badUnlessNone(failed),
  },
  { title: "failed for good", text: ({ failed }) => String(failed), colour: ({ failed }) => badUnlessNone(failed) },
  { title: "requests made", text: ({ requests }) => String(requests) },
  { title: "refused", text: ({ refused }) => String(refused) },
  { title: "  for", text: reasons },
  { title: "retried", text: ({ retried }) => String(retried) },
  { title: "most at once", text: ({ mostAtOnce }) => String(mostAtOnce) },
  { title: "total time", text: ({ tookMs }) => duration(tookMs) },
];

function comparison(without: Account, holdfast: Account, look: Look): string[] {
  const columns = [
    { title: "" },
    { title: "without limits", align: "right", shrinkTo: 14 },
    { title: "through Holdfast", align: "right", shrinkTo: 16 },
  ] as const;
  const rows = ROWS.map(({ title, text, colour }): Cell[] => [
    { text: title, colour: "dim" },
    { text: text(without), colour: colour?.(without) },
    { text: text(holdfast), colour: colour?.(holdfast) },
  ]);
  return tableLines(columns, rows, look);
}

function summary({ broken, ...report }: Report, look: Look): string[] {
  const paint = painter(look);
  const { yes, no } = marksOf(look);
  if (broken.length > 0)
    return [
      paint("red", `${no} Holdfast did not keep its word.`),
      ...broken.map((what) => `  ${paint("red", no)} ${what}`),
    ];
  const [without, holdfast] = [accountOf(report.without), accountOf(report.holdfast)];
  const through = `All ${holdfast.calls} calls got through, ${holdfast.refused} refused`;
  return [
    `${paint("green", `${yes} ${through}`)}; without limits ${without.succeeded} did, ${without.refused} refused.`,
  ];
}

/** What one run came to, in a line. */
export function endLine(facts: RunFacts, look: Look): string {
  const paint = painter(look);
  const { yes, no } = marksOf(look);
  const { calls, succeeded, failed, refused, tookMs } = accountOf(facts);
  const mark = failed === 0 ? paint("green", yes) : paint("red", no);
  return `${mark} ${succeeded} of ${calls} calls got through in ${duration(tookMs)}, ${requests(refused)} refused`;
}

/** The whole report. */
export function reportLines(report: Report, look: Look): string[] {
  const paint = painter(look);
  const { scene, without, holdfast } = report;
  const charted = (facts: RunFacts) => ({ asked: facts.asked, untilMs: facts.tookMs });
  const scale = scaleOf([charted(without), charted(holdfast)], look);
  return [
    paint("bold", "Without limits"),
    ...chartLines(charted(without), scene.outage, scale, look),
    "",
    paint("bold", "Through Holdfast"),
    ...chartLines(charted(holdfast), scene.outage, scale, look),
    "",
    ...legendLines(scale, look),
    "",
    ...comparison(accountOf(without), accountOf(holdfast), look),
    "",
    ...summary(report, look),
  ];
}
