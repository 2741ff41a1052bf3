// One round of a scenario: its lives, one process after another on one journal, and what was found wrong.
import { join } from "node:path";
import type { Capability } from "../protocol/capabilities.ts";
import type { Environment } from "./environments.ts";
import type { HostPool } from "./host-pool.ts";
import { type Finding, finding, type JudgeWith, judgeEnds } from "./judge-ends.ts";
import { judgeOrder } from "./judge-trace.ts";
import { same, shown } from "./match.ts";
import { DEFAULT_RUN, type Life, type Scenario, type ScriptLine } from "./scenario.ts";
import { NeverCame, type RunEnd, Stage } from "./stage.ts";
import { tearJournal } from "./torn-journal.ts";
import { inWords, matches, type TraceEvent } from "./trace.ts";
import type { Transcript } from "./transcript.ts";

/** What a round is played with. */
export interface RoundWith {
  readonly scenario: Scenario;
  readonly environment: Environment;
  readonly own: HostPool;
  readonly other: HostPool | undefined;
  /** An empty folder. */
  readonly folder: string;
  readonly hangMs: number;
  readonly draw: (most: number) => number;
  readonly transcript: Transcript;
  readonly capabilities: ReadonlySet<Capability>;
  readonly judge: JudgeWith;
}

let sessions = 0;

export class Round {
  readonly trace: TraceEvent[] = [];
  readonly findings: Finding[] = [];
  readonly #with: RoundWith;
  readonly #frozen: Stage[] = [];
  readonly #open = new Set<Stage>();
  #last: Stage | undefined;
  #lives = 0;

  constructor(options: RoundWith) {
    this.#with = options;
  }

  get journal(): string {
    return join(this.#with.folder, "journal.db");
  }

  /** What a run came to in the life that was begun last. */
  endOf(run = DEFAULT_RUN): RunEnd | undefined {
    return this.#last?.ends.get(run);
  }

  /** Plays the lives. Throws `HostFault`; no process is left busy. */
  async play(lives: readonly Life[]): Promise<void> {
    try {
      for (const life of lives) await this.#play(life);
    } finally {
      for (const stage of this.#open) await stage.killNow();
    }
  }

  /** One life that dies at this moment, if it gets there; says whether it did. */
  async playToDeath(life: Life, death: Extract<ScriptLine, { do: "kill" }>): Promise<boolean> {
    const stage = await this.#stage(this.#with.own, { ...life, script: [...life.script, death] });
    try {
      for (const line of life.script) if (line.do === "run") stage.run(line);
      if (await stage.reaches(death)) {
        this.#with.own.prepare();
        await stage.kill(death);
        return true;
      }
      await this.#end(stage);
      return false;
    } finally {
      if (this.#open.has(stage)) await this.#bury(stage);
    }
  }

  async #play(life: Life): Promise<void> {
    const pool = life.host === "other" ? (this.#with.other ?? this.#with.own) : this.#with.own;
    if (life.torn > 0) tearJournal(this.#with.folder, life.torn);
    const stage = await this.#stage(pool, life);
    await this.#lines(stage, life.script);
    if (!this.#frozen.includes(stage)) await this.#end(stage);
  }

  async #stage(pool: HostPool, { script, tools, threads }: Life): Promise<Stage> {
    const { scenario, environment, hangMs, draw, transcript } = this.#with;
    const host = await pool.take();
    const common = { scenario, environment, hangMs, draw, transcript, journal: this.journal, trace: this.trace };
    const stage = new Stage({ ...common, host, script, tools, threads, life: ++this.#lives, session: ++sessions });
    this.#open.add(stage);
    this.#last = stage;
    if (script.some((line) => line.do === "kill" || line.do === "rival" || line.do === "freeze")) pool.prepare();
    return stage;
  }

  async #lines(stage: Stage, script: readonly ScriptLine[]): Promise<void> {
    for (const line of script) {
      try {
        await this.#line(stage, line);
      } catch (error) {
        if (!(error instanceof NeverCame)) throw error;
        this.findings.push(finding(`line ${line.at}`, line.text, error.message));
        // What follows builds on it; but what the run came to is still worth saying.
        for (const later of script.slice(script.indexOf(line) + 1))
          if (later.do === "expect") await this.#line(stage, later);
        return;
      }
    }
  }

  async #line(stage: Stage, line: ScriptLine): Promise<void> {
    switch (line.do) {
      case "run":
        return stage.run(line);
      case "wait":
        return stage.wait(line.pattern);
      case "answer":
        return stage.answer(line.id, line.ending);
      case "verdict":
        return stage.verdict(line.id, line.verdict);
      case "hold":
        return;
      case "said": {
        const value = await stage.said();
        if (same(line.value, value, this.#with.judge.bindings)) return;
        this.findings.push(finding(`line ${line.at}, said`, shown(line.value), shown(value)));
        return;
      }
      case "kill":
        await stage.kill(line);
        this.#open.delete(stage);
        return;
      case "fail":
      case "stay":
        return stage.hold(line);
      case "go":
        return stage.go();
      case "cancel":
        return stage.cancel(line.run);
      case "set-limit":
      case "pause":
      case "resume":
      case "set-priority":
        return stage.control(line);
      case "held": {
        const got = await stage.questions.held(line);
        if (got !== undefined) this.findings.push(finding(`line ${line.at}`, line.text, got));
        return;
      }
      case "gauge": {
        const got = await stage.questions.gauge(line);
        if (got !== undefined) this.findings.push(finding(`line ${line.at}`, line.text, got));
        return;
      }
      case "pass":
        return stage.pass(line.ms);
      case "still": {
        const [event] = await stage.still(line.ms);
        if (event !== undefined)
          this.findings.push(finding(`line ${line.at}`, "nothing is called", `${event.what} ${event.id}`));
        return;
      }
      case "freeze":
        this.#frozen.push(stage);
        return stage.freeze();
      case "thaw":
        return this.#thaw(line.script);
      case "rival":
        return this.#play({ host: "same", torn: 0, threads: true, tools: {}, script: startsFirst(line.script) });
      case "expect": {
        const run = line.ends.run ?? DEFAULT_RUN;
        await stage.comesTo(run);
        this.findings.push(...judgeEnds(line.ends, stage.ends.get(run), this.#with.judge));
        return;
      }
      case "never": {
        const found = this.trace.find((event) => event.life === stage.life && matches(event, line.pattern));
        if (found !== undefined) this.findings.push(finding(`line ${line.at}`, line.text, inWords(found)));
        return;
      }
      case "order": {
        const ofLife = this.trace.filter(({ life }) => life === stage.life);
        this.findings.push(...judgeOrder(line.rows, ofLife));
        return;
      }
    }
  }

  async #thaw(script: readonly ScriptLine[]): Promise<void> {
    const stage = this.#frozen.shift();
    if (stage === undefined) throw new Error(`${this.#with.scenario.id}: nothing is frozen that could be thawed`);
    stage.thaw();
    await this.#lines(stage, script);
    await this.#end(stage);
  }

  async #end(stage: Stage): Promise<void> {
    if (stage.isDead) {
      this.#open.delete(stage);
      return;
    }
    await stage.finish();
    this.#open.delete(stage);
    const pool = [this.#with.own, this.#with.other].find((one) => one?.owns(stage.host));
    await pool?.giveBack(stage.host);
  }

  async #bury(stage: Stage): Promise<void> {
    this.#open.delete(stage);
    await stage.killNow();
  }
}

/** A rival that names no run starts the default one. */
function startsFirst(script: readonly ScriptLine[]): readonly ScriptLine[] {
  if (script.some((line) => line.do === "run")) return script;
  return [
    { at: script[0]?.at ?? 0, text: `run ${DEFAULT_RUN}`, do: "run", run: DEFAULT_RUN, program: "main" },
    ...script,
  ];
}
