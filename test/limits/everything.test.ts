// All mechanisms at once, and whatever can happen: each call that was asked for comes to exactly one outcome once the
// owner lets everything go, and then nothing is held any more. What no test of a single mechanism would meet.
import * as fc from "fast-check";
import { expect, test } from "vitest";
import { FAULTS, faultyCore } from "./circle-cores.ts";
import { type Other, playEverything, type Told } from "./everything-world.ts";

const WORLDS = Number(process.env.WORLDS ?? 500);
const SEED = Number(process.env.SEED ?? 1);

function each(worlds: number, look: (told: Told, given: readonly number[]) => void, other: Other = {}): void {
  const numbers = fc.array(fc.nat(5039), { minLength: 100, maxLength: 500 });
  void fc.assert(
    fc.property(numbers, (given) => look(playEverything(given, other), given)),
    { numRuns: worlds, seed: SEED, endOnFailure: process.env.SHRINK === undefined },
  );
}

test("adv.everything: no call is lost or told twice, in the end nothing is held, and once more it is the same", () => {
  const kinds = new Set<string>();
  const ends = new Set<string>();
  let played = 0;
  each(WORLDS, ({ limits, starts, outcomes }, given) => {
    for (const { kind } of limits) kinds.add(kind);
    for (const one of outcomes) ends.add(one.slice(one.indexOf(" ") + 1));
    if (played++ % 10 > 0) return;
    const again = playEverything(given);
    expect({ starts: again.starts, outcomes: again.outcomes }).toEqual({ starts, outcomes });
  });
  // They have met what they were to meet.
  expect(kinds.size).toBe(12);
  for (const reason of ["overloaded", "budget", "deadline", "start-within", "too-large"])
    expect(ends).toContain(`not-started ${reason}`);
  for (const reason of ["circuit-open", "would-deadlock", "rate-limited-beyond-deadline"])
    expect(ends).toContain(`error ${reason}`);
  for (const end of ["ok none", "cancelled none", "cancelled preempted", "timed-out none", "unknown none"])
    expect(ends).toContain(end);
});

test("adv.everything, the control: with a core that sees no circles calls are lost", async () => {
  const blind = { core: await faultyCore(), seed: 1 + Object.keys(FAULTS).indexOf("blind") };
  const lost = expect.objectContaining({ message: expect.stringContaining("has no outcome") });
  expect(() => each(WORLDS, () => {}, blind)).toThrow(expect.objectContaining({ cause: lost }));
});
