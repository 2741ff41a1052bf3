// One life of a host: a session of its process, played line by line. It waits for what the host does and does
// what the script says; what it finds wrong is a finding, what no host may do is a HostFault.
import type {
  Control,
  Ending,
  Json,
  RunnerMessage,
  SessionMessage,
  WireError,
  WireVerdict,
} from "../protocol/messages.ts";
import { AppendPoints } from "./append-points.ts";
import type { Environment } from "./environments.ts";
import { HostFault } from "./host-fault.ts";
import type { HostProcess } from "./host-process.ts";
import { Questions } from "./questions.ts";
import type { Pattern, Scenario, ScriptLine } from "./scenario.ts";
import { scriptName, ToolPlayer } from "./tool-player.ts";
import { eventsOf, inWords, matches, type TraceEvent } from "./trace.ts";
import type { Transcript } from "./transcript.ts";

/** What a run came to in this life. */
export type RunEnd =
  | { readonly kind: "returned"; readonly result: Json }
  | { readonly kind: "threw"; readonly error: WireError };

/** What a stage is given. */
export interface StageOptions {
  readonly host: HostProcess;
  readonly scenario: Scenario;
  readonly environment: Environment;
  readonly script: readonly ScriptLine[];
  /** Of this life, instead of the scenario's or besides. */
  readonly tools: Scenario["tools"];
  /** May this life use threads? */
  readonly threads: boolean;
  readonly journal: string;
  /** 1-based numbers, of the process's life and of its session. */
  readonly life: number;
  readonly session: number;
  /** Shared by all lives of the scenario. */
  readonly trace: TraceEvent[];
  readonly transcript: Transcript;
  /** A host that owes something and is silent for so long hangs, ms. */
  readonly hangMs: number;
  readonly draw: (most: number) => number;
}

/** What the script waits for cannot come any more. */
export class NeverCame extends Error {}

export class Stage {
  readonly #with: StageOptions;
  readonly #player: ToolPlayer;
  readonly #points: AppendPoints;
  readonly #consumed = new Set<TraceEvent>();
  readonly #running = new Set<string>();
  readonly #staying: number[] = [];
  readonly ends = new Map<string, RunEnd>();
  readonly questions: Questions;
  #fault: unknown;
  #ended = false;
  #isDead = false;
  #news: (() => void) | undefined;

  constructor(options: StageOptions) {
    this.#with = options;
    const { host, scenario, environment, script, draw } = options;
    this.#points = new AppendPoints(script, environment.appendMs, (n) =>
      this.#send({ type: "go", session: this.#session, n }),
    );
    const scripted = { calls: new Set<string>(), asks: new Set<string>() };
    for (const line of script) namesOf(line, scripted);
    this.#player = new ToolPlayer(
      { answering: environment.answering, play: scenario.play, scripted, draw },
      { answer: (n, ending) => this.#answer(n, ending), verdict: (n, verdict) => this.#verdict(n, verdict) },
    );
    this.questions = new Questions({
      session: options.session,
      hangMs: options.hangMs,
      send: (question) => this.#send(question),
      until: (what, look) => this.#until(what, look),
      pass: (ms) => this.pass(ms),
    });
    host.listen({ message: (message) => this.#hear(message), broken: (fault) => this.#break(fault) });
    const tools = { ...scenario.tools, ...options.tools };
    const { concurrency = scenario.limits.concurrency } = environment;
    const limits = { ...scenario.limits, ...(concurrency === undefined ? {} : { concurrency }) };
    const bounds = {
      ...(scenario.leaseMs === undefined ? {} : { leaseMs: scenario.leaseMs }),
      ...(options.threads && environment.threads ? {} : { threads: false }),
    };
    this.#send({ type: "begin", session: options.session, journal: options.journal, tools, limits, ...bounds });
  }

  get #session(): number {
    return this.#with.session;
  }

  get life(): number {
    return this.#with.life;
  }

  get host(): HostProcess {
    return this.#with.host;
  }

  /** It was killed: nothing of it is waited for. */
  get isDead(): boolean {
    return this.#isDead;
  }

  // ── what a script does ────────────────────────────────────────────────────────────────────────

  run(line: Extract<ScriptLine, { do: "run" }>): void {
    const { run, version, refuseOtherVersion, onMismatch, waitMs } = line;
    const program = this.#with.scenario.programs[line.program];
    if (program === undefined) throw new Error(`${this.#with.scenario.id} has no program ${line.program}`);
    this.#running.add(run);
    this.ends.delete(run);
    const options = { version, refuseOtherVersion, onMismatch, waitMs };
    const given = Object.fromEntries(Object.entries(options).filter(([, value]) => value !== undefined));
    this.#send({ type: "run", session: this.#session, run, program, ...given });
  }

  cancel(run: string): void {
    this.#send({ type: "cancel", session: this.#session, run });
  }

  /** Waits until the host has done this, once more than it was waited for before. */
  async wait(pattern: Pattern): Promise<void> {
    await this.#next(pattern);
  }

  async #next(pattern: Pattern): Promise<TraceEvent> {
    const event = await this.#until(inWords(pattern), () =>
      this.#with.trace.find((one) => one.life === this.life && !this.#consumed.has(one) && matches(one, pattern)),
    );
    this.#consumed.add(event);
    return event;
  }

  /** Waits for what the program says next; what it was. */
  async said(): Promise<Json> {
    const event = await this.#next({ what: "said" });
    return event.value ?? null;
  }

  async answer(id: string, ending: Ending): Promise<void> {
    this.#player.answer(await this.#until(`call ${id}`, () => this.#player.waiting("call", id)), ending);
  }

  async verdict(id: string, verdict: WireVerdict): Promise<void> {
    this.#player.verdict(await this.#until(`ask ${id}`, () => this.#player.waiting("ask", id)), verdict);
  }

  /** Kills the process, at once or when it has got to the line's moment. */
  async kill(line: Extract<ScriptLine, { do: "kill" }>): Promise<void> {
    if (line.point !== undefined) await this.#until(line.text, () => this.#points.heldFor(line));
    await this.killNow();
  }

  async killNow(): Promise<void> {
    this.#isDead = true;
    this.#note({ what: "kill", life: this.life, run: "" }, "SIGKILL");
    this.#player.end();
    await this.host.kill();
    this.host.listen(undefined);
  }

  /** Lets the write fail; or keeps it under way until `go`. */
  async hold(line: Extract<ScriptLine, { do: "fail" | "stay" }>): Promise<void> {
    const n = await this.#until(line.text, () => this.#points.heldFor(line));
    if (line.do === "fail") this.#send({ type: "go", session: this.#session, n, fail: true });
    else this.#staying.push(n);
  }

  /** Lets go on what `stay` has kept. */
  go(): void {
    for (const n of this.#staying.splice(0)) this.#send({ type: "go", session: this.#session, n });
  }

  /** Until the line's moment has come, or nothing is left that could bring it. */
  async reaches(line: ScriptLine): Promise<boolean> {
    return this.#until("its end", () =>
      this.#points.heldFor(line) !== undefined ? true : this.#isOver ? false : undefined,
    );
  }

  /** For so long nothing may be called. */
  async still(ms: number): Promise<readonly TraceEvent[]> {
    const from = this.#with.trace.length;
    await this.pass(ms);
    return this.#with.trace
      .slice(from)
      .filter(({ what, life }) => life === this.life && (what === "call" || what === "ask"));
  }

  async pass(ms: number): Promise<void> {
    await new Promise((resolve) => setTimeout(resolve, ms));
    if (this.#fault !== undefined) throw this.#fault;
  }

  /** Changes the host's limits while it is at work. */
  control(line: Extract<ScriptLine, { do: Control["type"] }>): void {
    const { do: type, at: _at, text: _text, ...said } = line;
    this.#send({ type, session: this.#session, ...said } as Control);
  }

  freeze(): void {
    this.#note(undefined, "SIGSTOP");
    this.host.freeze();
  }

  thaw(): void {
    this.#note(undefined, "SIGCONT");
    this.host.thaw();
  }

  /** Waits until this run has ended. */
  async comesTo(run: string): Promise<void> {
    await this.#until(`the end of run ${run}`, () => this.ends.get(run));
  }

  /** All runs have ended; the session is closed. */
  async finish(): Promise<void> {
    if (this.#isDead) return;
    await this.#until("the end of its runs", () => (this.#isOver ? true : undefined));
    this.#send({ type: "end", session: this.#session });
    await this.#until("ended", () => (this.#ended ? true : undefined));
    this.#player.end();
    this.host.listen(undefined);
  }

  // ── what a host does ──────────────────────────────────────────────────────────────────────────

  get #isOver(): boolean {
    return [...this.#running].every((run) => this.ends.has(run));
  }

  #hear(message: SessionMessage): void {
    this.#with.transcript.add(this.life, "host", JSON.stringify(message));
    if (message.session !== this.#session) {
      throw new HostFault("other-session", `it answers session ${message.session} in session ${this.#session}`);
    }
    if (this.#isDead) {
      // What it had said before it died: it did call these tools.
      this.#with.trace.push(...eventsOf(message, this.life, 0));
      return;
    }
    const group = message.type === "append" ? this.#points.arrived(message) : 0;
    this.#with.trace.push(...eventsOf(message, this.life, group));
    switch (message.type) {
      case "call":
      case "ask":
        this.#player.called(message);
        break;
      case "abort":
        this.#aborted(message.n);
        break;
      case "returned":
        this.#runEnds(message.run, { kind: "returned", result: message.result });
        break;
      case "threw":
        this.#runEnds(message.run, { kind: "threw", error: message.error });
        break;
      case "explained":
      case "gauged":
        this.questions.answered(message);
        break;
      case "ended":
        if (!this.#isOver) throw new HostFault("protocol", "it says ended while runs have not ended");
        this.#ended = true;
        break;
      default:
    }
    this.#news?.();
  }

  #runEnds(run: string, end: RunEnd): void {
    if (!this.#running.has(run)) throw new HostFault("protocol", `it ends the run ${run}, which nobody started`);
    if (this.ends.has(run)) throw new HostFault("protocol", `it ends the run ${run} twice`);
    this.ends.set(run, end);
  }

  #aborted(n: number): void {
    const of = this.#with.trace.find((event) => event.life === this.life && event.n === n);
    if (of === undefined) throw new HostFault("protocol", `it aborts the number ${n}, which it never called`);
    const { id = "", run } = of;
    this.#with.trace.push({ what: "abort", life: this.life, run, id, n });
  }

  #break(fault: unknown): void {
    if (this.#isDead) return;
    this.#fault = fault;
    this.#with.transcript.add(this.life, "note", (fault as Error).message);
    this.#news?.();
  }

  #answer(n: number, ending: Ending): void {
    this.#send({ type: "answer", session: this.#session, n, ...ending });
    this.#answered(n, "answer", ending.outcome);
  }

  #verdict(n: number, verdict: WireVerdict): void {
    this.#send({ type: "verdict", session: this.#session, n, ...verdict });
    this.#answered(n, "verdict", verdict.verdict);
  }

  #answered(n: number, what: "answer" | "verdict", outcome: string): void {
    const of = this.#with.trace.find((event) => event.life === this.life && event.n === n);
    const { id = "", tool = "", run = "" } = of ?? {};
    this.#with.trace.push({ what, life: this.life, run, id, tool, outcome, n });
  }

  #send(message: RunnerMessage): void {
    if (this.#isDead) return;
    this.#with.transcript.add(this.life, "runner", JSON.stringify(message));
    this.host.send(message);
  }

  #note(event: TraceEvent | undefined, text: string): void {
    if (event !== undefined) this.#with.trace.push(event);
    this.#with.transcript.add(this.life, "note", text);
  }

  /** Waits until `look` finds something. Throws what broke the host; `NeverCame`; and a hang is a fault. */
  async #until<Found>(what: string, look: () => Found | undefined): Promise<Found> {
    for (;;) {
      if (this.#fault !== undefined) throw this.#fault;
      const found = look();
      if (found !== undefined) return found;
      if (this.#isOver && this.#running.size > 0 && what !== "ended") {
        throw new NeverCame(`${what} never came: every run has ended`);
      }
      await this.#something(what);
    }
  }

  /** The next news, or the end of patience. */
  async #something(what: string): Promise<void> {
    let timer: NodeJS.Timeout | undefined;
    await new Promise<void>((resolve) => {
      this.#news = resolve;
      timer = setTimeout(() => {
        this.#fault ??= new HostFault(
          "hung",
          `it was silent for ${this.#with.hangMs} ms while the runner waited for ${what}`,
        );
        resolve();
      }, this.#with.hangMs);
    });
    clearTimeout(timer);
    this.#news = undefined;
  }
}

/** The calls and asks that a script answers itself. */
function namesOf(line: ScriptLine, into: { readonly calls: Set<string>; readonly asks: Set<string> }): void {
  if (line.do === "answer" || line.do === "hold") into.calls.add(scriptName(line.id, undefined));
  else if (line.do === "verdict") into.asks.add(scriptName(line.id, undefined));
  else if (line.do === "wait" && line.pattern.id !== undefined) {
    const name = scriptName(line.pattern.id, line.pattern.run);
    if (line.pattern.what === "call") into.calls.add(name);
    if (line.pattern.what === "ask") into.asks.add(name);
  }
}
