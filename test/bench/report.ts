// What a scenario found, as rows, and how people read them: one table per scenario, a ratio to the floor
// per row, and beside it the target where there is one. It measures nothing.

export interface Row {
  /** Which case of the scenario: "100 calls, limit 10". */
  readonly of: string;
  readonly contender: string;
  readonly value: number;
  readonly unit: string;
  /** Against the floor of the same case; 1 is as fast as it. */
  readonly ratio?: number;
  /** Lower and upper quartile of the rounds' ratios. */
  readonly quartiles?: readonly [number, number];
  readonly target?: Target;
}

/** What a row is to be at most. */
export interface Target {
  readonly of: "ratio" | "value";
  readonly atMost: number;
}

export interface Report {
  readonly scenario: string;
  readonly title: string;
  /** How to read it, and what is not in it. */
  readonly note: string;
  readonly rows: readonly Row[];
}

/** Is the row within its target? Undefined where it has none. */
export function met({ target, ratio, value }: Row): boolean | undefined {
  return target && (target.of === "ratio" ? ratio! : value) <= target.atMost;
}

/** The target in words, with whether it was met; empty where there is none. */
export function verdict(row: Row): string {
  if (row.target === undefined) return "";
  const unit = row.target.of === "ratio" ? "×" : ` ${row.unit}`;
  return `≤ ${row.target.atMost}${unit} ${met(row) ? "met" : "MISSED"}`;
}

export function asTable({ title, note, rows }: Report): string {
  const cells = rows.map((row, i) => [
    row.of === rows[i - 1]?.of ? "" : row.of,
    row.contender,
    `${significant(row.value)} ${row.unit}`,
    row.ratio === undefined ? "" : `${row.ratio.toFixed(2)}×`,
    row.quartiles === undefined ? "" : `${row.quartiles[0].toFixed(2)}–${row.quartiles[1].toFixed(2)}`,
    verdict(row),
  ]);
  const all = [["case", "contender", "median", "to floor", "quartiles", "target"], ...cells];
  const widths = all[0]!.map((_, column) => Math.max(...all.map((line) => line[column]!.length)));
  const lines = all.map((line) =>
    line
      .map((cell, column) =>
        column === 2 || column === 3 ? cell.padStart(widths[column]!) : cell.padEnd(widths[column]!),
      )
      .join("  ")
      .trimEnd(),
  );
  return [`\n${title}`, note, "", ...lines].join("\n");
}

/** Three digits that count. */
function significant(value: number): string {
  if (value === 0 || !Number.isFinite(value)) return String(value);
  const digits = Math.max(0, 2 - Math.floor(Math.log10(Math.abs(value))));
  return value.toFixed(Math.min(digits, 4));
}
