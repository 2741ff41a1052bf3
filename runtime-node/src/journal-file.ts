// Looks at where a journal's file is before SQLite does: a folder or a missing right deserves a plainer word
// than SQLite has. It never opens the file: closing it would drop the locks that SQLite has on it in this
// process (https://sqlite.org/howtocorrupt.html, 2.2).
import { accessSync, constants, type Stats, statSync } from "node:fs";
import { dirname, isAbsolute, resolve } from "node:path";
import { HoldfastError, JournalError } from "../../bindings/js/src/errors.ts";

/** The absolute path of a journal. Throws `invalid-option` for what SQLite would not take for a file. */
export function journalPath(path: unknown): string {
  const refuse = (what: string, next: string): never => {
    throw new HoldfastError("invalid-option", `journal ${what}`, next, { details: { path: "journal" } });
  };
  if (typeof path !== "string" || path === "")
    return refuse("must be the path of a file", "Give a path, as in agent.db.");
  if (path.includes("\0")) return refuse("has a NUL character in its path", "Give a path without one.");
  if (path === ":memory:")
    return refuse(
      "is :memory:, which no crash survives",
      'To say so give "memory"; to keep runs give the path of a file.',
    );
  if (/^(?:file|https?|wss?|libsql):/.test(path) && !isAbsolute(path))
    return refuse(`is a URL (${path})`, "Give the path of a file; fileURLToPath of node:url makes one of a file: URL.");
  return resolve(path);
}

/** Its size, bytes; 0 if it is to be made. Throws `journal-unavailable` for what cannot be a journal of this user's. */
export function checkFile(path: string, access: "write" | "read"): number {
  const stats = statOf(path);
  if (stats === undefined) {
    if (access === "read") throw unavailable(path, "does not exist", "Name a journal that does.");
    checkFolder(path);
    return 0;
  }
  if (stats.isDirectory()) throw unavailable(path, "is a directory", "Name a file in it.");
  if (!stats.isFile()) throw unavailable(path, "is not a regular file", "Name a file.");
  mayAccess(path, constants.R_OK, "may not be read by this user");
  if (access === "write") {
    mayAccess(path, constants.W_OK, "may not be written by this user");
    checkFolder(path);
  }
  return stats.size;
}

function statOf(path: string): Stats | undefined {
  try {
    return statSync(path);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === "ENOENT") return undefined;
    throw unavailable(path, `cannot be looked at (${code})`, "Check the path and the rights on its folders.", error);
  }
}

function checkFolder(path: string): void {
  const folder = dirname(path);
  const stats = statOf(folder);
  if (stats === undefined) throw unavailable(folder, "does not exist", "Make the folder first.");
  if (!stats.isDirectory()) throw unavailable(folder, "is not a directory", "Name a file in a folder.");
  mayAccess(
    folder,
    constants.W_OK | constants.X_OK,
    "may not be written by this user (SQLite keeps files beside its own)",
  );
}

function mayAccess(path: string, mode: number, what: string): void {
  try {
    accessSync(path, mode);
  } catch (error) {
    throw unavailable(path, what, "Give this user the right, or run as its owner.", error);
  }
}

function unavailable(path: string, what: string, next: string, cause?: unknown): JournalError {
  return new JournalError("journal-unavailable", `${JSON.stringify(path)} ${what}`, next, { details: { path }, cause });
}
