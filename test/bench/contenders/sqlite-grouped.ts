// p-limit and SQLite on the loop's own thread, with group commit by hand: everything of one turn of the
// loop is one transaction. The same promise as the floor. Each commit blocks the loop.
import { join } from "node:path";
import pLimit from "p-limit";
import type { BatchRun, Contender } from "../contender.ts";
import { errorOutcome, type WorkCall, type WorkOutcome, type WorkTool } from "../work.ts";
import { openSqlite, type Sqlite, type Statement } from "./sqlite.ts";

const TABLE = `CREATE TABLE IF NOT EXISTS entries
  (id INTEGER PRIMARY KEY, run INTEGER NOT NULL, kind TEXT NOT NULL, call TEXT, at INTEGER NOT NULL, payload TEXT) STRICT`;

type Row = readonly [run: number, kind: string, call: string | null, at: number, payload: string | null];

class GroupTable {
  readonly #sqlite: Sqlite;
  readonly #insert: Statement;
  #rows: Row[] = [];
  #waiting: { readonly resolve: () => void; readonly reject: (error: unknown) => void }[] = [];

  constructor(sqlite: Sqlite) {
    sqlite.exec(TABLE);
    this.#sqlite = sqlite;
    this.#insert = sqlite.prepare("INSERT INTO entries (run, kind, call, at, payload) VALUES (?, ?, ?, ?, ?)");
  }

  append(row: Row): Promise<void> {
    if (this.#rows.push(row) === 1) setImmediate(() => this.#commit());
    return new Promise((resolve, reject) => this.#waiting.push({ resolve, reject }));
  }

  close(): void {
    this.#sqlite.close();
  }

  #commit(): void {
    const [rows, waiting] = [this.#rows, this.#waiting];
    this.#rows = [];
    this.#waiting = [];
    try {
      this.#sqlite.exec("BEGIN IMMEDIATE");
      for (const row of rows) this.#insert.run(...row);
      this.#sqlite.exec("COMMIT");
      for (const { resolve } of waiting) resolve();
    } catch (error) {
      for (const { reject } of waiting) reject(error);
    }
  }
}

function begin(table: GroupTable, number: number, tool: WorkTool): BatchRun {
  async function carryOut(call: WorkCall): Promise<WorkOutcome> {
    await table.append([number, "started", call.id, Date.now(), null]);
    let outcome: WorkOutcome;
    try {
      outcome = { id: call.id, kind: "ok", value: await tool(call.input) };
    } catch (thrown) {
      outcome = errorOutcome(call.id, thrown);
    }
    await table.append([number, "settled", call.id, Date.now(), JSON.stringify(outcome)]);
    return outcome;
  }

  return {
    async batch(calls, limit) {
      const limited = pLimit(limit);
      const planned = table.append([number, "planned", null, Date.now(), JSON.stringify(calls)]);
      const outcomes = calls.map((call) => limited(carryOut, call));
      await planned;
      return Promise.all(outcomes);
    },
    end: async () => {},
  };
}

export const sqliteGrouped: Contender = {
  name: "p-limit + SQLite, group commit",
  keeps: "starts and results",
  async open(folder, tool) {
    const table = new GroupTable(openSqlite(join(folder, "grouped.db")));
    let runs = 0;
    return { begin: async () => begin(table, ++runs, tool), close: async () => table.close() };
  },
};
