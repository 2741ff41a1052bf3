// The floor: the same promise by hand on a raw file, with p-limit. The plan and each start are durable
// before the call, each outcome before it is seen; it recovers from its file. JSON lines.
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import pLimit from "p-limit";
import type { BatchRun, Contender, Opened } from "../contender.ts";
import { errorOutcome, type WorkCall, type WorkOutcome, type WorkTool } from "../work.ts";
import { GroupFile } from "./group-file.ts";

type Line =
  | { readonly kind: "planned"; readonly calls: readonly WorkCall[] }
  | { readonly kind: "started"; readonly id: string; readonly at: number }
  | { readonly kind: "settled"; readonly at: number; readonly outcome: WorkOutcome };

/** What a file says of the runs before. */
interface Known {
  readonly planned: ReadonlySet<string>;
  readonly settled: ReadonlyMap<string, WorkOutcome>;
}

/** Opens a file, empty or left by a crash, and carries on from what it says. */
export async function openHandFile(path: string, tool: WorkTool): Promise<Opened> {
  const known = await readKnown(path);
  const file = await GroupFile.open(path);
  return { begin: async () => run(file, known, tool), close: () => file.close() };
}

function run(file: GroupFile, known: Known, tool: WorkTool): BatchRun {
  const append = (line: Line): Promise<void> => file.append(JSON.stringify(line));

  async function carryOut(call: WorkCall): Promise<WorkOutcome> {
    await append({ kind: "started", id: call.id, at: Date.now() });
    const outcome = await callTool(call, tool);
    await append({ kind: "settled", at: Date.now(), outcome });
    return outcome;
  }

  return {
    async batch(calls, limit) {
      const limited = pLimit(limit);
      // The first starts come in this same turn and share the plan's group, so none waits for it here.
      const planned = calls.every(({ id }) => known.planned.has(id)) ? undefined : append({ kind: "planned", calls });
      const outcomes = calls.map((call) => known.settled.get(call.id) ?? limited(carryOut, call));
      await planned;
      return Promise.all(outcomes);
    },
    end: async () => {},
  };
}

async function callTool(call: WorkCall, tool: WorkTool): Promise<WorkOutcome> {
  try {
    return { id: call.id, kind: "ok", value: await tool(call.input) };
  } catch (thrown) {
    return errorOutcome(call.id, thrown);
  }
}

/** The tool is idempotent: what was started and not settled is called again, like what never started. */
async function readKnown(path: string): Promise<Known> {
  const planned = new Set<string>();
  const settled = new Map<string, WorkOutcome>();
  for (const text of (await readIfThere(path)).split("\n").slice(0, -1)) {
    const line = JSON.parse(text) as Line;
    if (line.kind === "planned") for (const { id } of line.calls) planned.add(id);
    else if (line.kind === "settled") settled.set(line.outcome.id, line.outcome);
  }
  return { planned, settled };
}

async function readIfThere(path: string): Promise<string> {
  try {
    return await readFile(path, "utf8");
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return "";
    throw error;
  }
}

export const handFile: Contender = {
  name: "by hand: p-limit + raw file",
  keeps: "starts and results",
  open: (folder, tool) => openHandFile(join(folder, "journal.jsonl"), tool),
};
