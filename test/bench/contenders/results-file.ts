// p-limit and a raw file that makes only results durable: after a crash nobody knows what had begun.
import { join } from "node:path";
import pLimit from "p-limit";
import type { Contender } from "../contender.ts";
import { errorOutcome, type WorkCall, type WorkOutcome, type WorkTool } from "../work.ts";
import { GroupFile } from "./group-file.ts";

async function carryOut(call: WorkCall, tool: WorkTool, file: GroupFile): Promise<WorkOutcome> {
  let outcome: WorkOutcome;
  try {
    outcome = { id: call.id, kind: "ok", value: await tool(call.input) };
  } catch (thrown) {
    outcome = errorOutcome(call.id, thrown);
  }
  await file.append(JSON.stringify({ kind: "settled", at: Date.now(), outcome }));
  return outcome;
}

export const resultsFile: Contender = {
  name: "p-limit + raw file, results only",
  keeps: "results",
  async open(folder, tool) {
    const file = await GroupFile.open(join(folder, "results.jsonl"));
    return {
      begin: async () => ({
        batch(calls, limit) {
          const limited = pLimit(limit);
          return Promise.all(calls.map((call) => limited(carryOut, call, tool, file)));
        },
        end: async () => {},
      }),
      close: () => file.close(),
    };
  },
};
