// Looks at a journal's file before SQLite does, and never writes: what is not ours must stay as it is, and a
// folder or a missing right deserves a plainer word than SQLite has.
import { accessSync, closeSync, constants, openSync, readSync, type Stats, statSync } from "node:fs";
import { dirname, isAbsolute, resolve } from "node:path";
import { HoldfastError, JournalError } from "../../bindings/js/src/errors.ts";
import { APPLICATION_ID, SCHEMA_VERSION } from "./journal-schema.ts";

const HEADER_BYTES = 100;
const MAGIC = "SQLite format 3\0";
/** Where the header says them, big-endian. https://sqlite.org/fileformat.html */
const USER_VERSION_AT = 60;
const APPLICATION_ID_AT = 68;

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

/** Throws a JournalError unless the file is a journal of ours, empty, or not there in a folder that takes one. */
export function checkJournalFile(path: string, access: "write" | "read"): void {
  const stats = statOf(path);
  if (stats === undefined) {
    if (access === "read") throw unavailable(path, "does not exist", "Name a journal that does.");
    checkFolder(path);
    return;
  }
  if (stats.isDirectory()) throw unavailable(path, "is a directory", "Name a file in it.");
  if (!stats.isFile()) throw unavailable(path, "is not a regular file", "Name a file.");
  mayAccess(path, constants.R_OK, "may not be read by this user");
  if (access === "write") {
    mayAccess(path, constants.W_OK, "may not be written by this user");
    checkFolder(path);
  }
  checkHeader(path, stats.size);
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

function checkHeader(path: string, size: number): void {
  if (size === 0) return;
  const header = Buffer.alloc(HEADER_BYTES);
  const file = openSync(path, "r");
  try {
    readSync(file, header, 0, HEADER_BYTES, 0);
  } finally {
    closeSync(file);
  }
  if (header.toString("latin1", 0, MAGIC.length) !== MAGIC) throw foreign(path, "it does not begin as a SQLite file");
  if (size < HEADER_BYTES) throw truncated(path, size);
  if (header.readUInt32BE(APPLICATION_ID_AT) !== APPLICATION_ID)
    throw foreign(path, "it is another program's database");
  checkVersion(path, header.readUInt32BE(USER_VERSION_AT));
}

/** Throws `journal-version` for any version but ours. */
export function checkVersion(path: string, version: number): void {
  if (version === SCHEMA_VERSION) return;
  throw new JournalError(
    "journal-version",
    `${JSON.stringify(path)} is a journal of version ${version}; this Holdfast reads version ${SCHEMA_VERSION}`,
    "Use the version of Holdfast that wrote it. Nothing was changed.",
    { details: { path, version, understood: SCHEMA_VERSION } },
  );
}

function unavailable(path: string, what: string, next: string, cause?: unknown): JournalError {
  return new JournalError("journal-unavailable", `${JSON.stringify(path)} ${what}`, next, { details: { path }, cause });
}

function foreign(path: string, why: string): JournalError {
  return new JournalError(
    "journal-foreign",
    `${JSON.stringify(path)} is not a Holdfast journal: ${why}`,
    "Name the journal's own file, or one that does not exist yet. Nothing was changed.",
    { details: { path } },
  );
}

function truncated(path: string, size: number): JournalError {
  return new JournalError(
    "journal-corrupt",
    `${JSON.stringify(path)} was cut off after ${size} bytes`,
    "Restore it from a copy. Nothing was changed.",
    { details: { path } },
  );
}
