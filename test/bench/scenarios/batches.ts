// What a call costs in a batch whose tool does nothing: batches one after the other, of 1, 10, 100 and 1000
// calls, ten at once or all at once.

import type { Row } from "../report.ts";
import { interleave, microseconds } from "../rounds.ts";
import type { Scenario, Settings } from "../scenario.ts";
import { checkBatches, makeCalls, toolThatTakes, type WorkOutcome } from "../work.ts";
import { type Store, withStores } from "./stores.ts";

interface Case {
  readonly calls: number;
  readonly limit: number;
  /** Batches in a round: enough that a round is long against a hiccup. */
  readonly batches: number;
  /** Of Holdfast's ratio. */
  readonly target?: number;
}

const CASES: readonly Case[] = [
  { calls: 1, limit: 10, batches: 150, target: 1.2 },
  { calls: 10, limit: 10, batches: 60, target: 1.2 },
  { calls: 100, limit: 10, batches: 8, target: 1 },
  { calls: 1000, limit: 10, batches: 1, target: 1 },
  { calls: 100, limit: Number.POSITIVE_INFINITY, batches: 20 },
  { calls: 1000, limit: Number.POSITIVE_INFINITY, batches: 4, target: 4 },
];

export const batches: Scenario = async (settings) => {
  const rows: Row[] = [];
  for (const [i, one] of CASES.entries()) {
    const measured = await withStores(settings, `batches-${i}`, toolThatTakes(0), (stores) =>
      measure(stores, one, settings),
    );
    rows.push(...measured);
  }
  return {
    scenario: "batches",
    title: "Time per call, tools that return at once",
    note: "One batch after the other in one open run; opening and closing the run is not in it.",
    rows,
  };
};

async function measure(stores: readonly Store[], one: Case, settings: Settings): Promise<readonly Row[]> {
  const lanes = stores.map((store) => ({ name: store.contender.name, measure: () => perCall(store, one) }));
  const of = `${one.calls} ${one.calls === 1 ? "call" : "calls"}, ${Number.isFinite(one.limit) ? `limit ${one.limit}` : "all at once"}`;
  return (await interleave(lanes, settings.rounds)).map(({ name, median, ratio, quartiles }) => ({
    of,
    contender: name,
    value: median,
    unit: "µs",
    ratio,
    quartiles,
    ...(name === "Holdfast" && one.target !== undefined
      ? { target: { of: "ratio" as const, atMost: one.target } }
      : {}),
  }));
}

/** Microseconds per call. */
async function perCall({ opened }: Store, one: Case): Promise<number> {
  const run = await opened.begin();
  const given = Array.from({ length: one.batches }, (_, batch) => makeCalls(`b${batch}`, one.calls));
  const outcomes: (readonly WorkOutcome[])[] = [];
  const took = await microseconds(async () => {
    for (const calls of given) outcomes.push(await run.batch(calls, one.limit));
  });
  await run.end();
  checkBatches(given, outcomes);
  return took / (one.batches * one.calls);
}
