// How a run ends: what a finished one gives again, and which errors end a run's stay here without ending
// the run.
import { describeError } from "./call-error.ts";
import type { Entry } from "./entry.ts";
import { HoldfastError, JournalError } from "./errors.ts";
import { corrupt } from "./journal-errors.ts";
import { decodeJson } from "./json.ts";
import type { CallError, Json } from "./outcome.ts";

/** What a run's program threw in an earlier process: `cause` is the error as it was journaled. */
export class RunFailedError extends HoldfastError {
  override readonly name: string = "RunFailedError";
  readonly error: CallError;
  constructor(runId: string, error: CallError) {
    super(
      "run-failed",
      `the program of run ${JSON.stringify(runId)} threw ${error.name}: ${error.message}`,
      "The run is closed; to try again give it a new id.",
      { cause: error },
    );
    this.error = error;
  }
}

/** What a closed run's program returned. Throws RunFailedError when it threw. */
export function finishedResult(id: string, closed: Entry, row: number): Json | undefined {
  let value: Json | undefined;
  try {
    value = closed.payload === null ? undefined : decodeJson(closed.payload);
  } catch (thrown) {
    throw corrupt(id, undefined, row, "its result is not JSON", thrown);
  }
  if (closed.outcome !== 0) throw new RunFailedError(id, describeError(value));
  return value;
}

/** What an open run is told when its runtime closes. */
export function closedError(): HoldfastError {
  return new HoldfastError(
    "runtime-closed",
    "the runtime was closed",
    "Open a runtime on the same journal and run the same id: it goes on where it stopped.",
  );
}

/** What a call is told that is made after its program has ended. */
export function runEnded(run: { readonly id: string }): HoldfastError {
  return new HoldfastError(
    "run-stopped",
    `run ${JSON.stringify(run.id)} takes no more calls: its program has ended`,
    "Await every call before the program returns.",
  );
}

/** What a tool is told that opens a child run after its call has ended. */
export function callEnded(callId: string): HoldfastError {
  return new HoldfastError(
    "run-stopped",
    `the call ${callId} has ended and runs no more children`,
    "Await ctx.run before the tool returns.",
  );
}

/** Codes that say nothing of what the program came to. */
const OF_THE_HOST = new Set([
  "fenced",
  "runtime-closed",
  "core-trap",
  "run-stopped",
  "run-busy",
  "journal-mismatch",
  "invalid-call",
  "invalid-option",
  "duplicate-call-id",
  "unknown-call",
]);

/** Holdfast's own errors say nothing of what the program came to, so they never close its run. */
export function isOfTheHost(error: unknown): error is HoldfastError {
  return error instanceof JournalError || (error instanceof HoldfastError && OF_THE_HOST.has(error.code));
}

/** What a program hears of a run that has stopped: neither success nor failure. */
export function forever<Value>(): Promise<Value> {
  return new Promise(() => undefined);
}
