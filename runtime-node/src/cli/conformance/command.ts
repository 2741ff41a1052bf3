// `holdfast conformance`: from arguments to a run of the suite, its reports and an exit code.
import { existsSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { HoldfastError } from "../../../../bindings/js/src/errors.ts";
import type { Level } from "../../../../conformance/protocol/messages.ts";
import { HostFault } from "../../../../conformance/runner/host-fault.ts";
import { readKnownFailing } from "../../../../conformance/runner/known-failing.ts";
import { loadScenarios } from "../../../../conformance/runner/load-scenarios.ts";
import { htmlPage } from "../../../../conformance/runner/report-html.ts";
import { jsonLines } from "../../../../conformance/runner/report-jsonl.ts";
import { junitXml } from "../../../../conformance/runner/report-junit.ts";
import { exitOf, type SuiteResult } from "../../../../conformance/runner/result.ts";
import { type HostUnderTest, NothingSelected, runSuite } from "../../../../conformance/runner/suite.ts";
import type { CommandResult } from "../commands.ts";
import { Exit } from "../failure.ts";
import type { Look } from "../paint.ts";
import { plain } from "../plain-text.ts";
import { showProgress } from "./progress.ts";
import { summaryLines } from "./summary.ts";

/** What can be said on the command line. */
export interface ConformanceOptions {
  readonly level: readonly Level[];
  readonly filter?: string;
  readonly seed: number;
  readonly jobs: number;
  readonly hang: number;
  readonly knownFailing?: string;
  readonly also: readonly (readonly string[])[];
  readonly partner?: readonly string[];
  readonly jsonl?: string;
  readonly junit?: string;
  readonly html?: string;
  readonly list?: boolean;
}

const misused = (what: string, next: string): never => {
  throw new HoldfastError("invalid-option", what, next);
};

/** Where the scenarios are in the package. */
function scenariosFolder(): string {
  return fileURLToPath(new URL("../conformance/scenarios/", import.meta.url));
}

/** This package as a host: the partner of level interchange, unless another is named. */
const ownHost = (): readonly string[] => [
  process.execPath,
  fileURLToPath(new URL("./cli.js", import.meta.url)),
  "conformance-host",
];

/** A file is one list; in a folder each host has its own. */
function knownFailingOf(path: string | undefined, host: string): ReadonlyMap<string, string> {
  if (path === undefined) return new Map();
  if (!existsSync(path)) misused(`--known-failing ${path} is not there`, "Give a file, or a folder of <host>.txt.");
  const file = statSync(path).isDirectory() ? join(path, `${host}.txt`) : path;
  if (!existsSync(file)) return new Map();
  try {
    return readKnownFailing(readFileSync(file, "utf8"));
  } catch (error) {
    return misused(`${file}, ${(error as Error).message}`, "Write one scenario per line, and why it fails.");
  }
}

function hostsOf(command: readonly string[], options: ConformanceOptions): HostUnderTest[] {
  const knownFailing = (host: string) => knownFailingOf(options.knownFailing, host);
  return [command, ...options.also].map((words) => ({ command: words, knownFailing }));
}

function writeReports(suite: SuiteResult, options: ConformanceOptions): void {
  const reports = [
    [options.jsonl, jsonLines],
    [options.junit, junitXml],
    [options.html, htmlPage],
  ] as const;
  for (const [path, make] of reports) {
    if (path === undefined) continue;
    try {
      writeFileSync(path, make(suite));
    } catch (error) {
      misused(`${path} cannot be written: ${(error as Error).message}`, "Name a file in a folder that is there.");
    }
  }
}

function listed(options: ConformanceOptions): CommandResult {
  const scenarios = loadScenarios(scenariosFolder()).filter(
    ({ id, level }) =>
      (options.level.length === 0 || options.level.includes(level)) && id.includes(options.filter ?? ""),
  );
  const lines = scenarios.map(({ id, rules, prose }) => {
    const first = prose.replaceAll("\n", " ").replace(/([.:;]) .*$/, "$1");
    return `${id}${rules.length > 0 ? `  [${rules.join(" ")}]` : ""}\n    ${first}`;
  });
  return { text: lines.join("\n"), exit: Exit.ok };
}

/** Runs the suite against the host that this command starts. */
export async function conformanceCommand(
  command: readonly string[],
  options: ConformanceOptions,
  look: Look,
): Promise<CommandResult> {
  if (options.list === true) return listed(options);
  if (command.length === 0)
    misused("no host is named", "Put its command behind --: holdfast conformance -- node host.js");
  const progress = showProgress(look);
  const interrupted = (): never => process.exit(Exit.interrupted); // and every process is killed on the way out
  process.once("SIGINT", interrupted);
  process.once("SIGTERM", interrupted);
  try {
    const suite = await runSuite({
      scenarios: loadScenarios(scenariosFolder()),
      hosts: hostsOf(command, options),
      partner: { command: options.partner ?? ownHost() },
      levels: options.level,
      ...(options.filter === undefined ? {} : { filter: options.filter }),
      seed: options.seed,
      jobs: options.jobs,
      hangMs: options.hang,
      onResult: (result, done, of) => progress.result(result, done, of),
    });
    progress.end();
    writeReports(suite, options);
    return { text: summaryLines(suite, look).join("\n"), exit: exitOf(suite.results) };
  } catch (error) {
    progress.end();
    if (error instanceof NothingSelected) misused(error.message, "`holdfast conformance --list` shows their names.");
    if (!(error instanceof HostFault)) throw error;
    const exit = error.kind === "no-start" ? Exit.usage : Exit.problems;
    return { text: `The host did not introduce itself (${error.kind}): ${plain(error.message)}`, exit };
  } finally {
    process.off("SIGINT", interrupted);
    process.off("SIGTERM", interrupted);
  }
}
