// What a journal's file looks like inside, and how a new one is made. A file that is not ours, or of a newer
// Holdfast, is refused before anything is written to it.
import type { Database } from "./sqlite.ts";

/** "HOLD" in ASCII, at byte 68 of the file: it says whose it is. */
export const APPLICATION_ID = 0x484f4c44;
/** At byte 60 of the file. Raised when an older Holdfast could not go on with what a newer one wrote. */
export const SCHEMA_VERSION = 1;

/** The tables. `WITHOUT ROWID` keeps the entries of a run together on disk. */
const TABLES = `
CREATE TABLE hosts (               -- open journals of processes: who may hold runs
  id          TEXT    NOT NULL PRIMARY KEY,
  pid         INTEGER NOT NULL,
  started     TEXT    NOT NULL,    -- start of that process: tells it from a later one with its pid
  machine     TEXT    NOT NULL,    -- where the pid means something
  alive_until INTEGER NOT NULL     -- its leases end then unless it says that it lives; ms since 1970
) STRICT;
CREATE TABLE runs (
  -- Never used twice: a late write of somebody who held a deleted run must find nothing.
  id      INTEGER PRIMARY KEY AUTOINCREMENT,
  run     TEXT    NOT NULL UNIQUE, -- its key: run ids, escaped, from the outermost inwards, joined by "/"
  fence   INTEGER NOT NULL,        -- of the newest lease; an older one may not write
  host    TEXT,                    -- who holds the lease; NULL: nobody
  entries INTEGER NOT NULL,        -- how many there were when its lease was last taken or given back
  closed  INTEGER NOT NULL         -- 1 once the program has ended
) STRICT;
CREATE TABLE entries (
  run     INTEGER NOT NULL,        -- runs.id
  seq     INTEGER NOT NULL,        -- 0, 1, 2 … without gaps
  kind    INTEGER NOT NULL,        -- 0 run-opened 1 planned 2 started 3 attempt-failed 4 settled 5 late 6 run-closed
  slot    INTEGER NOT NULL,        -- ordinal
  count   INTEGER NOT NULL,        -- planned: how many slots
  attempt INTEGER NOT NULL,
  outcome INTEGER NOT NULL,        -- 0 ok 1 error 2 unknown 3 timed-out 4 not-started 5 cancelled
  source  INTEGER NOT NULL,        -- 0 executed 1 re-executed 2 reconciled 3 surfaced
  at      INTEGER NOT NULL,        -- ms since 1970
  until   INTEGER NOT NULL,        -- a batch's deadline, or when the next attempt is due; 0: none
  payload BLOB,                    -- JSON, UTF-8
  crc     INTEGER NOT NULL,        -- CRC-32 of all of it, see row-checksum.ts
  PRIMARY KEY (run, seq)
) STRICT, WITHOUT ROWID;`;

/** Makes the tables unless another process was faster. To be called within a transaction. */
export function createTables(database: Database): void {
  if (readPragma(database, "application_id") === APPLICATION_ID) return;
  database.exec(`PRAGMA application_id = ${APPLICATION_ID}; PRAGMA user_version = ${SCHEMA_VERSION};${TABLES}`);
}

/** An integer that the file's header holds. */
export function readPragma(database: Database, name: "application_id" | "user_version" | "page_count"): number {
  return Number(database.prepare(`PRAGMA ${name}`).get([])?.[name] ?? 0);
}
