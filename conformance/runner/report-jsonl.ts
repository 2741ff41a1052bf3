// The results as JSON lines: one for the suite, one per scenario and host, for whoever counts or compares.
import type { SuiteResult } from "./result.ts";

/** JSON lines, the first of which describes the run of the suite. */
export function jsonLines({ results, ...suite }: SuiteResult): string {
  const rows = [{ type: "suite", ...suite }, ...results.map((result) => ({ type: "result", ...result }))];
  return `${rows.map((row) => JSON.stringify(row)).join("\n")}\n`;
}
