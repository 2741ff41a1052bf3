// p-queue and nothing else: the price of parallelism with a limit when a crash may lose everything.
import PQueue from "p-queue";
import type { Contender } from "../contender.ts";
import { errorOutcome, type WorkCall, type WorkOutcome, type WorkTool } from "../work.ts";

async function carryOut(call: WorkCall, tool: WorkTool): Promise<WorkOutcome> {
  try {
    return { id: call.id, kind: "ok", value: await tool(call.input) };
  } catch (thrown) {
    return errorOutcome(call.id, thrown);
  }
}

export const queue: Contender = {
  name: "p-queue, nothing durable",
  keeps: "nothing",
  async open(_folder, tool) {
    return {
      begin: async () => ({
        batch(calls, limit) {
          const limited = new PQueue({ concurrency: limit });
          return limited.addAll(calls.map((call) => () => carryOut(call, tool)));
        },
        end: async () => {},
      }),
      close: async () => {},
    };
  },
};
