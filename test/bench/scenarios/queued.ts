// What a start costs when very many tasks wait: each scheduler's whole price per task with 100,000 queued,
// and how the price of one start grows with the queue. Tasks do nothing; ten run at once.
import { strict as assert } from "node:assert";
import { readFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import { rawHost } from "../core/raw-host.ts";
import type { Row } from "../report.ts";
import { interleave, microseconds } from "../rounds.ts";
import type { Scenario } from "../scenario.ts";
import { openHoldfastScheduler } from "../schedulers/holdfast.ts";
import { PEERS } from "../schedulers/peers.ts";
import type { Load, Scheduler } from "../schedulers/scheduler.ts";

const CONCURRENCY = 10;
const QUEUED = 100_000;
const LENGTHS = [1_000, 10_000, 100_000, 1_000_000];
/** p-queue takes seconds here, with priorities ten: a few rounds tell enough. */
const ROUNDS_MAX = 3;

const LOADS = [
  { name: "one line", mixed: false, priority: () => 5 },
  { name: "mixed priorities", mixed: true, priority: (i: number) => (i * 7) % 10 },
] as const;

/** The bench is bundled into test/bench/dist. */
const core = fileURLToPath(new URL("../../../core/dist/core.wasm", import.meta.url));

async function perTask(scheduler: Scheduler, most: Load): Promise<number> {
  const load = { ...most, tasks: Math.min(most.tasks, scheduler.tasksMax ?? most.tasks) };
  let done = 0;
  let running = 0;
  const task = async (): Promise<void> => {
    running += 1;
    assert.ok(running <= load.concurrency, `${scheduler.name} ran ${running} at once`);
    await undefined;
    running -= 1;
    done += 1;
  };
  const took = await microseconds(() => scheduler.drain(load, task));
  assert.equal(done, load.tasks);
  return took / load.tasks;
}

function nameOf({ name, tasksMax = QUEUED }: Scheduler): string {
  return tasksMax < QUEUED ? `${name}, ${tasksMax} queued` : name;
}

async function byScheduler(rounds: number): Promise<Row[]> {
  const ours = await openHoldfastScheduler();
  const rows: Row[] = [];
  for (const { name, mixed, priority } of LOADS) {
    const load = { tasks: QUEUED, concurrency: CONCURRENCY, priority };
    const lanes = [...PEERS, ours]
      .filter(({ priorities }) => priorities || !mixed)
      .map((scheduler) => ({ name: nameOf(scheduler), measure: () => perTask(scheduler, load) }));
    for (const { name: contender, median, ratio, quartiles } of await interleave(lanes, Math.min(rounds, ROUNDS_MAX))) {
      rows.push({ of: `${QUEUED} queued, ${name}`, contender, value: median, unit: "µs", ratio, quartiles });
    }
  }
  await ours.close?.();
  return rows;
}

/** µs per start of the core alone, by how many were queued at once; against the shortest queue. */
async function byLength(rounds: number): Promise<Row[]> {
  const wasm = new WebAssembly.Module(new Uint8Array(await readFile(core)));
  const lanes = LENGTHS.map((slots) => {
    const host = rawHost(new WebAssembly.Instance(wasm, {}).exports);
    return {
      name: `${slots}`,
      measure: async () => {
        const runs = Math.max(1, Math.ceil(100_000 / slots));
        const took = await microseconds(async () => {
          for (let run = 0; run < runs; run++) assert.equal(host.carryOut(slots, CONCURRENCY).calls, slots);
        });
        return took / (runs * slots);
      },
    };
  });
  const measured = await interleave(lanes, Math.min(rounds, ROUNDS_MAX));
  return measured.flatMap(({ name, median, ratio, quartiles }) => [
    { of: `${name} queued`, contender: "core alone", value: median, unit: "µs", target: { of: "value", atMost: 1 } },
    {
      of: `${name} queued`,
      contender: "to 1000 queued",
      value: median,
      unit: "µs",
      ratio,
      quartiles,
      target: { of: "ratio", atMost: 2 },
    },
  ]);
}

export const queued: Scenario = async ({ rounds }) => ({
  scenario: "queued",
  title: "What a start costs with a long queue",
  note: "The whole price of a task: queueing, starting, ending. bottleneck waits for a timer at every task, so it gets few. Ratios are to p-queue; the core's to its shortest queue.",
  rows: [...(await byScheduler(rounds)), ...(await byLength(rounds))],
});
