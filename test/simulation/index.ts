// The simulation by hand: as many worlds as one wants, with progress, throughput and where the time goes. It
// ends with an error at the first world that breaks a promise, and says how to live that world again.
import { parseArgs } from "node:util";
import * as fc from "fast-check";
import { liveCoreWorlds } from "./core/run.ts";
import { worldPlan } from "./plan.ts";
import { World } from "./world.ts";

const { values } = parseArgs({
  options: {
    worlds: { type: "string", default: "1e6" },
    seed: { type: "string", default: String(Date.now() % 1_000_000) },
    from: { type: "string", default: "0" },
    driver: { type: "boolean", default: false },
  },
});
const [worlds, seed, from] = [values.worlds, values.seed, values.from].map(Number) as [number, number, number];
if (![worlds, seed, from].every(Number.isSafeInteger)) {
  console.error("simulate: --worlds, --seed and --from are integers");
  process.exit(2);
}

const began = performance.now();
const seconds = (): number => (performance.now() - began) / 1_000;
const rate = (lived: number): string => `${Math.round(lived / seconds()).toLocaleString("en")} worlds/s`;

function progress(lived: number): void {
  if (process.stdout.isTTY)
    process.stdout.write(`\r${lived.toLocaleString("en")} of ${worlds.toLocaleString("en")}, ${rate(lived)}   `);
  else console.log(`${lived.toLocaleString("en")} of ${worlds.toLocaleString("en")}, ${rate(lived)}`);
}

function liveCore(): void {
  const [chunk, sample] = [100_000, 20_000];
  let crossings = 0;
  for (let lived = 0; lived < worlds; lived += chunk) {
    const count = Math.min(chunk, worlds - lived);
    crossings += liveCoreWorlds(seed, from + lived, count).crossings;
    progress(lived + count);
  }
  console.log(
    `\n${worlds.toLocaleString("en")} worlds of seed ${seed} kept every promise: ${rate(worlds)}, ${(crossings / worlds).toFixed(1)} crossings each`,
  );
  const before = performance.now();
  const timed = liveCoreWorlds(seed, from, Math.min(sample, worlds), undefined, true);
  const share = timed.coreMs / (performance.now() - before);
  console.log(
    `where the time goes: ${Math.round(share * 100)} % inside the core, ${Math.round((1 - share) * 100)} % in the model and the crossing`,
  );
}

async function liveDriver(): Promise<void> {
  const chunk = 1_000;
  for (let lived = 0; lived < worlds; lived += chunk) {
    const numRuns = Math.min(chunk, worlds - lived);
    // Each chunk has a seed of its own, which fast-check prints with what is left of a world that fails.
    await fc.assert(
      fc.asyncProperty(worldPlan, (plan) => new World(plan).live()),
      { numRuns, seed: seed + lived },
    );
    progress(lived + numRuns);
  }
  console.log(`\n${worlds.toLocaleString("en")} worlds of core and driver kept every promise: ${rate(worlds)}`);
}

try {
  if (values.driver) await liveDriver();
  else liveCore();
} catch (error) {
  console.error(`\n${error instanceof Error ? error.message : String(error)}`);
  if (!values.driver) console.error(`once more: npm run simulate -- --seed ${seed} --from <world> --worlds 1`);
  process.exitCode = 1;
}
