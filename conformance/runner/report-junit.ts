// The results as JUnit XML, the way most CI systems read test results: a suite per host and level, skipped for
// what is not covered, error for faults of the harness.
import type { ScenarioResult, SuiteResult } from "./result.ts";

/** What XML 1.0 cannot hold, and what means something in it. */
function escaped(text: string): string {
  return (
    text
      // biome-ignore lint/suspicious/noControlCharactersInRegex: these are what it takes out
      .replace(/[\u0000-\u0008\u000b\u000c\u000e-\u001f\ufffe\uffff]|\p{Cs}/gu, "\ufffd")
      .replace(/[&<>"\n\r\t]/g, (found) => `&#${found.charCodeAt(0)};`)
  );
}

/** The findings and the fault as lines. */
export function findingLines({ findings, fault }: ScenarioResult): string[] {
  return [
    ...(fault === undefined ? [] : [`the host ${fault.kind}: ${fault.message}`]),
    ...findings.map(({ what, expected, got }) => `${what}: expected ${expected}, got ${got}`),
  ];
}

function body(result: ScenarioResult): string {
  const { status, reason } = result;
  const lines = findingLines(result);
  switch (status) {
    case "passed":
      return "";
    case "failed":
      return `<failure message="${escaped(lines[0] ?? "it failed")}">${escaped(lines.join("\n"))}</failure>`;
    case "listed-but-passes":
      return `<failure message="it is listed as failing and passes">${escaped(reason ?? "")}</failure>`;
    case "known-failing":
      return `<skipped message="${escaped(`known to fail: ${reason}`)}"/>`;
    case "not-covered":
      return `<skipped message="${escaped(`not covered: ${reason}`)}"/>`;
    case "harness-fault":
      return `<error message="a fault of the suite, not of the host">${escaped(reason ?? "")}</error>`;
  }
}

const seconds = (ms: number): string => (ms / 1000).toFixed(3);

/** JUnit XML. */
export function junitXml({ hosts, results, ms }: SuiteResult): string {
  const suites = hosts.flatMap((host) => {
    const levels = [...new Set(results.map(({ level }) => level))];
    return levels.map((level) => {
      const own = results.filter((result) => result.host === host.name && result.level === level);
      const having = (...statuses: readonly string[]): number =>
        own.filter(({ status }) => statuses.includes(status)).length;
      const cases = own.map((result) => {
        const attributes = `name="${escaped(result.id)}" classname="${escaped(`${host.name}.${level}`)}" time="${seconds(result.ms)}"`;
        return `    <testcase ${attributes}>${body(result)}</testcase>`;
      });
      const time = seconds(own.reduce((sum, result) => sum + result.ms, 0));
      const head = [
        `name="${escaped(`${host.name} ${level}`)}" tests="${own.length}"`,
        `failures="${having("failed", "listed-but-passes")}" errors="${having("harness-fault")}"`,
        `skipped="${having("not-covered", "known-failing")}" time="${time}"`,
      ].join(" ");
      return [`  <testsuite ${head}>`, ...cases, "  </testsuite>"].join("\n");
    });
  });
  return [
    '<?xml version="1.0" encoding="UTF-8"?>',
    `<testsuites time="${seconds(ms)}">`,
    ...suites,
    "</testsuites>",
    "",
  ].join("\n");
}
