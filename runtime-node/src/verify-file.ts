// Looks at everything in a journal's file without changing it: the file as SQLite sees it, the tables, and
// each run from its bits to its meaning. It takes no lease, so it may look while others write.
import type { Entry } from "../../bindings/js/src/entry.ts";
import { HoldfastError } from "../../bindings/js/src/errors.ts";
import { keyPath } from "../../bindings/js/src/run-key.ts";
import { EntryReader } from "./entry-reader.ts";
import { connectToRead } from "./journal-connection.ts";
import { createTables } from "./journal-schema.ts";
import { takeApart } from "./journal-wire.ts";
import { loadCore } from "./load-core.ts";
import { NUMBERS, RowChecksum } from "./row-checksum.ts";
import { type Database, openSqlite, type SqlRow, sqliteCode } from "./sqlite.ts";
import { journalError } from "./sqlite-errors.ts";
import type { JournalProblem, JournalReport } from "./verify-journal.ts";
import { judgeRun } from "./verify-run.ts";

/** Problems are counted to the end, and listed up to here: one bad page can mean thousands. */
const PROBLEMS_LISTED = 100;
const RESTORE = "Restore the file from a copy, or save what can be read: `sqlite3 <journal> .recover`.";
const OPEN_NOT = "Do not open this run; give its work a new run id, or restore the file from a copy.";
const CORRUPT = 11;
const NOTADB = 26;

/** Verifies a file. Throws JournalError when it cannot be looked at, or is no journal of this version. */
export function verifyFile(path: string): JournalReport {
  return new Verification(path).report();
}

class Verification {
  readonly #path: string;
  readonly #problems: JournalProblem[] = [];
  #problemCount = 0;
  #runs = 0;
  #entries = 0;

  constructor(path: string) {
    this.#path = path;
  }

  report(): JournalReport {
    let database: Database | undefined;
    try {
      database = connectToRead(this.#path);
      if (database !== undefined) this.#look(database);
    } catch (error) {
      this.#damaged(error);
    } finally {
      database?.close();
    }
    return {
      path: this.#path,
      ok: this.#problemCount === 0,
      runs: this.#runs,
      entries: this.#entries,
      problems: this.#problems,
      problemCount: this.#problemCount,
    };
  }

  #say(problem: JournalProblem): void {
    this.#problemCount += 1;
    if (this.#problems.length < PROBLEMS_LISTED) this.#problems.push(problem);
  }

  /** Damage is what we look for; anything else stops the looking. */
  #damaged(error: unknown): void {
    const cause = error instanceof HoldfastError && error.code === "journal-corrupt" ? error.cause : error;
    const code = sqliteCode(cause);
    if (code !== CORRUPT && code !== NOTADB) throw journalError(this.#path, "reading", error);
    this.#say({ of: "file", what: `SQLite cannot read on (${(cause as Error).message})`, next: RESTORE });
  }

  #look(database: Database): void {
    for (const row of database.prepare(`PRAGMA quick_check(${PROBLEMS_LISTED})`).all([])) {
      if (row.quick_check !== "ok") this.#say({ of: "file", what: String(row.quick_check), next: RESTORE });
    }
    if (!this.#lookAtTables(database)) return;
    const reader = new EntryReader(database);
    for (const row of database.prepare("SELECT * FROM runs ORDER BY id").all([])) {
      this.#runs += 1;
      try {
        this.#lookAtRun(reader, row, entriesIn(database, row));
      } catch (error) {
        this.#damaged(error);
      }
    }
    const strays = database.prepare("SELECT DISTINCT run FROM entries WHERE run NOT IN (SELECT id FROM runs)").all([]);
    for (const { run } of strays) {
      const what = `there are entries of a run with the number ${run}, and no such run`;
      this.#say({ of: "file", what, next: RESTORE });
    }
  }

  /** Are the tables the ones that we make? Without them there is nothing more to look at. */
  #lookAtTables(database: Database): boolean {
    const found = tablesIn(database);
    const wrong = [...tablesOfOurs()].filter(([name, sql]) => found.get(name) !== sql).map(([name]) => name);
    for (const table of wrong)
      this.#say({ of: "file", what: `the table ${table} is not as Holdfast makes it`, next: RESTORE });
    return wrong.length === 0;
  }

  #lookAtRun(reader: EntryReader, row: SqlRow, count: number): void {
    const run = String(row.run);
    const name = nameOf(run);
    const say = (what: string, entry?: number, slot?: number): void =>
      this.#say({
        of: "run",
        run,
        name,
        what,
        next: OPEN_NOT,
        ...(entry === undefined ? {} : { entry }),
        ...(slot === undefined ? {} : { slot }),
      });
    if (count < Number(row.entries)) say(`it has ${count} entries and had ${row.entries}`, count);
    const entries: Entry[] = [];
    const checksum = new RowChecksum(run);
    let sound = true;
    for (let from = 0; from < count; ) {
      const read = reader.try(Number(row.id), from, count, checksum);
      if ("numbers" in read) {
        from += read.numbers.length / NUMBERS;
        takeApart(read, entries);
        continue;
      }
      sound = false;
      for (const { seq, slot, why } of read) say(why, seq, slot);
      const next = read.at(-1)!.seq + 1;
      this.#entries += next - from - read.length;
      from = next;
    }
    this.#entries += entries.length;
    if (!sound) return;
    const facts = { fence: Number(row.fence), closed: row.closed === 1n };
    for (const { what, entry, slot } of judgeRun(name, facts, entries, loadCore())) say(what, entry, slot);
  }
}

function tablesIn(database: Database): ReadonlyMap<string, string> {
  const rows = database.prepare("SELECT name, sql FROM sqlite_schema").all([]);
  return new Map(rows.map(({ name, sql }) => [String(name), String(sql)]));
}

function tablesOfOurs(): ReadonlyMap<string, string> {
  const memory = openSqlite(":memory:");
  try {
    createTables(memory);
    return tablesIn(memory);
  } finally {
    memory.close();
  }
}

function entriesIn(database: Database, row: SqlRow): number {
  const counted = database.prepare("SELECT coalesce(max(seq) + 1, 0) AS entries FROM entries WHERE run = ?");
  return Number(counted.get([Number(row.id)])?.entries);
}

/** A key whose bits have flipped may be none. */
function nameOf(run: string): string {
  try {
    return keyPath(run).join("/");
  } catch (error) {
    if (error instanceof HoldfastError) return run;
    throw error;
  }
}
