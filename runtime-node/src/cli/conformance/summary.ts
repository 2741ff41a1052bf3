// The end of the suite as a table: a row per host and level, what passed, what failed, what was not covered and
// why. Pure.
import { counts, type ScenarioResult, type SuiteResult } from "../../../../conformance/runner/result.ts";
import { duration } from "../duration.ts";
import { type Look, marksOf, painter } from "../paint.ts";
import { plain } from "../plain-text.ts";
import { type Cell, type Column, tableLines } from "../table.ts";

const COLUMNS: readonly Column[] = [
  { title: "host", shrinkTo: 12 },
  { title: "level" },
  { title: "passed", align: "right" },
  { title: "failed", align: "right" },
  { title: "known to fail", align: "right" },
  { title: "not covered", align: "right" },
  { title: "suite faults", align: "right" },
];

const number = (count: number, colour: Cell["colour"]): Cell =>
  count === 0 ? { text: "-", colour: "dim" } : { text: String(count), colour };

function row(host: string, level: string, results: readonly ScenarioResult[]): Cell[] {
  const count = counts(results);
  return [
    { text: plain(host), colour: "bold" },
    { text: level },
    number(count.passed, "green"),
    number(count.failed + count["listed-but-passes"], "red"),
    number(count["known-failing"], "yellow"),
    number(count["not-covered"], undefined),
    number(count["harness-fault"], "yellow"),
  ];
}

/** Why scenarios were not covered, the most frequent reason first. */
function reasons(results: readonly ScenarioResult[]): string[] {
  const found = new Map<string, number>();
  for (const { status, host, reason } of results) {
    if (status !== "not-covered") continue;
    const text = `${plain(host)}: ${plain(reason ?? "")}`;
    found.set(text, (found.get(text) ?? 0) + 1);
  }
  return [...found].sort((a, b) => b[1] - a[1]).map(([text, count]) => `  ${String(count).padStart(3)}  ${text}`);
}

function verdict(suite: SuiteResult, look: Look): string[] {
  const paint = painter(look);
  const { yes, no, unsure } = marksOf(look);
  return suite.hosts.map(({ name, version }) => {
    const own = suite.results.filter(({ host }) => host === name);
    const count = counts(own);
    const wrong = count.failed + count["listed-but-passes"];
    const who = `${plain(name)} ${plain(version)}`;
    if (wrong > 0)
      return `${paint("red", no)} ${who} does not conform: ${wrong} of ${own.length - count["not-covered"]} failed`;
    if (count["harness-fault"] > 0)
      return `${paint("yellow", unsure)} ${who}: the suite itself failed ${count["harness-fault"]} times`;
    const levels = [...new Set(own.filter(({ status }) => status === "passed").map(({ level }) => level))];
    if (levels.length === 0) return `${paint("yellow", unsure)} ${who}: nothing was covered`;
    return `${paint("green", yes)} ${who} conforms: ${levels.join(", ")}`;
  });
}

/** Lines of the whole. */
export function summaryLines(suite: SuiteResult, look: Look): string[] {
  const levels = [...new Set(suite.results.map(({ level }) => level))];
  const rows = suite.hosts.flatMap(({ name }) =>
    levels.map((level) =>
      row(
        name,
        level,
        suite.results.filter((one) => one.host === name && one.level === level),
      ),
    ),
  );
  const why = reasons(suite.results);
  return [
    ...tableLines(COLUMNS, rows, look),
    "",
    ...(why.length === 0 ? [] : ["Not covered:", ...why, ""]),
    ...verdict(suite, look),
    `${suite.results.length} results in ${duration(suite.ms)}, seed ${suite.seed}`,
  ];
}
