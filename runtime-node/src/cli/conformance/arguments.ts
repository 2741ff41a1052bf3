// The arguments and the help of `holdfast conformance` and `holdfast conformance-host`. It runs nothing.
import { availableParallelism } from "node:os";
import { type Command, InvalidArgumentError } from "commander";
import { LEVELS, type Level } from "../../../../conformance/protocol/messages.ts";
import type { CommandResult } from "../commands.ts";
import { integer } from "../integer.ts";
import type { Look } from "../paint.ts";
import { hostWords } from "./host-words.ts";

const HELP = `
The host is a program that speaks JSON lines on its standard input and output. conformance/WRITE-A-HOST.md,
in this package, says how to write one; conformance/examples/minimal-host.py is one.

The runner plays the tools, waits at each append to the journal, kills the host with SIGKILL where a scenario
wants it, starts it again, and holds what came of it against what was expected and against the promises that
hold everywhere. What a host cannot do it declares; that is not covered, and never counts as passed.

Exit codes:
  0  everything that was covered passed
  1  a scenario failed, or passed though it is listed as failing; or the host did not introduce itself
  2  an argument is wrong: no such scenario, no such host
  3  the suite or its machine failed, and nothing is said about the host
  130  ended by Ctrl-C

Examples:
  $ holdfast conformance -- holdfast conformance-host
  $ holdfast conformance --level recovery -- python3 host.py
  $ holdfast conformance --filter reconciler --html report.html -- ./host
  $ holdfast conformance --also "python3 host.py" --junit report.xml -- node host.js
  $ holdfast conformance --list --level batches`;

function level(text: string, before: readonly Level[]): readonly Level[] {
  const found = LEVELS.find((one) => one === text);
  if (found === undefined) throw new InvalidArgumentError(`It must be one of ${LEVELS.join(", ")}.`);
  return [...before, found];
}

const another = (text: string, before: readonly (readonly string[])[]) => [...before, hostWords(text)];

/** Adds both commands to the command line. */
export function addConformance(program: Command, finish: (result: CommandResult) => void, look: () => Look): void {
  program
    .command("conformance")
    .description("Hold a host, ours or anybody's, to what right is: kill it, recover it, judge what came of it.")
    .usage("[options] -- <command that starts the host>")
    .argument("[command...]", "the command that starts the host")
    .option("--level <level>", `only this level; several times for several: ${LEVELS.join(", ")}`, level, [])
    .option("--filter <text>", "only scenarios whose name contains this")
    .option("--seed <n>", "draws orders of completion and second deaths", integer(0, 2 ** 32 - 1), 1)
    .option("--jobs <n>", "scenarios at once", integer(1, 64), Math.max(2, Math.min(8, availableParallelism())))
    .option("--hang <ms>", "a host that owes an answer for so long hangs", integer(100, 600_000), 20_000)
    .option("--known-failing <path>", "a list of scenarios that must fail, or a folder of <host>.txt")
    .option("--also <command>", "one more host, one more column of the report", another, [])
    .option("--partner <command>", "the second host of level interchange (default: this package's)", hostWords)
    .option("--jsonl <file>", "write the results as JSON lines")
    .option("--junit <file>", "write the results as JUnit XML")
    .option("--html <file>", "write the results as one HTML page")
    .option("--list", "list the scenarios and the rules they hold, and run nothing")
    .option("--debug", "print the stack of an error")
    .addHelpText("after", HELP)
    .action(async (command: readonly string[], options) => {
      const { conformanceCommand } = await import("./command.ts");
      finish(await conformanceCommand(command, options, look()));
    });

  program
    .command("conformance-host")
    .description("Be a host under test: this package, on standard input and output.")
    .action(async () => {
      const { serveConformance } = await import("../../conformance-host/index.ts");
      serveConformance(process.env.HOLDFAST_FAULT);
    });
}
