// The program of a simulated world: it makes the batches of its plan, in another order in each life, and
// tells the ledger what it was given.
import type { Outcome } from "../../bindings/js/src/outcome.ts";
import { essence } from "./ledger.ts";
import type { PlannedBatch } from "./plan.ts";
import type { World } from "./world.ts";

/** Matched by id, so the order is the program's own affair. */
function turned<T>(list: readonly T[], by: number): T[] {
  const at = by % list.length;
  return [...list.slice(at), ...list.slice(0, at)];
}

async function make(run: any, batch: PlannedBatch, life: number, withIds: boolean): Promise<Outcome[]> {
  const calls = turned(batch.calls, life).map(({ id, tool, timeoutMs }) => ({
    ...(withIds ? { id } : {}),
    tool,
    input: { of: "the same" },
    ...(timeoutMs === undefined ? {} : { timeoutMs }),
  }));
  const options = {
    ...(batch.concurrency === undefined ? {} : { concurrency: batch.concurrency }),
    ...(batch.deadlineMs === undefined ? {} : { deadlineMs: batch.deadlineMs }),
  };
  if (!batch.announce || !withIds) return run.batch(calls, options);
  await run.announce(calls, options);
  return Promise.all(calls.map(({ id }) => run.claim(id)));
}

/** Outcomes by id, without what only telemetry asks for. */
function summary(outcomes: readonly Outcome[]): string[] {
  return outcomes.map((outcome) => `${outcome.id} ${essence(outcome)}`).sort();
}

export function programOf(world: World, life: number): (run: any) => Promise<unknown> {
  return async (run) => {
    const all: string[] = [];
    for (const batch of world.plan.batches) {
      const outcomes = await make(run, batch, life, world.fault?.withoutIds !== true);
      const asked = turned(batch.calls, life).map(({ id }) => id);
      world.guarded(() => world.ledger.seen("r", asked, outcomes));
      all.push(...summary(outcomes));
    }
    return all;
  };
}

/** What a call of `agent` runs inside: two calls of its own. */
export function childOf(world: World, parent: string): (run: any) => Promise<unknown> {
  const ids = ["x", "y"].map((name) => `${parent}.${name}`);
  return async (run) => {
    const outcomes = await run.batch(
      ids.map((id, i) => ({ id, tool: i === 0 ? "work" : "pay", input: { of: parent } })),
    );
    world.guarded(() => world.ledger.seen(`r/${parent}`, ids, outcomes));
    return summary(outcomes);
  };
}
