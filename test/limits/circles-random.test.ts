// Circles in random worlds, held against a search through all that could still happen (circle-oracle.ts): nobody is refused
// who could ever start, whoever waits in a circle is told in the step that closes it, and nothing hangs. Cores that do not
// look, or look badly, are caught.
import * as fc from "fast-check";
import { beforeAll, describe, expect, test } from "vitest";
import { FAULTS, faultyCore } from "./circle-cores.ts";
import type { Circle } from "./circle-oracle.ts";
import { play, scene } from "./circle-play.ts";

const WORLDS = { numRuns: 400, seed: 12 };
/** Enough of them to catch a bad core. */
const SOME = fc.sample(scene, { ...WORLDS, numRuns: 100 });

/** What it is made of, how deep, and whether it is two. */
function kindsOf({ lacks, depth, isTwo }: Circle): string[] {
  const wants = new Set([...lacks.values()].flatMap((names) => [...names].map((name) => name === "lock")));
  const made = wants.size === 2 ? "mixed" : wants.has(true) ? "keys" : "permits";
  return [made, ...(depth >= 3 ? ["deep"] : []), ...(isTwo ? ["two"] : [])];
}

/** In how many worlds a core is caught, and at what. */
function caught(seed: number, core: WebAssembly.Module): Record<"alarms" | "misses" | "others", number> {
  const found = { alarms: 0, misses: 0, others: 0 };
  for (const one of SOME) {
    try {
      if (play(one, { core, seed }).hanging.length > 0) found.misses++;
    } catch (error) {
      if (/could have|is in no circle/.test(String(error))) found.alarms++;
      else if (/nobody was told/.test(String(error))) found.misses++;
      else found.others++;
    }
  }
  return found;
}

describe("h1.nested.no_deadlock in random worlds", () => {
  test("no false alarm, no miss, the promised one is told, and nothing hangs; circles of all kinds occur", () => {
    const kinds: Record<string, number> = {};
    let overs = 0;
    void fc.assert(
      fc.property(scene, (one) => {
        const world = play(one);
        expect(world.hanging).toEqual([]);
        expect({ ...world.standing, comparisons: 0n }).toMatchObject({ inUse: 0, queued: 0, locks: 0 });
        for (const kind of world.circles.flatMap(kindsOf)) kinds[kind] = (kinds[kind] ?? 0) + 1;
        overs += world.overs;
      }),
      { ...WORLDS, endOnFailure: false },
    );
    for (const kind of ["permits", "keys", "mixed", "deep", "two"])
      expect(kinds[kind] ?? 0, `${kind} of ${JSON.stringify({ ...kinds, overs })}`).toBeGreaterThanOrEqual(5);
  });

  describe("the controls", () => {
    let core: WebAssembly.Module;
    beforeAll(async () => {
      core = await faultyCore();
    });
    const seedOf = (fault: keyof typeof FAULTS): number => Object.keys(FAULTS).indexOf(fault) + 1;

    test("compiled so, without a fault it is caught at nothing", () => {
      expect(caught(0, core)).toEqual({ alarms: 0, misses: 0, others: 0 });
    });

    test("where nobody looks, the same worlds hang", () => {
      const hanging = SOME.filter(
        (one) => play(one, { core, seed: seedOf("blind"), judged: false }).hanging.length > 0,
      );
      expect(hanging.length).toBeGreaterThan(20);
      expect(caught(seedOf("blind"), core)).toMatchObject({ alarms: 0, others: 0 });
    });

    test.each(["suspicious", "deaf"] as const)("one that is %s gives false alarms", (fault) => {
      expect(caught(seedOf(fault), core)).toMatchObject({
        alarms: expect.toSatisfy((count: number) => count > 0),
        misses: 0,
      });
    });

    test.each(["strict", "forgetful"] as const)("one that is %s leaves some waiting", (fault) => {
      expect(caught(seedOf(fault), core)).toMatchObject({
        alarms: 0,
        misses: expect.toSatisfy((count: number) => count > 0),
      });
    });

    test("one that is unfair tells somebody else", () => {
      const { alarms, misses, others } = caught(seedOf("unfair"), core);
      expect({ alarms, misses }).toEqual({ alarms: 0, misses: 0 });
      expect(others).toBeGreaterThan(0);
    });
  });
});
