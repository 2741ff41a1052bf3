// The promise, where it counts: a process that carries a turn of twenty calls is killed with SIGKILL at
// every append to its journal, just before it, while it is under way, and between its being durable and
// anybody knowing. Another process goes on, and the outside must have seen what was promised.
import { describe, expect, test } from "vitest";
import { begunThoughSettled, brokenPromises, type Deed, type TurnSeen } from "./ledger.ts";
import { Life, type Moment } from "./life.ts";

/** Deaths, one after the other, then a process that is left alone. */
async function turnWithDeaths(
  deaths: readonly { readonly at: number; readonly moment: Moment }[],
): Promise<{ died: number; broken: readonly string[] }> {
  const life = new Life();
  try {
    let died = 0;
    let last = await life.process(deaths[0]?.at, deaths[0]?.moment);
    for (const { at, moment } of [...deaths.slice(1), { at: 0, moment: "before" as const }]) {
      if (last.signal === null) break;
      died += 1;
      last = await life.process(at, moment);
    }
    if (last.seen === undefined) throw new Error("the last process died as well");
    const broken = [
      ...brokenPromises(last.seen, life.deeds(), died),
      ...begunThoughSettled(last.seen.found, life.deeds(), last.pid),
    ];
    return { died, broken };
  } finally {
    life.end();
  }
}

/** How many appends a turn makes that nobody disturbs. Some more or fewer when others are about. */
async function appendsOfTurn(): Promise<number> {
  const life = new Life();
  try {
    const { seen } = await life.process();
    expect(brokenPromises(seen as TurnSeen, life.deeds(), 0)).toEqual([]);
    return (seen as TurnSeen).appends;
  } finally {
    life.end();
  }
}

/** Two processes at a time. */
async function inPairs<Item>(items: readonly Item[], work: (item: Item) => Promise<void>): Promise<void> {
  const waiting = [...items];
  const lane = async (): Promise<void> => {
    for (let item = waiting.shift(); item !== undefined; item = waiting.shift()) await work(item);
  };
  await Promise.all([lane(), lane()]);
}

describe("a turn of twenty calls, killed", () => {
  test.for(["before", "during", "after"] as const)("%s every append is durable", async (moment) => {
    const appends = await appendsOfTurn();
    expect(appends).toBeGreaterThan(15);
    const kept: number[] = [];
    await inPairs(
      Array.from({ length: appends }, (_, i) => i + 1),
      async (at) => {
        const { died, broken } = await turnWithDeaths([{ at, moment }]);
        expect(broken, `killed ${moment} append ${at}`).toEqual([]);
        if (died > 0) kept.push(at);
      },
    );
    // The last appends of a turn may not come in a life that goes a little otherwise.
    expect(kept.length).toBeGreaterThan(appends / 2);
  });

  test("again and again, while it recovers", async () => {
    const moments: readonly Moment[] = ["before", "during", "after"];
    // A fixed walk over the places, coprime steps: the same on every machine.
    const lives = Array.from({ length: 20 }, (_, life) =>
      Array.from({ length: 3 }, (_, death) => ({
        at: 1 + ((life * 7 + death * 5) % 14),
        moment: moments[(life + death) % 3] as Moment,
      })),
    );
    await inPairs(lives, async (deaths) => {
      const { died, broken } = await turnWithDeaths(deaths);
      expect(died).toBeGreaterThan(0);
      expect(broken, JSON.stringify(deaths)).toEqual([]);
    });
  });
});

describe("the judge", () => {
  const deed = (what: Deed["what"], call: string, attempt = 1, key = "k"): Deed => ({
    what,
    call,
    attempt,
    key,
    pid: 1,
  });
  async function honest(): Promise<{ seen: TurnSeen; deeds: readonly Deed[] }> {
    const life = new Life();
    try {
      const { seen } = await life.process();
      return { seen: seen as TurnSeen, deeds: life.deeds() };
    } finally {
      life.end();
    }
  }

  test("sees each way of breaking the promise", async () => {
    const { seen, deeds } = await honest();
    const { outcomes } = seen.result;
    const withOutcomes = (changed: typeof outcomes): TurnSeen => {
      const result = { ...seen.result, outcomes: changed };
      return { ...seen, result, again: result };
    };
    expect(brokenPromises(seen, deeds, 0)).toEqual([]);
    expect(brokenPromises(seen, [...deeds, deed("begin", "send-1", 2)], 5).join()).toContain("send-1 may run once");
    expect(brokenPromises(seen, [...deeds, deed("effect", "pay-1")], 5).join()).toContain("pay-1 took effect 2 times");
    expect(brokenPromises(seen, [...deeds, deed("begin", "look-1", 2)], 0).join()).toContain(
      "look-1 began 2 times in 0 crashes",
    );
    expect(brokenPromises(seen, [...deeds, deed("begin", "put-1", 2)], 1).join()).toContain(
      "put-1 had several idempotency keys",
    );
    expect(brokenPromises(withOutcomes(outcomes.slice(1)), deeds, 0).join()).toContain("one per call");
    expect(brokenPromises(withOutcomes([...outcomes].reverse()), deeds, 0).join()).toContain("request order");
    expect(
      brokenPromises(withOutcomes(outcomes.map((one) => ({ ...one, kind: "unknown" }))), deeds, 0).join(),
    ).toContain("look-1 ended as unknown");
    expect(brokenPromises({ ...seen, again: {} }, deeds, 0).join()).toContain("something else the second time");
    const changed = [{ id: "look-1", state: "settled", effect: "read" as const, outcome: "error" }];
    expect(brokenPromises({ ...seen, found: changed }, deeds, 0).join()).toContain(
      "look-1 was settled and has changed",
    );
    expect(begunThoughSettled(changed, [{ ...deed("begin", "look-1"), pid: 9 }], 9)).toEqual(["look-1"]);
  });
});
