// Calls as they come: the producer waits for the tools and for whoever takes the outcomes, nothing is lost whoever
// stops first, and after a crash at any entry the stream goes on.
import { describe, expect, test } from "vitest";
import { tool } from "../../bindings/js/src/index.ts";
import type { Outcome } from "../../bindings/js/src/outcome.ts";
import { type Host, Puppets, settle, start, World } from "../rules/fakes.ts";

interface Asked {
  readonly id?: string;
  readonly tool: string;
  readonly input: number;
}

function stage(limits: object = {}) {
  const world = new World();
  const puppets = new Puppets();
  const tools = {
    work: tool({ effect: "idempotent", run: puppets.tool("work") }),
    at: tool({ effect: "idempotent", run: (n: number) => n * n }),
  };
  return { world, puppets, host: (): Host<any> => world.host(tools, { limits }) };
}

/** A producer that counts how often it was asked and whether it was told that nobody asks any more. */
class Producer implements AsyncIterable<Asked> {
  given = 0;
  released = 0;
  constructor(
    readonly count: number,
    readonly call: (n: number) => Asked = (n) => ({ id: `c${n}`, tool: "work", input: n }),
    readonly before: (n: number) => unknown = () => undefined,
  ) {}
  async *[Symbol.asyncIterator](): AsyncGenerator<Asked> {
    try {
      for (let n = 0; n < this.count; n++) {
        await this.before(n);
        this.given = n + 1;
        yield this.call(n);
      }
    } finally {
      this.released++;
    }
  }
}

/** A program that takes all outcomes of a stream, into `seen`. */
const takeAll =
  (calls: Iterable<Asked> | AsyncIterable<Asked>, options: object = {}, seen: Outcome[] = []) =>
  async (run: any): Promise<Outcome[]> => {
    for await (const outcome of run.stream(calls, options)) seen.push(outcome);
    return seen;
  };

const ids = (outcomes: readonly Outcome[]): string[] => outcomes.map(({ id }) => id);

/** Ends what runs, as it comes, until nothing does. */
async function endAll(puppets: Puppets): Promise<void> {
  for (let left = -1; left !== puppets.pending.size; await settle()) {
    left = puppets.pending.size;
    for (const [id, { input }] of [...puppets.pending]) puppets.end(id, input);
  }
}

describe("how far ahead", () => {
  test("the producer is asked for `ahead` calls, and for one more for each outcome that is taken", async () => {
    const { puppets, host } = stage({ concurrency: 2 });
    const producer = new Producer(100);
    const taken: string[] = [];
    let more: () => void = () => undefined;
    start(host(), "r", async (run) => {
      for await (const { id } of run.stream(producer, { ahead: 5 })) {
        taken.push(id);
        await new Promise<void>((resolve) => (more = resolve));
      }
    });
    await settle();
    expect([producer.given, puppets.began.length]).toEqual([5, 2]);
    puppets.end("c0");
    puppets.end("c1");
    await settle();
    // One was taken; the other outcome waits, and so does the producer.
    expect([taken, producer.given]).toEqual([["c0"], 6]);
    more();
    await settle();
    expect([taken, producer.given]).toEqual([["c0", "c1"], 7]);
  });

  test("control: a batch of the same calls takes the producer's all at once", async () => {
    const { host } = stage({ concurrency: 2 });
    const producer = new Producer(100);
    start(host(), "r", async (run) => {
      const calls: Asked[] = [];
      for await (const call of producer) calls.push(call);
      return run.batch(calls);
    });
    await settle();
    expect(producer.given).toBe(100);
  });

  test.each(["sync", "async"])("calls of one breath share a plan: %s", async (kind) => {
    const { world, puppets, host } = stage();
    const calls = Array.from({ length: 600 }, (_, n) => ({ id: `c${n}`, tool: "at", input: n }));
    const one = host();
    const run = start(one, "r", takeAll(kind === "sync" ? calls : new Producer(600, (n) => calls[n]!)));
    for (let i = 0; i < 30 && !run.done; i++) await settle();
    expect(ids(run.result!)).toEqual(ids(calls as never));
    expect(run.result!.map((one) => one.kind === "ok" && one.value)).toEqual(calls.map(({ input }) => input ** 2));
    const plans = world.disk.of("r").filter(({ kind }) => kind === 1);
    expect(plans.map(({ count }) => count).slice(0, 2)).toEqual([256, 256]);
    expect(puppets.began).toEqual([]);
  });

  test("a producer that waits keeps nobody waiting: what it has given goes on its way", async () => {
    const { puppets, host } = stage();
    let go: () => void = () => undefined;
    const slow = new Producer(3, undefined, (n) => n === 2 && new Promise<void>((resolve) => (go = resolve)));
    const run = start(host(), "r", takeAll(slow));
    await settle();
    expect(puppets.began).toHaveLength(2);
    go();
    await settle();
    expect(puppets.began).toHaveLength(3);
    await endAll(puppets);
    expect(ids(run.result!)).toEqual(["c0", "c1", "c2"]);
  });

  test("h5.producer_slows in the fake world: the queue is never above its bound, by one stream or by three", async () => {
    const { puppets, host } = stage({ concurrency: 2, queue: { max: 10 } });
    const one = host();
    const runs = ["a", "b", "c"].map((name) =>
      start(one, name, takeAll(new Producer(20, (n) => ({ id: `${name}${n}`, tool: "work", input: n })))),
    );
    await settle();
    await endAll(puppets);
    for (const { result } of runs) expect(result!.map(({ kind }) => kind)).toEqual(Array(20).fill("ok"));
  });
});

describe("in which order", () => {
  test.each([
    ["request", ["c0", "c1", "c2"]],
    ["completion", ["c2", "c0", "c1"]],
  ])("%s", async (order, expected) => {
    const { puppets, host } = stage();
    const run = start(host(), "r", takeAll(new Producer(3), { order }));
    await settle();
    for (const id of ["c2", "c0", "c1"]) {
      puppets.end(id);
      await settle();
    }
    expect(ids(run.result!)).toEqual(expected);
  });

  test("calls without an id are named by the stream and their place in it, whatever else the program makes meanwhile", async () => {
    const { puppets, host } = stage();
    const nameless = (): Producer => new Producer(2, (input) => ({ tool: "work", input }));
    const run = start(host(), "r", (one: any) =>
      Promise.all([takeAll(nameless())(one), one.call("at", 3), takeAll(nameless())(one), one.call("at", 4)]),
    );
    await settle();
    await endAll(puppets);
    const [first, , second] = run.result as any;
    expect([...ids(first), ...ids(second)]).toEqual(["#0/0", "#0/1", "#2/0", "#2/1"]);
    // Nobody else may have such a name.
    const taken = start(host(), "taken", (one: any) => one.batch([{ id: "#0/0", tool: "at", input: 1 }]));
    await settle();
    expect(taken.error).toMatchObject({ code: "invalid-call" });
  });

  test("one stream is one batch: its own concurrency, and one share beside a batch", async () => {
    const { puppets, host } = stage({ concurrency: 4 });
    const one = host();
    // Each call is a breath of its own, so each comes in a plan of its own.
    start(one, "s", takeAll(new Producer(20, undefined, () => settle()), { concurrency: 2 }));
    for (let i = 0; i < 25; i++) await settle();
    expect(puppets.began).toHaveLength(2);
    const batch = Array.from({ length: 20 }, (_, n) => ({ id: `b${n}`, tool: "work", input: n }));
    start(one, "b", (run: any) => run.batch(batch));
    await settle();
    expect([...puppets.pending.keys()]).toEqual(["c0", "c1", "b0", "b1"]);
  });

  test("control: as batches of their own they are held by nothing", async () => {
    const { puppets, host } = stage({ concurrency: 4 });
    start(host(), "s", (run: any) =>
      Promise.all([0, 1, 2, 3].map((n) => run.batch([{ id: `c${n}`, tool: "work", input: n }], { concurrency: 2 }))),
    );
    await settle();
    expect(puppets.began).toHaveLength(4);
  });
});

describe("who stops", () => {
  test("the producer throws: what it gave is done and given, then that is thrown", async () => {
    const { puppets, host } = stage();
    const breaks = new Producer(5, undefined, (n) => {
      if (n === 2) throw new Error("no more paper");
    });
    const seen: Outcome[] = [];
    const run = start(host(), "r", takeAll(breaks, {}, seen));
    await settle();
    expect(run.done).toBe(false);
    await endAll(puppets);
    expect(ids(seen)).toEqual(["c0", "c1"]);
    expect(run.error).toMatchObject({ message: "no more paper" });
    expect(breaks.released).toBe(1);
  });

  test("the consumer leaves: what waits never starts, what runs is told, the producer puts away, and then the loop is left", async () => {
    const { puppets, host } = stage({ concurrency: 3 });
    const producer = new Producer(100);
    const one = host();
    let left = false;
    const run = start(one, "r", async (r) => {
      for await (const outcome of r.stream(producer, { ahead: 10 })) {
        if (outcome.id === "c1") break;
      }
      left = true;
      return r.call("at", 3);
    });
    await settle();
    puppets.end("c0");
    puppets.end("c1");
    await settle();
    expect([left, producer.released, producer.given]).toEqual([false, 1, 11]);
    const running = [...puppets.pending].filter(([id]) => id !== "c0" && id !== "c1");
    expect(running.length).toBe(3);
    for (const [, { signal, reject }] of running) {
      expect(signal.aborted).toBe(true);
      reject(signal.reason);
    }
    await settle();
    expect([left, run.result]).toEqual([true, 9]);
    expect(puppets.began).toHaveLength(5);
    expect(one.warnings).toEqual([]);
    const { slots } = await one.runtime.read("r");
    expect(slots.slice(2, -1).map(({ outcome }) => outcome)).toEqual(Array(slots.length - 3).fill("cancelled"));
  });

  test("a consumer that leaves does not wait for a producer that never answers", async () => {
    const { puppets, host } = stage();
    const silent = new Producer(3, undefined, (n) => n === 1 && new Promise(() => undefined));
    const run = start(host(), "r", async (one) => {
      for await (const _ of one.stream(silent)) break;
      return "left";
    });
    await settle();
    puppets.end("c0");
    await settle();
    expect(run.result).toBe("left");
  });

  test("the run is cancelled: no more is asked for, outcomes of what was taken come, then that is said", async () => {
    const { puppets, host } = stage({ concurrency: 1 });
    const producer = new Producer(1_000);
    const seen: Outcome[] = [];
    const one = host();
    const run = start(one, "r", takeAll(producer, { ahead: 4 }, seen));
    await settle();
    one.runtime.cancel("r");
    await settle();
    puppets.fail("c0", puppets.pending.get("c0")!.signal.reason);
    await settle();
    expect(seen.map(({ kind }) => kind)).toEqual(Array(4).fill("cancelled"));
    expect([producer.given, producer.released]).toEqual([4, 1]);
    expect(run.error).toMatchObject({ code: "run-cancelled" });
  });

  test.each([
    ["no call", [{ id: "c0", tool: "at", input: 0 }, null], "invalid-call"],
    [
      "an id twice",
      [
        { id: "c0", tool: "at", input: 0 },
        { id: "c0", tool: "at", input: 1 },
      ],
      "duplicate-call-id",
    ],
  ])("%s in it ends it with that", async (_, calls, code) => {
    const { host } = stage();
    const run = start(host(), "r", takeAll(calls as Asked[]));
    await settle();
    expect(run.error).toMatchObject({ code });
  });

  test.each([
    ["calls", 5, {}],
    ["calls", "text", {}],
    ["options.ahead", [], { ahead: 0 }],
    ["options.order", [], { order: "any" }],
    ["options.deadlineMs", [], { deadlineMs: 5 }],
  ])("dx.config_errors: %s is refused by its path", async (path, calls, options) => {
    const { host } = stage();
    const run = start(host(), "r", takeAll(calls as Asked[], options));
    await settle();
    expect(run.error).toMatchObject({ code: "invalid-option", details: { path } });
  });

  test("nothing to do is nothing done", async () => {
    const { world, host } = stage();
    const run = start(host(), "r", takeAll([]));
    await settle();
    expect(run.result).toEqual([]);
    expect(world.disk.entries("r")).toEqual(["run-opened 0/0", "run-closed 0/0"]);
  });
});

describe("after a crash", () => {
  const CALLS = 12;
  /** A stream beside a call for each of its outcomes: how far the one is when the other comes differs from life to life. */
  const program =
    (breaths: number) =>
    async (run: any): Promise<unknown[]> => {
      const slowly = async () => {
        for (let i = 0; i < breaths; i++) await settle();
      };
      const calls = new Producer(CALLS, (n) => ({ id: `c${n}`, tool: "at", input: n }), slowly);
      const values: unknown[] = [];
      for await (const outcome of run.stream(calls, { ahead: 4 }))
        values.push(await run.call("at", outcome.value, { id: `then-${outcome.id}` }));
      return values;
    };
  const expected = Array.from({ length: CALLS }, (_, n) => n ** 4);

  test.each([
    ["at once in both lives", 0, 0],
    ["at once in the first life, slowly in the second", 0, 1],
    ["slowly in the first, at once in the second", 1, 0],
  ])("killed at any entry the stream goes on, with the producer %s", async (_, first, second) => {
    let entries = 2;
    for (let dieAt = 1; dieAt < entries; dieAt++) {
      const { world, host } = stage({ concurrency: 3 });
      const one = host();
      let seen = 0;
      one.journal.afterAppend = (_, appended) => {
        seen += appended.length;
        if (seen >= dieAt) one.crash();
      };
      const dies = start(one, "r", program(first));
      for (let i = 0; i < 40 && !dies.done && seen < dieAt; i++) await settle();
      const other = host();
      const lives = start(other, "r", program(second));
      for (let i = 0; i < 60 && !lives.done; i++) await settle();
      expect(lives.result, `died at entry ${dieAt}: ${lives.error}`).toEqual(expected);
      const settled = world.disk.of("r").filter(({ kind }) => kind === 4);
      expect(new Set(settled.map(({ slot }) => slot)).size).toBe(CALLS * 2);
      entries = world.disk.of("r").length;
    }
    expect(entries).toBeGreaterThan(CALLS * 4);
  });

  test("one that takes less than before says what it left, and that is no mismatch; a batch that does is one", async () => {
    const { world, puppets, host } = stage();
    const first = host();
    start(first, "r", takeAll(new Producer(8), { ahead: 8 }));
    await settle();
    puppets.end("c0", 0);
    await settle();
    first.crash();
    const second = host();
    const run = start(second, "r", async (one) => {
      for await (const outcome of one.stream(new Producer(8), { ahead: 1 })) return outcome.id;
    });
    await settle();
    expect([run.error, run.result]).toEqual([undefined, "c0"]);
    expect(second.warnings.join()).toContain("leaves behind 7 of the calls");
    // The control.
    const batched = host();
    start(batched, "b", (one) =>
      one.batch(Array.from({ length: 8 }, (_, n) => ({ id: `c${n}`, tool: "work", input: n }))),
    );
    await settle();
    batched.crash();
    const less = start(host(), "b", async () => "nothing");
    await settle();
    expect(less.error).toMatchObject({ code: "journal-mismatch" });
    expect(world.disk.entries("b").at(-1)).not.toBe("run-closed 0/0");
  });

  test("a call whose input is another is a mismatch there as well", async () => {
    const { puppets, host } = stage();
    const first = host();
    start(first, "r", takeAll(new Producer(3)));
    await settle();
    expect(puppets.began).toHaveLength(3);
    first.crash();
    const other = new Producer(3, (n) => ({ id: `c${n}`, tool: "work", input: n + 1 }));
    const run = start(host(), "r", takeAll(other));
    await settle();
    expect(run.error).toMatchObject({ code: "journal-mismatch" });
  });
});
