// The bench: what the promise costs, against the same promise by hand. Run by hand, printed as tables:
//   npm run bench -- [--only batches,crowd] [--rounds 15] [--json] [--folder /on/that/disk]
import { mkdir, mkdtemp, rm } from "node:fs/promises";
import { availableParallelism, cpus, tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { asTable, met, type Report, verdict } from "./report.ts";
import type { Scenario } from "./scenario.ts";
import { batches } from "./scenarios/batches.ts";
import { coreCost } from "./scenarios/core-cost.ts";
import { crowd } from "./scenarios/crowd.ts";
import { makespan } from "./scenarios/makespan.ts";
import { queued } from "./scenarios/queued.ts";
import { recovery } from "./scenarios/recovery.ts";
import { sizes } from "./scenarios/sizes.ts";

const SCENARIOS: Readonly<Record<string, Scenario>> = {
  batches,
  crowd,
  makespan,
  recovery,
  core: coreCost,
  queued,
  sizes,
};

const { values } = parseArgs({
  options: {
    only: { type: "string", default: Object.keys(SCENARIOS).join(",") },
    rounds: { type: "string", default: "15" },
    folder: { type: "string", default: tmpdir() },
    json: { type: "boolean", default: false },
  },
});

function chosen(): readonly [string, Scenario][] {
  return values.only.split(",").map((name) => {
    const scenario = SCENARIOS[name];
    if (scenario === undefined) throw new Error(`--only ${name}: there are ${Object.keys(SCENARIOS).join(", ")}`);
    return [name, scenario];
  });
}

function rounds(): number {
  const count = Number(values.rounds);
  if (!Number.isInteger(count) || count < 1) throw new Error(`--rounds ${values.rounds}: a whole number from 1 on`);
  return count;
}

async function main(): Promise<void> {
  const scenarios = chosen();
  const settings = { rounds: rounds(), folder: "" };
  const machine = `Node ${process.version}, ${process.platform} ${process.arch}, ${cpus()[0]?.model ?? "?"} × ${availableParallelism()}`;
  const say = (text: string): boolean => (values.json ? process.stderr : process.stdout).write(`${text}\n`);
  say(`${machine}; medians of ${settings.rounds} interleaved rounds`);
  await mkdir(values.folder, { recursive: true });
  const reports: Report[] = [];
  for (const [, scenario] of scenarios) {
    const folder = await mkdtemp(join(values.folder, "holdfast-bench-"));
    try {
      const report = await scenario({ ...settings, folder });
      reports.push(report);
      if (!values.json) say(asTable(report));
    } finally {
      await rm(folder, { recursive: true, force: true });
    }
  }
  if (values.json) process.stdout.write(`${JSON.stringify({ machine, rounds: settings.rounds, reports }, null, 2)}\n`);
  else say(summary(reports));
}

function summary(reports: readonly Report[]): string {
  const aimed = reports.flatMap(({ rows }) => rows.filter((row) => row.target !== undefined));
  const missed = aimed
    .filter((row) => !met(row))
    .map(
      (row) =>
        `\n  ${row.of}, ${row.contender}: ${(row.target?.of === "ratio" ? row.ratio! : row.value).toFixed(2)}, ${verdict(row)}`,
    );
  return `\n${aimed.length - missed.length} of ${aimed.length} targets met${missed.length > 0 ? `; missed:${missed.join("")}` : ""}`;
}

await main();
