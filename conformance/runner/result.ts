// What the runner found out, as data: every report is made of this.
import type { Capability } from "../protocol/capabilities.ts";
import type { Level } from "../protocol/messages.ts";
import type { Finding } from "./judge-ends.ts";
import type { TranscriptLine } from "./transcript.ts";

export type Status =
  | "passed"
  | "failed"
  /** The host does not claim the level, or lacks a capability that the scenario needs. */
  | "not-covered"
  /** It failed, and the list of known failures says so. */
  | "known-failing"
  /** The list says that it fails, and it does not: the list is to be mended. */
  | "listed-but-passes"
  /** The suite or its machine failed. No host is blamed. */
  | "harness-fault";

export interface HostInfo {
  readonly name: string;
  readonly version: string;
  readonly command: string;
  readonly levels: readonly Level[];
  readonly capabilities: readonly Capability[];
}

/** One scenario in one environment on one host. */
export interface ScenarioResult {
  /** `level/name`, and `@environment` where it is not the plain one. */
  readonly id: string;
  readonly level: Level;
  readonly prose: string;
  readonly rules: readonly number[];
  readonly host: string;
  readonly status: Status;
  /** Of not-covered, known-failing and harness-fault: why. */
  readonly reason: string | undefined;
  readonly findings: readonly Finding[];
  /** A fault of the host that is not about the scenario: died, hung, garbage … */
  readonly fault: { readonly kind: string; readonly message: string } | undefined;
  /** Times that the host was run through it: more than one where it dies at each append in turn. */
  readonly rounds: number;
  readonly ms: number;
  readonly transcript: readonly TranscriptLine[];
}

export interface SuiteResult {
  readonly hosts: readonly HostInfo[];
  readonly results: readonly ScenarioResult[];
  readonly seed: number;
  readonly startedAt: string;
  readonly ms: number;
}

export const STATUSES: readonly Status[] = [
  "passed",
  "failed",
  "not-covered",
  "known-failing",
  "listed-but-passes",
  "harness-fault",
];

export function counts(results: readonly ScenarioResult[]): Readonly<Record<Status, number>> {
  const count = Object.fromEntries(STATUSES.map((status) => [status, 0])) as Record<Status, number>;
  for (const { status } of results) count[status]++;
  return count;
}

/** Exit codes of `holdfast conformance`, for CI. */
export const ConformanceExit = {
  /** Everything that was covered passed, and what is listed as failing fails. */
  conforms: 0,
  /** A scenario failed, or one that is listed as failing passed. */
  fails: 1,
  /** An argument is wrong: no such level, no scenario of that name, no host. */
  usage: 2,
  /** The suite or its machine failed: nothing is said about the host. */
  harness: 3,
} as const;

export function exitOf(results: readonly ScenarioResult[]): 0 | 1 | 3 {
  const count = counts(results);
  if (count.failed + count["listed-but-passes"] > 0) return ConformanceExit.fails;
  return count["harness-fault"] > 0 ? ConformanceExit.harness : ConformanceExit.conforms;
}
