// A table as lines: columns as wide as what is in them, the ones that may shrink giving way when the
// terminal is narrow. Pure; cells are already plain text.
import type { Colour, Look } from "./paint.ts";
import { marksOf, painter } from "./paint.ts";
import { cells, clip, pad } from "./plain-text.ts";

export interface Column {
  readonly title: string;
  readonly align?: "left" | "right";
  /** May be cut down to this many cells when the table is too wide. Absent: never cut. */
  readonly shrinkTo?: number;
}

export interface Cell {
  readonly text: string;
  readonly colour?: Colour | undefined;
}

const GAP = "  ";

/** Takes what is too much from the widest column that may shrink, one cell at a time. */
function narrow(widths: number[], columns: readonly Column[], widthMax: number): void {
  const total = (): number => widths.reduce((sum, width) => sum + width, 0) + GAP.length * (widths.length - 1);
  while (total() > widthMax) {
    let widest = -1;
    for (const [i, width] of widths.entries()) {
      const least = columns[i]!.shrinkTo;
      if (least !== undefined && width > least && (widest === -1 || width > widths[widest]!)) widest = i;
    }
    if (widest === -1) return;
    widths[widest]!--;
  }
}

/** Lines of a table: a head, then the rows. Trailing blanks are cut. */
export function tableLines(columns: readonly Column[], rows: readonly (readonly Cell[])[], look: Look): string[] {
  const paint = painter(look);
  const mark = marksOf(look).more;
  const widths = columns.map((column, i) =>
    Math.max(cells(column.title), ...rows.map((row) => cells(row[i]?.text ?? ""))),
  );
  narrow(widths, columns, look.width);
  const line = (row: readonly Cell[]): string => {
    let text = "";
    for (const [i, column] of columns.entries()) {
      const { text: whole = "", colour } = row[i] ?? { text: "" };
      const shown = clip(whole, widths[i]!, mark);
      const last = i === columns.length - 1 && column.align !== "right";
      const padded = last ? shown : pad(shown, widths[i]!, column.align);
      text += (i === 0 ? "" : GAP) + (shown.trim() === "" ? padded : padded.replace(shown, () => paint(colour, shown)));
    }
    return text.trimEnd();
  };
  return [line(columns.map(({ title }) => ({ text: title, colour: "dim" }))), ...rows.map(line)];
}
