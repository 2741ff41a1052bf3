// The curves of docs/limits.md: measures each, writes numbers and a picture into docs/limits, prints what
// it found. Run by hand: npm run bench:limits [-- memory,recovery].
import { mkdir, writeFile } from "node:fs/promises";
import { availableParallelism, cpus } from "node:os";
import { fileURLToPath } from "node:url";
import { concurrency } from "./concurrency.ts";
import { memory } from "./memory.ts";
import { type Chart, drawn } from "./picture.ts";
import { recovery } from "./recovery.ts";

/** What one measurement gives: its numbers, and pictures of them by file name. */
export interface Curve {
  readonly numbers: unknown;
  readonly charts: Readonly<Record<string, Chart>>;
}

/** The bench is bundled into test/bench/dist. */
const folder = fileURLToPath(new URL("../../../docs/limits/", import.meta.url));

await mkdir(folder, { recursive: true });
const machine = `Node ${process.version}, ${process.platform} ${process.arch}, ${cpus()[0]?.model ?? "?"} × ${availableParallelism()}`;
const curves = { concurrency, memory, recovery };
const only = process.argv[2]?.split(",") ?? Object.keys(curves);
for (const [name, measure] of Object.entries(curves).filter(([one]) => only.includes(one))) {
  const { numbers, charts } = await measure();
  await writeFile(`${folder}${name}.json`, `${JSON.stringify({ machine, measured: numbers }, null, 2)}\n`);
  for (const [file, chart] of Object.entries(charts)) await writeFile(`${folder}${file}.svg`, drawn(chart));
  process.stdout.write(`${name} ${JSON.stringify(numbers)}\n`);
}
