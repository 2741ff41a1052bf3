#!/usr/bin/env node
// The command `holdfast`: reads arguments, hands them to what does the work, prints what comes back, and
// ends with an exit code that says how it went.
import { type CommandResult, makeProgram } from "./commands.ts";
import { Exit, failureOf } from "./failure.ts";
import { plainJson } from "./plain-text.ts";
import { quietSqliteWarning } from "./warnings.ts";

// Whoever reads our output may stop reading (`holdfast runs | head`): then nobody is left to tell.
process.stdout.on("error", (error: NodeJS.ErrnoException) => {
  if (error.code === "EPIPE") process.exit(Exit.ok);
  throw error;
});
quietSqliteWarning();

const wants = (option: string): boolean => process.argv.includes(option);

function finish(result: CommandResult): void {
  if (result.text !== "") process.stdout.write(`${result.text}\n`);
  process.exitCode = result.exit;
}

function fail(thrown: unknown): void {
  const failure = failureOf(thrown);
  process.exitCode = failure.exit;
  if (failure.exit === Exit.ok) return;
  if (!failure.said) process.stderr.write(`${failure.message}\n`);
  if (wants("--debug") && failure.stack !== undefined) process.stderr.write(`${failure.stack}\n`);
  if (wants("--json"))
    process.stdout.write(`${plainJson({ error: { code: failure.code, message: failure.message } })}\n`);
}

try {
  await makeProgram(finish).parseAsync();
} catch (thrown) {
  fail(thrown);
}
