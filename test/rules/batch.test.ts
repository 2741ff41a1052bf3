// Rules 26–41: N slots of one plan. A batch always gives one outcome per call, in request order.
import { describe, expect, test } from "vitest";
import { EntryKind } from "../../bindings/js/src/entry.ts";
import { JournalError } from "../../bindings/js/src/errors.ts";
import { settle } from "./fakes.ts";
import { batchOf, Stage, told } from "./stage.ts";

const abc = batchOf("A B C");
const plannedAndStarted = ["run-opened 0/0", "planned 0/0", "started 0/1", "started 1/1", "started 2/1"];

/** The program, and then it waits for ever: so that the run is never closed. */
const stays = (program: (run: any) => any) => async (run: any) => [
  await program(run),
  await new Promise(() => undefined),
];

function permutations<T>(of: readonly T[]): T[][] {
  if (of.length < 2) return [[...of]];
  return of.flatMap((head, i) => permutations(of.filter((_, j) => j !== i)).map((rest) => [head, ...rest]));
}

describe("a batch", () => {
  test("rule 26: a crash before planned is durable: nothing was started", async () => {
    const stage = new Stage();
    const host = stage.host();
    host.journal.beforeAppend = () => host.crash();
    await stage.begin(host, abc);
    expect(stage.entries).toEqual([]);
    expect(stage.began).toEqual([]);
  });

  test("rule 27: a group is on disk as a whole or absent as a whole", async () => {
    const stage = new Stage();
    const host = stage.host();
    const groups: number[] = [];
    host.journal.beforeAppend = (_, entries) => {
      groups.push(entries.length);
      if (groups.length === 2) host.crash(); // torn: no entry of it survives
    };
    await stage.begin(host, abc);
    stage.attempts.get("A")![0]!.resolve("a");
    stage.attempts.get("B")![0]!.resolve("b");
    await settle();
    expect(groups).toEqual([5, 2]); // plan and starts in one group; completions of one breath in one
    expect(stage.entries).toEqual(plannedAndStarted);
    await stage.begin(stage.host(), abc);
    expect(stage.began.slice(3)).toEqual(["A:2", "B:2", "C:2"]);
  });

  test("rule 28: planned, none started: all start", async () => {
    const stage = new Stage();
    const host = stage.host({ limits: { concurrency: 0 } });
    await stage.begin(host, abc);
    expect(stage.entries).toEqual(["run-opened 0/0", "planned 0/0"]);
    host.crash();
    await stage.begin(stage.host(), abc);
    expect(stage.began).toEqual(["A:1", "B:1", "C:1"]);
  });

  test("rule 29: A and B settled, C slow, crash: only C", async () => {
    const stage = new Stage();
    await stage.life(abc, async () => {
      await stage.end("A", "a");
      await stage.end("B", "b");
    });
    stage.began.length = 0;
    const run = await stage.begin(stage.host(), abc);
    expect(stage.began).toEqual(["C:2"]);
    await stage.end("C", "c");
    expect(told(run.result)).toEqual([
      'A ok="a" executed 1 replayed',
      'B ok="b" executed 1 replayed',
      'C ok="c" re-executed 2',
    ]);
  });

  test("rule 30: a crash between two settles: what is settled stays", async () => {
    const stage = new Stage();
    await stage.life(abc, async (host) => {
      await stage.end("C", "c");
      host.journal.beforeAppend = () => host.crash();
      await stage.end("A", "lost");
    });
    expect(stage.entries).toEqual([...plannedAndStarted, "settled 2/1"]);
    stage.began.length = 0;
    await stage.begin(stage.host(), abc);
    expect(stage.began).toEqual(["A:2", "B:2"]);
  });

  test.each(permutations(["A", "B", "C"]))(
    "rule 31: completed in the order %s %s %s: outcomes in request order, replay identical",
    async (...order) => {
      const stage = new Stage();
      let live: any[] = [];
      const program = stays(async (run) => {
        live = await abc(run);
      });
      await stage.life(program, async () => {
        for (const id of order) await stage.end(id, id.toLowerCase());
      });
      expect(live.map(({ id, value }) => `${id}=${value}`)).toEqual(["A=a", "B=b", "C=c"]);
      const run = await stage.begin(stage.host(), abc);
      expect(run.result).toEqual(live.map((outcome) => ({ ...outcome, replayed: true })));
    },
  );

  test("rule 32: settled, in doubt, settled as an error: replay, decide, replay", async () => {
    const stage = new Stage();
    const program = batchOf("A B:send C");
    await stage.life(program, async () => {
      await stage.end("A", "a");
      await stage.fail("C", new Error("no"));
    });
    const run = await stage.begin(stage.host(), program);
    expect(told(run.result)).toEqual([
      'A ok="a" executed 1 replayed',
      "B unknown surfaced 1",
      "C error=no executed 1 replayed",
    ]);
    expect(stage.began).toHaveLength(3);
  });

  test("rule 33: one fails: N outcomes, and no sibling is cut short", async () => {
    const stage = new Stage();
    const run = await stage.begin(stage.host(), abc);
    await stage.fail("A", new Error("no"));
    expect(run.done).toBe(false);
    expect(stage.attempts.get("B")![0]!.ctx.signal.aborted).toBe(false);
    await stage.end("C", "c");
    await stage.end("B", "b");
    expect(told(run.result)).toEqual(["A error=no executed 1", 'B ok="b" executed 1', 'C ok="c" executed 1']);
  });

  test("rule 34: one slot's payload cannot be decoded: that slot only, loudly", async () => {
    const stage = new Stage();
    await stage.life(stays(abc), async () => {
      for (const id of ["A", "B", "C"]) await stage.end(id, id);
    });
    const entries = stage.world.disk.runs.get("r")!.entries;
    const at = entries.findIndex(({ kind, slot }) => kind === EntryKind.settled && slot === 1);
    entries[at] = { ...entries[at]!, payload: new Uint8Array([0xff, 0x22]) };
    const run = await stage.begin(stage.host(), abc);
    expect((run.result as any[]).map(({ kind }) => kind)).toEqual(["ok", "error", "ok"]);
    expect((run.result as any[])[1].error).toMatchObject({ code: "undecodable-payload" });
    expect(stage.began).toHaveLength(3); // and it was not called again
  });

  test("rule 35: the append of B's outcome fails: the run stops, A and C keep theirs", async () => {
    const stage = new Stage();
    const host = stage.host();
    const run = await stage.begin(host, abc);
    await stage.end("A", "a");
    await stage.end("C", "c");
    host.journal.beforeAppend = () => {
      throw new Error("EIO");
    };
    await stage.end("B", "b");
    expect(run.error).toBeInstanceOf(JournalError);
    host.crash();
    const again = await stage.begin(stage.host(), abc);
    await stage.end("B", "b2");
    expect(told(again.result)).toEqual([
      'A ok="a" executed 1 replayed',
      'B ok="b2" re-executed 2',
      'C ok="c" executed 1 replayed',
    ]);
  });

  test("rule 36: an empty batch makes no entry", async () => {
    const stage = new Stage();
    const run = await stage.begin(stage.host(), (run) => run.batch([]));
    expect(run.result).toEqual([]);
    expect(stage.entries).toEqual(["run-opened 0/0", "run-closed 0/0"]);
  });

  test("rule 36: a batch of one writes what a call writes", async () => {
    const journals: string[][] = [];
    for (const program of [batchOf("A"), (run: any) => run.call("work", { of: "A" }, { id: "A" })]) {
      const stage = new Stage();
      await stage.begin(stage.host(), program);
      await stage.end("A", "a");
      journals.push(stage.entries);
    }
    expect(journals[0]).toEqual(journals[1]);
    expect(journals[0]).toEqual(["run-opened 0/0", "planned 0/0", "started 0/1", "settled 0/1", "run-closed 0/0"]);
  });

  test("rule 37: the same id twice in one batch is refused before planning", async () => {
    const stage = new Stage();
    const run = await stage.begin(stage.host(), batchOf("A B A"));
    expect(run.error).toMatchObject({ code: "duplicate-call-id", details: { id: "A" } });
    expect(stage.entries).toEqual([]);
    expect(stage.began).toEqual([]);
  });

  test("rule 38: two equal calls with different ids are two slots", async () => {
    const stage = new Stage();
    const run = await stage.begin(stage.host(), (run) =>
      run.batch([
        { id: "A", tool: "work", input: 1 },
        { id: "B", tool: "work", input: 1 },
      ]),
    );
    await stage.end("A", "a");
    await stage.end("B", "b");
    expect(told(run.result)).toEqual(['A ok="a" executed 1', 'B ok="b" executed 1']);
    const keys = ["A", "B"].map((id) => stage.attempts.get(id)![0]!.key);
    expect(keys[0]).not.toBe(keys[1]);
  });

  test("rule 38: two equal calls without ids are two slots, too", async () => {
    const stage = new Stage();
    const run = await stage.begin(stage.host(), (run) =>
      run.batch([
        { tool: "work", input: 1 },
        { tool: "work", input: 1 },
      ]),
    );
    await stage.end("#1", "b");
    await stage.end("#0", "a");
    expect(told(run.result)).toEqual(['#0 ok="a" executed 1', '#1 ok="b" executed 1']);
  });

  test("rule 39: later calls after a partial failure keep their ordinals", async () => {
    const stage = new Stage();
    const program = async (run: any) => [...(await abc(run)), ...(await batchOf("D")(run))];
    await stage.life(program, async () => {
      await stage.end("A", "a");
      await stage.fail("B", new Error("no"));
      await stage.end("C", "c");
      await stage.end("D", "d");
    });
    expect(stage.entries).toContain("settled 3/1");
    const before = stage.world.disk.of("r").length;
    stage.world.disk.runs.get("r")!.entries.length = before - 1; // as if run-closed had not made it
    const run = await stage.begin(stage.host(), program);
    expect(told(run.result).map((line) => line.split(" ")[0])).toEqual(["A", "B", "C", "D"]);
    expect(stage.began).toHaveLength(4);
  });

  test("rule 40: the same completion delivered twice counts once", async () => {
    const stage = new Stage();
    const thenable = {
      // biome-ignore lint/suspicious/noThenProperty: a careless library's promise is what is tested
      then(resolve: (value: string) => void, reject: (error: Error) => void) {
        resolve("first");
        resolve("second");
        reject(new Error("third"));
      },
    };
    const host = stage.host({}, { ...stage.tools, twice: { options: { run: () => thenable } } });
    const run = await stage.begin(host, batchOf("A:twice B"));
    expect(stage.entries.filter((entry) => entry.startsWith("settled"))).toEqual(["settled 0/1"]);
    const closing = host.runtime.close({ graceMs: 1_000 });
    await stage.world.clock.pass(10);
    await stage.end("B", "b"); // still counted as in flight: closing has waited for it
    await stage.world.clock.pass(1_000);
    await closing;
    expect(told(run.result)).toEqual(['A ok="first" executed 1', 'B ok="b" executed 1']);
  });

  test("rule 41: 10,000 slots: one plan, and as many entries as slots ask for", async () => {
    const stage = new Stage();
    const host = stage.host({}, { work: { options: { effect: "read", run: (input: any) => input.i } } });
    const calls = Array.from({ length: 10_000 }, (_, i) => ({ id: `c${i}`, tool: "work", input: { i } }));
    const run = await stage.begin(host, (run) => run.batch(calls, { concurrency: 100 }));
    for (let i = 0; i < 200 && !run.done; i++) await settle();
    expect((run.result as any[]).map(({ value }) => value)).toEqual(calls.map(({ input }) => input.i));
    const kinds = stage.entries.map((entry) => entry.split(" ")[0]);
    const count = (kind: string) => kinds.filter((one) => one === kind).length;
    expect([count("planned"), count("started"), count("settled")]).toEqual([1, 10_000, 10_000]);
    expect(kinds).toHaveLength(20_003);
  });
});
