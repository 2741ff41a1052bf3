// Random worlds: programs, effects, retries, reconcilers, timeouts, deadlines and child runs, under crashes,
// lost and late writes, zombies, cancels and stepped clocks at any point. A world that fails shrinks, and
// fast-check prints its seed and what is left of it.
import * as fc from "fast-check";
import { test } from "vitest";
import { worldPlan } from "./plan.ts";
import { World } from "./world.ts";

/** `WORLDS=n SEED=s` for more, or for those that failed. */
const numRuns = Number(process.env.WORLDS ?? 1_500);
const seed = process.env.SEED === undefined ? {} : { seed: Number(process.env.SEED) };

test(`${numRuns} random worlds keep every promise`, { timeout: 3_600_000 }, async () => {
  await fc.assert(
    fc.asyncProperty(worldPlan, (plan) => new World(plan).live()),
    { numRuns, ...seed },
  );
});
