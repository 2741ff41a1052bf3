// Opens a journal's file: sees whose it is, connects, makes the tables if it is new, sets what durability
// needs. What is not ours, or of a newer Holdfast, stays as it is.
import { JournalError } from "../../bindings/js/src/errors.ts";
import type { GiveWay } from "./give-way.ts";
import { checkFile } from "./journal-file.ts";
import { APPLICATION_ID, createTables, readPragma, SCHEMA_VERSION } from "./journal-schema.ts";
import { type Database, openSqlite } from "./sqlite.ts";
import { isUnfinished, journalError } from "./sqlite-errors.ts";

/** A connection that may write. Throws `journal-*`. */
export function connect(path: string, giveWay: GiveWay): Database {
  if (checkFile(path, "write") > 0) lookFirst(path, giveWay);
  return opened(path, {}, (database) => {
    // We wait by ourselves: SQLite's own waiting is not fair.
    database.exec("PRAGMA busy_timeout = 0");
    if (giveWay.patiently(() => readPragma(database, "page_count")) === 0) makeTables(database, giveWay);
    giveWay.patiently(() => checkOurs(path, database));
    giveWay.patiently(() => database.exec("PRAGMA journal_mode = WAL"));
    // FULL: a commit is on the disk when it returns. The log is moved into the file when nothing else is to be done.
    database.exec("PRAGMA synchronous = FULL; PRAGMA wal_autocheckpoint = 0; PRAGMA cell_size_check = ON");
  });
}

/** A connection that only reads; undefined where nothing was written yet. Throws `journal-*`. */
export function connectToRead(path: string): Database | undefined {
  if (checkFile(path, "read") === 0) return undefined;
  return opened(path, { readOnly: true }, (database) => {
    database.exec("PRAGMA busy_timeout = 5000");
    checkOurs(path, database);
  });
}

/** A connection that may write would do so even when it closes, so whose file it is is seen without. */
function lookFirst(path: string, giveWay: GiveWay): void {
  try {
    opened(path, { readOnly: true }, (database) => giveWay.patiently(() => checkOurs(path, database))).close();
  } catch (error) {
    // Whoever made it died at that: only one who may write can take it back.
    if (!isUnfinished((error as Error).cause)) throw error;
  }
}

function opened(
  path: string,
  options: { readonly readOnly?: boolean },
  prepare: (database: Database) => void,
): Database {
  let database: Database | undefined;
  try {
    database = openSqlite(path, options);
    prepare(database);
    return database;
  } catch (error) {
    database?.close();
    throw journalError(path, "opening", error);
  }
}

/** Before there is a log beside it: so the file says whose it is from its first page on. */
function makeTables(database: Database, giveWay: GiveWay): void {
  giveWay.patiently(() => {
    database.exec("BEGIN IMMEDIATE");
    createTables(database);
    database.exec("COMMIT");
  });
}

function checkOurs(path: string, database: Database): void {
  if (readPragma(database, "page_count") === 0) return;
  if (readPragma(database, "application_id") !== APPLICATION_ID) {
    throw new JournalError(
      "journal-foreign",
      `${JSON.stringify(path)} is not a Holdfast journal: it is another program's database`,
      "Name the journal's own file, or one that does not exist yet. Nothing was changed.",
      { details: { path } },
    );
  }
  const version = readPragma(database, "user_version");
  if (version === SCHEMA_VERSION) return;
  throw new JournalError(
    "journal-version",
    `${JSON.stringify(path)} is a journal of version ${version}; this Holdfast reads version ${SCHEMA_VERSION}`,
    "Use the version of Holdfast that wrote it. Nothing was changed.",
    { details: { path, version, understood: SCHEMA_VERSION } },
  );
}
