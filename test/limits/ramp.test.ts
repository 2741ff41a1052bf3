// O5: whatever shut a scope, it starts slowly: one call before the first has ended, at most 2^n − 1 before the
// n-th round has. In the core alone; beside each the same with the slow start off.
import { describe, expect, test } from "vitest";
import type { Call, Entry } from "../../core/dist/glue.js";
import { CoreWorld, limit, many, noRamp, SECOND } from "./core-world.ts";

const QUEUED = 10_000;
const SIZE = 64;
const CALL: Call = {
  idHigh: 0n,
  idLow: 0n,
  inputHigh: 0n,
  inputLow: 0n,
  runFor: 0n,
  deadline: 0n,
  tool: 0,
  ready: 0,
  effect: "read",
  reconciles: false,
  readyOutcome: "ok",
  terms: 0,
};

/** What the journal says of a call of tool 0. */
function recall(world: CoreWorld, ...entries: Partial<Entry>[]): void {
  const rows = entries.map(
    (entry): Entry => ({
      kind: "planned",
      outcome: "ok",
      source: "executed",
      run: 0,
      slot: 0,
      count: 0,
      attempt: 1,
      payload: 0,
      at: BigInt(world.wall),
      until: 0n,
      reason: "none",
      scope: "runtime",
      number: 0,
      ...entry,
    }),
  );
  world.core.recall(BigInt(world.now), BigInt(world.wall), rows, [CALL], [], [], []);
}

const NOBODY = 0xffffffff;
const breaker = limit("breaker", { size: 4, per: 10 * SECOND, a: 500, b: 3 * SECOND, meter: 1, mode: 1 });

interface Way {
  readonly breaks?: boolean;
  readonly size?: number;
  /** Shuts a scope while calls wait, and opens it again. */
  readonly around: (world: CoreWorld, ask: () => void) => void;
}

const ways: Readonly<Record<string, Way>> = {
  "a 429": {
    around(world, ask) {
      world.batch([{ name: "first" }]);
      world.overloaded("first", SECOND);
      ask();
      world.pass(2 * SECOND);
    },
  },
  "a breaker that closes": {
    breaks: true,
    around(world, ask) {
      world.batch(many("bad", 4));
      for (let i = 0; i < 4; i++) world.fail(`bad${i}`);
      ask();
      world.pass(3 * SECOND);
      world.ok([...world.running][0] as string); // its probe
    },
  },
  "a pause by hand": {
    around(world, ask) {
      world.event("pause", { slot: NOBODY });
      ask();
      world.event("unpause", { slot: NOBODY });
    },
  },
  "a pause for a time": {
    around(world, ask) {
      world.event("pause", { slot: NOBODY, a: BigInt(SECOND) });
      ask();
      world.pass(2 * SECOND);
    },
  },
  "a limit raised from 0": {
    size: 0,
    around(world, ask) {
      ask();
      world.setLimit("runtime", 0, SIZE);
    },
  },
  "a restart with ten thousand left unfinished": {
    around(world, ask) {
      recall(world, { count: QUEUED });
      ask();
    },
  },
  "a restart while the outside wants rest": {
    around(world, ask) {
      const until = BigInt(world.wall + 1_000);
      recall(world, { kind: "attempt-failed", outcome: "error", reason: "overloaded", scope: "tool", until });
      ask();
      world.pass(SECOND);
    },
  },
  "a restart with an open breaker": {
    breaks: true,
    around(world, ask) {
      recall(world, ...Array<Partial<Entry>>(4).fill({ kind: "settled", outcome: "error" }));
      ask();
      world.pass(3 * SECOND);
      world.ok([...world.running][0] as string); // its probe
    },
  },
};

/** Starts after it was opened again, before each round has ended. */
function rounds({ breaks = false, size = SIZE, around }: Way, ramp: boolean): number[] {
  const limits = [...(breaks ? [breaker] : []), ...(ramp ? [] : noRamp({ scope: "runtime" }, { scope: "tool" }))];
  const world = new CoreWorld({ concurrency: size, limits });
  around(world, () => world.batch(many("c", QUEUED)));
  const before = world.order.length - world.running.size;
  const counted: number[] = [];
  for (let round = 0; round < 8; round++) {
    world.drain();
    counted.push(world.order.length - before);
    world.allOk([...world.running]);
  }
  expect(world.running.size).toBe(SIZE);
  return counted;
}

describe("h10.ramp", () => {
  test.each(Object.entries(ways))("after %s", (_, way) => {
    const slow = rounds(way, true);
    expect(slow[0]).toBe(1);
    for (const [n, starts] of slow.entries()) expect(starts).toBeLessThanOrEqual(2 ** (n + 1) - 1);
    // The control.
    expect(rounds(way, false)[0]).toBe(SIZE);
  });

  test("a restart with no more left than may run at once is no crowd: they start together", () => {
    const world = new CoreWorld({ concurrency: SIZE });
    recall(world, { count: SIZE });
    world.batch(many("c", SIZE));
    expect(world.running.size).toBe(SIZE);
    world.runDown();
  });

  test("how many were left is summed over runs, and a scope without a bound counts as one step", () => {
    const world = new CoreWorld({ concurrency: 0xffffffff });
    for (let run = 0; run < 65; run++) recall(world, { count: 1 });
    world.batch(many("c", 65));
    expect(world.running.size).toBe(1);
    world.runDown();
  });
});
