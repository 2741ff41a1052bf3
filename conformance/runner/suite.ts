// The whole suite: every host through every scenario in every environment that multiplies it, several at a
// time. It reports as it goes and judges nothing itself.
import type { Capability } from "../protocol/capabilities.ts";
import type { Hello, Level } from "../protocol/messages.ts";
import { ENVIRONMENTS, type Environment, PLAIN } from "./environments.ts";
import { HostFault } from "./host-fault.ts";
import { type HostCommand, HostPool } from "./host-pool.ts";
import type { KnownFailing } from "./known-failing.ts";
import type { HostInfo, ScenarioResult, SuiteResult } from "./result.ts";
import { runScenario } from "./run-scenario.ts";
import type { Scenario } from "./scenario.ts";

/** A host under test. */
export interface HostUnderTest extends HostCommand {
  /** What the host of this name is known to fail. */
  readonly knownFailing: (host: string) => KnownFailing;
}

export interface SuiteOptions {
  readonly scenarios: readonly Scenario[];
  /** Each is a column of the report. */
  readonly hosts: readonly HostUnderTest[];
  /** The second host of level interchange; absent: the next of `hosts`, or the host itself in a new process. */
  readonly partner?: HostCommand;
  readonly levels?: readonly Level[];
  /** Only scenarios whose id, with its environment, contains this text. */
  readonly filter?: string;
  /** Draws orders and second deaths. The same seed, the same draws. */
  readonly seed: number;
  /** Scenarios at once. */
  readonly jobs: number;
  /** A host that owes something and is silent for so long hangs, ms. */
  readonly hangMs: number;
  readonly onResult?: (result: ScenarioResult, done: number, of: number) => void;
}

const HELLO_MS = 20_000;

/** One scenario in one environment. */
interface Entry {
  readonly id: string;
  readonly scenario: Scenario;
  readonly environment: Environment;
}

/** A host that has introduced itself. */
interface Guest {
  readonly hello: Hello;
  readonly info: HostInfo;
  readonly pool: HostPool;
  readonly capabilities: ReadonlySet<Capability>;
  readonly known: KnownFailing;
}

/** Nothing would be run: no scenario has this name. */
export class NothingSelected extends Error {}

function selected({ scenarios, levels, filter = "" }: SuiteOptions): Entry[] {
  const entries = scenarios
    .filter(({ level }) => levels === undefined || levels.length === 0 || levels.includes(level))
    .flatMap((scenario) => [
      { id: scenario.id, scenario, environment: PLAIN },
      ...ENVIRONMENTS.filter(({ name }) => scenario.under.includes(name)).map((environment) => ({
        id: `${scenario.id}@${environment.name}`,
        scenario,
        environment,
      })),
    ])
    .filter(({ id }) => id.includes(filter));
  if (entries.length === 0) throw new NothingSelected(`no scenario's name contains ${JSON.stringify(filter)}`);
  return entries;
}

/** Why a host is not judged by this entry, or undefined. */
function uncovered(
  { scenario, environment }: Entry,
  { hello, capabilities }: Guest,
  other: Guest | undefined,
): string | undefined {
  if (!hello.levels.includes(scenario.level)) return `the host does not claim the level ${scenario.level}`;
  const needs = [...scenario.needs, ...environment.needs];
  const missing = needs.filter((one) => !capabilities.has(one));
  if (missing.length > 0) return `the host lacks ${missing.join(", ")}`;
  if (!scenario.lives.some(({ host }) => host === "other")) return undefined;
  if (other === undefined) return "there is no second host";
  const lacking = needs.filter((one) => !other.capabilities.has(one));
  return lacking.length === 0 ? undefined : `the second host, ${other.hello.name}, lacks ${lacking.join(", ")}`;
}

/** Is there a scenario for two hosts, and a host that would play it? */
function wantsPartner(entries: readonly Entry[], guests: readonly Guest[]): boolean {
  const levels = entries.filter(({ scenario }) => scenario.lives.some(({ host }) => host === "other"));
  return levels.some(({ scenario }) => guests.some(({ hello }) => hello.levels.includes(scenario.level)));
}

/** Hosts of one name are columns of their own: the second is `name-2`. */
function ownName(name: string, taken: readonly Guest[]): string {
  const names = new Set(taken.map(({ info }) => info.name));
  let own = name;
  for (let i = 2; names.has(own); i++) own = `${name}-${i}`;
  return own;
}

async function introduce(host: HostUnderTest, taken: readonly Guest[]): Promise<Guest> {
  const pool = new HostPool(host, { helloMs: HELLO_MS, endMs: 10_000 });
  try {
    const hello = await pool.hello();
    const { name, version, levels, capabilities } = hello;
    const info = { name: ownName(name, taken), version, command: host.command.join(" "), levels, capabilities };
    return { hello, info, pool, capabilities: new Set(capabilities), known: host.knownFailing(name) };
  } catch (error) {
    await pool.close();
    throw error;
  }
}

/** Runs the suite. Throws `HostFault` when a host does not even introduce itself, `NothingSelected`. */
export async function runSuite(options: SuiteOptions): Promise<SuiteResult> {
  const startedAt = new Date();
  const entries = selected(options);
  const guests: Guest[] = [];
  let partner: Guest | undefined;
  try {
    for (const host of options.hosts) guests.push(await introduce(host, guests));
    if (options.partner !== undefined && wantsPartner(entries, guests)) {
      partner = await introduce({ ...options.partner, knownFailing: () => new Map() }, []);
    }
    const work = guests.flatMap((guest, i) => {
      const other = partner ?? guests[(i + 1) % guests.length];
      return entries.map((entry) => ({ entry, guest, other }));
    });
    const results: ScenarioResult[] = new Array(work.length);
    let next = 0;
    let done = 0;
    const lane = async (): Promise<void> => {
      for (let at = next++; at < work.length; at = next++) {
        const { entry, guest, other } = work[at] as (typeof work)[number];
        const result = await judged(entry, guest, other, options);
        results[at] = result;
        options.onResult?.(result, ++done, work.length);
      }
    };
    await Promise.all(Array.from({ length: Math.max(1, options.jobs) }, lane));
    const ms = Date.now() - startedAt.getTime();
    return {
      hosts: guests.map(({ info }) => info),
      results,
      seed: options.seed,
      startedAt: startedAt.toISOString(),
      ms,
    };
  } finally {
    for (const guest of [...guests, ...(partner === undefined ? [] : [partner])]) {
      await guest.pool.close().catch((error: unknown) => {
        if (!(error instanceof HostFault)) throw error; // it was killed; nothing more is wanted of it
      });
    }
  }
}

async function judged(
  entry: Entry,
  guest: Guest,
  other: Guest | undefined,
  options: SuiteOptions,
): Promise<ScenarioResult> {
  const { scenario, environment, id } = entry;
  const began = performance.now();
  const base = { id, level: scenario.level, prose: scenario.prose, rules: scenario.rules, host: guest.info.name };
  const nothing = { findings: [], fault: undefined, rounds: 0, ms: 0, transcript: [], reason: undefined };
  const why = uncovered(entry, guest, other);
  if (why !== undefined) return { ...base, ...nothing, status: "not-covered", reason: why };
  const listed = guest.known.get(id);
  try {
    const { pool: own, capabilities } = guest;
    const { hangMs, seed } = options;
    const verdict = await runScenario({ scenario, environment, own, other: other?.pool, capabilities, hangMs, seed });
    const { findings, rounds, transcript } = verdict;
    const fault =
      verdict.fault === undefined ? undefined : { kind: verdict.fault.kind, message: verdict.fault.message };
    const failed = fault !== undefined || findings.length > 0;
    const status = failed
      ? listed === undefined
        ? "failed"
        : "known-failing"
      : listed === undefined
        ? "passed"
        : "listed-but-passes";
    const ms = Math.round(performance.now() - began);
    return { ...base, status, reason: listed, findings, fault, rounds, ms, transcript };
  } catch (error) {
    return { ...base, ...nothing, status: "harness-fault", reason: (error as Error).stack ?? String(error) };
  }
}
