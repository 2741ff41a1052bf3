// Calls that a framework announces in one plan and then claims one by one, when it comes to each tool.
import { describe, expect, test } from "vitest";
import { done } from "../../bindings/js/src/outcome.ts";
import { settle } from "../rules/fakes.ts";
import { Stage, told } from "../rules/stage.ts";

const calls = ["A", "B", "C"].map((id) => ({ id, tool: "work", input: { of: id } }));
const forever = new Promise<never>(() => undefined);

describe("announcing", () => {
  test("plans the calls durably and starts none", async () => {
    const stage = new Stage();
    let announced = false;
    await stage.begin(stage.host(), async (run) => {
      await run.announce(calls);
      announced = true;
      await forever;
    });
    expect(announced).toBe(true);
    expect(stage.entries).toEqual(["run-opened 0/0", "planned 0/0"]);
    expect(stage.began).toEqual([]);
  });

  test("is not answered before its plan is on disk", async () => {
    const stage = new Stage();
    const host = stage.host();
    let acknowledge = (): void => undefined;
    host.journal.afterAppend = () =>
      new Promise((resolve) => {
        acknowledge = resolve;
      });
    let announced = false;
    await stage.begin(host, async (run) => {
      await run.announce(calls);
      announced = true;
    });
    expect(announced).toBe(false);
    acknowledge();
    await settle();
    expect(announced).toBe(true);
  });

  test("refuses an id that the run has already, and the program can go on", async () => {
    const stage = new Stage();
    const state = await stage.begin(stage.host(), async (run) => {
      await run.announce(calls);
      const code = await run.announce([calls[1]]).catch((error: any) => error.code);
      return [code, ...(await Promise.all(["A", "B", "C"].map((id) => run.claim(id))))].length;
    });
    for (const id of ["A", "B", "C"]) await stage.end(id, id);
    expect(state.result).toBe(4);
  });

  test("that its journal refuses is never answered: the program sees neither", async () => {
    const stage = new Stage();
    await stage.life(async (run) => {
      await run.announce(calls);
      await forever;
    });
    let went = false;
    const state = await stage.begin(stage.host(), async (run) => {
      await run.announce([{ id: "X", tool: "work", input: 1 }]);
      went = true;
    });
    expect(state.error).toMatchObject({ code: "journal-mismatch" });
    expect(went).toBe(false);
  });
});

describe("claiming", () => {
  test("starts the call, and gives its outcome; the order is the claims'", async () => {
    const stage = new Stage();
    const state = await stage.begin(stage.host(), async (run) => {
      await run.announce(calls);
      const claims = ["C", "A"].map((id) => run.claim(id));
      return Promise.all(claims);
    });
    expect(stage.began).toEqual(["C:1", "A:1"]);
    await stage.end("A", "a");
    await stage.end("C", "c");
    expect(told(state.result as any)).toEqual(['C ok="c" executed 1', 'A ok="a" executed 1']);
  });

  test("in the same breath as the announcement finds its slot", async () => {
    const stage = new Stage();
    const state = await stage.begin(stage.host(), async (run) => {
      void run.announce(calls);
      return run.claim("B");
    });
    await stage.end("B", "b");
    expect((state.result as any).value).toBe("b");
  });

  test.each([
    ["before anything was announced", (run: any) => run.claim("A"), "A"],
    ["of an id that was not announced", (run: any) => run.announce(calls).then(() => run.claim("X")), "X"],
    ["of something that is no id", (run: any) => run.claim(5), 5],
  ])("%s is refused, and the run can be opened again", async (_, program, callId) => {
    const stage = new Stage();
    const state = await stage.begin(stage.host(), program);
    expect(state.error).toMatchObject({ code: "unknown-call", details: { callId } });
    expect(state.error.next).toContain("run.announce");
    expect(stage.entries).not.toContain("run-closed 0/0");
  });

  test("twice gives the same outcome twice, and one call", async () => {
    const stage = new Stage();
    const state = await stage.begin(stage.host(), async (run) => {
      await run.announce(calls);
      const first = run.claim("A");
      const second = run.claim("A");
      const both = [await first, await second];
      return [...both, await run.claim("A")];
    });
    await stage.end("A", "a");
    expect(told(state.result as any)).toEqual(Array(3).fill('A ok="a" executed 1'));
    expect(stage.began).toEqual(["A:1"]);
  });

  test("a call that a batch waits for is refused, and the batch is not harmed", async () => {
    const stage = new Stage();
    const state = await stage.begin(stage.host(), async (run) => {
      const batch = run.batch(calls);
      await settle();
      const code = await run.claim("A").catch((error: any) => error.code);
      return [code, (await batch).length];
    });
    for (const id of ["A", "B", "C"]) await stage.end(id, id);
    expect(state.result).toEqual(["unknown-call", 3]);
  });

  test("after a crash: what had settled is replayed, the rest decided by the table", async () => {
    const stage = new Stage();
    const mixed = [
      { id: "A", tool: "work", input: 1 },
      { id: "B", tool: "pay", input: 2 },
      { id: "C", tool: "work", input: 3 },
      { id: "D", tool: "send", input: 4 },
    ];
    const program = async (run: any) => {
      await run.announce(mixed);
      return Promise.all(mixed.map(({ id }) => run.claim(id)));
    };
    await stage.life(
      async (run) => {
        await run.announce(mixed);
        await Promise.all(["A", "B", "D"].map((id) => run.claim(id)));
      },
      () => stage.end("A", "a"),
    );
    stage.verdict = () => done("paid");
    const state = await stage.begin(stage.host(), program);
    await stage.end("C", "c");
    expect(told(state.result as any)).toEqual([
      'A ok="a" executed 1 replayed',
      'B ok="paid" reconciled 1',
      'C ok="c" executed 1',
      "D unknown surfaced 1",
    ]);
    expect(stage.entries.filter((entry) => entry.startsWith("planned"))).toHaveLength(1);
  });

  test("a framework that calls each tool by itself: the model's ids lead every claim to its slot", async () => {
    // As a tool of such a framework looks: it is handed its call's id, and knows nothing of the others.
    const stage = new Stage();
    const framework = async (run: any, toolCalls: typeof calls) => {
      await run.announce(toolCalls);
      const execute = async (toolCallId: string) => {
        const outcome = await run.claim(toolCallId);
        return outcome.kind === "ok" ? outcome.value : `failed: ${outcome.kind}`;
      };
      return Promise.all(toolCalls.map(({ id }) => execute(id)));
    };
    const state = await stage.begin(stage.host({ limits: { concurrency: 2 } }), (run) => framework(run, calls));
    expect(stage.began).toEqual(["A:1", "B:1"]); // under the runtime's limits
    await stage.end("B", 2);
    await stage.fail("C", new Error("no"));
    await stage.end("A", 1);
    expect(state.result).toEqual([1, 2, "failed: error"]);
  });

  test("announced and never claimed: reported, and the run ends without it", async () => {
    const stage = new Stage();
    const host = stage.host();
    const state = await stage.begin(host, async (run) => {
      await run.announce(calls);
      return (await run.claim("A")).value;
    });
    await stage.end("A", "a");
    expect(state.result).toBe("a");
    expect(host.warnings.join()).toContain("(B, C)");
    expect(stage.began).toEqual(["A:1"]);
  });

  test("an announced batch's deadline and concurrency hold for its claims", async () => {
    const stage = new Stage();
    const state = await stage.begin(stage.host(), async (run) => {
      await run.announce(calls, { deadlineMs: 1_000, concurrency: 1 });
      return Promise.all(["A", "B", "C"].map((id) => run.claim(id)));
    });
    expect(stage.began).toEqual(["A:1"]);
    await stage.world.clock.pass(1_000);
    expect(told(state.result as any)).toEqual([
      "A timed-out executed 1",
      "B not-started executed 0",
      "C not-started executed 0",
    ]);
  });
});
