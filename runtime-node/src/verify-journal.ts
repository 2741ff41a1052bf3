// `verifyJournal`: is a journal's file sound, and can each of its runs be gone on with? Looked at in a thread
// of its own, so that the program's goes on meanwhile.
import { MessageChannel, type MessagePort, Worker } from "node:worker_threads";
import { JournalError } from "../../bindings/js/src/errors.ts";
import { journalPath } from "./journal-file.ts";
import { errorOf, type Failure, type VerifyStart } from "./journal-wire.ts";
import { threadFile } from "./thread-file.ts";

/** One thing that is wrong, where it is, and what to do. */
export type JournalProblem =
  | { readonly of: "file"; readonly what: string; readonly next: string }
  | {
      readonly of: "run";
      /** The key under which the journal holds the run. */
      readonly run: string;
      /** Run ids, from the outermost inwards, joined by "/". */
      readonly name: string;
      /** Which entry of the run, from 0. */
      readonly entry?: number;
      /** Ordinal of the slot. */
      readonly slot?: number;
      readonly what: string;
      readonly next: string;
    };

/** What `verifyJournal` found. */
export interface JournalReport {
  readonly path: string;
  readonly ok: boolean;
  readonly runs: number;
  /** Entries that are as they were written. */
  readonly entries: number;
  /** The first hundred. */
  readonly problems: readonly JournalProblem[];
  readonly problemCount: number;
}

/** What the thread answers. */
export type Verified = { readonly report: JournalReport } | { readonly failure: Failure };

/**
 * Checks a journal's file: its pages, its tables, the checksum and the payload of every entry, and whether the
 * entries of each run can follow one another. Changes nothing and takes no lease: others may go on writing.
 * Throws a JournalError when the file is not there, cannot be read, or is no journal of this version.
 */
export async function verifyJournal(path: string): Promise<JournalReport> {
  const verify = journalPath(path);
  const { port1, port2 } = new MessageChannel();
  const thread = new Worker(threadFile("journal-thread.js", "journal-unavailable"), {
    name: "holdfast-verify",
    workerData: { verify, port: port2 } satisfies VerifyStart & { readonly port: MessagePort },
    transferList: [port2],
  });
  try {
    const verified = await new Promise<Verified>((resolve, reject) => {
      const lost = (why: string): void =>
        reject(
          new JournalError("journal-unavailable", `the look at ${JSON.stringify(verify)} ended (${why})`, "Try again."),
        );
      port1.once("message", resolve);
      thread.once("error", (error) => lost(error.message));
      thread.once("exit", (code) => code !== 0 && lost(`code ${code}`));
    });
    if ("failure" in verified) throw errorOf(verified.failure);
    return verified.report;
  } finally {
    port1.close();
    await thread.terminate();
  }
}
