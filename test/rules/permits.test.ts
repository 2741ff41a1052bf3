// Rules 62–64: tools that do not stop, another parallelism after a crash, and runs inside runs in a pool of
// one. A permit returns when a call has really ended, and whoever waits gives it back.
import { describe, expect, test } from "vitest";
import { tool } from "../../bindings/js/src/tool.ts";
import { settle } from "./fakes.ts";
import { batchOf, Stage, told } from "./stage.ts";

const abc = batchOf("A B C");
const stays = (program: (run: any) => any) => async (run: any) => [
  await program(run),
  await new Promise(() => undefined),
];

describe("permits", () => {
  test("rule 62: a tool that ignores its abort keeps its permit until it really stops", async () => {
    const stage = new Stage();
    const tools = { work: stage.worker({ timeoutMs: 500, graceMs: 1_000 }) };
    const host = stage.host({ limits: { concurrency: 1 } }, tools);
    await stage.begin(host, stays(batchOf("A B")));
    await stage.world.clock.pass(60_000);
    expect(stage.began).toEqual(["A:1"]);
    expect(stage.entries).toContain("settled 0/1"); // its outcome is long known
    await stage.end("A", "late");
    expect(stage.began).toEqual(["A:1", "B:1"]);
  });

  test("rule 62: one that never stops is counted in the open when the runtime closes", async () => {
    const stage = new Stage();
    const host = stage.host({}, { work: stage.worker({ timeoutMs: 500, graceMs: 100 }) });
    await stage.begin(host, stays(batchOf("A")));
    await stage.world.clock.pass(500);
    const closing = host.runtime.close({ graceMs: 1_000 });
    await stage.world.clock.pass(5_000);
    await closing;
    expect(host.warnings.join()).toMatch(/1 calls? ignored/);
  });

  test("rule 63: another parallelism after the crash: the same journal as without one", async () => {
    const journals: string[][] = [];
    for (const concurrency of [1, 3, 100]) {
      const stage = new Stage();
      const first = stage.host({ limits: { concurrency: 2 } });
      await stage.begin(first, abc);
      await stage.end("A", "a");
      first.crash();
      const second = stage.host({ limits: { concurrency } });
      const run = await stage.begin(second, batchOf("A B C", "work", { concurrency: 50 }));
      await stage.end("B", "b");
      await stage.end("C", "c");
      expect(told(run.result)).toEqual([
        'A ok="a" executed 1 replayed',
        'B ok="b" re-executed 2',
        'C ok="c" re-executed 2',
      ]);
      journals.push([...stage.entries].sort());
    }
    expect(journals[1]).toEqual(journals[0]);
    expect(journals[2]).toEqual(journals[0]);
  });

  test("rule 64: a nested batch in a pool of one finishes", async () => {
    const stage = new Stage();
    const tools = {
      ...stage.tools,
      agent: tool({
        effect: "idempotent",
        run: (_: unknown, ctx) => ctx.run(async (run: any) => (await batchOf("X Y")(run)).map((one: any) => one.value)),
      }),
    };
    const host = stage.host({ limits: { concurrency: 1 } }, tools);
    const run = await stage.begin(host, batchOf("A:agent B"));
    for (let i = 0; i < 4; i++) {
      await stage.end("X", "x");
      await stage.end("B", "b");
      await stage.end("Y", "y");
    }
    expect(told(run.result)).toEqual(['A ok=["x","y"] executed 1', 'B ok="b" executed 1']);
  });

  test("rule 64: runs inside runs inside runs in a pool of one finish", async () => {
    const stage = new Stage();
    const deep: any = tool({
      effect: "idempotent",
      run: (depth: number, ctx) =>
        ctx.run(async (run: any) => (depth === 0 ? 0 : 1 + (await run.call("deep", depth - 1, { id: "inner" })))),
    });
    const run = await stage.begin(stage.host({ limits: { concurrency: 1 } }, { deep }), (run) => run.call("deep", 10));
    for (let i = 0; i < 20 && !run.done; i++) await settle();
    expect(run.result).toBe(10);
  });
});
