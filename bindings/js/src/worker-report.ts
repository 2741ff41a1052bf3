// What a tool in a worker says of its limits: what it has cost, what a provider's headers say is left. Plain data, and
// little of it: checked where the tool says it, and once more where it arrives, since a tool shares its thread.
import { HoldfastError } from "./errors.ts";
import type { Cost } from "./limits.ts";
import { checkInteger, checkKeys, refuseOption, SPAN_MS_MAX } from "./options.ts";
import { type Headers, knownHeaders, type Observed } from "./provider-headers.ts";
import { checkCost } from "./start-terms.ts";

/** Numbers that one report may hold, and characters of a name or a header. */
const ROWS_MAX = 64;
const TEXT_MAX = 1_000;

export type WorkerReport =
  | { readonly of: "cost"; readonly actual: Cost }
  | {
      readonly of: "observed";
      /** Read where the clock is, as dates may be in them. */
      readonly observed: readonly Observed[] | readonly (readonly [name: string, value: string])[];
      readonly limit?: string;
    };

function checkText(path: string, value: unknown): string {
  return typeof value === "string" && value.length <= TEXT_MAX
    ? value
    : refuseOption(path, value, `a string of at most ${TEXT_MAX} characters`);
}

/** What it has cost. Throws `invalid-option` by path. */
export function costReport(actual: unknown): WorkerReport {
  const entries = Object.entries(checkCost("cost", actual));
  if (entries.length > ROWS_MAX) refuseOption("cost", `${entries.length} numbers`, `at most ${ROWS_MAX} numbers`);
  return { of: "cost", actual: Object.fromEntries(entries.map(([name, cost]) => [checkText("cost", name), cost])) };
}

function checkRow(path: string, row: unknown): Observed | readonly [string, string] {
  if (Array.isArray(row)) {
    if (row.length !== 2) refuseOption(path, row, "the name and the value of a header");
    return [checkText(`${path}[0]`, row[0]), checkText(`${path}[1]`, row[1])];
  }
  const { counts, remaining, resetMs } = checkKeys(path, row, ["counts", "remaining", "resetMs"]);
  return {
    counts: checkText(`${path}.counts`, counts),
    remaining: checkInteger(`${path}.remaining`, remaining, 0, Number.MAX_SAFE_INTEGER, 0),
    resetMs: checkInteger(`${path}.resetMs`, resetMs, 0, SPAN_MS_MAX, 0),
  };
}

/** What a provider says is left: headers, or rows as of `readHeaders`. Throws `invalid-option` by path. */
export function observedReport(said: unknown, limit: unknown): WorkerReport {
  const rows = Array.isArray(said) ? said : headersOf(said);
  if (rows.length > ROWS_MAX) refuseOption("observed", `${rows.length} rows`, `at most ${ROWS_MAX} rows`);
  return {
    of: "observed",
    observed: rows.map((row, i) => checkRow(`observed[${i}]`, row)) as (readonly [string, string])[],
    ...(limit === undefined ? {} : { limit: checkText("limit", limit) }),
  };
}

function headersOf(said: unknown): [string, string][] {
  if (typeof (said as { get?: unknown } | null | undefined)?.get === "function") return knownHeaders(said as Headers);
  return refuseOption("headers", said, "headers with get, or a list of { counts, remaining, resetMs }");
}

/** A report as it arrives, or undefined if it is none. */
export function readReport(report: unknown): WorkerReport | undefined {
  try {
    const { of, actual, observed, limit } = Object(report) as Readonly<Record<string, unknown>>;
    if (of === "cost") return costReport(actual);
    return of === "observed" && Array.isArray(observed) ? observedReport(observed, limit) : undefined;
  } catch (problem) {
    if (problem instanceof HoldfastError) return undefined; // it comes from a thread that nobody trusts
    throw problem;
  }
}
