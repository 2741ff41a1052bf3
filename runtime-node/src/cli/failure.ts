// What went wrong, as a person reads it and as a shell sees it. It turns a thrown value into lines and an
// exit code, and never prints.
import { CommanderError, InvalidArgumentError } from "commander";
import { HoldfastError } from "../../../bindings/js/src/errors.ts";
import { plain } from "./plain-text.ts";

/** Exit codes of the command line. */
export const Exit = {
  ok: 0,
  /** A promise was broken, or a journal has problems. */
  problems: 1,
  /** An argument is wrong, or names what is not there. */
  usage: 2,
  /** The conformance suite itself failed: nothing is said about a host. */
  suite: 3,
  /** Ended by Ctrl-C. */
  interrupted: 130,
} as const;
export type Exit = (typeof Exit)[keyof typeof Exit];

const USAGE_CODES: ReadonlySet<string> = new Set([
  "invalid-option",
  "invalid-run-id",
  "run-not-found",
  "journal-unavailable",
  "journal-foreign",
]);

export interface Failure {
  readonly exit: Exit;
  readonly code: string;
  readonly message: string;
  /** Printed already by whoever threw it. */
  readonly said: boolean;
  readonly stack: string | undefined;
}

/** What a thrown value comes to. */
export function failureOf(thrown: unknown): Failure {
  if (thrown instanceof CommanderError && !(thrown instanceof InvalidArgumentError)) {
    const exit = thrown.exitCode === 0 ? Exit.ok : Exit.usage;
    return { exit, code: thrown.code, message: plain(thrown.message), said: true, stack: thrown.stack };
  }
  if (thrown instanceof HoldfastError) {
    const exit = USAGE_CODES.has(thrown.code) ? Exit.usage : Exit.problems;
    return { exit, code: thrown.code, message: lines(thrown.message), said: false, stack: thrown.stack };
  }
  const error = thrown instanceof Error ? thrown : new Error(String(thrown));
  return {
    exit: Exit.problems,
    code: "unexpected",
    message: `unexpected: ${lines(error.message)}`,
    said: false,
    stack: error.stack,
  };
}

/** A message may have lines of its own (a diff of journal and program); everything else in it is plain. */
export function lines(text: string): string {
  return text.split("\n").map(plain).join("\n");
}
