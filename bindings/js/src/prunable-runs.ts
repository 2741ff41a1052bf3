// Which runs may be deleted. A run and the runs inside it stay or go together: a child that is gone while
// its parent can still be recovered would be run a second time.
import type { RunSummary } from "./ports.ts";

/** The key of the outermost run that this one belongs to (keys are made in run-key.ts). */
function rootOf(run: string): string {
  const end = run.indexOf("/");
  return end === -1 ? run : run.slice(0, end);
}

/** Keys of the runs to delete, in the order given: all of their tree closed before this time (wall ms) and unleased. */
export function prunableRuns(runs: readonly RunSummary[], closedBefore: number): string[] {
  const kept = new Set<string>();
  for (const { run, closed, leased, updatedAt } of runs) {
    if (!closed || leased || updatedAt >= closedBefore) kept.add(rootOf(run));
  }
  return runs.filter(({ run }) => !kept.has(rootOf(run))).map(({ run }) => run);
}
