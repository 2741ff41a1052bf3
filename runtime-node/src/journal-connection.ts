// Opens a journal's file: looks at it, connects, makes the tables if it is new, sets what durability needs.

import type { GiveWay } from "./give-way.ts";
import { checkJournalFile, checkVersion } from "./journal-file.ts";
import { createTables, readPragma } from "./journal-schema.ts";
import { type Database, openSqlite } from "./sqlite.ts";
import { journalError } from "./sqlite-errors.ts";

/** A connection that may write. Throws `journal-*`; what is not a journal of ours stays as it is. */
export function connect(path: string, giveWay: GiveWay): Database {
  checkJournalFile(path, "write");
  let database: Database | undefined;
  try {
    database = openSqlite(path);
    prepare(path, database, giveWay);
    return database;
  } catch (error) {
    database?.close();
    throw journalError(path, "opening", error);
  }
}

function prepare(path: string, database: Database, giveWay: GiveWay): void {
  // We wait by ourselves: SQLite's own waiting is not fair.
  database.exec("PRAGMA busy_timeout = 0");
  if (giveWay.patiently(() => readPragma(database, "page_count")) === 0) {
    // Before there is a log beside it: so whatever is in the file says whose it is, at any moment.
    giveWay.patiently(() => {
      database.exec("BEGIN IMMEDIATE");
      createTables(database);
      database.exec("COMMIT");
    });
  }
  checkVersion(
    path,
    giveWay.patiently(() => readPragma(database, "user_version")),
  );
  giveWay.patiently(() => database.exec("PRAGMA journal_mode = WAL"));
  // FULL: a commit is on the disk when it returns. The log is moved into the file when nothing else is to be done.
  database.exec("PRAGMA synchronous = FULL; PRAGMA wal_autocheckpoint = 0; PRAGMA cell_size_check = ON");
}
