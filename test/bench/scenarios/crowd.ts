// Many agents at once: 64 runs, each with a batch of 10, all at the same time in one store.
import { interleave, microseconds } from "../rounds.ts";
import type { Scenario } from "../scenario.ts";
import { checkBatches, makeCalls, toolThatTakes } from "../work.ts";
import { type Store, withStores } from "./stores.ts";

const RUNS = 64;
const CALLS = 10;

export const crowd: Scenario = (settings) =>
  withStores(settings, "crowd", toolThatTakes(0), async (stores) => {
    const lanes = stores.map((store) => ({ name: store.contender.name, measure: () => perCall(store) }));
    return {
      scenario: "crowd",
      title: `Time per call, ${RUNS} runs with a batch of ${CALLS} each, at the same time`,
      note: "Tools that return at once. Groups of all runs may share a commit.",
      rows: (await interleave(lanes, settings.rounds)).map(({ name, median, ratio, quartiles }) => ({
        of: `${RUNS} × ${CALLS}`,
        contender: name,
        value: median,
        unit: "µs",
        ratio,
        quartiles,
      })),
    };
  });

let crowds = 0;

/** Microseconds per call. */
async function perCall({ opened }: Store): Promise<number> {
  crowds += 1;
  const runs = await Promise.all(Array.from({ length: RUNS }, () => opened.begin()));
  const given = runs.map((_, i) => makeCalls(`crowd${crowds}-${i}`, CALLS));
  let outcomes: Awaited<ReturnType<(typeof runs)[number]["batch"]>>[] = [];
  const took = await microseconds(async () => {
    outcomes = await Promise.all(runs.map((run, i) => run.batch(given[i]!, CALLS)));
  });
  await Promise.all(runs.map((run) => run.end()));
  checkBatches(given, outcomes);
  return took / (RUNS * CALLS);
}
