// What a crash leaves, through the driver: what the next host on a journal knows of rates, rests and unfinished
// calls. Beside each, a journal that knows nothing.
import { describe, expect, test } from "vitest";
import { overloaded, tool } from "../../bindings/js/src/index.ts";
import { type Host, Puppets, settle, start, World } from "../rules/fakes.ts";

const calls = (count: number, more: object = {}, prefix = "c") =>
  Array.from({ length: count }, (_, i) => ({ id: `${prefix}${i}`, tool: "work", input: i, ...more }));

/** A journal with its hosts; each `host()` is the next process. */
function stage(limits: object = {}, declared: object = {}) {
  const world = new World();
  const puppets = new Puppets();
  const tools = { work: tool({ effect: "idempotent", run: puppets.tool("work"), ...declared } as never) };
  return { world, puppets, host: (): Host<any> => world.host(tools, { limits }) };
}

describe("a rate of each tenant and of each key", () => {
  const rate = { limit: 2, perMs: 60_000 };
  /** How many of three start on a host that comes after one which has used up this name. */
  async function startsAfter(
    limits: object,
    spent: { tenant?: string; key?: string },
    asks: { tenant?: string; key?: string },
    crashes = true,
  ): Promise<number> {
    const { world, puppets, host } = stage(limits);
    const first = crashes ? host() : stage(limits).host();
    start(first, "first", (run) => run.batch(calls(2, spent.key === undefined ? {} : { key: spent.key }), spent));
    await settle();
    first.crash();
    await world.clock.pass(20_000);
    puppets.began.length = 0;
    const options = asks.tenant === undefined ? {} : { tenant: asks.tenant };
    const asked = calls(3, asks.key === undefined ? {} : { key: asks.key }, "d");
    start(host(), "second", (run) => run.batch(asked, options));
    await settle();
    const began = puppets.began.length;
    await world.clock.pass(42_000);
    expect(puppets.began.length).toBeGreaterThanOrEqual(2); // its window is over: there is a fresh one
    return began;
  }

  test.each([
    ["tenants", { tenants: { rate } }, { tenant: "a" }, { tenant: "b" }],
    ["keys", { keys: { rate } }, { key: "a" }, { key: "b" }],
  ] as const)("of %s: who has used it up has none left; another has all of it", async (_, limits, one, other) => {
    expect(await startsAfter(limits, one, one)).toBe(0);
    expect(await startsAfter(limits, one, other)).toBe(2);
    // The control: on another journal.
    expect(await startsAfter(limits, one, one, false)).toBe(2);
  });
});

describe("a rest that only a settled call knows of", () => {
  const AFTER_MS = 30_000;
  interface Met {
    readonly limits?: object;
    readonly call?: object;
    /** What the tool threw. */
    readonly said: Parameters<typeof overloaded>[0];
    readonly limit: string;
  }

  /** A host whose one call is told to slow down and settles by that; then another host, on the same journal or on none. */
  async function met({ limits, call, said, limit }: Met, same: boolean) {
    const { world, puppets, host } = stage(limits);
    const first = host();
    const run = start(first, "met", (one) => one.batch(calls(1, call)));
    await settle();
    puppets.fail("c0", overloaded(said));
    await settle();
    expect(run.done).toBe(true);
    const [outcome] = run.result as any[];
    const rests = first.runtime.limit(limit as any).pausedUntil;
    first.crash();
    const next = same ? { world, puppets, host } : stage(limits);
    const second = next.host();
    const before = next.puppets.began.length;
    start(second, "other", (one) => one.batch(calls(1, call === undefined ? {} : { key: (call as any).key }, "d")));
    await settle();
    const began = next.puppets.began.length - before;
    const held = began === 1 ? undefined : second.runtime.explain("other", "d0");
    await next.world.clock.pass(AFTER_MS * 3);
    expect(next.puppets.began.length - before).toBe(1);
    return { outcome, rests, held };
  }

  const ways: Readonly<Record<string, Met>> = {
    "its last throttle, told for how long": {
      limits: { tools: { work: { throttlesMax: 0 } } },
      said: { retryAfterMs: AFTER_MS },
      limit: "tools.work",
    },
    "its last throttle, not told for how long": {
      limits: { tools: { work: { throttlesMax: 0 } } },
      said: {},
      limit: "tools.work",
    },
    "a deadline before the end of the rest": {
      call: { deadlineMs: 1_000 },
      said: { retryAfterMs: AFTER_MS },
      limit: "tools.work",
    },
    "the whole runtime": {
      call: { deadlineMs: 1_000 },
      said: { retryAfterMs: AFTER_MS, scope: "runtime" },
      limit: "runtime",
    },
    "a key": {
      limits: { keys: { concurrency: 5 }, tools: { work: { throttlesMax: 0 } } },
      call: { key: "user" },
      said: { retryAfterMs: AFTER_MS, scope: "key" },
      limit: "keys",
    },
  };

  test.each(Object.entries(ways))("%s: the next host rests until the same moment", async (_, way) => {
    const { outcome, rests, held } = await met(way, true);
    expect(outcome).toMatchObject({ kind: "error", attempts: 1 });
    expect(held).toMatchObject({ state: "waiting", why: "resting", limit: way.limit });
    // A gauge of all keys knows of no single one.
    if (way.limit !== "keys") expect(Math.abs((held as any).mayStartAt - rests!)).toBeLessThanOrEqual(1);
    // The control: on another journal nobody rests.
    expect((await met(way, false)).held).toBeUndefined();
  });

  test("what the tool threw is what its call came to, the same on replay", async () => {
    const { puppets, host } = stage({ tools: { work: { throttlesMax: 0 } } });
    const first = host();
    const seen: any[] = [];
    const program = async (run: any): Promise<void> => {
      seen.push((await run.batch(calls(1)))[0].error);
      await new Promise(() => undefined); // it dies here
    };
    start(first, "r", program);
    await settle();
    puppets.fail("c0", overloaded({ retryAfterMs: 5_000, message: "too fast" }));
    await settle();
    first.crash();
    start(host(), "r", program);
    await settle();
    expect(seen).toHaveLength(2);
    expect(seen[0]).toMatchObject({ name: "OverloadedError", code: "overloaded", message: "too fast" });
    expect(seen[1]).toEqual(seen[0]);
  });

  test("a rest that is over says nothing, and one of a closed run is found among many", async () => {
    const { world, puppets, host } = stage({ tools: { work: { throttlesMax: 0 } } });
    const first = host();
    start(first, "met", (one) => one.batch(calls(1)));
    await settle();
    puppets.fail("c0", overloaded({ retryAfterMs: AFTER_MS }));
    await settle();
    first.crash();
    for (let i = 0; i < 20; i++) {
      const quiet = world.host({});
      start(quiet, `quiet-${i}`, (run) => run.now());
      await settle();
      quiet.crash();
    }
    const second = host();
    start(second, "other", (one) => one.batch(calls(1, {}, "d")));
    await settle();
    expect(second.runtime.explain("other", "d0")).toMatchObject({ why: "resting" });
    second.crash();
    await world.clock.pass(AFTER_MS + 2_000);
    const third = host();
    start(third, "third", (one) => one.batch(calls(1, {}, "e")));
    await settle();
    expect([...puppets.pending.keys()]).toContain("e0");
  });
});

describe("h10.ramp after a restart", () => {
  const LEFT = 200;
  /** How many of those that a crash has left start at once on the next host. */
  async function firstWave(limits: object, left = LEFT): Promise<number> {
    const { world, puppets, host } = stage({ concurrency: 32, ...limits });
    const first = host();
    const program = (run: any) => run.batch(calls(left));
    start(first, "r", program);
    await settle();
    first.crash();
    puppets.began.length = 0;
    await world.clock.pass(1_000);
    start(host(), "r", program);
    await settle();
    return puppets.began.length;
  }

  test("a full queue starts with one call; without the ramp, and when all have room, all at once", async () => {
    expect(await firstWave({})).toBe(1);
    expect(await firstWave({ ramp: false })).toBe(32);
    expect(await firstWave({}, 32)).toBe(32);
  });

  test("what a living host has in hand is not left to another", async () => {
    const { puppets, host } = stage({ concurrency: 32 });
    start(host(), "r", (run) => run.batch(calls(LEFT)));
    await settle();
    puppets.began.length = 0;
    start(host(), "other", (run) => run.batch(calls(LEFT, {}, "d")));
    await settle();
    expect(puppets.began).toHaveLength(32);
  });
});
