// Outcomes told in request order wait for the earlier ones. How many bytes of them may is bounded, nothing stands
// still for it, and every outcome is told.
import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { tool } from "../../bindings/js/src/index.ts";
import { Puppets, settle, start, World } from "../rules/fakes.ts";
import { type Asked, CoreWorld, limit, many, SECOND } from "./core-world.ts";

const BOUND = 10;
const MOST = 4; // of one outcome
const AT_ONCE = 3;

/** Counts anew, from what has ended: the bytes that an earlier call holds back, and the earliest that has not ended. */
function heldBack(world: CoreWorld, calls: readonly Asked[], sizes: ReadonlyMap<string, number>) {
  const first = calls.findIndex(({ name }) => !world.ended.has(name));
  const early = first === -1 ? [] : calls.slice(first).filter(({ name }) => world.ended.has(name));
  return { bytes: early.reduce((sum, { name }) => sum + (sizes.get(name) ?? 0), 0), first: calls[first]?.name };
}

const call = fc.record({
  tool: fc.integer({ min: 0, max: 1 }),
  priority: fc.integer({ min: -2, max: 2 }),
  sheddable: fc.boolean(),
  write: fc.constantFrom(undefined, undefined, "x", "y"),
});
const step = fc.record({
  what: fc.constantFrom("ok", "ok", "ok", "fail", "busy", "pass", "cancel", "urgent", "other batch"),
  of: fc.nat(23),
  bytes: fc.integer({ min: 0, max: MOST }),
});
type Call = typeof call extends fc.Arbitrary<infer T> ? T : never;
type Step = typeof step extends fc.Arbitrary<infer T> ? T : never;

describe("h4.buffer_bound: in the core", () => {
  /** Plays the steps. `look` sees each start: whether too much was held back, and whether it was the earliest. */
  function played(buffered: number, drawn: readonly Call[], steps: readonly Step[], lanes: boolean): number {
    const world = new CoreWorld({
      concurrency: AT_ONCE + 2,
      tools: [{ attempts: 3, backoff: 50_000n, backoffMost: 50_000n }, {}],
      limits: [
        limit("order", { scope: "runtime", a: SECOND, mode: lanes ? 1 : 0, b: 60 * SECOND }),
        limit("delay", { scope: "runtime", per: SECOND / 10, a: SECOND / 50 }),
        limit("concurrency", { scope: "tool", number: 1, size: 2 }),
      ],
    });
    const calls = drawn.map(
      ({ write, ...one }, i): Asked => ({
        name: `c${i}`,
        ...one,
        ...(write === undefined ? {} : { writes: [write] }),
      }),
    );
    const sizes = new Map<string, number>();
    let most = 0;
    let others = 0;
    const look = (doing: () => void): void => {
      const before = world.starts.length;
      const was = heldBack(world, calls, sizes);
      doing();
      const is = heldBack(world, calls, sizes);
      most = Math.max(most, is.bytes);
      // What was full before and after was so in between: then only the earliest may have started.
      if (buffered === 0 || was.bytes < BOUND || is.bytes < BOUND || was.first !== is.first) return;
      for (const { name } of world.starts.slice(before)) if (!name.startsWith("o")) expect(name).toBe(is.first);
    };
    const end = (name: string, how: string, bytes: number): void => {
      if (world.aborted.includes(name)) world.stopped(name);
      else if (how === "fail") world.fail(name);
      else if (how === "busy") world.overloaded(name, 20_000);
      else {
        sizes.set(name, bytes);
        world.ok(name, {}, bytes);
      }
    };
    look(() => world.batch(calls, { buffered, concurrency: AT_ONCE }));
    for (const { what, of, bytes } of steps) {
      look(() => {
        if (what === "pass") world.pass(bytes * 30_000);
        else if (what === "cancel") world.cancel(`c${of}`);
        else if (what === "urgent") world.reprioritise(`c${of}`, bytes * 100);
        else if (what === "other batch") world.batch([{ name: `o${others++}`, writes: ["x"] }]);
        // Late ones first: that is what holds much back.
        else if (world.running.size > 0)
          end([...world.running].at(-1 - (of % 2)) ?? [...world.running][0]!, what, bytes);
      });
    }
    world.runDown((name) => look(() => end(name, "ok", 1))); // nobody is forgotten, and nothing stands still
    return most;
  }

  test.each([false, true])(
    "h4.buffer_bound: at the bound only the earliest starts, and all end (lanes: %s)",
    (lanes) => {
      const holds = (buffered: number): void =>
        fc.assert(
          fc.property(
            fc.array(call, { minLength: 24, maxLength: 24 }),
            fc.array(step, { minLength: 30, maxLength: 80 }),
            (calls, steps) => {
              // What ran when it became full may still come.
              expect(played(buffered, calls, steps, lanes)).toBeLessThan(BOUND + AT_ONCE * MOST);
            },
          ),
          { numRuns: 80, seed: 12, endOnFailure: true },
        );
      holds(BOUND);
      expect(() => holds(0)).toThrow();
    },
  );

  test("the earliest is found behind others in its line, and those are told why they wait", () => {
    const world = new CoreWorld({ concurrency: 2, tools: [{ attempts: 2 }] });
    world.batch(many("c", 6), { buffered: BOUND });
    world.ok("c1", {}, BOUND);
    world.ok("c2", {}, BOUND);
    world.reprioritise("c5", 900);
    world.fail("c0");
    expect(world.running).toEqual(new Set());
    world.pass(SECOND);
    expect(world.running).toEqual(new Set(["c0"]));
    expect(world.explain("c5")).toMatchObject({
      kind: "buffer",
      scope: "batch",
      inUse: BigInt(BOUND),
      size: BigInt(BOUND),
    });
    world.ok("c0");
    expect(world.running.has("c5")).toBe(true);
    world.runDown();
  });

  /** A batch that may hold back no more, whose earliest call waits, and whose last one, `next`, has locked a key. */
  const standstills = {
    "the earliest by its key, being of higher priority": (world: CoreWorld): void => {
      world.batch(
        [
          { name: "first", writes: ["x"], priority: -1 },
          { name: "held" },
          { name: "next", writes: ["x"], preempts: true },
          { name: "plain" },
        ],
        { buffered: BOUND },
      );
      world.ok("held", {}, BOUND);
    },
    "the earliest, for its child run, whose call waits for a key": (world: CoreWorld): void => {
      world.batch([{ name: "first" }, { name: "held" }, { name: "next", writes: ["x"] }, { name: "plain" }], {
        buffered: BOUND,
      });
      world.ok("held", {}, BOUND);
      world.nest("first", 1, [{ name: "child", writes: ["x"] }]);
    },
  };

  test.each(Object.entries(standstills))(
    "no standstill: who keeps waiting %s goes, and nobody else",
    (what, standstill) => {
      const world = new CoreWorld({ concurrency: what.includes("child") ? 3 : 2 });
      world.batch([{ name: "before", writes: ["x"] }], { run: 5 });
      standstill(world);
      expect(world.running.has("next")).toBe(false);
      world.ok("before");
      expect(world.running.has("next")).toBe(true);
      expect(world.explain("plain").kind).toBe("buffer");
      world.ok("next");
      if (world.running.has("child")) {
        world.ok("child");
        world.resume("first");
      }
      world.runDown();
    },
  );

  test("nothing is kept of it: after the batches all stands as it does without a bound", () => {
    const [bounded, plain] = [BOUND, 0].map((buffered) => {
      const world = new CoreWorld();
      for (let round = 0; round < 50; round++) {
        world.batch(many(`r${round}_`, 20), { buffered });
        while (world.running.size > 0) world.ok([...world.running].at(-1)!, {}, 3);
      }
      world.finish();
      return { ...world.standing, comparisons: 0n };
    });
    expect(bounded).toEqual(plain);
  });
});

describe("h4.buffer_bound: through the driver", () => {
  async function rest(options: object) {
    const world = new World();
    const puppets = new Puppets();
    const host = world.host(
      { work: tool({ effect: "idempotent", run: puppets.tool("work") }) },
      { limits: { concurrency: 2 } },
    );
    const told: string[] = [];
    const calls = Array.from({ length: 8 }, (_, i) => ({ id: `c${i}`, tool: "work", input: i }));
    const run = start(host, "r", (it) =>
      it.batch(calls, { onOutcome: ({ id }: any) => told.push(id), bufferedBytesMax: 3_000, ...options }),
    );
    await settle();
    // The first hangs; the others bring a thousand bytes each.
    for (let i = 1; i < 8; i++) {
      puppets.end(`c${i}`, "x".repeat(998));
      await settle();
    }
    return { host, puppets, told, run, began: puppets.began.length };
  }

  test("h4.buffer_bound: while the first hangs, no more begin than fill the buffer; then all are told in order", async () => {
    const { host, puppets, told, run, began } = await rest({});
    expect(began).toBe(4); // three that fill it, and the one that hangs
    expect(host.runtime.explain("r", "c4")).toEqual({
      state: "waiting",
      why: "buffer",
      limit: "batch",
      inUse: 3_000,
      size: 3_000,
    });
    expect(told).toEqual([]);
    puppets.end("c0", 0);
    await settle();
    for (let i = 4; i < 8; i++) {
      puppets.end(`c${i}`, i);
      await settle();
    }
    expect(told).toEqual(["c0", "c1", "c2", "c3", "c4", "c5", "c6", "c7"]);
    expect(run.result).toHaveLength(8);
  });

  test("h4.buffer_bound: a restart holds back what the journal has; the control: what is small leaves room", async () => {
    for (const [length, begun] of [
      [1_000, ["c0"]],
      [10, ["c0", "c2"]],
    ] as const) {
      const world = new World();
      const [before, after] = [new Puppets(), new Puppets()];
      const hostOf = (puppets: Puppets) =>
        world.host({ work: tool({ effect: "idempotent", run: puppets.tool("work") }) });
      const calls = ["c0", "c1", "c2", "c3"].map((id) => ({ id, tool: "work", input: id }));
      const told: string[] = [];
      const program = (it: any) =>
        it.batch(calls, { concurrency: 2, bufferedBytesMax: 1_000, onOutcome: ({ id }: any) => told.push(id) });
      const first = hostOf(before);
      start(first, "r", program);
      await settle();
      before.end("c1", "x".repeat(length));
      first.journal.afterAppend = async () => first.crash(); // c1 is on disk, and nothing that comes of it
      await settle();
      const run = start(hostOf(after), "r", program);
      await settle();
      expect([...after.pending.keys()]).toEqual(begun);
      for (const id of ["c0", "c2", "c3"]) {
        after.end(id, id);
        await settle();
      }
      expect(told).toEqual(["c0", "c1", "c2", "c3"]);
      expect(run.result).toHaveLength(4);
    }
  });

  test.each([
    ["told as they come, nothing is held back", { order: "completion" }],
    ["nobody is told, so nothing is", { onOutcome: undefined }],
    ["the default is generous", { bufferedBytesMax: undefined }],
  ])("the control: %s", async (_, options) => {
    expect((await rest(options)).began).toBe(8);
  });

  test.each([0, 1.5, 2 ** 32, "64 MiB"])("bufferedBytesMax: %s is refused by its path", async (bufferedBytesMax) => {
    const world = new World();
    const run = start(world.host({ work: tool({ run: () => 1 }) }), "r", (it) =>
      it.batch([{ tool: "work", input: 0 }], { bufferedBytesMax }),
    );
    await settle();
    expect(run.error).toMatchObject({ code: "invalid-option", details: { path: "options.bufferedBytesMax" } });
  });
});
