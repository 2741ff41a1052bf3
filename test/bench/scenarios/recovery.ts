// What it takes to carry on after a crash: from opening the journal that a killed process left until the
// program has every outcome. Against the recovery that goes with the floor.
import { strict as assert } from "node:assert";
import { spawn } from "node:child_process";
import { cp, mkdir } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { openHandFile } from "../contenders/hand-file.ts";
import { openHoldfast } from "../contenders/holdfast.ts";
import type { Row } from "../report.ts";
import { interleave, microseconds } from "../rounds.ts";
import type { Scenario, Settings } from "../scenario.ts";
import { checkBatches, makeCalls, toolThatTakes, type WorkOutcome } from "../work.ts";

interface Crash {
  readonly of: string;
  readonly batches: number;
  readonly calls: number;
  readonly limit: number;
  /** Results before the tool hangs. */
  readonly results: number;
}

const CRASHES: readonly Crash[] = [
  { of: "batch of 1000, 500 settled", batches: 1, calls: 1000, limit: 10, results: 500 },
  // Started and settled of each call, and a plan per batch: 100,050 entries, nothing left to do but one call.
  { of: "100,000 entries", batches: 50, calls: 1000, limit: Number.POSITIVE_INFINITY, results: 49_999 },
];

const KINDS = [
  { kind: "hand", name: "by hand: p-limit + raw file", open: openHandFile },
  { kind: "holdfast", name: "Holdfast", open: openHoldfast },
] as const;

const ROUNDS_MAX = 7;

export const recovery: Scenario = async (settings) => {
  const rows: Row[] = [];
  for (const [i, crash] of CRASHES.entries())
    rows.push(...(await measure(crash, join(settings.folder, `crash-${i}`), settings)));
  return {
    scenario: "recovery",
    title: "Time to recover, from opening the journal to the last outcome",
    note: "The first finishes what is left, ten at once; the second has one call left and replays the others.",
    rows,
  };
};

async function measure(crash: Crash, folder: string, settings: Settings): Promise<readonly Row[]> {
  for (const { kind } of KINDS) await interrupt(kind, crash, join(folder, kind));
  const lanes = KINDS.map((one) => ({ name: one.name, measure: () => recover(one, crash, folder) }));
  return (await interleave(lanes, Math.min(settings.rounds, ROUNDS_MAX))).map(({ name, median, ratio, quartiles }) => ({
    of: crash.of,
    contender: name,
    value: median / 1000,
    unit: "ms",
    ratio,
    quartiles,
    ...(name === "Holdfast" ? { target: { of: "ratio" as const, atMost: 1.1 } } : {}),
  }));
}

/** Leaves in `folder` what a process leaves that is killed in the middle. */
async function interrupt(kind: string, crash: Crash, folder: string): Promise<void> {
  await mkdir(folder, { recursive: true });
  const program = fileURLToPath(new URL("interrupted.js", import.meta.url));
  const limit = Number.isFinite(crash.limit) ? String(crash.limit) : "all";
  const args = [kind, join(folder, "journal"), crash.batches, crash.calls, limit, crash.results].map(String);
  const child = spawn(process.execPath, [program, ...args], { stdio: ["ignore", "pipe", "inherit"] });
  let said = "";
  child.stdout.on("data", (chunk: Buffer) => {
    said += chunk.toString();
    if (said.includes("hangs")) child.kill("SIGKILL");
  });
  await new Promise((resolve) => child.on("exit", resolve));
  assert.match(said, /hangs/, "the process ended before it was killed");
}

let copies = 0;

/** Microseconds, on a fresh copy of the journal. */
async function recover({ kind, open }: (typeof KINDS)[number], crash: Crash, folder: string): Promise<number> {
  const copy = join(folder, `${kind}-${++copies}`);
  await cp(join(folder, kind), copy, { recursive: true });
  const given = Array.from({ length: crash.batches }, (_, batch) => makeCalls(`b${batch}`, crash.calls));
  const outcomes: (readonly WorkOutcome[])[] = [];
  let calls = 0;
  const finish = toolThatTakes(0);
  let close = async (): Promise<void> => {};
  const took = await microseconds(async () => {
    const opened = await open(join(copy, "journal"), (input) => {
      calls += 1;
      return finish(input);
    });
    const run = await opened.begin();
    for (const batch of given) outcomes.push(await run.batch(batch, crash.limit));
    close = async () => {
      await run.end();
      await opened.close();
    };
  });
  await close();
  checkBatches(given, outcomes);
  assert.equal(calls, crash.batches * crash.calls - crash.results, "what was settled is not called again");
  return took;
}
