// A cancelled run: its calls settle so many in a step, and none of them starts meanwhile. In the core alone.
import { describe, expect, test } from "vitest";
import type { Event } from "../../core/dist/glue.js";
import { BLANK, NONE } from "../../core/test/worlds.ts";
import { CoreWorld, many } from "./core-world.ts";

describe("h7.control_latency: a cancelled run", () => {
  const MANY = 5_000;
  const TOLD_MOST = 1_024;
  const STARTS_MOST = 64;

  /** So many wait, one runs; then what is said, and how many settle in each step until all have. */
  function settledBySteps(cancel: (world: CoreWorld) => void): number[] {
    const world = new CoreWorld({ concurrency: 1 });
    world.batch(many("c", MANY));
    cancel(world);
    const steps: number[] = [];
    for (let known = 0; world.ended.size > known; world.handle([])) {
      steps.push(world.ended.size - known);
      known = world.ended.size;
      expect(world.order).toEqual(["c0"]);
      expect(known < MANY - 1).toBe(world.wakeAt <= world.now); // there is more, at once
    }
    world.stopped("c0");
    world.runDown();
    for (const [name, { outcome }] of world.ended) expect([name, outcome]).toEqual([name, "cancelled"]);
    return steps;
  }

  test("settles its calls step by step and starts none of them, though permits come free", () => {
    const steps = settledBySteps((world) => {
      const roomForAll: Event = { ...BLANK, kind: "limit", slot: NONE, a: BigInt(MANY) };
      world.handle([{ ...BLANK, kind: "cancel", run: 0, slot: NONE }, roomForAll]);
    });
    expect(Math.max(...steps)).toBeLessThanOrEqual(TOLD_MOST + STARTS_MOST); // whoever would start is cancelled instead
    expect(steps.reduce((sum, settled) => sum + settled, 0)).toBe(MANY - 1);
  });

  test("control: calls that are cancelled one by one settle where they are", () => {
    const steps = settledBySteps((world) => {
      const events = many("c", MANY).map((_, slot) => ({ ...BLANK, kind: "cancel" as const, run: 0, slot }));
      world.handle(events);
    });
    expect(steps).toEqual([MANY - 1]);
  });

  test("is over when its program goes on without them, and another run may have its number", () => {
    const world = new CoreWorld({ concurrency: 1 });
    world.batch(many("c", MANY));
    world.event("cancel", { run: 0, slot: NONE });
    world.event("forget", { run: 0 });
    world.stopped("c0");
    expect(world.last?.actions.map(({ kind }) => kind)).toEqual(["released"]);
    world.core.open(BigInt(world.now), BigInt(world.wall), 0, false, [], []);
    world.batch(many("d", 3));
    expect(world.order).toEqual(["c0", "d0"]);
  });
});
