// Runs as their owner sees them: ids, two at once, closing, reading, pruning, and draws that replay.
import { describe, expect, test } from "vitest";
import { MemoryJournal } from "../../bindings/js/src/memory-journal.ts";
import { checkOptions, makeRuntime } from "../../bindings/js/src/open-runtime.ts";
import { compiledCore, FakeClock, settle, start } from "../rules/fakes.ts";
import { batchOf, Stage, told } from "../rules/stage.ts";

describe("run ids", () => {
  test.each<[unknown, string]>([
    [undefined, "is a undefined, not a string"],
    [null, "is null, not a string"],
    [1, "is a number, not a string"],
    ["", "is empty"],
    ["x".repeat(513), "is 513 long; 512 is the most"],
    ["a\u0000b", "contains a control character"],
    ["a\nb", "contains a control character"],
    ["a\u007fb", "contains a control character"],
    ["a\ud800b", "contains a lone surrogate"],
  ])("%j is refused: it %s", async (id, why) => {
    const stage = new Stage();
    const error: any = await stage
      .host()
      .runtime.run(id as never, () => 1)
      .catch((error: unknown) => error);
    expect(error).toMatchObject({ code: "invalid-run-id" });
    expect(error.message).toContain(why);
    expect(stage.world.disk.runs.size).toBe(0);
  });

  test.each([["x".repeat(512)], ["\u202eevil"], ["👩‍👩‍👧"], ["a/../b"], ["'; drop table runs; --"], ["%00"]])(
    "%j is taken as it is",
    async (id) => {
      const stage = new Stage();
      const host = stage.host();
      expect(await host.runtime.run(id, (run) => run.id)).toBe(id);
      expect((await host.runtime.runs())[0]!.id).toBe(id);
      expect((await host.runtime.read(id)).id).toBe(id);
    },
  );
});

describe("two at once", () => {
  test("of one id in one runtime: the second is told so at once, the first goes on", async () => {
    const stage = new Stage();
    const host = stage.host();
    const first = await stage.begin(host, batchOf("A"));
    const second = await stage.begin(host, batchOf("A"));
    expect(second.error).toMatchObject({ code: "run-busy", details: { runId: "r" } });
    await stage.end("A", "a");
    expect(told(first.result as any)).toEqual(['A ok="a" executed 1']);
    expect(stage.began).toEqual(["A:1"]);
  });

  test("of one id in the same breath: exactly one goes on", async () => {
    const stage = new Stage();
    const host = stage.host();
    const states = [1, 2, 3].map((value) => start(host, "r", () => value));
    await settle();
    expect(states.map(({ error }) => error?.code ?? "ran")).toEqual(["ran", "run-busy", "run-busy"]);
  });

  test("a stopped run is given back only when its calls have stopped, so that none is in doubt while it runs", async () => {
    const stage = new Stage();
    stage.verdict = () => ({ kind: "not-done" });
    const host = stage.host();
    const first = await stage.begin(host, batchOf("A:pay B"));
    host.journal.beforeAppend = () => {
      throw new Error("EIO");
    };
    await stage.end("B", "b");
    host.journal.beforeAppend = undefined;
    expect(first.done).toBe(false); // A still runs
    expect(stage.attempts.get("A")![0]!.ctx.signal.aborted).toBe(true);
    const second = await stage.begin(host, batchOf("A:pay B"));
    expect(second.error).toMatchObject({ code: "run-busy" });
    await stage.fail("A", new Error("stopped"));
    expect(first.error).toMatchObject({ code: "journal-append" });
    await stage.begin(host, batchOf("A:pay B"));
    expect(stage.asked).toEqual(["A:1"]);
    expect(stage.began).toEqual(
      ["A:1", "B:1", "A:2", "B:2"].sort((a, b) => stage.began.indexOf(a) - stage.began.indexOf(b)),
    );
  });

  test("a stopped run whose call ignores its abort is given back after the grace, and a person is told", async () => {
    const stage = new Stage();
    const host = stage.host({}, { work: stage.worker({ graceMs: 1_000 }) });
    const state = await stage.begin(host, batchOf("A B"));
    host.journal.beforeAppend = () => {
      throw new Error("EIO");
    };
    await stage.end("B", "b");
    await stage.world.clock.pass(999);
    expect(state.done).toBe(false);
    await stage.world.clock.pass(1);
    expect(state.error).toMatchObject({ code: "journal-append" });
    expect(host.warnings.join()).toMatch(/stopped while 1 of its calls ignored/);
  });
});

describe("closing", () => {
  test("waits for what runs, starts nothing more, and the run goes on in the next runtime", async () => {
    const stage = new Stage();
    const host = stage.host({ limits: { concurrency: 1 } });
    const state = await stage.begin(host, batchOf("A B"));
    const closing = host.runtime.close({ graceMs: 10_000 });
    await stage.world.clock.pass(1_000);
    await stage.end("A", "a");
    await stage.world.clock.pass(1_000);
    await closing;
    expect(state.error).toMatchObject({ code: "runtime-closed" });
    expect(stage.began).toEqual(["A:1"]);
    const again = await stage.begin(stage.host(), batchOf("A B"));
    await stage.end("B", "b");
    expect(told(again.result as any)).toEqual(['A ok="a" executed 1 replayed', 'B ok="b" executed 1']);
  });

  test("aborts what has not ended after the grace, and leaves it in doubt", async () => {
    const stage = new Stage();
    const host = stage.host();
    const state = await stage.begin(host, batchOf("A"));
    const closing = host.runtime.close({ graceMs: 1_000 });
    await stage.world.clock.pass(999);
    expect(stage.attempts.get("A")![0]!.ctx.signal.aborted).toBe(false);
    await stage.world.clock.pass(1_001);
    expect(stage.attempts.get("A")![0]!.ctx.signal.aborted).toBe(true);
    await stage.fail("A", stage.attempts.get("A")![0]!.ctx.signal.reason);
    await stage.world.clock.pass(2_000);
    await closing;
    expect(state.error).toMatchObject({ code: "runtime-closed" });
    expect(stage.entries.at(-1)).toBe("started 0/1");
  });

  test("twice is once, and a closed runtime takes nothing", async () => {
    const stage = new Stage();
    const { runtime } = stage.host();
    const closing = [runtime.close(), runtime[Symbol.asyncDispose]()];
    await stage.world.clock.pass(100);
    await Promise.all(closing);
    for (const ask of [
      () => runtime.run("r", () => 1),
      () => runtime.runs(),
      () => runtime.read("r"),
      () => runtime.prune({ olderThanMs: 0 }),
    ])
      await expect(ask()).rejects.toMatchObject({ code: "runtime-closed" });
  });

  test("a run that waits for its lease is told", async () => {
    const stage = new Stage();
    await stage.begin(stage.host(), batchOf("A"));
    const host = stage.host();
    const waiting = await stage.begin(host, batchOf("A"), { waitMs: 1e6 });
    const closing = host.runtime.close({ graceMs: 0 });
    await stage.world.clock.pass(100);
    await closing;
    expect(waiting.error).toMatchObject({ code: "runtime-closed" });
  });
});

describe("reading", () => {
  test("shows what the journal says of every slot, and guesses nothing", async () => {
    const stage = new Stage();
    const host = stage.host();
    await stage.begin(host, batchOf("A B C D", "work", { concurrency: 3 }), { version: "7" });
    await stage.world.clock.pass(10);
    await stage.end("A", { x: 1 });
    await stage.fail("B", new Error("no"));
    const view = await host.runtime.read("r");
    expect(view).toMatchObject({ id: "r", path: [], state: "open", openings: [{ fence: 1, version: "7" }] });
    expect(view.slots.map(({ id, state, outcome, attempts }) => [id, state, outcome, attempts])).toEqual([
      ["A", "settled", "ok", 1],
      ["B", "settled", "error", 1],
      ["C", "started", undefined, 1],
      ["D", "started", undefined, 1],
    ]);
    expect(view.slots[0]).toMatchObject({
      value: { x: 1 },
      input: { of: "A" },
      tool: "work",
      effect: "idempotent",
      spans: [{ attempt: 1, startedAt: 1_000_000, endedAt: 1_000_010 }],
    });
    expect(view.slots[1]!.error).toMatchObject({ message: "no" });
  });

  test("a run that is not there is said so", async () => {
    await expect(new Stage().host().runtime.read("nobody")).rejects.toMatchObject({
      code: "run-not-found",
      details: { runId: "nobody" },
    });
  });
});

describe("pruning", () => {
  test("deletes runs that closed long enough ago, with their children, and no other", async () => {
    const clock = new FakeClock();
    const journal = new MemoryJournal();
    const runtime = makeRuntime(
      checkOptions({ tools: { agent: { options: { run: (_: unknown, ctx: any) => ctx.run(() => 1) } } } }, []),
      {
        core: compiledCore,
        journal,
        clock,
        random: (bytes) => new Uint8Array(bytes),
        warn: () => undefined,
      },
    );
    await runtime.run("old", (run: any) => run.call("agent", null, { id: "A" }));
    await clock.pass(60_000);
    await runtime.run("young", () => 1);
    void runtime.run("open", () => new Promise(() => undefined));
    await settle();
    expect(await runtime.prune({ olderThanMs: 30_000 })).toEqual(["old", "old/A"]);
    expect((await runtime.runs()).map(({ id }) => id)).toEqual(["young", "open"]);
    expect(await runtime.run("old", () => "anew")).toBe("anew");
  });
});

describe("draws", () => {
  test("now, random and uuid give on replay what they gave live", async () => {
    const stage = new Stage();
    const seen: unknown[][] = [];
    const program = async (run: any) => {
      seen.push([await run.now(), await run.random(), await run.uuid(), await run.random()]);
      return batchOf("A")(run);
    };
    await stage.life(program);
    await stage.world.clock.pass(60_000);
    await stage.begin(stage.host(), program);
    expect(seen[1]).toEqual(seen[0]);
    const [now, random, uuid, other] = seen[0]!;
    expect(now).toBe(1_000_000);
    expect(random).toBeGreaterThanOrEqual(0);
    expect(random).toBeLessThan(1);
    expect(other).not.toBe(random);
    expect(uuid).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
  });

  test("another draw in the same place is a mismatch", async () => {
    const stage = new Stage();
    await stage.life(async (run) => {
      await run.now();
      await new Promise(() => undefined);
    });
    const state = await stage.begin(stage.host(), (run) => run.random());
    expect(state.error).toMatchObject({ code: "journal-mismatch", differences: [{ kind: "tool-changed" }] });
  });

  test("a draw is still given in a run that was cancelled", async () => {
    const stage = new Stage();
    const state = await stage.begin(stage.host(), (run) => run.now(), { signal: AbortSignal.abort() });
    expect(state.result).toBe(1_000_000);
  });
});

describe("what a program throws", () => {
  test("closes its run, and is what run() rejects with", async () => {
    const stage = new Stage();
    const thrown = new RangeError("mine");
    const state = await stage.begin(stage.host(), () => {
      throw thrown;
    });
    expect(state.error).toBe(thrown);
    expect(stage.entries.at(-1)).toBe("run-closed 0/0");
  });

  test("a call that failed throws with its outcome, and says what to do when nobody knows", async () => {
    const stage = new Stage();
    const state = await stage.begin(stage.host(), async (run) => {
      const error = await run.call("work", 1, { id: "A" }).catch((error: unknown) => error);
      return [error.name, error.code, error.outcome.kind, error.cause.name, error.cause.code, error.message];
    });
    await stage.fail("A", Object.assign(new TypeError("no"), { code: "E" }));
    expect(state.result).toEqual([
      "CallFailedError",
      "call-failed",
      "error",
      "TypeError",
      "E",
      expect.stringContaining("the call A of work failed: TypeError: no"),
    ]);
    await stage.life((run) => run.call("send", 1, { id: "B" }));
  });

  test("a result that a journal cannot hold closes the run with a typed error", async () => {
    const stage = new Stage();
    const state = await stage.begin(stage.host(), () => new Map());
    expect(state.error).toMatchObject({ code: "result-not-json" });
    const again = await stage.begin(stage.host(), () => 1);
    expect(again.error).toMatchObject({ code: "run-failed", error: { code: "result-not-json" } });
  });
});
