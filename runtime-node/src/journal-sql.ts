// Every statement that a journal's store makes, and how its numbers are read. A row is of a file that may be
// damaged: what no journal of ours has is an error.
import { corrupt } from "../../bindings/js/src/journal-errors.ts";
import { keyPath } from "../../bindings/js/src/run-key.ts";
import type { Database, SqlRow, Statement } from "./sqlite.ts";

/** A run's key as people know it. */
export function nameOfKey(run: string): string {
  return keyPath(run).join("/");
}

/** An integer of a row of this run. Throws `journal-corrupt`. */
export function integer(run: string, row: SqlRow, column: string): number {
  const value = row[column];
  const number = typeof value === "bigint" ? Number(value) : Number.NaN;
  if (Number.isSafeInteger(number) && number >= 0) return number;
  throw corrupt(nameOfKey(run), undefined, 0, `its ${column} is ${String(value)}`);
}

/** How many entries a run has. Throws `journal-corrupt` when there were more when its lease was last taken or given back. */
export function countEntries(sql: JournalSql, run: string, row: SqlRow): number {
  const entries = integer(run, sql.count.get([integer(run, row, "id")])!, "entries");
  const known = integer(run, row, "entries");
  if (entries >= known) return entries;
  throw corrupt(nameOfKey(run), undefined, entries, `it has ${entries} entries and had ${known}`);
}

/** The statements, prepared. */
export type JournalSql = ReturnType<typeof prepareSql>;

export function prepareSql(database: Database) {
  const prepare = (sql: string): Statement => database.prepare(sql);
  return {
    begin: prepare("BEGIN IMMEDIATE"),
    commit: prepare("COMMIT"),
    fence: prepare("SELECT run, fence, host FROM runs WHERE id = ?"),
    close: prepare("UPDATE runs SET closed = 1 WHERE id = ?"),
    run: prepare(
      `SELECT runs.id, runs.fence, runs.entries, runs.host, hosts.pid, hosts.started, hosts.machine, hosts.alive_until
       FROM runs LEFT JOIN hosts ON hosts.id = runs.host WHERE runs.run = ?`,
    ),
    count: prepare("SELECT coalesce(max(seq) + 1, 0) AS entries FROM entries WHERE run = ?"),
    create: prepare("INSERT INTO runs (run, fence, host, entries, closed) VALUES (?, 1, ?, 0, 0)"),
    take: prepare("UPDATE runs SET fence = fence + 1, host = ?, entries = ? WHERE id = ?"),
    free: prepare("UPDATE runs SET host = NULL, entries = ? WHERE id = ? AND fence = ? AND host = ?"),
    freeAll: prepare("UPDATE runs SET host = NULL WHERE host = ?"),
    alive: prepare(
      `INSERT INTO hosts VALUES (?, ?, ?, ?, ?)
       ON CONFLICT (id) DO UPDATE SET alive_until = excluded.alive_until`,
    ),
    forget: prepare("DELETE FROM hosts WHERE id = ?"),
    sweep: prepare(
      "DELETE FROM hosts WHERE alive_until < ? AND id NOT IN (SELECT host FROM runs WHERE host IS NOT NULL)",
    ),
    summaries: prepare(
      `SELECT runs.run, runs.closed, runs.host, hosts.pid, hosts.started, hosts.machine, hosts.alive_until,
         coalesce(last.seq + 1, 0) AS entries, coalesce(first.at, 0) AS opened_at, coalesce(last.at, 0) AS updated_at
       FROM runs
       LEFT JOIN hosts ON hosts.id = runs.host
       LEFT JOIN entries AS first ON first.run = runs.id AND first.seq = 0
       LEFT JOIN entries AS last ON last.run = runs.id
         AND last.seq = (SELECT max(seq) FROM entries WHERE run = runs.id)
       ORDER BY last.seq IS NULL, opened_at, runs.id`,
    ),
    dropEntries: prepare("DELETE FROM entries WHERE run = ?"),
    dropRun: prepare("DELETE FROM runs WHERE id = ?"),
  };
}
