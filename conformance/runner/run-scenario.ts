// One scenario in one environment on one host: the rounds that the environment asks for, and the judgement.
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Capability } from "../protocol/capabilities.ts";
import type { WireCall } from "../protocol/messages.ts";
import type { Environment } from "./environments.ts";
import { HarnessFault, HostFault } from "./host-fault.ts";
import type { HostPool } from "./host-pool.ts";
import { type Finding, finding, type JudgeWith, judgeEnds } from "./judge-ends.ts";
import { judgeJournals } from "./judge-journal.ts";
import { judgeLedger, judgeOrder, judgeShares } from "./judge-trace.ts";
import { Round } from "./play-lives.ts";
import { brokenPromises } from "./promises.ts";
import type { Life, Scenario, ScriptLine } from "./scenario.ts";
import type { TraceEvent } from "./trace.ts";
import { Transcript, type TranscriptLine } from "./transcript.ts";

export interface ScenarioWith {
  readonly scenario: Scenario;
  readonly environment: Environment;
  readonly own: HostPool;
  readonly other: HostPool | undefined;
  readonly capabilities: ReadonlySet<Capability>;
  readonly hangMs: number;
  readonly seed: number;
}

/** What all rounds came to; the transcript is of the first that failed, or of the last. */
export interface Verdict {
  readonly findings: readonly Finding[];
  readonly fault: HostFault | undefined;
  readonly rounds: number;
  readonly transcript: readonly TranscriptLine[];
}

/** Deaths of one scenario are bounded: a host that appends without end is not followed for ever. */
const DEATHS_MAX = 200;

const MOMENTS = ["before", "after"] as const;

type Death = Extract<ScriptLine, { do: "kill" }>;

export async function runScenario(options: ScenarioWith): Promise<Verdict> {
  const rounds = new Rounds(options);
  if (options.environment.deaths === 0) await rounds.asWritten();
  else await rounds.withDeaths(options.environment.deaths);
  return rounds.verdict;
}

class Rounds {
  readonly #with: ScenarioWith;
  readonly #draw: (most: number) => number;
  #count = 0;
  #findings: readonly Finding[] = [];
  #fault: HostFault | undefined;
  #transcript: readonly TranscriptLine[] = [];

  constructor(options: ScenarioWith) {
    this.#with = options;
    this.#draw = dice(options.seed, `${options.scenario.id}@${options.environment.name}`);
  }

  get verdict(): Verdict {
    return { findings: this.#findings, fault: this.#fault, rounds: this.#count, transcript: this.#transcript };
  }

  get #failed(): boolean {
    return this.#fault !== undefined || this.#findings.length > 0;
  }

  async asWritten(): Promise<void> {
    const { scenario } = this.#with;
    await this.#round(false, async (round) => {
      await round.play(scenario.lives);
      return [
        ...judgeLedger(scenario.ledger, round.trace, this.#with.capabilities.has("keys")),
        ...judgeShares(scenario.shares, round.trace),
        ...judgeOrder(scenario.order, round.trace),
      ];
    });
  }

  /** Dies at each append in turn, until a life ends before it gets there. */
  async withDeaths(deaths: 1 | 2): Promise<void> {
    for (let nth = 1, dies = true; dies && nth <= DEATHS_MAX; nth++) {
      dies = false;
      // Two deaths multiply: there the first one comes before or after its append, as the dice say.
      const moments = deaths === 1 ? MOMENTS : [this.#moment()];
      for (const when of moments) {
        const again = deaths === 1 ? [] : [deathAt(this.#moment(), 1 + this.#draw(nth + 2))];
        if (await this.#dying([deathAt(when, nth), ...again])) dies = true;
        if (this.#failed) return;
      }
    }
  }

  #moment(): (typeof MOMENTS)[number] {
    return MOMENTS[this.#draw(MOMENTS.length)] as (typeof MOMENTS)[number];
  }

  /** True if the first death came. */
  async #dying(deaths: readonly Death[]): Promise<boolean> {
    const { scenario } = this.#with;
    const life = scenario.lives[0] as Life; // none without is read
    const again = { ...life, script: life.script.filter((line) => line.do === "run") };
    const expected = life.script.filter((line) => line.do === "expect");
    let died = 0;
    await this.#round(true, async (round, judge) => {
      for (const death of deaths) {
        if (!(await round.playToDeath(again, death))) break;
        died++;
      }
      await round.play([again]);
      const ends = expected.flatMap((line) =>
        line.do === "expect" ? judgeEnds(line.ends, round.endOf(line.ends.run), judge) : [],
      );
      return [...ends.filter((one) => !excused(one, scenario, round)), ...tooManyCalls(scenario, round.trace, died)];
    });
    return died > 0;
  }

  async #round(loosely: boolean, play: (round: Round, judge: JudgeWith) => Promise<Finding[]>): Promise<void> {
    const { scenario, capabilities } = this.#with;
    const folder = makeFolder();
    const transcript = new Transcript();
    const judge: JudgeWith = {
      capabilities,
      bindings: new Map(),
      loosely: loosely || !this.#with.environment.asWritten,
    };
    const round = new Round({ ...this.#with, folder, transcript, judge, draw: this.#draw });
    this.#count++;
    try {
      const found = await play(round, judge);
      const journals =
        loosely || !capabilities.has("holdfast-journal")
          ? []
          : await judgeJournals(scenario.journals, round.journal, judge);
      this.#findings = [
        ...round.findings,
        ...found,
        ...journals,
        ...brokenPromises(scenario, round.trace, capabilities),
      ];
    } catch (error) {
      if (!(error instanceof HostFault)) throw error;
      this.#fault = error;
      this.#findings = [...round.findings, ...brokenPromises(scenario, round.trace, capabilities)];
    } finally {
      this.#transcript = transcript.all;
      rmSync(folder, { recursive: true, force: true });
    }
  }
}

function makeFolder(): string {
  try {
    return mkdtempSync(join(tmpdir(), "holdfast-conformance-"));
  } catch (error) {
    throw new HarnessFault(`no temporary folder can be made: ${(error as Error).message}`, { cause: error });
  }
}

function deathAt(when: "before" | "after", nth: number): Death {
  return { at: 0, text: `kill ${when} append ${nth}`, do: "kill", point: { when, entry: { nth } } };
}

/** Every call that a scenario's programs make, by id. */
function callOf(scenario: Scenario, id: string): WireCall | undefined {
  const calls = Object.values(scenario.programs)
    .flat()
    .flatMap((step) =>
      "batch" in step ? step.batch : "call" in step ? [step.call] : "announce" in step ? step.announce : [],
    );
  return calls.find((call) => call.id === id);
}

/** Of a once tool that was started when the host died, nobody knows: then unknown is right, whatever is expected. */
function excused(found: Finding, scenario: Scenario, round: Round): boolean {
  const [id = "", kind] = found.got.split(" ");
  const tool = scenario.tools[callOf(scenario, id)?.tool ?? ""];
  if (kind !== "unknown" || tool?.effect !== "once" || tool.reconciler === true) return false;
  return round.trace.some((killed) => {
    if (killed.what !== "kill") return false;
    const upTo = round.trace.filter(({ life, id: of }) => life <= killed.life && of === id);
    const wasSettled = upTo.some(({ what, kind: entry }) => what === "durable" && entry === "settled");
    return !wasSettled && upTo.some(({ what, kind: entry }) => what === "append" && entry === "started");
  });
}

/** A call may be made once more for each death, and for each attempt that its tool may have. */
function tooManyCalls(scenario: Scenario, trace: readonly TraceEvent[], died: number): Finding[] {
  const calls = new Map<string, number>();
  for (const { what, id } of trace) if (what === "call" && id !== undefined) calls.set(id, (calls.get(id) ?? 0) + 1);
  return [...calls].flatMap(([id, count]) => {
    const most = (scenario.tools[callOf(scenario, id)?.tool ?? ""]?.attempts ?? 1) + died;
    return count <= most ? [] : [finding(`ledger, ${id}`, `at most ${most} calls in ${died} deaths`, `${count}`)];
  });
}

/** A small generator of numbers, the same for the same seed and scenario (mulberry32 over an FNV-1a hash). */
function dice(seed: number, name: string): (most: number) => number {
  let state = 0x811c9dc5 ^ seed;
  for (let i = 0; i < name.length; i++) state = Math.imul(state ^ name.charCodeAt(i), 0x01000193);
  return (most) => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) % Math.max(1, most);
  };
}
