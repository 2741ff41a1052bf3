// Ends a test run with one line that a person or a script can count on: `N passed, N failed`, and
// `, N skipped` when there are any. It adds to the default reporter and decides nothing.
import type { Reporter, TestModule, TestRunEndReason } from "vitest/node";

/** What there is to count, whoever ran it. */
export interface Counts {
  readonly passed: number;
  readonly failed: number;
  readonly skipped: number;
}

/** The last line of a test run. */
export function countLine({ passed, failed, skipped }: Counts): string {
  return `${passed} passed, ${failed} failed${skipped > 0 ? `, ${skipped} skipped` : ""}`;
}

/**
 * Counts tests by their result. A file that could not be loaded, a hook that threw and an error that
 * nobody caught count as one failure each: a red run never says `0 failed`.
 */
export function count(
  modules: readonly Pick<TestModule, "children" | "errors">[],
  unhandled: number,
): { -readonly [Name in keyof Counts]: Counts[Name] } {
  const counts = { passed: 0, failed: unhandled, skipped: 0 };
  for (const module of modules) {
    counts.failed += module.errors().length;
    for (const suite of module.children.allSuites()) counts.failed += suite.errors().length;
    for (const test of module.children.allTests()) {
      const { state } = test.result();
      // Pending: the run was cut short before it came to this test.
      counts[state === "pending" ? "failed" : state] += 1;
    }
  }
  return counts;
}

export default class CountReporter implements Reporter {
  onTestRunEnd(modules: readonly TestModule[], unhandled: readonly unknown[], reason: TestRunEndReason): void {
    const counts = count(modules, unhandled.length);
    // The set-up of the whole run failed, or somebody interrupted it: no test says so.
    if (reason !== "passed" && counts.failed === 0) counts.failed = 1;
    const line = countLine(counts);
    // After the default reporter's summary, which is written in this same turn of the loop.
    setImmediate(() => process.stdout.write(`${line}\n`));
  }
}
