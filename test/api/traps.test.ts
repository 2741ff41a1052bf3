// A core that breaks an assumption of its own is thrown away: every open run goes on from its journal.
import { describe, expect, test } from "vitest";
import { tool } from "../../bindings/js/src/tool.ts";
import { settle, start } from "../rules/fakes.ts";
import { batchOf, Stage, told } from "../rules/stage.ts";
import { trappingCore } from "./trapping-core.ts";

/** A program whose first life makes the core trap. */
function poison(): (run: any) => Promise<unknown> {
  let lives = 0;
  return async (run) => {
    await run.announce([{ id: "P", tool: "work", input: 1 }]);
    return lives++ === 0 ? run.claim("P") : "survived";
  };
}

describe("a core that traps", () => {
  test("costs the runs their memory and nothing else: each goes on from its journal", async () => {
    const stage = new Stage();
    const host = stage.host({}, stage.tools, trappingCore);
    const other = await stage.begin(host, batchOf("A B"));
    await stage.end("A", "a");
    const bad = start(host, "bad", poison());
    await settle();
    const told1 = stage.attempts.get("B")![0]!.ctx.signal;
    expect(told1.aborted).toBe(true); // what ran was told to stop
    await stage.fail("B", told1.reason);
    await settle();
    expect(bad.result).toBe("survived");
    expect(stage.began).toEqual(["A:1", "B:1", "B:2"]);
    await stage.end("B", "b");
    expect(told(other.result as any)).toEqual(['A ok="a" executed 1 replayed', 'B ok="b" re-executed 2']);
    expect(host.warnings.filter((warning) => warning.startsWith("core-trap: the core stopped"))).toHaveLength(2);
  });

  test("leaves nothing of its calls in doubt while they still run", async () => {
    const stage = new Stage();
    stage.verdict = () => ({ kind: "not-done" });
    const host = stage.host({}, stage.tools, trappingCore);
    await stage.begin(host, batchOf("A", "pay"));
    start(host, "bad", poison());
    await settle();
    expect(stage.asked).toEqual([]); // A may still happen
    await stage.fail("A", stage.attempts.get("A")![0]!.ctx.signal.reason);
    expect(stage.asked).toEqual(["A:1"]);
    expect(stage.began).toEqual(["A:1", "A:2"]);
  });

  test("that does it again and again stops the run with a typed error, and its journal is what it was", async () => {
    const stage = new Stage();
    const host = stage.host({}, stage.tools, trappingCore);
    const state = await stage.begin(host, async (run) => {
      await run.announce([{ id: "P", tool: "work", input: 1 }]);
      return run.claim("P");
    });
    expect(state.error).toMatchObject({ code: "core-trap" });
    expect(state.error.next).toContain("please report it");
    expect(stage.began).toEqual([]);
    const mended = await stage.begin(stage.host(), batchOf("P"));
    expect(mended.error).toMatchObject({ code: "journal-mismatch" }); // it is all still there
    expect(await host.runtime.run("another", () => 1)).toBe(1);
  });

  test("while a child is open: parent and child go on, the child under the parent's new attempt", async () => {
    const stage = new Stage();
    const nested = tool({ effect: "idempotent", run: (_: unknown, ctx: any) => ctx.run(batchOf("X Y")) } as never);
    const host = stage.host({}, { ...stage.tools, nested }, trappingCore);
    const state = await stage.begin(host, batchOf("A:nested"));
    await stage.end("X", "x");
    start(host, "bad", poison());
    await settle();
    await stage.fail("Y", stage.attempts.get("Y")![0]!.ctx.signal.reason);
    await settle();
    await stage.end("Y", "y");
    await settle();
    const [a] = state.result as any[];
    expect(a).toMatchObject({ kind: "ok", attempts: 2 });
    expect(told(a.value)).toEqual(['X ok="x" executed 1 replayed', 'Y ok="y" re-executed 2']);
    expect(stage.began).toEqual(["X:1", "Y:1", "Y:2"]);
  });
});
