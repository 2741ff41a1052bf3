// Runs inside runs: a child has its own journal and recovers by itself; its parent waits without permits.
import { describe, expect, test } from "vitest";
import { tool } from "../../bindings/js/src/tool.ts";
import { settle } from "../rules/fakes.ts";
import { batchOf, Stage, told } from "../rules/stage.ts";

/** A tool whose call runs this child program. */
function agent(program: (run: any) => any, options: Record<string, unknown> = {}) {
  return tool({
    effect: "idempotent",
    run: (_: unknown, ctx: any) => ctx.run(program, options.child),
    ...(options.tool as object),
  } as never);
}

describe("a child run", () => {
  test("has a journal of its own, under a key made of its parent's", async () => {
    const stage = new Stage();
    const host = stage.host({}, { ...stage.tools, agent: agent(batchOf("X")) });
    const state = await stage.begin(host, batchOf("A:agent"));
    await stage.end("X", "x");
    expect((state.result as any)[0].value).toMatchObject([{ id: "X", value: "x" }]);
    expect([...stage.world.disk.runs.keys()]).toEqual(["r", "r/A"]);
    const listing = await host.runtime.runs();
    expect(listing.map(({ id, path, state }) => [id, path, state])).toEqual([
      ["r", [], "closed"],
      ["A", ["r"], "closed"],
    ]);
    expect((await host.runtime.read("A", ["r"])).slots.map(({ id }) => id)).toEqual(["X"]);
  });

  test("recovers by itself: the parent is called again and meets what the child had settled", async () => {
    const stage = new Stage();
    const tools = { ...stage.tools, agent: agent(batchOf("X Y")) };
    const first = stage.host({}, tools);
    await stage.begin(first, batchOf("A:agent"));
    await stage.end("X", "x");
    first.crash();
    const state = await stage.begin(stage.host({}, tools), batchOf("A:agent"));
    expect(stage.began).toEqual(["X:1", "Y:1", "Y:2"]);
    await stage.end("Y", "y");
    expect(told((state.result as any)[0].value)).toEqual(['X ok="x" executed 1 replayed', 'Y ok="y" re-executed 2']);
  });

  test("that is over gives its result to the parent's next attempt, and calls nothing", async () => {
    const stage = new Stage();
    const tools = { ...stage.tools, agent: agent(batchOf("X")) };
    const first = stage.host({}, tools);
    await stage.begin(first, batchOf("A:agent"));
    first.journal.beforeAppend = (run, entries) => {
      if (run === "r" && entries.some(({ kind }) => kind === 4)) first.crash(); // the child is closed, the parent not settled
    };
    await stage.end("X", "x");
    expect(stage.world.disk.entries("r/A").at(-1)).toBe("run-closed 0/0");
    const state = await stage.begin(stage.host({}, tools), batchOf("A:agent"));
    expect((state.result as any)[0]).toMatchObject({ kind: "ok", source: "re-executed", attempts: 2 });
    expect(stage.began).toEqual(["X:1"]);
  });

  test("several of one call are told apart by name; the same name twice is refused", async () => {
    const stage = new Stage();
    const pair = tool({
      effect: "idempotent",
      run: async (_: unknown, ctx: any) => {
        const both = await Promise.all([ctx.run(() => 1, { name: "one" }), ctx.run(() => 2, { name: "two" })]);
        const again = await ctx.run(() => 3, { name: "one" }).catch((error: any) => error.code);
        const unnamed = await ctx.run(() => 4);
        return [...both, again, unnamed];
      },
    });
    const state = await stage.begin(stage.host({}, { pair }), (run) => run.call("pair", null, { id: "A" }));
    expect(state.result).toEqual([1, 2, "run-busy", 4]);
    expect([...stage.world.disk.runs.keys()]).toEqual(["r", "r/A~one", "r/A~two", "r/A"]);
  });

  test.each([[5], [""], ["x".repeat(201)], [null]])("a name that is none is refused: %s", async (name) => {
    const stage = new Stage();
    const odd = agent(() => 1, { child: { name } });
    const state = await stage.begin(stage.host({}, { odd }), (run) => run.batch([{ id: "A", tool: "odd", input: 1 }]));
    expect((state.result as any)[0].error).toMatchObject({ code: "invalid-option" });
  });

  test("one that throws fails its parent's call, whose program goes on", async () => {
    const stage = new Stage();
    const bad = agent(() => {
      throw new Error("child failed");
    });
    const state = await stage.begin(stage.host({}, { bad }), batchOf("A:bad"));
    expect(told(state.result as any)).toEqual(["A error=child failed executed 1"]);
  });

  test("cancelling the parent cancels the child", async () => {
    const stage = new Stage();
    let outcomes: any;
    const nested = agent(async (run) => {
      outcomes = await batchOf("X Y", "work", { concurrency: 1 })(run);
    });
    const host = stage.host({}, { ...stage.tools, nested });
    const state = await stage.begin(host, batchOf("A:nested"));
    host.runtime.cancel("r");
    await settle();
    const { ctx } = stage.attempts.get("X")![0]!;
    expect(ctx.signal.aborted).toBe(true);
    await stage.fail("X", ctx.signal.reason);
    expect(told(outcomes)).toEqual(["X cancelled executed 1", "Y cancelled executed 0"]);
    expect(state.done).toBe(true);
    expect(stage.began).toEqual(["X:1"]);
  });

  test("the parent's timeout cancels the child; its next attempt finds the child where it stopped", async () => {
    const stage = new Stage();
    const nested = agent(batchOf("X Y"), { tool: { timeoutMs: 1_000, retry: { attempts: 2, backoffMs: 10 } } });
    const state = await stage.begin(stage.host({}, { ...stage.tools, nested }), batchOf("A:nested"));
    await stage.end("X", "x");
    await stage.world.clock.pass(1_000);
    await stage.fail("Y", stage.attempts.get("Y")![0]!.ctx.signal.reason);
    await stage.world.clock.pass(1_000);
    expect(stage.began).toEqual(["X:1", "Y:1"]);
    const [a] = state.result as any[];
    expect(a.kind).toBe("ok"); // cancelled is what the child came to
    expect(told(a.value)).toEqual(['X ok="x" executed 1', "Y cancelled executed 1"]);
  });

  test("a tool that leaves its child behind when it times out: the next attempt waits for it", async () => {
    const stage = new Stage();
    const racing = tool({
      effect: "idempotent",
      timeoutMs: 1_000,
      retry: { attempts: 2, backoffMs: 1 },
      run: (_: unknown, ctx: any) =>
        Promise.race([
          ctx.run(batchOf("X")),
          new Promise((_, reject) => ctx.signal.addEventListener("abort", () => reject(ctx.signal.reason))),
        ]),
    });
    const state = await stage.begin(stage.host({}, { ...stage.tools, racing }), batchOf("A:racing"));
    await stage.world.clock.pass(1_500); // the second attempt has begun; the child has not stopped yet
    await stage.fail("X", stage.attempts.get("X")![0]!.ctx.signal.reason);
    await stage.world.clock.pass(100);
    const [a] = state.result as any[];
    expect(a).toMatchObject({ kind: "ok", attempts: 2 });
  });

  test("a child that its journal interrupts leaves the parent's call in doubt, and is no failure of it", async () => {
    const stage = new Stage();
    const tools = { ...stage.tools, nested: agent(batchOf("X")) };
    const host = stage.host({}, tools);
    const state = await stage.begin(host, batchOf("A:nested"));
    host.journal.beforeAppend = (run) => {
      if (run === "r/A") throw new Error("EIO");
    };
    await stage.end("X", "x");
    expect(state.error).toMatchObject({ name: "JournalError", code: "journal-append" });
    expect(stage.entries).toEqual(["run-opened 0/0", "planned 0/0", "started 0/1"]);
    host.journal.beforeAppend = undefined;
    const again = await stage.begin(host, batchOf("A:nested"));
    await stage.end("X", "x");
    expect(told(again.result as any)[0]).toMatch(/^A ok=.*re-executed 2$/);
  });

  test("a child whose program has changed interrupts the parent, until it fits again", async () => {
    const stage = new Stage();
    const first = stage.host({}, { ...stage.tools, nested: agent(batchOf("X")) });
    await stage.begin(first, batchOf("A:nested"));
    first.crash();
    const changed = stage.host({}, { ...stage.tools, nested: agent(batchOf("Y")) });
    const state = await stage.begin(changed, batchOf("A:nested"));
    expect(state.error).toMatchObject({ code: "journal-mismatch" });
    const mended = await stage.begin(changed, batchOf("A:nested"));
    expect(mended.error).toMatchObject({ code: "journal-mismatch" }); // and it did not settle in between
    expect(stage.entries.filter((entry) => entry.startsWith("settled"))).toEqual([]);
  });

  test("a tool that catches what stopped its child decides for itself", async () => {
    const stage = new Stage();
    const brave = tool({
      effect: "idempotent",
      run: (_: unknown, ctx: any) => ctx.run(batchOf("X X")).catch((error: any) => error.code),
    });
    const state = await stage.begin(stage.host({}, { ...stage.tools, brave }), batchOf("A:brave"));
    expect((state.result as any)[0].value).toBe("duplicate-call-id");
  });

  test("opened after the call has ended is refused", async () => {
    const stage = new Stage();
    let ctx: any;
    const keeps = tool({
      run: (_: unknown, given: any) => {
        ctx = given;
        return 1;
      },
    });
    await stage.begin(stage.host({}, { ...stage.tools, keeps }), (run) => run.call("keeps", null));
    const other = await stage.begin(stage.world.host({ ...stage.tools }) as any, batchOf("B")).catch(() => undefined);
    await expect(ctx.run(() => 1)).rejects.toMatchObject({ code: "run-stopped" });
    expect(other?.error).toBeUndefined();
  });

  test("one that its tool never awaits does not hold the parent's permits or its run", async () => {
    const stage = new Stage();
    const careless = tool({
      effect: "idempotent",
      run: (_: unknown, ctx: any) => {
        void ctx.run(batchOf("X"));
        return "at once";
      },
    });
    const host = stage.host({ limits: { concurrency: 1 } }, { ...stage.tools, careless });
    const state = await stage.begin(host, batchOf("A:careless B"));
    await settle();
    await stage.end("X", "x");
    await stage.end("B", "b");
    expect(told(state.result as any)).toEqual(['A ok="at once" executed 1', 'B ok="b" executed 1']);
  });

  test("whose key would be too long is an error of its call", async () => {
    const stage = new Stage();
    const id = "/".repeat(512); // each is escaped to three characters
    const deep: any = tool({
      effect: "idempotent",
      run: (depth: number, ctx: any) => ctx.run((run: any) => run.call("deep", depth + 1, { id })),
    });
    const state = await stage.begin(stage.host({}, { deep }), (run) => run.call("deep", 0, { id }));
    for (let i = 0; i < 10 && !state.done; i++) await settle();
    expect(state.error.message).toContain("nested so deep");
  });
});
