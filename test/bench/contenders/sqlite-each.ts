// p-limit and SQLite with one commit per result: what people write. After a crash nobody knows what had
// begun, and each commit blocks the loop.
import { join } from "node:path";
import pLimit from "p-limit";
import type { Contender } from "../contender.ts";
import { errorOutcome, type WorkCall, type WorkOutcome, type WorkTool } from "../work.ts";
import { openSqlite, type Statement } from "./sqlite.ts";

const TABLE =
  "CREATE TABLE IF NOT EXISTS results (run INTEGER, call TEXT, at INTEGER, outcome TEXT, PRIMARY KEY (run, call)) STRICT";

async function carryOut(call: WorkCall, run: number, tool: WorkTool, insert: Statement): Promise<WorkOutcome> {
  let outcome: WorkOutcome;
  try {
    outcome = { id: call.id, kind: "ok", value: await tool(call.input) };
  } catch (thrown) {
    outcome = errorOutcome(call.id, thrown);
  }
  insert.run(run, call.id, Date.now(), JSON.stringify(outcome));
  return outcome;
}

export const sqliteEach: Contender = {
  name: "p-limit + SQLite, commit per result",
  keeps: "results",
  async open(folder, tool) {
    const sqlite = openSqlite(join(folder, "each.db"));
    sqlite.exec(TABLE);
    const insert = sqlite.prepare("INSERT INTO results (run, call, at, outcome) VALUES (?, ?, ?, ?)");
    let runs = 0;
    return {
      begin: async () => {
        const run = ++runs;
        return {
          batch(calls, limit) {
            const limited = pLimit(limit);
            return Promise.all(calls.map((call) => limited(carryOut, call, run, tool, insert)));
          },
          end: async () => {},
        };
      },
      close: async () => sqlite.close(),
    };
  },
};
