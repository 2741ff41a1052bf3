// Rules 1–14: what becomes of one call when the host dies around it.
import { describe, expect, test } from "vitest";
import { FencedError, JournalError } from "../../bindings/js/src/errors.ts";
import { settle } from "./fakes.ts";
import { batchOf, Stage, told } from "./stage.ts";

const one = batchOf("A");

describe("one call", () => {
  test("rule 1: nothing in the journal and a crash: the call is made once", async () => {
    const stage = new Stage();
    await stage.life(one, (host) => expect(host.journal.appends).toBe(1));
    stage.world.disk.runs.clear(); // the group never reached the disk
    stage.began.length = 0;
    const run = await stage.begin(stage.host(), one);
    await stage.end("A", "a");
    expect(stage.began).toEqual(["A:1"]);
    expect(told(run.result)).toEqual(['A ok="a" executed 1']);
  });

  test("rule 1: the crash comes before the first group is durable: the tool was never called", async () => {
    const stage = new Stage();
    const host = stage.host();
    host.journal.beforeAppend = () => host.crash();
    await stage.begin(host, one);
    expect(stage.began).toEqual([]);
    expect(stage.entries).toEqual([]);
  });

  test.each(["look", "work"])(
    "rule 2: planned and started, crash before the call really began, %s: called again with the same key",
    async (name) => {
      const stage = new Stage();
      const host = stage.host();
      host.journal.afterAppend = () => host.crash(); // on disk, and nobody was told
      await stage.begin(host, batchOf("A", name));
      expect(stage.began).toEqual([]);
      expect(stage.entries).toEqual(["run-opened 0/0", "planned 0/0", "started 0/1"]);
      const run = await stage.begin(stage.host(), batchOf("A", name));
      await stage.end("A", "a");
      expect(stage.began).toEqual(["A:2"]);
      expect(told(run.result)).toEqual(['A ok="a" re-executed 2']);
    },
  );

  test("rule 3: finished, crash before settled, idempotent: again with the same key, attempt 2, re-executed", async () => {
    const stage = new Stage();
    await stage.life(one, async (host) => {
      host.journal.beforeAppend = () => host.crash();
      await stage.end("A", "lost");
    });
    const run = await stage.begin(stage.host(), one);
    await stage.end("A", "a");
    expect(stage.began).toEqual(["A:1", "A:2"]);
    const [first, second] = stage.attempts.get("A")!;
    expect(second!.key).toBe(first!.key);
    expect(told(run.result)).toEqual(['A ok="a" re-executed 2']);
  });

  test("rule 4: settled and a crash: replayed, not called, marked replayed", async () => {
    const stage = new Stage();
    const stays = async (run: any) => [await one(run), await new Promise(() => undefined)];
    await stage.life(stays, () => stage.end("A", "a"));
    const host = stage.host();
    const run = await stage.begin(host, one);
    expect(stage.began).toEqual(["A:1"]);
    expect(told(run.result)).toEqual(['A ok="a" executed 1 replayed']);
    expect(host.events.map(({ kind }) => kind)).not.toContain("settled");
    expect(host.events.map(({ kind }) => kind)).not.toContain("started");
  });

  test.each([
    ["5", null],
    ["5", undefined],
    ["6", false],
    ["6", 0],
    ["6", ""],
    ["6", []],
    ["6", {}],
  ])("rule %s: the result %j is a result and replays as itself", async (_, value) => {
    const stage = new Stage();
    const seen: any[] = [];
    const twice = async (run: any) => {
      seen.push(...(await batchOf("A")(run)), ...(await batchOf("B")(run)));
    };
    await stage.life(twice, () => stage.end("A", value));
    seen.length = 0;
    await stage.begin(stage.host(), twice);
    await stage.end("B", value);
    expect(stage.began).toEqual(["A:1", "B:1", "B:2"]);
    const [replayed, live] = seen;
    expect(replayed).toMatchObject({ kind: "ok", replayed: true });
    expect(replayed.value).toStrictEqual(value);
    expect(live.value).toStrictEqual(value);
    expect("value" in replayed).toBe(true);
  });

  test("rule 5: a tool that returns nothing gives undefined, live and replayed", async () => {
    const stage = new Stage();
    const program = async (run: any) => [
      (await run.call("work", 1, { id: "A" })) === undefined,
      await run.call("work", 2, { id: "B" }),
    ];
    await stage.life(program, () => stage.end("A"));
    const run = await stage.begin(stage.host(), program);
    await stage.end("B", 2);
    expect(run.result).toEqual([true, 2]);
  });

  test("rule 7: an error replays with the name, code, message and data it had live", async () => {
    const stage = new Stage();
    const seen: any[] = [];
    const program = async (run: any) => {
      const [a] = await one(run);
      seen.push(a);
      return run.call("work", 1, { id: a?.kind === "error" && a.error.code === "E_RATE" ? "branch" : "other" });
    };
    const error = Object.assign(new TypeError("too fast"), { code: "E_RATE", data: { retryAfter: 7 } });
    await stage.life(program, () => stage.fail("A", error));
    await stage.begin(stage.host(), program);
    await stage.end("branch", "done");
    expect(stage.began).toEqual(["A:1", "branch:1", "branch:2"]); // the same branch; `A` not called again
    const [live, replayed] = seen;
    expect(live.error).toMatchObject({
      name: "TypeError",
      message: "too fast",
      code: "E_RATE",
      data: { retryAfter: 7 },
    });
    expect(replayed.error).toEqual(live.error);
  });

  test("rule 8: a result that cannot be serialised settles this slot as a typed error, siblings unmoved", async () => {
    const stage = new Stage();
    const stays = async (run: any) => [await batchOf("A B C")(run), await new Promise(() => undefined)];
    await stage.life(stays, async () => {
      await stage.end("A", "a");
      await stage.end("B", new Map());
      await stage.end("C", "c");
    });
    const run = await stage.begin(stage.host(), batchOf("A B C"));
    expect(stage.began).toHaveLength(3);
    const outcomes = run.result as any[];
    expect(outcomes.map(({ kind }) => kind)).toEqual(["ok", "error", "ok"]);
    expect(outcomes[1].error).toMatchObject({ code: "result-not-json", name: "HoldfastError" });
    expect(outcomes[1].error.message).toContain("a Map");
  });

  test("rule 9: an error that cannot be serialised settles with a degraded description", async () => {
    const stage = new Stage();
    const host = stage.host();
    const cyclic: any = new Error("kept");
    cyclic.data = { self: cyclic };
    cyclic.code = { not: "a code" };
    const run = await stage.begin(host, batchOf("A B C D"));
    await stage.fail("A", cyclic);
    await stage.fail("B", 10n);
    await stage.fail("C", {
      get message(): string {
        throw new Error("hostile");
      },
    });
    await stage.fail("D", undefined);
    const errors = (run.result as any[]).map(({ error }) => error);
    expect(errors[0]).toMatchObject({ name: "Error", message: "kept" });
    expect(errors[0]).not.toHaveProperty("data");
    expect(errors[0]).not.toHaveProperty("code");
    expect(errors[1]).toMatchObject({ name: "NonError", message: "10" });
    expect(errors[2].name).toBe("NonError");
    expect(errors[3]).toMatchObject({ name: "NonError", message: "undefined" });
  });

  test("rule 10: a tool that dies in its call ends this slot only", async () => {
    // Here by an error out of nowhere; the threads that really die are in the worker tests.
    const stage = new Stage();
    const run = await stage.begin(stage.host(), batchOf("A B"));
    await stage.fail("A", new RangeError("out of memory"));
    await stage.end("B", "b");
    expect((run.result as any[]).map(({ kind }) => kind)).toEqual(["error", "ok"]);
  });

  test("rule 11: interrupted while a call is in flight: in doubt, and not a failure", async () => {
    const stage = new Stage();
    const host = stage.host();
    const run = await stage.begin(host, batchOf("A", "send"));
    const closing = host.runtime.close({ graceMs: 0 });
    await stage.world.clock.pass(2_000);
    await closing;
    expect(run.error).toMatchObject({ code: "runtime-closed" });
    await stage.end("A", "too late");
    expect(stage.entries).toEqual(["run-opened 0/0", "planned 0/0", "started 0/1"]);
  });

  test("rule 12: the append fails: the run stops with a JournalError and the next call never meets that slot", async () => {
    const stage = new Stage();
    const host = stage.host();
    let went = false;
    const program = async (run: any) => {
      await one(run).finally(() => {
        went = true;
      });
      return batchOf("B")(run);
    };
    const run = await stage.begin(host, program);
    host.journal.beforeAppend = () => {
      throw new Error("the disk is full");
    };
    await stage.end("A", "a");
    expect(run.error).toBeInstanceOf(JournalError);
    expect(run.error.message).toContain('"r"');
    expect(run.error.cause.message).toBe("the disk is full");
    expect(went).toBe(false); // neither success nor failure
    host.journal.beforeAppend = undefined;
    const again = await stage.begin(host, program); // the very same runtime, once the disk has room
    await stage.end("A", "a2");
    await stage.end("B", "b");
    expect(stage.began).toEqual(["A:1", "A:2", "B:1"]);
    expect(told(again.result)).toEqual(['B ok="b" executed 1']);
  });

  test("rule 12: a start that cannot be written is never made", async () => {
    const stage = new Stage();
    const host = stage.host();
    host.journal.beforeAppend = () => {
      throw new Error("the disk is full");
    };
    const run = await stage.begin(host, one);
    expect(run.error).toBeInstanceOf(JournalError);
    expect(stage.began).toEqual([]);
  });

  test("rule 13: an acknowledgement that comes late is not durable until it comes", async () => {
    const stage = new Stage();
    const host = stage.host();
    let acknowledge = (): void => undefined;
    host.journal.afterAppend = () =>
      new Promise((resolve) => {
        acknowledge = resolve;
      });
    const run = await stage.begin(host, one);
    expect(stage.began).toEqual([]); // written, not acknowledged
    acknowledge();
    await settle();
    expect(stage.began).toEqual(["A:1"]);
    await stage.end("A", "a");
    expect(run.done).toBe(false); // settled is written, not acknowledged
    expect(host.events.map(({ kind }) => kind)).not.toContain("settled");
    acknowledge();
    await settle();
    expect(host.events.map(({ kind }) => kind)).toContain("settled");
  });

  test.each(["work", "pay"])(
    "rule 14: recovery that crashes again and again keeps the same guarantees, %s",
    async (name) => {
      const stage = new Stage();
      stage.verdict = () => ({ kind: "not-done" });
      const program = batchOf("A B", name);
      await stage.life(program, () => stage.end("A", "a"));
      for (let crash = 0; crash < 4; crash++) {
        const host = stage.host();
        host.journal.afterAppend = () => host.crash();
        await stage.begin(host, program);
      }
      expect(stage.began).toEqual(["A:1", "B:1"]); // no attempt of the crashed recoveries got so far
      const run = await stage.begin(stage.host(), program);
      await stage.end("B", "b");
      expect(stage.began).toEqual(["A:1", "B:1", "B:6"]);
      expect(told(run.result)).toEqual(['A ok="a" executed 1 replayed', 'B ok="b" re-executed 6']);
      expect(new Set(stage.attempts.get("B")!.map(({ key }) => key)).size).toBe(1);
    },
  );

  test("rule 14: a fenced host is told so and has seen nothing", async () => {
    const stage = new Stage();
    const host = stage.host();
    const run = await stage.begin(host, one);
    stage.world.disk.runs.get("r")!.fence++;
    await stage.end("A", "a");
    expect(run.error).toBeInstanceOf(FencedError);
  });
});
