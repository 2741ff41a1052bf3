// Each check is proven able to fail: a fault is put into the worlds on purpose, and must be caught by a check
// that is meant for it. A fault that lives shows a checker that sees nothing.
import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { FAULTS } from "./faults.ts";
import { Broken } from "./ledger.ts";
import { worldPlan } from "./plan.ts";
import { World } from "./world.ts";

const SEED = 7;
const WORLDS_MOST = 2_000;

/** The check that catches the fault first, and in which world. */
async function caught(fault: (typeof FAULTS)[number]): Promise<{ rule: string; world: number }> {
  const plans = fc.sample(worldPlan, { numRuns: WORLDS_MOST, seed: SEED });
  for (const [world, plan] of plans.entries()) {
    try {
      await new World(plan, fault).live();
    } catch (error) {
      if (!(error instanceof Broken)) throw error;
      // A world may first break in a way that only follows from the fault; what is wanted is the check itself.
      if (fault.caughtBy.includes(error.rule)) return { rule: error.rule, world };
    }
  }
  return { rule: "nothing", world: WORLDS_MOST };
}

describe("a fault that is seeded is caught", () => {
  test.each(FAULTS.map((fault) => [fault.name, fault] as const))("%s", { timeout: 120_000 }, async (_, fault) => {
    const { rule } = await caught(fault);
    expect(fault.caughtBy).toContain(rule);
  });
});
