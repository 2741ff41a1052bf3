// What SQLite refuses, in Holdfast's words: which file, what was wrong, what to do. It decides nothing else.
import { HoldfastError, JournalError } from "../../bindings/js/src/errors.ts";
import { sqliteCode } from "./sqlite.ts";

/** Primary result codes of SQLite that mean something of their own here. https://sqlite.org/rescode.html */
const BUSY = 5;
const LOCKED = 6;
const READONLY = 8;
const IOERR = 10;
const CORRUPT = 11;
const FULL = 13;
const CANTOPEN = 14;
const NOTADB = 26;

/** Another connection is in the way; it may be tried again. */
export function isBusy(error: unknown): boolean {
  const code = sqliteCode(error);
  return code === BUSY || code === LOCKED;
}

/** SQLITE_READONLY_ROLLBACK and _RECOVERY: a connection that only reads met what a crash left. */
export function isUnfinished(error: unknown): boolean {
  const code = sqliteCode(error, "extended");
  return code === 776 || code === 264;
}

/** What was being done when it was refused. */
export type Doing = "opening" | "writing" | "reading";

/** A JournalError for whatever was thrown while working on a journal's file; one of ours stays as it is. */
export function journalError(path: string, doing: Doing, cause: unknown): HoldfastError {
  if (cause instanceof HoldfastError) return cause;
  const file = JSON.stringify(path);
  const make = (code: "append" | "corrupt" | "foreign" | "unavailable", what: string, next: string): JournalError =>
    new JournalError(`journal-${code}`, what, next, { details: { path }, cause });
  switch (sqliteCode(cause)) {
    case BUSY:
    case LOCKED:
      return make(
        "unavailable",
        `another process kept ${file} locked for too long`,
        "Find it (`fuser` or `lsof` name it), let it finish, and try again.",
      );
    case READONLY:
      return make("unavailable", `${file} may not be written`, "Make the file and its folder writable for this user.");
    case CORRUPT:
      return make(
        "corrupt",
        `${file} is damaged (${said(cause)})`,
        "Nothing was called. Look at it with `holdfast verify <journal>`, and restore it from a copy.",
      );
    case FULL:
      return make(
        "append",
        `the disk of ${file} is full`,
        "Nothing of the group was written. Make room, then open the run again.",
      );
    case CANTOPEN:
      return make(
        "unavailable",
        `${file} cannot be opened (${said(cause)})`,
        "Is its folder there, and writable for this user?",
      );
    case NOTADB:
      return make(
        "foreign",
        `${file} is not a Holdfast journal: SQLite cannot read it`,
        "Name the journal's own file, or one that does not exist yet.",
      );
    case IOERR:
      return make(
        doing === "writing" ? "append" : "unavailable",
        `the disk of ${file} failed while ${doing} (${said(cause)})`,
        "Look at the system's log and the disk, then open the run again: it goes on from what is on disk.",
      );
    default:
      return make(
        doing === "writing" ? "append" : "unavailable",
        `SQLite failed while ${doing} ${file} (${said(cause)})`,
        "Look at the file with `holdfast verify <journal>`, then open the run again.",
      );
  }
}

function said(cause: unknown): string {
  return cause instanceof Error ? cause.message : String(cause);
}
