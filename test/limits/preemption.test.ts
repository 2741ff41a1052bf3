// Preemption: what keeps an urgent call from its key is cancelled where it may be, or overtaken where it has not begun.
import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { tool } from "../../bindings/js/src/index.ts";
import { Puppets, settle, start, World } from "../rules/fakes.ts";
import { type Asked, CoreWorld, limit, many } from "./core-world.ts";

describe("in the core", () => {
  test("h2.inversion.running: one that preempts has the low one cancelled, and goes before all that wait", () => {
    const preempted = (preempts: boolean): { order: string[]; low: string | undefined; reason: string | undefined } => {
      const world = new CoreWorld({ concurrency: 2 });
      world.batch([
        { name: "low", writes: ["k"], preemptible: true },
        { name: "m0", priority: 5, writes: ["k"] },
      ]);
      world.drain();
      world.batch(many("m", 3, { priority: 5, writes: ["k"] }).map((one) => ({ ...one, name: `n${one.name}` })));
      world.batch([{ name: "high", priority: 9, writes: ["k"], preempts }]);
      expect(world.aborted).toEqual(preempts ? ["low"] : []);
      if (preempts) world.stopped("low");
      else world.ok("low");
      expect(world.startsOfStep).toBe(1); // in the step in which it has stopped, and not before
      world.runDown();
      const { outcome, reason } = world.ended.get("low")!;
      return { order: world.order, low: outcome, reason };
    };
    expect(preempted(true)).toEqual({
      order: ["low", "high", "m0", "nm0", "nm1", "nm2"],
      low: "cancelled",
      reason: "preempted",
    });
    // The control: without the right to it, it is the turn of whoever came before.
    expect(preempted(false)).toMatchObject({ low: "ok", reason: "none" });
    expect(preempted(false).order.indexOf("high")).toBe(5);
  });

  test("h2.inversion.running: it is told of the lock, whatever decided of others before", () => {
    const world = new CoreWorld({ concurrency: 2, limits: [limit("concurrency", { scope: "key", size: 1 })] });
    world.batch([{ name: "heavy", key: "k", weight: 3 }]);
    expect(world.ended.get("heavy")).toMatchObject({ outcome: "not-started", reason: "too-large" });
    world.batch([{ name: "low", writes: ["x"], priority: -1, preemptible: true }], { run: 1 });
    world.batch([{ name: "high", writes: ["x"], preempts: true }], { run: 2 });
    world.stopped("low");
    const entry = world.last!.entries.find(({ kind }) => kind === "settled");
    expect(entry).toMatchObject({ outcome: "cancelled", reason: "preempted", scope: "lock", number: 0, until: 0n });
    world.runDown();
  });

  test("h2.inversion.running: whoever preempts, no two that conflict run, none waits in a circle, and only what may be is cancelled", () => {
    const one = fc.record({
      reads: fc.subarray(["a", "b", "c"]),
      writes: fc.subarray(["a", "b", "c"], { maxLength: 2 }),
      priority: fc.integer({ min: 0, max: 3 }),
      preempts: fc.boolean(),
      preemptible: fc.boolean(),
    });
    const move = fc.record({ ask: fc.option(one, { freq: 2 }), of: fc.nat(), stop: fc.boolean() });
    let preempted = 0;
    void fc.assert(
      fc.property(fc.array(move, { minLength: 5, maxLength: 60 }), (moves) => {
        const world = new CoreWorld({ concurrency: 3 });
        const said = new Map<string, Asked>();
        const conflict = (a: Asked, b: Asked): boolean =>
          a.writes!.some((key) => b.writes!.includes(key) || b.reads!.includes(key)) ||
          b.writes!.some((key) => a.reads!.includes(key));
        for (const [n, { ask, of, stop }] of moves.entries()) {
          if (ask !== null) {
            const name = `c${n}`;
            const before = world.aborted.length;
            said.set(name, { name, ...ask });
            world.batch([said.get(name)!]);
            for (const victim of world.aborted.slice(before)) {
              const other = said.get(victim)!;
              expect([victim, ask.preempts, other.preemptible]).toEqual([victim, true, true]);
              expect(other.priority!).toBeLessThan(ask.priority);
              expect(conflict(other, said.get(name)!)).toBe(true);
              preempted++;
            }
          }
          const running = [...world.running].map((name) => said.get(name)!);
          for (const [i, a] of running.entries())
            for (const b of running.slice(i + 1))
              expect([a.name, b.name, conflict(a, b)]).toEqual([a.name, b.name, false]);
          const name = [...world.running][of % Math.max(1, world.running.size)];
          if (name !== undefined && ask === null) stop ? world.stopped(name) : world.ok(name);
        }
        world.runDown(); // L4: whatever is left gets its turn
      }),
      { numRuns: 300, seed: 3 },
    );
    expect(preempted).toBeGreaterThan(50);
  });
});

describe("through the driver", () => {
  test("h2.inversion.running: the outcome of one that was preempted says so, and the same after a crash", async () => {
    const world = new World();
    const puppets = new Puppets();
    const work = tool({ effect: "idempotent", preemptible: true, run: puppets.tool("work") });
    const host = () => world.host({ work });
    const program = async (one: any) => {
      const low = one.batch([{ id: "low", tool: "work", input: 0, writes: "k" }]);
      await settle();
      const high = one.batch([{ id: "high", tool: "work", input: 1, writes: "k" }], { priority: 9, preempt: "cancel" });
      return [...(await low), ...(await high)];
    };
    const first = host();
    start(first, "r", program);
    await settle();
    await settle();
    expect(puppets.pending.get("low")?.signal.aborted).toBe(true);
    expect(puppets.pending.has("high")).toBe(false);
    puppets.fail("low", puppets.pending.get("low")?.signal.reason);
    await settle();
    expect(puppets.pending.has("high")).toBe(true);
    first.crash();
    const second = start(host(), "r", program);
    await settle();
    await settle();
    puppets.end("high", 1);
    await settle();
    expect(second.result).toMatchObject([
      { id: "low", kind: "cancelled", reason: "preempted", replayed: true },
      { id: "high", kind: "ok", attempts: 2 },
    ]);
    // The control: a cancel that nobody preempted gives no reason.
    const stopping = new AbortController();
    const run = start(host(), "s", (one) => one.batch([{ id: "low", tool: "work", input: 0 }]), {
      signal: stopping.signal,
    });
    await settle();
    stopping.abort();
    puppets.fail("low", puppets.pending.get("low")?.signal.reason);
    await settle();
    expect(JSON.stringify(run.result ?? run.error?.message)).not.toContain("preempted");
  });
});
