// `holdfast demo`: lays out the files, starts a life of the turn, kills it, starts the next, and holds what
// is found in the end against what Holdfast promises. It leaves no process and, unless asked, no folder behind.
import { rmSync } from "node:fs";
import { mkdtemp, realpath, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { RunView } from "../../../../bindings/js/src/api.ts";
import { HoldfastError } from "../../../../bindings/js/src/errors.ts";
import type { Outcome } from "../../../../bindings/js/src/outcome.ts";
import { verifyJournal } from "../../index.ts";
import type { CommandResult } from "../commands.ts";
import { duration } from "../duration.ts";
import { Exit } from "../failure.ts";
import { withJournal } from "../journal-argument.ts";
import { type Look, marksOf, painter } from "../paint.ts";
import { plainJson } from "../plain-text.ts";
import { placesIn } from "./assignment.ts";
import { findTraces, layFiles } from "./disk.ts";
import { readLedger } from "./ledger.ts";
import type { LifeMessage } from "./life.ts";
import { needServers } from "./mcp-servers.ts";
import { type Life, type LifeEnd, startLife } from "./process-group.ts";
import { checkPromises, type Facts } from "./promises.ts";
import { isKept, type Report, reportLines } from "./report.ts";
import { openScreen, type Screen } from "./screen.ts";
import { storiesOf } from "./story.ts";
import { planTurn, RUN_ID, type Turn } from "./turn.ts";
import { Watch } from "./watch.ts";

export interface DemoOptions {
  readonly seed: number;
  readonly calls: number;
  /** Absent: by seed. */
  readonly killAfter?: number;
  /** False with --no-kill. */
  readonly kill: boolean;
  readonly keep?: boolean;
  readonly json?: boolean;
}

/** A life that has not ended by now never will, ms. */
const LIFE_MS_MAX = 180_000;

/** How a life ended, as far as the conductor is concerned. */
interface Lived extends LifeEnd {
  readonly killed: boolean;
  readonly watch: Watch;
  readonly tookMs: number;
}

/** Ctrl-C, or whatever else asks this process to end. */
class Interrupted extends Error {}

class Conductor {
  readonly #folder: string;
  readonly #turn: Turn;
  readonly #screen: Screen;
  #life: Life | undefined;
  #interrupted = false;

  constructor(folder: string, turn: Turn, screen: Screen) {
    this.#folder = folder;
    this.#turn = turn;
    this.#screen = screen;
  }

  /** Ends the life that runs; the conductor notices and cleans up. */
  interrupt = (): void => {
    this.#interrupted = true;
    this.#life?.kill();
  };

  /** Throws when somebody asked this process to end. */
  goOn(): void {
    if (this.#interrupted) throw new Interrupted();
  }

  /** Lives one life to its end, or until so many calls have settled in it. */
  async live(number: number, killAfter: number | undefined): Promise<Lived> {
    this.goOn();
    const watch = new Watch(this.#turn);
    const began = performance.now();
    let killedAfterMs: number | undefined;
    let failure: string | undefined;
    const { seed, calls } = this.#turn;
    const onMessage = (message: LifeMessage): void => {
      // What was under way when it was killed is of no interest: the journal is asked.
      if (killedAfterMs !== undefined) return;
      if (message.kind === "failed") failure = message.message;
      if (message.kind !== "event") return;
      this.#screen.step(message.event, watch.see(message.event));
      if (killAfter === undefined || !watch.begun || watch.tally.settled < killAfter) return;
      life.kill();
      killedAfterMs = performance.now() - began;
      this.#screen.unfollow(true);
    };
    const life = startLife({ folder: this.#folder, seed, calls: calls.length, life: number }, onMessage);
    this.#life = life;
    let late = false;
    const bound = setTimeout(() => {
      late = true;
      life.kill();
    }, LIFE_MS_MAX);
    this.#screen.follow(watch);
    try {
      const end = await life.ended;
      this.goOn();
      if (late) failure = `it had not ended after ${duration(LIFE_MS_MAX)}`;
      if (killedAfterMs === undefined && failure === undefined && end.code !== 0)
        failure = `it ended with ${end.signal ?? `exit code ${end.code}`}`;
      if (failure !== undefined) throw lifeFailed(number, failure);
      // The kill may have come when it had ended already.
      const killed = killedAfterMs !== undefined && end.signal !== null;
      return { ...end, killed, watch, tookMs: killedAfterMs ?? performance.now() - began };
    } finally {
      clearTimeout(bound);
      this.#screen.unfollow(false);
    }
  }
}

function lifeFailed(number: number, why: string): HoldfastError {
  const what = `life ${number} of the demo did not get through its turn: ${why}`;
  return new HoldfastError("run-failed", what, "Run it again with --keep to look at what it left behind.");
}

const readRun = (journal: string): Promise<RunView> => withJournal(journal, (runtime) => runtime.read(RUN_ID));

async function gatherFacts(folder: string, turn: Turn, afterKills: readonly RunView[]): Promise<Facts> {
  const places = placesIn(folder);
  const journal = await readRun(places.journal);
  const { problems } = await verifyJournal(places.journal);
  return {
    asked: turn.calls.map(({ id }) => id),
    // What the program returned is what it was given.
    outcomes: (journal.result ?? []) as unknown as readonly Outcome[],
    afterKills,
    journal,
    ledger: await readLedger(places.ledger),
    found: await findTraces(places.files, turn),
    problems: problems.map((problem) => (problem.of === "run" ? `run ${problem.name}: ${problem.what}` : problem.what)),
  };
}

function openingLines(turn: Turn, killAfter: number | undefined, look: Look): string[] {
  const paint = painter(look);
  const plan = killAfter === undefined ? "It is not killed." : `It is killed as soon as ${killAfter} have settled.`;
  return [
    `${paint("bold", "holdfast demo")}  ${paint("dim", `seed ${turn.seed}`)}`,
    `An agent's turn of ${turn.calls.length} tool calls, ${turn.lanes} at once: two MCP servers over stdio, one tool in a worker thread.`,
    plan,
    "",
  ];
}

function killLines(life: Lived, view: RunView, look: Look): string[] {
  const paint = painter(look);
  const count = (...states: readonly string[]): number =>
    view.slots.filter(({ state }) => states.includes(state)).length;
  const left = `${count("settled")} settled, ${count("started", "attempt-failed")} in doubt, ${count("planned")} not started`;
  return [
    `${paint("red", `${marksOf(look).no} SIGKILL`)} after ${duration(life.tookMs)}, to the process, its servers and its threads. The journal has: ${left}.`,
    "",
  ];
}

function jsonOf(turn: Turn, facts: Facts, report: Report, folder: string | undefined): unknown {
  const { stories, checked, killed, tookMs } = report;
  return {
    seed: turn.seed,
    calls: stories,
    lanes: turn.lanes,
    killed,
    kept: isKept(checked),
    promises: checked,
    tookMs: Math.round(tookMs),
    settledAtKill: facts.afterKills.map((view) => view.slots.filter(({ state }) => state === "settled").length),
    ...(folder === undefined ? {} : { folder }),
  };
}

async function conduct(
  conductor: Conductor,
  folder: string,
  turn: Turn,
  options: DemoOptions,
  look: Look,
  screen: Screen,
) {
  const began = performance.now();
  const paint = painter(look);
  const places = placesIn(folder);
  const killAfter = options.kill ? (options.killAfter ?? turn.killAfter) : undefined;
  screen.say(...openingLines(turn, killAfter, look));
  await layFiles(places.files, turn);
  screen.say(paint("bold", "Life 1"));
  const first = await conductor.live(1, killAfter);
  const afterKills: RunView[] = [];
  if (first.killed) {
    const view = await readRun(places.journal);
    afterKills.push(view);
    screen.say(...killLines(first, view, look), `${paint("bold", "Life 2")}  knows nothing but the journal`);
    const second = await conductor.live(2, undefined);
    const { replayed } = second.watch.tally;
    screen.say(
      `${paint("green", marksOf(look).yes)} finished after ${duration(second.tookMs)}, ${replayed} outcomes replayed`,
    );
  } else screen.say(`${paint("green", marksOf(look).yes)} finished after ${duration(first.tookMs)}`);
  conductor.goOn();
  const facts = await gatherFacts(folder, turn, afterKills);
  const report: Report = {
    stories: storiesOf(turn, facts),
    checked: checkPromises(facts),
    journal: facts.journal,
    killed: first.killed,
    tookMs: performance.now() - began,
  };
  return { facts, report };
}

/** What was killed a moment ago may still leave a file behind. */
const REMOVE = { recursive: true, force: true, maxRetries: 5, retryDelay: 100 } as const;
const ENDING_SIGNALS = ["SIGINT", "SIGTERM", "SIGHUP"] as const;

/** Runs the demo. Prints as it goes; what it comes to is in the result. Exit 1 if a promise was broken. */
export async function demoCommand(options: DemoOptions, look: Look): Promise<CommandResult> {
  needServers();
  if (options.kill && options.killAfter !== undefined && options.killAfter > options.calls) {
    const what = `--kill-after ${options.killAfter} is more than the ${options.calls} calls of the turn`;
    throw new HoldfastError("invalid-option", what, "Give a smaller one, or more --calls.");
  }
  const turn = planTurn(options.seed, options.calls);
  const json = options.json === true;
  const screen = openScreen(look, json);
  // The file server knows its folder by its real path only.
  const folder = await mkdtemp(join(await realpath(tmpdir()), "holdfast-demo-"));
  const conductor = new Conductor(folder, turn, screen);
  // Also when nobody reads what is printed any more, and the process ends in the middle.
  const abandon = (): void => {
    conductor.interrupt();
    if (options.keep !== true) rmSync(folder, REMOVE);
  };
  process.on("exit", abandon);
  for (const signal of ENDING_SIGNALS) process.on(signal, conductor.interrupt);
  try {
    const { facts, report } = await conduct(conductor, folder, turn, options, look, screen);
    const exit = isKept(report.checked) ? Exit.ok : Exit.problems;
    const kept = options.keep === true ? folder : undefined;
    if (json) return { text: plainJson(jsonOf(turn, facts, report, kept)), exit };
    const where =
      kept === undefined ? [] : ["", `Kept in ${folder}: try holdfast show ${RUN_ID} ${placesIn(folder).journal}`];
    return { text: [...reportLines(report, look), ...where].join("\n"), exit };
  } catch (thrown) {
    if (thrown instanceof Interrupted) return { text: "", exit: Exit.interrupted };
    throw thrown;
  } finally {
    process.removeListener("exit", abandon);
    if (options.keep !== true) await rm(folder, REMOVE);
    for (const signal of ENDING_SIGNALS) process.removeListener(signal, conductor.interrupt);
  }
}
