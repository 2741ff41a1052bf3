// Holdfast as a scheduler: the whole of it, with a journal that keeps nothing. Every task is a call with its
// id, its digest, its outcome; that is what it does beside waiting in line.
import { openRuntime, tool } from "holdfast";
import type { Scheduler, Task } from "./scheduler.ts";

/** No more calls than this make a batch. */
const BATCH_CALLS_MAX = 100_000;

function callsOf(tasks: number) {
  return Array.from({ length: tasks }, (_, n) => ({ tool: "task" as const, input: n }));
}

export async function openHoldfastScheduler(): Promise<Scheduler> {
  let current: Task = async () => {};
  const runtime = await openRuntime({
    journal: "memory",
    tools: { task: tool({ effect: "idempotent", run: (_n: number) => current() }) },
    limits: { concurrency: 1_000_000 },
  });
  let runs = 0;
  return {
    name: "Holdfast, whole",
    priorities: false,
    async drain({ tasks, concurrency }, task) {
      current = task;
      await runtime.run(`drain-${++runs}`, async (run) => {
        for (let left = tasks; left > 0; left -= BATCH_CALLS_MAX) {
          await run.batch(callsOf(Math.min(left, BATCH_CALLS_MAX)), { concurrency });
        }
      });
      await runtime.prune({ olderThanMs: 0 });
    },
    close: () => runtime.close(),
  };
}
