// The commands of `holdfast`: their arguments, options and help. Each gives back text and an exit code;
// none prints and none ends the process.
import { readFileSync } from "node:fs";
import { Command } from "commander";
import { replayFile } from "../replay-file.ts";
import { addConformance } from "./conformance/arguments.ts";
import { CALLS_DEFAULT, CALLS_MAX, CALLS_MIN } from "./demo/turn.ts";
import * as limitsScene from "./demo-limits/scene.ts";
import { Exit } from "./failure.ts";
import { integer } from "./integer.ts";
import { JOURNAL_DEFAULT, withJournal } from "./journal-argument.ts";
import { type Look, lookOf } from "./paint.ts";
import { plainJson } from "./plain-text.ts";
import { replayLines } from "./replay.ts";
import { findRun } from "./run-name.ts";
import { runsLines } from "./runs.ts";
import { showLines } from "./show.ts";
import { timelineLines } from "./timeline.ts";
import { livesOf } from "./timeline-axis.ts";
import { piecesOf } from "./timeline-pieces.ts";
import { verifyCommand } from "./verify.ts";

/** What a command came to. */
export interface CommandResult {
  /** For standard output; empty when the command has printed as it went. */
  readonly text: string;
  readonly exit: Exit;
}

interface CommonOptions {
  readonly json?: boolean;
}

const look = (): Look => lookOf(process.stdout, process.env);
const result = (text: string, exit: Exit = Exit.ok): CommandResult => ({ text, exit });
/** JSON where it was asked for, lines otherwise. */
const either = (options: CommonOptions, value: () => unknown, lines: () => readonly string[]): CommandResult =>
  result(options.json === true ? plainJson(value()) : lines().join("\n"));

function version(): string {
  const manifest = readFileSync(new URL("../package.json", import.meta.url), "utf8");
  return (JSON.parse(manifest) as { version: string }).version;
}

async function runs(journal: string, options: CommonOptions): Promise<CommandResult> {
  const list = await withJournal(journal, (runtime) => runtime.runs());
  return either(
    options,
    () => ({ journal, runs: list }),
    () => runsLines(list, look()),
  );
}

async function show(name: string, journal: string, options: CommonOptions): Promise<CommandResult> {
  return withJournal(journal, async (runtime) => {
    const list = await runtime.runs();
    const { id, path } = findRun(name, list);
    const view = await runtime.read(id, path);
    const own = JSON.stringify([...path, id]);
    const children = list.filter((run) => JSON.stringify(run.path) === own);
    return either(
      options,
      () => ({ journal, run: view, children }),
      () => showLines(view, children, look()),
    );
  });
}

async function timeline(name: string, journal: string, options: CommonOptions): Promise<CommandResult> {
  return withJournal(journal, async (runtime) => {
    const { id, path } = findRun(name, await runtime.runs());
    const view = await runtime.read(id, path);
    const lives = livesOf(view);
    const chart = (): unknown => ({
      journal,
      run: { id, path, state: view.state },
      lives,
      slots: view.slots.map((slot) => ({
        slot: slot.slot,
        id: slot.id,
        tool: slot.tool,
        outcome: slot.outcome,
        pieces: piecesOf(slot, lives),
      })),
    });
    return either(options, chart, () => timelineLines(view, look()));
  });
}

async function replay(recording: string, options: CommonOptions): Promise<CommandResult> {
  const replayed = await replayFile(recording);
  const told = either(
    options,
    () => ({ recording, ...replayed }),
    () => replayLines(recording, replayed, look()),
  );
  return { ...told, exit: replayed.difference === undefined ? Exit.ok : Exit.problems };
}

const EXIT_CODES = `

Exit codes:
  0  all is well
  1  a promise was broken, or a journal has problems
  2  an argument is wrong, or names what is not there
  3  the conformance suite itself failed, not a host
  130  ended by Ctrl-C`;

const examples = (...lines: readonly string[]): string =>
  `\nExamples:\n${lines.map((line) => `  $ holdfast ${line}`).join("\n")}`;

function reading(program: Command, usage: string, description: string): Command {
  const command = program.command(usage).description(description);
  command.argument("[journal]", "the journal: a SQLite file", JOURNAL_DEFAULT);
  return common(command);
}

/** A command as it is typed: `demo limits`. */
function typed(command: Command): string {
  const above = command.parent;
  return above === null || above.parent === null ? command.name() : `${typed(above)} ${command.name()}`;
}

function common(command: Command): Command {
  return command
    .option("--json", "print JSON")
    .option("--debug", "print the stack of an error")
    .allowExcessArguments(false)
    .showHelpAfterError(`(\`holdfast ${typed(command)} --help\` shows its arguments.)`);
}

function addLimits(demo: Command, finish: (result: CommandResult) => void): void {
  const { CALLS_DEFAULT: usual, CALLS_MIN: least, CALLS_MAX: most } = limitsScene;
  common(demo.command("limits"))
    .description("Make the same calls to a strict provider without limits and through Holdfast, side by side.")
    .option("--seed <n>", "makes the provider: latencies, when it is down", integer(0, 2 ** 32 - 1), 1)
    .option("--calls <n>", `calls in each run, ${least} to ${most}`, integer(least, most), usual)
    .addHelpText(
      "after",
      `
The provider is a real HTTP server, on this machine only: a sliding window of requests, a bound on
requests at once, 429 with Retry-After, a short outage. Its own account is what is counted. It ends
with 1 if Holdfast lost a call or was refused more often than the run without it.
${examples("demo limits", "demo limits --calls 400", "demo limits --seed 7 --json")}`,
    )
    .action(async (options) => {
      const { limitsCommand } = await import("./demo-limits/command.ts");
      finish(await limitsCommand(options, look()));
    });
}

/** The whole command line. `finish` is given what the command came to; errors are thrown. */
export function makeProgram(finish: (result: CommandResult) => void): Command {
  const program = new Command("holdfast")
    .description("Looks into the journals of agent runs, and demonstrates what they are good for.")
    .version(version(), "-V, --version", "print the version")
    .helpOption("-h, --help", "print this help")
    .helpCommand("help [command]", "print the help of a command")
    // `demo limits --seed 2`: the seed is that of `limits`, not of `demo`.
    .enablePositionalOptions()
    .exitOverride()
    .showHelpAfterError("(`holdfast --help` lists the commands.)")
    .addHelpText(
      "after",
      examples("demo", "runs agent.db", "show ticket-4711 agent.db", "timeline ticket-4711", "verify agent.db") +
        EXIT_CODES,
    );

  const demo = common(program.command("demo"))
    .enablePositionalOptions()
    .description("Run an agent's turn on real tools, kill it in the middle, recover it, and check every promise.")
    .option("--seed <n>", "makes the turn: arguments, delays, where it is killed", integer(0, 2 ** 32 - 1), 1)
    .option(
      "--calls <n>",
      `tool calls in the turn, ${CALLS_MIN} to ${CALLS_MAX}`,
      integer(CALLS_MIN, CALLS_MAX),
      CALLS_DEFAULT,
    )
    .option("--kill-after <k>", "kill as soon as k calls have settled (default: by seed)", integer(0, CALLS_MAX))
    .option("--no-kill", "let it run through undisturbed")
    .option("--keep", "keep its folder: journal, files, ledger")
    .addHelpText(
      "after",
      `
Without a network and without a key: the tools are the MCP reference servers for files and for
everything else, from npm, over stdio, and one function in a worker thread. One process runs the
turn; this one kills it with SIGKILL, starts another, and holds what the tools themselves wrote
down against what Holdfast promises. It ends with 1 if any promise is broken.
${examples("demo", "demo --seed 7 --kill-after 3", "demo --calls 100", "demo --no-kill --json", "demo --keep", "demo limits")}`,
    )
    .action(async (options) => {
      const { demoCommand } = await import("./demo/conductor.ts");
      finish(await demoCommand(options, look()));
    });

  addLimits(demo, finish);

  // What the demo's first process starts and kills; by hand it is of no use.
  program.command("demo-turn", { hidden: true }).action(async () => {
    const { liveOnce } = await import("./demo/life.ts");
    finish(result("", await liveOnce()));
  });

  addConformance(program, finish, look);

  reading(program, "runs", "List the runs in a journal.")
    .addHelpText("after", examples("runs", "runs path/to/agent.db", "runs agent.db --json"))
    .action(async (journal: string, options: CommonOptions) => finish(await runs(journal, options)));

  reading(program, "show <run>", "Show what a journal says of a run: its calls, what they came to, and how.")
    .addHelpText(
      "after",
      `\nA run inside a run is named with those around it: parent/call.\n${examples("show ticket-4711", "show ticket-4711/call-3 agent.db", "show ticket-4711 --json")}`,
    )
    .action(async (run: string, journal: string, options: CommonOptions) => finish(await show(run, journal, options)));

  reading(program, "timeline <run>", "Draw a run as a chart of time: queued, running, waiting, in doubt.")
    .addHelpText(
      "after",
      `\nIt is as wide as the terminal; COLUMNS says otherwise. LC_ALL=C draws in ASCII, NO_COLOR=1 without colours.\n${examples("timeline ticket-4711", "timeline ticket-4711 agent.db --json")}`,
    )
    .action(async (run: string, journal: string, options: CommonOptions) =>
      finish(await timeline(run, journal, options)),
    );

  common(program.command("replay"))
    .description("Replay a recording: is what the core decides still the same, to the byte?")
    .argument("<recording>", "a file that HOLDFAST_RECORD has written")
    .addHelpText(
      "after",
      `
With HOLDFAST_RECORD=path in its environment a process adds to that file what goes into the core and
what comes out: numbers only, no inputs, results or names, at most 256 MB. A recording ends with the
process that made it; a last line that was cut off is no fault. Ends with 1 at the first difference.
${examples("replay recording.jsonl", "replay recording.jsonl --json")}`,
    )
    .action(async (recording: string, options: CommonOptions) => finish(await replay(recording, options)));

  reading(program, "verify", "Check a journal: the file, and that each run's entries can have happened.")
    .addHelpText("after", examples("verify", "verify path/to/agent.db --json"))
    .action(async (journal: string, options: CommonOptions) =>
      finish(await verifyCommand(journal, options.json === true, look())),
    );

  return program;
}
