// Reads the entries of a run from a SQLite journal of ours, by its documented table and with whatever SQLite
// this machine has. It shares no line with the hosts that write it.

export interface JournalEntry {
  readonly kind: string;
  readonly slot: number;
  readonly count: number;
  readonly attempt: number;
  readonly outcome: string;
  readonly source: string;
}

const KINDS = ["run-opened", "planned", "started", "attempt-failed", "settled", "late", "run-closed"];
const OUTCOMES = ["ok", "error", "unknown", "timed-out", "not-started", "cancelled"];
const SOURCES = ["executed", "re-executed", "reconciled", "surfaced"];

type Row = Readonly<Record<"kind" | "slot" | "count" | "attempt" | "outcome" | "source", number>>;

interface Database {
  prepare(sql: string): { all(...values: unknown[]): unknown[] };
  close(): void;
}

/** `node:sqlite` where there is one, libsql otherwise; undefined where there is neither. */
async function openDatabase(path: string): Promise<Database | undefined> {
  const builtin: string = "node:sqlite"; // not there in every Node: the compiler must not look for it
  try {
    const { DatabaseSync } = (await import(builtin)) as {
      DatabaseSync: new (path: string, options: object) => Database;
    };
    return new DatabaseSync(path, { readOnly: true });
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "ERR_UNKNOWN_BUILTIN_MODULE") throw error;
  }
  const peer: string = "libsql";
  try {
    const { default: Libsql } = (await import(peer)) as { default: new (path: string, options: object) => Database };
    return new Libsql(path, { readonly: true });
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "ERR_MODULE_NOT_FOUND") throw error;
    return undefined;
  }
}

/** The entries of a run, in order; undefined when this machine cannot read SQLite. */
export async function readJournalFile(path: string, run: string): Promise<readonly JournalEntry[] | undefined> {
  const database = await openDatabase(path);
  if (database === undefined) return undefined;
  try {
    const rows = database
      .prepare(
        `SELECT e.kind, e.slot, e.count, e.attempt, e.outcome, e.source
           FROM entries e JOIN runs r ON r.id = e.run WHERE r.run = ? ORDER BY e.seq`,
      )
      .all(run) as Row[];
    return rows.map((row) => ({
      kind: KINDS[row.kind] ?? `kind ${row.kind}`,
      slot: row.slot,
      count: row.count,
      attempt: row.attempt,
      outcome: OUTCOMES[row.outcome] ?? `outcome ${row.outcome}`,
      source: SOURCES[row.source] ?? `source ${row.source}`,
    }));
  } finally {
    database.close();
  }
}
