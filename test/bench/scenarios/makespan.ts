// How long a batch of slow calls takes against the best that is possible: 100 calls of 20 ms, ten at once,
// is ten waves of 20 ms.
import { interleave, microseconds } from "../rounds.ts";
import type { Scenario } from "../scenario.ts";
import { checkOutcomes, makeCalls, toolThatTakes, type WorkOutcome } from "../work.ts";
import { type Store, withStores } from "./stores.ts";

const CALLS = 100;
const CALL_MS = 20;
const LIMIT = 10;
const IDEAL_US = (CALLS / LIMIT) * CALL_MS * 1000;

export const makespan: Scenario = (settings) =>
  withStores(settings, "makespan", toolThatTakes(CALL_MS), async (stores) => {
    const lanes = stores.map((store) => ({ name: store.contender.name, measure: () => ofIdeal(store) }));
    return {
      scenario: "makespan",
      title: `Makespan of ${CALLS} calls of ${CALL_MS} ms, ${LIMIT} at once, in parts of the ideal ${IDEAL_US / 1000} ms`,
      note: "A timer fires late, never early: p-queue, which keeps nothing, shows how near one can come.",
      rows: (await interleave(lanes, settings.rounds)).map(({ name, median, ratio, quartiles }) => ({
        of: `${CALLS} × ${CALL_MS} ms`,
        contender: name,
        value: median,
        unit: "of ideal",
        ratio,
        quartiles,
        ...(name === "Holdfast" ? { target: { of: "value" as const, atMost: 1.02 } } : {}),
      })),
    };
  });

async function ofIdeal({ opened }: Store): Promise<number> {
  const run = await opened.begin();
  const calls = makeCalls("slow", CALLS);
  let outcomes: readonly WorkOutcome[] = [];
  const took = await microseconds(async () => {
    outcomes = await run.batch(calls, LIMIT);
  });
  await run.end();
  checkOutcomes(calls, outcomes);
  return took / IDEAL_US;
}
