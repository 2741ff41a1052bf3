// Rules 55–61: deadlines, timeouts, cancelling, and what comes back too late. Nothing known is lost.
import { describe, expect, test } from "vitest";
import { done, notDone } from "../../bindings/js/src/outcome.ts";
import { type Host, settle, start } from "./fakes.ts";
import { batchOf, Stage, told } from "./stage.ts";

const abc = batchOf("A B C");
const stays = (program: (run: any) => any) => async (run: any) => [
  await program(run),
  await new Promise(() => undefined),
];

/** From now on nothing of the host's is on disk before the test says so. */
function slowDisk(host: Host<any>): { write(): Promise<void> } {
  let done: () => void = () => undefined;
  const written = new Promise<void>((resolve) => {
    done = resolve;
  });
  host.journal.beforeAppend = () => written;
  return {
    write: async () => {
      done();
      await settle();
    },
  };
}

describe("time", () => {
  test("rule 55: at the deadline C still runs: timed-out is journaled before it is seen", async () => {
    const stage = new Stage();
    const host = stage.host();
    let seen = false;
    let acknowledge = (): void => undefined;
    await stage.begin(
      host,
      stays(async (run) => {
        await batchOf("A B C", "work", { deadlineMs: 1_000 })(run);
        seen = true;
      }),
    );
    await stage.end("A", "a");
    await stage.end("B", "b");
    host.journal.afterAppend = () =>
      new Promise((resolve) => {
        acknowledge = resolve;
      });
    await stage.world.clock.pass(1_000);
    expect(stage.entries).toContain("settled 2/1");
    expect(seen).toBe(false);
    acknowledge();
    await settle();
    expect(seen).toBe(true);
  });

  test("rule 55: a later success is late, and never swapped in", async () => {
    const stage = new Stage();
    let live: any;
    const program = stays(async (run) => {
      live = await batchOf("A B C", "work", { deadlineMs: 1_000 })(run);
    });
    const host = stage.host();
    await stage.begin(host, program);
    await stage.end("A", "a");
    await stage.world.clock.pass(1_000);
    expect(told(live)).toEqual(['A ok="a" executed 1', "B timed-out executed 1", "C timed-out executed 1"]);
    await stage.end("C", "too late");
    await stage.fail("B", new Error("too late as well"));
    expect(stage.entries.slice(-2)).toEqual(["late 2/1", "late 1/1"]);
    expect(host.events.filter(({ kind }) => kind === "late")).toMatchObject([
      { callId: "C", outcome: "ok" },
      { callId: "B", outcome: "error" },
    ]);
    host.crash();
    const run = await stage.begin(stage.host(), abc);
    expect(told(run.result).map((line) => line.replace(" replayed", ""))).toEqual(told(live));
    expect(stage.began).toHaveLength(3);
  });

  test("rule 56: at the deadline C has not started: not-started, journaled, and returned so", async () => {
    const stage = new Stage();
    let live: any;
    const program = stays(async (run) => {
      live = await batchOf("A B C", "work", { deadlineMs: 1_000, concurrency: 2 })(run);
    });
    await stage.life(program, () => stage.world.clock.pass(1_000));
    expect(live[2]).toMatchObject({ id: "C", kind: "not-started", reason: "deadline", attempts: 0 });
    expect(live[2]).not.toHaveProperty("startedAt");
    const run = await stage.begin(stage.host(), abc);
    expect((run.result as any)[2]).toEqual({ ...live[2], replayed: true });
  });

  test("rule 57: what was queued at the deadline never runs, also not when a permit comes free", async () => {
    const stage = new Stage();
    await stage.begin(stage.host(), batchOf("A B C", "work", { deadlineMs: 1_000, concurrency: 1 }));
    await stage.world.clock.pass(1_000);
    await stage.end("A", "late"); // its permit returns only now
    await stage.world.clock.pass(60_000);
    expect(stage.began).toEqual(["A:1"]);
  });

  test.each([
    ["work", ["A timed-out executed 1"]],
    ["send", ["A unknown surfaced 1"]],
    ["pay", ['A ok="found" reconciled 1']],
  ])("rule 58: timed out, crash before settled: decided by the table, %s", async (name, expected) => {
    const stage = new Stage();
    stage.verdict = () => done("found");
    const program = batchOf("A", name, { deadlineMs: 1_000 });
    await stage.life(program, async (host) => {
      host.journal.beforeAppend = () => host.crash();
      await stage.world.clock.pass(1_000);
    });
    expect(stage.entries.at(-1)).toBe("started 0/1");
    const run = await stage.begin(stage.host(), program);
    expect(told(run.result)).toEqual(expected);
    expect(stage.began).toEqual(["A:1"]); // its time is over: nothing starts again
  });

  test("rule 58: an attempt whose own time was over in a crash gets its next attempt by the table", async () => {
    const stage = new Stage();
    const tools = { work: stage.worker({ timeoutMs: 500 }) };
    const first = stage.host({}, tools);
    await stage.begin(first, batchOf("A"));
    first.journal.beforeAppend = () => first.crash();
    await stage.world.clock.pass(500);
    const run = await stage.begin(stage.host({}, tools), batchOf("A"));
    await stage.end("A", "a");
    expect(told(run.result)).toEqual(['A ok="a" re-executed 2']);
  });

  test("rule 59: the deadline is absolute and survives the crash", async () => {
    const stage = new Stage();
    const program = batchOf("A B", "work", { deadlineMs: 10_000, concurrency: 1 });
    await stage.life(program, () => stage.world.clock.pass(4_000));
    await stage.world.clock.pass(4_000); // down
    const run = await stage.begin(stage.host(), program);
    expect(stage.attempts.get("A")!.map(({ ctx }) => ctx.deadline)).toEqual([1_010_000, 1_010_000]);
    await stage.world.clock.pass(1_999);
    expect(run.done).toBe(false);
    await stage.world.clock.pass(1);
    expect(told(run.result)).toEqual(["A timed-out re-executed 2", "B not-started executed 0"]);
  });

  test("rule 59: a deadline that passed while no host lived is over at once", async () => {
    const stage = new Stage();
    const program = batchOf("A B", "look", { deadlineMs: 10_000, concurrency: 1 });
    await stage.life(program);
    await stage.world.clock.pass(3_600_000);
    stage.began.length = 0;
    const run = await stage.begin(stage.host(), program);
    expect(told(run.result)).toEqual(["A timed-out executed 1", "B not-started executed 0"]);
    expect(stage.began).toEqual([]);
  });

  test("rule 59: a call's own deadline is absolute, too", async () => {
    const stage = new Stage();
    const program = (run: any) => run.batch([{ id: "A", tool: "work", input: 1, deadlineMs: 5_000 }]);
    await stage.life(program, () => stage.world.clock.pass(4_000));
    const run = await stage.begin(stage.host(), program);
    await stage.world.clock.pass(999);
    expect(run.done).toBe(false);
    await stage.world.clock.pass(1);
    expect(told(run.result)).toEqual(["A timed-out re-executed 2"]);
  });

  test("rule 59: a wall clock that is stepped while a batch runs moves no deadline of it", async () => {
    const stage = new Stage();
    const run = await stage.begin(stage.host(), batchOf("A", "work", { deadlineMs: 10_000 }));
    stage.world.clock.stepWall(-3_600_000);
    await stage.world.clock.pass(9_999);
    expect(run.done).toBe(false);
    await stage.world.clock.pass(1);
    expect(run.done).toBe(true);
  });

  test("rule 60: a tool's own timeout aborts its signal and settles its slot alone", async () => {
    const stage = new Stage();
    const tools = { ...stage.tools, slow: stage.worker({ timeoutMs: 500 }) };
    const run = await stage.begin(stage.host({}, tools), batchOf("A:slow B"));
    const { ctx } = stage.attempts.get("A")![0]!;
    expect(ctx.deadline).toBe(1_000_500);
    await stage.world.clock.pass(499);
    expect(ctx.signal.aborted).toBe(false);
    await stage.world.clock.pass(1);
    expect(ctx.signal.aborted).toBe(true);
    expect(ctx.signal.reason.name).toBe("TimeoutError");
    await stage.world.clock.pass(1_000);
    await stage.end("B", "b");
    expect(told(run.result)).toEqual(["A timed-out executed 1", 'B ok="b" executed 1']);
    expect(stage.attempts.get("B")![0]!.ctx.signal.aborted).toBe(false);
  });

  test("rule 60: a signal that is looked at only after the timeout is aborted, too", async () => {
    const stage = new Stage();
    await stage.begin(stage.host({}, { work: stage.worker({ timeoutMs: 500 }) }), batchOf("A"));
    await stage.world.clock.pass(500);
    expect(stage.attempts.get("A")![0]!.ctx.signal.aborted).toBe(true);
  });

  test("rule 60: a timed-out attempt is followed by the next only once it has stopped", async () => {
    const stage = new Stage();
    const tools = { work: stage.worker({ timeoutMs: 500, retry: { attempts: 2, backoffMs: 100 } }) };
    const run = await stage.begin(stage.host({}, tools), batchOf("A"));
    await stage.world.clock.pass(2_000);
    expect(stage.began).toEqual(["A:1"]);
    await stage.fail("A", stage.attempts.get("A")![0]!.ctx.signal.reason);
    await stage.world.clock.pass(100);
    expect(stage.began).toEqual(["A:1", "A:2"]);
    await stage.end("A", "a");
    expect(told(run.result)).toEqual(['A ok="a" executed 2']);
    expect(stage.entries).toContain("attempt-failed 0/1");
  });

  test("rule 60: a call whose time is over before its start is on disk never begins", async () => {
    const stage = new Stage();
    const host = stage.host({}, { work: stage.worker({ timeoutMs: 500 }), look: stage.tools.look });
    const disk = slowDisk(host);
    const run = await stage.begin(host, batchOf("A B:look", "work", { concurrency: 1 }));
    await stage.world.clock.pass(500);
    await disk.write();
    expect(stage.began).toEqual(["B:1"]);
    await stage.end("B", "b");
    expect(told(run.result)).toEqual(["A timed-out executed 1", 'B ok="b" executed 1']);
  });

  test("rule 60: the call's timeout overrides the tool's", async () => {
    const stage = new Stage();
    const tools = { work: stage.worker({ timeoutMs: 500 }) };
    const run = await stage.begin(stage.host({}, tools), (run) =>
      run.batch([{ id: "A", tool: "work", input: 1, timeoutMs: 5_000 }]),
    );
    await stage.world.clock.pass(4_999);
    expect(run.done).toBe(false);
    await stage.world.clock.pass(1);
    expect(told(run.result)).toEqual(["A timed-out executed 1"]);
  });
});

describe("cancelling", () => {
  test("rule 61: a call that is cancelled before its start is on disk never begins, and is no riddle", async () => {
    const stage = new Stage();
    const host = stage.host();
    const disk = slowDisk(host);
    const run = await stage.begin(host, batchOf("A:send B:pay"));
    host.runtime.cancel("r");
    await settle();
    await disk.write();
    expect([...stage.began, ...stage.asked]).toEqual([]);
    expect(told(run.result)).toEqual(["A cancelled executed 1", "B cancelled executed 1"]);
  });

  test.each([
    ["work", "B cancelled executed 1"],
    ["send", "B unknown surfaced 1"],
    ["pay", 'B ok="found" reconciled 1'],
  ])(
    "rule 61: cancelled while A is done, B runs, C is done: A and C settled, B by its effect, %s",
    async (name, expected) => {
      const stage = new Stage();
      stage.verdict = () => done("found");
      const host = stage.host();
      let live: any;
      await stage.begin(
        host,
        stays(async (run) => {
          live = await batchOf(`A B:${name} C D`, "work", { concurrency: 3 })(run);
        }),
      );
      await stage.end("A", "a");
      expect(stage.began).toEqual(["A:1", "B:1", "C:1", "D:1"]);
      await stage.end("C", "c");
      expect(host.runtime.cancel("r")).toBe(true);
      await settle();
      const { ctx } = stage.attempts.get("B")!.at(-1)!;
      expect(ctx.signal.aborted).toBe(true);
      expect(ctx.signal.reason.name).toBe("AbortError");
      await stage.fail("B", ctx.signal.reason);
      await stage.fail("D", stage.attempts.get("D")!.at(-1)!.ctx.signal.reason);
      expect(told(live)).toEqual(['A ok="a" executed 1', expected, 'C ok="c" executed 1', "D cancelled executed 1"]);
    },
  );

  test("rule 61: what waits is cancelled at once; what finishes all the same keeps its result", async () => {
    const stage = new Stage();
    const host = stage.host();
    const run = await stage.begin(host, batchOf("A B", "send", { concurrency: 1 }));
    host.runtime.cancel("r");
    await settle();
    await stage.end("A", "done all the same");
    expect(told(run.result)).toEqual(['A ok="done all the same" executed 1', "B cancelled executed 0"]);
    expect(stage.began).toEqual(["A:1"]);
  });

  test("rule 61: a reconciler that says not-done of a cancelled call starts nothing", async () => {
    const stage = new Stage();
    stage.verdict = () => notDone();
    const host = stage.host();
    const run = await stage.begin(host, batchOf("A", "pay"));
    host.runtime.cancel("r");
    await settle();
    await stage.fail("A", stage.attempts.get("A")!.at(-1)!.ctx.signal.reason);
    expect(told(run.result)).toEqual(["A cancelled reconciled 1"]);
    expect(stage.began).toEqual(["A:1"]);
  });

  test("rule 61: the signal that the run was given cancels it, also one that was aborted before", async () => {
    const stage = new Stage();
    const controller = new AbortController();
    const host = stage.host();
    const run = start(host, "r", batchOf("A"), { signal: controller.signal });
    await settle();
    controller.abort();
    await settle();
    await stage.fail("A", Object.assign(new Error("stopped"), { name: "AbortError" }));
    expect(told(run.result)).toEqual(["A cancelled executed 1"]);
    const other = start(host, "other", batchOf("A"), { signal: AbortSignal.abort() });
    await settle();
    expect(told(other.result)).toEqual(["A cancelled executed 0"]);
    expect(stage.began).toEqual(["A:1"]);
  });

  test("rule 61: cancelling a run that is not open says so", async () => {
    const stage = new Stage();
    const host = stage.host();
    expect(host.runtime.cancel("r")).toBe(false);
    await stage.begin(host, async () => "over");
    expect(host.runtime.cancel("r")).toBe(false);
  });

  test("rule 61: cancelling a run while it is being given back cancels no run that has its number", async () => {
    const stage = new Stage();
    const host = stage.host();
    let giveBack = (): void => undefined;
    const release = host.journal.release.bind(host.journal);
    host.journal.release = async (run, fence) => {
      if (run === "first")
        await new Promise<void>((resolve) => {
          giveBack = resolve;
        });
      await release(run, fence);
    };
    const first = start(host, "first", async () => "first");
    await settle();
    const second = await stage.begin(host, batchOf("A"));
    host.runtime.cancel("first");
    await settle();
    expect(stage.attempts.get("A")![0]!.ctx.signal.aborted).toBe(false);
    await stage.end("A", "a");
    expect(told(second.result)).toEqual(['A ok="a" executed 1']);
    giveBack();
    await settle();
    expect(first.result).toBe("first");
  });
});
