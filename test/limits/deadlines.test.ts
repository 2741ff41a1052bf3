// Times that hang together: a child is over no later than its parent, nothing waits for what cannot come in
// time, and what was left of a time is what is left of it after a restart.
import { describe, expect, test } from "vitest";
import { tool } from "../../bindings/js/src/index.ts";
import type { Entry, Event } from "../../core/dist/glue.js";
import { BLANK } from "../../core/test/worlds.ts";
import { settle, start, World } from "../rules/fakes.ts";
import { CoreWorld, limit, many, SECOND } from "./core-world.ts";

describe("T1: a batch and its deadline", () => {
  test.each([
    ["with a deadline nothing starts at or after it", 1_000],
    ["the control: without one, calls start after it", undefined],
  ])("%s", (_, deadline) => {
    const world = new CoreWorld({ concurrency: 10, limits: [limit("pace", { size: 4, per: SECOND, a: 1 })] });
    const until = world.now + SECOND;
    world.batch(many("c", 12), deadline === undefined ? {} : { deadline });
    world.pass(SECOND - 1);
    for (const name of [...world.running]) world.ok(name);
    const stillOpen = 12 - world.ended.size;
    expect(stillOpen).toBeGreaterThan(0);
    world.pass(1);
    if (deadline !== undefined) expect(world.ended.size).toBe(12); // all of them, in this step
    world.runDown((name) => (world.aborted.includes(name) ? world.stopped(name) : world.ok(name)));
    const after = world.starts.filter(({ at }) => at >= until);
    expect(after.length === 0).toBe(deadline !== undefined);
  });

  test("a raised limit at the very moment of the deadline lets nobody in", () => {
    const world = new CoreWorld({ concurrency: 0 });
    world.batch(many("c", 5), { deadline: 1_000 });
    world.now += SECOND;
    world.setLimit("runtime", 0, 5);
    expect(world.order).toEqual([]);
    expect([...world.ended.values()].map(({ reason }) => reason)).toEqual(Array(5).fill("deadline"));
    world.finish();
  });
});

describe("T2: a tree of calls", () => {
  /** Three levels; each asks for `spans` ms of its own (0 = none); gives the deadlines that the tools were told. */
  async function tree(spans: readonly [number, number, number]): Promise<{ told: number[]; from: number }> {
    const world = new World();
    const told: number[] = [];
    const within = (level: number) => (spans[level] === 0 ? {} : { deadlineMs: spans[level] });
    const parent = (level: number, child: string) =>
      tool({
        effect: "idempotent",
        run: (_: unknown, ctx: any) => {
          told.push(ctx.deadline ?? Number.POSITIVE_INFINITY);
          return ctx.run((run: any) => run.batch([{ id: child, tool: child, input: 0, ...within(level + 1) }]));
        },
      });
    const leaf = tool({
      effect: "idempotent",
      run: (_: unknown, ctx: any) => {
        told.push(ctx.deadline ?? Number.POSITIVE_INFINITY);
        return "leaf";
      },
    });
    const tools = { top: parent(0, "middle"), middle: parent(1, "leaf"), leaf };
    const from = world.clock.wallMs();
    const run = start(world.host(tools, { limits: { concurrency: 1 } }), "r", (one: any) =>
      one.batch([{ id: "top", tool: "top", input: 0, ...within(0) }]),
    );
    await settle();
    expect(run.done).toBe(true);
    return { told, from };
  }

  test.each([
    [
      [1_000, 5_000, 9_000],
      [1_000, 1_000, 1_000],
    ],
    [
      [9_000, 5_000, 7_000],
      [9_000, 5_000, 5_000],
    ],
    [
      [9_000, 5_000, 1_000],
      [9_000, 5_000, 1_000],
    ],
    [
      [2_000, 0, 0],
      [2_000, 2_000, 2_000],
    ],
    [
      [0, 3_000, 0],
      [Number.POSITIVE_INFINITY, 3_000, 3_000],
    ],
  ] as const)("h9.tree: asked for %j, they have %j", async (spans, effective) => {
    const { told, from } = await tree(spans);
    expect(told.map((at) => at - from)).toEqual(effective);
  });

  test("h9.tree, the control: a tree in which nobody says anything has no deadline", async () => {
    expect((await tree([0, 0, 0])).told).toEqual(Array(3).fill(Number.POSITIVE_INFINITY));
  });
});

describe("T3: h9.no_hopeless_wait", () => {
  const retrying = { attempts: 3, backoff: BigInt(4 * SECOND), backoffMost: BigInt(4 * SECOND) };

  test.each([
    ["a backoff", (world: CoreWorld) => world.fail("c"), { tools: [retrying] }, "none"],
    ["a rest", (world: CoreWorld) => world.overloaded("c", 5 * SECOND), {}, "rate-limited-beyond-deadline"],
  ] as const)("%s that would end after the deadline is not begun", (_, ends, options, reason) => {
    for (const whose of ["call", "batch"]) {
      const own = whose === "call" ? { deadline: 1_500 } : {};
      const world = new CoreWorld(options);
      world.batch([{ name: "c", ...own }], whose === "batch" ? { deadline: 1_500 } : {});
      ends(world);
      expect(world.ended.get("c")).toMatchObject({ outcome: "error", reason });
      world.finish();
      // The control: with no deadline, and with one that is late enough, it is waited for.
      for (const more of [{}, { deadline: 60_000 }]) {
        const patient = new CoreWorld(options);
        patient.batch([{ name: "c", ...more }]);
        ends(patient);
        expect(patient.ended.has("c")).toBe(false);
        patient.runDown();
        expect(patient.order).toEqual(["c", "c"]);
        expect(patient.ended.get("c")!.outcome).toBe("ok");
      }
    }
  });
});

describe("h9.deadline_after_restart", () => {
  const planned = (until: number): Entry => ({
    kind: "planned",
    outcome: "ok",
    source: "executed",
    run: 0,
    slot: 0,
    count: 1,
    attempt: 0,
    payload: 0,
    at: 0n,
    until: BigInt(until),
    reason: "none",
    scope: "runtime",
    number: 0,
  });

  /** A run whose journal says that its one call was planned with this deadline, taken by a new core that asks for it. */
  function restarted(until: number): { world: CoreWorld; claim: () => void } {
    const world = new CoreWorld({ concurrency: 1 });
    world.batch([{ name: "busy" }], { run: 1 });
    const call = {
      idHigh: 9n,
      idLow: 900n,
      inputHigh: 1n,
      inputLow: 1n,
      runFor: 0n,
      deadline: 0n,
      tool: 0,
      ready: 0,
      effect: "read",
      reconciles: false,
      readyOutcome: "ok",
      terms: 0,
    } as const;
    const [now, wall] = [BigInt(world.now), BigInt(world.wall)];
    world.core.open(now, wall, 0, false, [planned(until)], [call]);
    // The program runs again and says an hour: what the journal says counts.
    const asks: Event = { ...BLANK, kind: "batch", attempt: 0, count: 1, b: wall + 3_600_000n };
    return { world, claim: () => world.handle([asks], { calls: [call] }) };
  }

  const settled = (world: CoreWorld) => world.last!.entries.filter(({ kind, run }) => kind === "settled" && run === 0);

  test("what was left before the crash is left after it, whatever the program says then", () => {
    const { world, claim } = restarted(new CoreWorld().wall + 2_000);
    claim();
    expect(settled(world)).toEqual([]);
    world.now += 2 * SECOND - 1_000;
    world.handle([]);
    expect(settled(world)).toEqual([]);
    world.now += 1_000;
    world.handle([]);
    expect(settled(world)).toMatchObject([{ outcome: "not-started", reason: "deadline" }]);
  });

  test("what ran out while nobody was there is over at once", () => {
    const { world, claim } = restarted(new CoreWorld().wall - 1);
    claim();
    expect(settled(world)).toMatchObject([{ outcome: "not-started", reason: "deadline" }]);
  });

  test("the control: a journal without a deadline gives none", () => {
    const { world, claim } = restarted(0);
    claim();
    world.now += 3 * 3_600 * SECOND;
    world.handle([]);
    expect(settled(world)).toEqual([]);
    world.ok("busy");
    expect(world.last!.actions.filter(({ kind, run }) => kind === "call" && run === 0)).toHaveLength(1);
  });
});
