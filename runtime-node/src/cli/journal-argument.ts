// The journal that a command is to read: found, looked at and opened for reading. A reading command never
// creates a file, and never takes a run's lease.
import { open } from "node:fs/promises";
import type { Runtime } from "../../../bindings/js/src/api.ts";
import { JournalError } from "../../../bindings/js/src/errors.ts";
import { openRuntime } from "../index.ts";

/** The journal when none is named. */
export const JOURNAL_DEFAULT = "agent.db";

const SQLITE_HEADER = "SQLite format 3\0";

function unavailable(path: string, what: string, next: string, cause?: unknown): JournalError {
  return new JournalError("journal-unavailable", `${JSON.stringify(path)} ${what}`, next, {
    details: { path },
    ...(cause === undefined ? {} : { cause }),
  });
}

function refusal(path: string, cause: unknown): JournalError {
  const code = (cause as NodeJS.ErrnoException).code;
  const name = "Name the journal after the command's other arguments, as in `holdfast runs path/to/agent.db`.";
  if (code === "ENOENT") return unavailable(path, "does not exist", name, cause);
  if (code === "EACCES" || code === "EPERM")
    return unavailable(path, "may not be read by this user", "Ask for read access, or run as its owner.", cause);
  return unavailable(path, `cannot be read (${code ?? String(cause)})`, name, cause);
}

/** Throws unless the path is a file that starts as a SQLite file does: opening anything else could write to it. */
export async function checkJournalFile(path: string): Promise<void> {
  const file = await open(path, "r").catch((thrown: unknown) => {
    throw refusal(path, thrown);
  });
  try {
    const stats = await file.stat();
    if (stats.isDirectory()) throw unavailable(path, "is a directory", "Name the journal's file in it.");
    if (!stats.isFile()) throw unavailable(path, "is not a regular file", "Name a journal's file.");
    const head = Buffer.alloc(SQLITE_HEADER.length);
    const { bytesRead } = await file.read(head, 0, head.length, 0);
    if (bytesRead === 0)
      throw unavailable(path, "is empty", "A journal has content as soon as a run was opened: is it the right file?");
    if (head.toString("latin1") === SQLITE_HEADER) return;
    const what = `${JSON.stringify(path)} is not a Holdfast journal: it does not begin as a SQLite file`;
    throw new JournalError("journal-foreign", what, "Name the file that was given to openRuntime as its journal.", {
      details: { path },
    });
  } finally {
    await file.close();
  }
}

/** Opens a journal, lets `work` read it, closes it whatever happens. */
export async function withJournal<Result>(path: string, work: (runtime: Runtime) => Promise<Result>): Promise<Result> {
  await checkJournalFile(path);
  const runtime = await openRuntime({ journal: path, tools: {} });
  try {
    return await work(runtime as unknown as Runtime);
  } finally {
    await runtime.close({ graceMs: 0 });
  }
}
