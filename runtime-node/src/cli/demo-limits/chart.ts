// Requests over time as a chart of text: granted grow upwards from the axis, refused downwards, the outage
// lies on it. Two charts with one scale can be compared. Pure.
import { type Look, marksOf, painter } from "../paint.ts";
import { pad } from "../plain-text.ts";
import { type Bucket, bucketsOf } from "./account.ts";
import type { Asked } from "./provider.ts";
import type { Outage } from "./quota.ts";

/** What one chart shows. */
export interface Charted {
  readonly asked: readonly Asked[];
  readonly untilMs: number;
}

/** What a column and a full height stand for. */
export interface Scale {
  readonly bucketMs: number;
  readonly granted: number;
  readonly refused: number;
}

export const BUCKET_MS = 100;
const ROWS_UP = 4;
const ROWS_DOWN = 4;
const LABEL_CELLS = 11;
/** Parts of a cell that a bar can fill. */
const PARTS = 8;

const UP = { unicode: " ▁▂▃▄▅▆▇█", ascii: " ...:::##" } as const;
const DOWN = { unicode: " ▔▔▀▀▀▀██", ascii: " '''!!!xx" } as const;
const OUTAGE = { unicode: "━", ascii: "=" } as const;

const kind = (look: Look): "unicode" | "ascii" => (look.unicode ? "unicode" : "ascii");

/** The finest scale on which all of these fit into the width, each beside the others comparable. */
export function scaleOf(charts: readonly Charted[], look: Pick<Look, "width">): Scale {
  const room = Math.max(1, look.width - LABEL_CELLS - 1);
  const columns = Math.max(...charts.map(({ asked, untilMs }) => bucketsOf(asked, BUCKET_MS, untilMs).length));
  const bucketMs = BUCKET_MS * Math.ceil(columns / room);
  const buckets = charts.flatMap(({ asked, untilMs }) => bucketsOf(asked, bucketMs, untilMs));
  const most = (of: keyof Bucket): number => Math.max(1, ...buckets.map((bucket) => bucket[of]));
  return { bucketMs, granted: most("granted"), refused: most("refused") };
}

/** One row of bars, `row` counted from the axis. What is not nothing shows, however little it is. */
function barRow(values: readonly number[], most: number, rows: number, row: number, glyphs: string): string {
  return values
    .map((value) => {
      const parts = value === 0 ? 0 : Math.max(1, Math.round((value / most) * rows * PARTS));
      return glyphs[Math.min(Math.max(parts - row * PARTS, 0), PARTS)]!;
    })
    .join("")
    .trimEnd();
}

function axis(columns: number, bucketMs: number, outage: Outage, look: Look): string {
  const paint = painter(look);
  const plain = marksOf(look).rule;
  const from = Math.min(columns, Math.floor(outage.fromMs / bucketMs));
  const until = Math.min(columns, Math.ceil(outage.untilMs / bucketMs));
  return (
    paint("dim", plain.repeat(from)) +
    paint("yellow", OUTAGE[kind(look)].repeat(until - from)) +
    paint("dim", plain.repeat(columns - until))
  );
}

function seconds(columns: number, bucketMs: number): string {
  let line = "";
  for (let second = 0; second * 1_000 < columns * bucketMs; second++) {
    const column = Math.round((second * 1_000) / bucketMs);
    if (column > 0 && column < line.length + 2) continue;
    line = line.padEnd(column) + (second === 0 ? "0" : `${second} s`);
  }
  return line;
}

/** The lines of a chart. */
export function chartLines({ asked, untilMs }: Charted, outage: Outage, scale: Scale, look: Look): string[] {
  const paint = painter(look);
  const { bucketMs } = scale;
  const buckets = bucketsOf(asked, bucketMs, untilMs);
  const label = (text: string): string => paint("dim", pad(text, LABEL_CELLS, "right"));
  const up = buckets.map(({ granted }) => granted);
  const down = buckets.map(({ refused }) => refused);
  const lines: string[] = [];
  for (let row = ROWS_UP - 1; row >= 0; row--) {
    const bars = barRow(up, scale.granted, ROWS_UP, row, UP[kind(look)]);
    lines.push(`${label(row === ROWS_UP - 1 ? `granted ${scale.granted}` : "")} ${paint("green", bars)}`);
  }
  lines.push(`${label("0")} ${axis(buckets.length, bucketMs, outage, look)}`);
  for (let row = 0; row < ROWS_DOWN; row++) {
    const bars = barRow(down, scale.refused, ROWS_DOWN, row, DOWN[kind(look)]);
    lines.push(`${label(row === ROWS_DOWN - 1 ? `refused ${scale.refused}` : "")} ${paint("red", bars)}`);
  }
  lines.push(`${label("")} ${paint("dim", seconds(buckets.length, bucketMs))}`);
  return lines.map((line) => line.trimEnd());
}

/** What the chart's signs mean. */
export function legendLines({ bucketMs }: Scale, look: Look): string[] {
  const paint = painter(look);
  const of = kind(look);
  const signs = [
    `${paint("green", UP[of].at(-1)!)} granted, upwards`,
    `${paint("red", DOWN[of].at(-1)!)} refused, downwards`,
    `${paint("yellow", OUTAGE[of].repeat(2))} outage`,
  ];
  return [signs.join("   "), paint("dim", `Requests per ${bucketMs} ms, both runs to one scale.`)];
}
