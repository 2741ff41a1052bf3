// The floor with every trick: a call gives its place back when it ends, not when its outcome is durable, so
// the next starts share that commit; and O_DSYNC makes a write durable in one trip to the thread pool.
import { join } from "node:path";
import pLimit from "p-limit";
import type { BatchRun, Contender } from "../contender.ts";
import { errorOutcome, type WorkCall, type WorkOutcome, type WorkTool } from "../work.ts";
import { GroupFile } from "./group-file.ts";

function run(file: GroupFile, tool: WorkTool): BatchRun {
  const append = (line: unknown): Promise<void> => file.append(JSON.stringify(line));

  async function call(one: WorkCall): Promise<WorkOutcome> {
    await append({ kind: "started", id: one.id, at: Date.now() });
    try {
      return { id: one.id, kind: "ok", value: await tool(one.input) };
    } catch (thrown) {
      return errorOutcome(one.id, thrown);
    }
  }

  async function settle(called: Promise<WorkOutcome>): Promise<WorkOutcome> {
    const outcome = await called;
    await append({ kind: "settled", at: Date.now(), outcome });
    return outcome;
  }

  return {
    async batch(calls, limit) {
      const limited = pLimit(limit);
      const planned = append({ kind: "planned", calls });
      const outcomes = calls.map((one) => settle(limited(call, one)));
      await planned;
      return Promise.all(outcomes);
    },
    end: async () => {},
  };
}

export const handTuned: Contender = {
  name: "by hand, tuned: frees early, O_DSYNC",
  keeps: "starts and results",
  async open(folder, tool) {
    const file = await GroupFile.open(join(folder, "journal.jsonl"), { dsync: true });
    return { begin: async () => run(file, tool), close: () => file.close() };
  },
};
