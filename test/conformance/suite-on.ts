// Runs the conformance suite, or a part of it, on a host. What it found is given back as it is.
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { loadScenarios } from "../../conformance/runner/load-scenarios.ts";
import { findingLines } from "../../conformance/runner/report-junit.ts";
import type { ScenarioResult, SuiteResult } from "../../conformance/runner/result.ts";
import type { Scenario } from "../../conformance/runner/scenario.ts";
import { runSuite, type SuiteOptions } from "../../conformance/runner/suite.ts";

export const root = fileURLToPath(new URL("../..", import.meta.url));
export const cli = join(root, "dist/cli.js");
/** The built package as a host. */
export const ourHost: readonly string[] = [process.execPath, cli, "conformance-host"];

export const scenarios: readonly Scenario[] = loadScenarios(join(root, "conformance/scenarios"));

/** A bound against a hang, not a measure of speed. */
const HANG_MS = 30_000;

export interface On {
  readonly command: readonly string[];
  readonly environment?: Readonly<Record<string, string>>;
  readonly only?: readonly string[];
  readonly filter?: string;
  readonly known?: ReadonlyMap<string, string>;
  readonly hangMs?: number;
  readonly levels?: NonNullable<SuiteOptions["levels"]>;
}

export function suiteOn({
  command,
  environment = {},
  only,
  filter = "",
  known = new Map(),
  hangMs = HANG_MS,
  levels = [],
}: On): Promise<SuiteResult> {
  return runSuite({
    scenarios: only === undefined ? scenarios : scenarios.filter(({ id }) => only.includes(id)),
    hosts: [{ command, environment, knownFailing: () => known }],
    levels,
    filter,
    seed: 1,
    jobs: 3,
    hangMs,
  });
}

/** What did not pass, with what is wrong with it. */
export function wrong(results: readonly ScenarioResult[]): string[] {
  return results
    .filter(({ status }) => status !== "passed" && status !== "not-covered")
    .map((result) => [result.id, result.status, result.reason ?? "", ...findingLines(result)].join("\n  "));
}
