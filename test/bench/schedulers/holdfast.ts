// Holdfast as a scheduler: the whole of it, with a journal that keeps nothing. Every task is a call with its
// id, its digest, its outcome; that is what it does beside waiting in line.
import { openRuntime, tool } from "holdfast";
import type { Load, Scheduler, Task } from "./scheduler.ts";

/** No more calls than this make a batch. */
const BATCH_CALLS_MAX = 100_000;

function callsOf(first: number, count: number, priority: Load["priority"]) {
  return Array.from({ length: count }, (_, n) => ({
    tool: "task" as const,
    input: first + n,
    priority: priority(first + n),
  }));
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
    priorities: true,
    async drain({ tasks, concurrency, priority }, task) {
      current = task;
      await runtime.run(`drain-${++runs}`, async (run) => {
        for (let first = 0; first < tasks; first += BATCH_CALLS_MAX) {
          await run.batch(callsOf(first, Math.min(tasks - first, BATCH_CALLS_MAX), priority), { concurrency });
        }
      });
      await runtime.prune({ olderThanMs: 0 });
    },
    close: () => runtime.close(),
  };
}
