// Holdfast as its users have it: the built package, a SQLite file, one tool. A run stays open for as many
// batches as are asked of it, like an agent that goes from turn to turn.
import { join } from "node:path";
import { openRuntime, type Run, tool } from "holdfast";
import type { BatchRun, Contender, Opened } from "../contender.ts";
import type { WorkCall, WorkOutcome, WorkTool } from "../work.ts";

/** No limit but the batch's own: the other contenders have no second one either. */
const CALLS_AT_ONCE = 1_000_000;

function tools(work: WorkTool) {
  return { work: tool({ effect: "idempotent", run: (input: WorkCall["input"]) => work(input) }) };
}
type BenchTools = ReturnType<typeof tools>;

/** A batch of calls as Holdfast takes it. */
export function batchOf(
  run: Run<BenchTools>,
  calls: readonly WorkCall[],
  limit: number,
): Promise<readonly WorkOutcome[]> {
  const options = Number.isFinite(limit) ? { concurrency: limit } : {};
  return run.batch(calls, options) as Promise<readonly WorkOutcome[]>;
}

export async function openBenchRuntime(path: string, work: WorkTool) {
  return openRuntime({ journal: path, tools: tools(work), limits: { concurrency: CALLS_AT_ONCE } });
}

export async function openHoldfast(path: string, work: WorkTool): Promise<Opened> {
  const runtime = await openBenchRuntime(path, work);
  let runs = 0;
  return {
    begin: () =>
      new Promise<BatchRun>((begun, failed) => {
        let finish!: () => void;
        const finished = new Promise<void>((resolve) => {
          finish = resolve;
        });
        const ended = runtime.run(`bench-${++runs}`, async (run) => {
          const end = async (): Promise<void> => {
            finish();
            await ended;
          };
          begun({ batch: (calls, limit) => batchOf(run, calls, limit), end });
          await finished;
        });
        // Before it has begun, that is why it has not; afterwards `end` reports it.
        ended.catch(failed);
      }),
    close: () => runtime.close(),
  };
}

export const holdfast: Contender = {
  name: "Holdfast",
  keeps: "starts and results",
  open: (folder, work) => openHoldfast(join(folder, "holdfast.db"), work),
};
