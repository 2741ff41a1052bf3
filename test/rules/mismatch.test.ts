// Rules 42–54: the program no longer makes the calls that its journal holds. Nothing is dropped in silence.
import { describe, expect, test } from "vitest";
import type { MismatchError } from "../../bindings/js/src/mismatch.ts";
import { tool } from "../../bindings/js/src/tool.ts";
import { batchOf, Stage, told } from "./stage.ts";

const abc = batchOf("A B C");

/** A life in which [A, B, C] settled as "a", "b", "c" and the host died before the run was closed. */
async function settledAbc(program: (run: any) => any = abc): Promise<Stage> {
  const stage = new Stage();
  const stays = async (run: any) => [await program(run), await new Promise(() => undefined)];
  await stage.life(stays, async () => {
    for (const id of ["A", "B", "C"]) await stage.end(id, id.toLowerCase());
  });
  stage.began.length = 0;
  return stage;
}

/** Runs a program that must be refused; what differs, as `kind slot journal→program`. */
async function refused(stage: Stage, program: (run: any) => any): Promise<string[]> {
  const before = stage.entries;
  const run = await stage.begin(stage.host(), program);
  expect(run.error).toMatchObject({ name: "MismatchError", code: "journal-mismatch" });
  expect(stage.entries).toEqual(before); // refused, and nothing has changed
  expect(stage.began).toEqual([]);
  return (run.error as MismatchError).differences.map(
    ({ kind, slot, journal, program }) => `${kind} ${slot ?? "-"} ${journal?.id ?? "-"}→${program?.id ?? "-"}`,
  );
}

/** What a host in mode adapt left behind, as `id state`, from its events. */
function leftBehind(host: { events: readonly any[] }): string[] {
  return host.events.filter(({ kind }) => kind === "left-behind").map(({ callId, state }) => `${callId} ${state}`);
}

const adapt = { onMismatch: "adapt" } as const;

describe("a program that has changed", () => {
  test("rule 42: [A,B,C] is now [A,X,C]: refused with a diff of both sides", async () => {
    const stage = await settledAbc();
    expect(await refused(stage, batchOf("A X C"))).toEqual(["unexpected-call - -→X", "unused-slot 1 B→-"]);
    const run = await stage.begin(stage.host(), batchOf("A X C"));
    expect(run.error.message).toContain('- B  work({"of":"B"})  [settled]');
    expect(run.error.message).toContain('+ X  work({"of":"X"})');
    expect(run.error.next).toContain("adapt");
  });

  test("rule 42: adapt keeps A and C, calls X, reports B and deletes nothing", async () => {
    const stage = await settledAbc();
    const host = stage.host();
    const run = await stage.begin(host, batchOf("A X C"), adapt);
    await stage.end("X", "x");
    expect(stage.began).toEqual(["X:1"]);
    expect(told(run.result)).toEqual([
      'A ok="a" executed 1 replayed',
      'X ok="x" executed 1',
      'C ok="c" executed 1 replayed',
    ]);
    expect(leftBehind(host)).toEqual(["B settled"]);
    expect(stage.entries).toContain("settled 1/1");
  });

  test("rule 42: what adapt leaves behind is said to a person even when nobody watches", async () => {
    const stage = await settledAbc();
    const host = stage.host();
    await stage.begin(host, batchOf("A C"), adapt);
    expect(host.warnings.join()).toMatch(/run "r".*1 .*B \(settled\)/);
  });

  test("rule 43: the head is removed: the rest is replayed", async () => {
    const stage = await settledAbc();
    expect(await refused(stage, batchOf("B C"))).toEqual(["unused-slot 0 A→-"]);
    const host = stage.host();
    const run = await stage.begin(host, batchOf("B C"), adapt);
    expect(told(run.result)).toEqual(['B ok="b" executed 1 replayed', 'C ok="c" executed 1 replayed']);
    expect(leftBehind(host)).toEqual(["A settled"]);
    expect(stage.began).toEqual([]);
  });

  test("rule 44: X is inserted at the head: X runs, the rest is replayed", async () => {
    const stage = await settledAbc();
    const twoBatches = async (run: any) => [...(await batchOf("X")(run)), ...(await abc(run))];
    expect(await refused(stage, twoBatches)).toEqual([
      "unexpected-call - -→X",
      "unused-slot 0 A→-",
      "unused-slot 1 B→-",
      "unused-slot 2 C→-",
    ]);
    const host = stage.host();
    const run = await stage.begin(host, twoBatches, adapt);
    await stage.end("X", "x");
    expect(stage.began).toEqual(["X:1"]);
    expect(told(run.result)[0]).toBe('X ok="x" executed 1');
    expect(
      told(run.result)
        .slice(1)
        .every((line) => line.endsWith("replayed")),
    ).toBe(true);
    expect(leftBehind(host)).toEqual([]);
  });

  test("rule 45: reordered: matched by id, no mismatch, outcomes in the new order", async () => {
    const stage = await settledAbc();
    const run = await stage.begin(stage.host(), batchOf("C A B"));
    expect(told(run.result)).toEqual([
      'C ok="c" executed 1 replayed',
      'A ok="a" executed 1 replayed',
      'B ok="b" executed 1 replayed',
    ]);
    expect(stage.began).toEqual([]);
  });

  test("rule 46: fewer calls than the journal has are unused slots", async () => {
    const stage = await settledAbc();
    expect(await refused(stage, batchOf("A"))).toEqual(["unused-slot 1 B→-", "unused-slot 2 C→-"]);
  });

  test("rule 46: a program that now throws before it makes its calls is refused, with what it threw as the cause", async () => {
    const stage = await settledAbc();
    const run = await stage.begin(stage.host(), async () => {
      throw new Error("the configuration is gone");
    });
    expect(run.error.code).toBe("journal-mismatch");
    expect(run.error.cause).toMatchObject({ message: "the configuration is gone" });
    expect(stage.entries).not.toContain("run-closed 0/0");
  });

  test("rule 47: the batch grew and a later call follows: the later call keeps its slot", async () => {
    const later = async (run: any) => [await abc(run), ...(await batchOf("D")(run))];
    const grown = async (run: any) => [...(await batchOf("A B C X")(run)), ...(await batchOf("D")(run))];
    const stage = new Stage();
    const stays = async (run: any) => [await later(run), await new Promise(() => undefined)];
    await stage.life(stays, async () => {
      for (const id of ["A", "B", "C", "D"]) await stage.end(id, id);
    });
    stage.began.length = 0;
    expect(await refused(stage, grown)).toEqual(["unexpected-call - -→X", "unused-slot 3 D→-"]);
    const run = await stage.begin(stage.host(), grown, adapt);
    await stage.end("X", "x");
    expect(stage.began).toEqual(["X:1"]);
    expect(told(run.result).at(-1)).toBe('D ok="D" executed 1 replayed');
    expect(stage.entries).toContain("settled 4/1"); // X came after D in the journal
  });

  test("rule 47: a batch that grew at the end of the journal is no mismatch", async () => {
    const stage = await settledAbc();
    const run = await stage.begin(stage.host(), batchOf("A B C X"));
    await stage.end("X", "x");
    expect(told(run.result).at(-1)).toBe('X ok="x" executed 1');
  });

  test("rule 48: same id, other input: input-changed; adapt calls the new one and keeps the old", async () => {
    const stage = await settledAbc();
    const changed = (run: any) =>
      run.batch(["A", "B", "C"].map((id) => ({ id, tool: "work", input: { of: id === "B" ? "other" : id } })));
    expect(await refused(stage, changed)).toEqual(["input-changed 1 B→B"]);
    const host = stage.host();
    const run = await stage.begin(host, changed, adapt);
    expect(stage.began).toEqual(["B:1"]);
    await stage.end("B", "new b");
    expect(told(run.result)[1]).toBe('B ok="new b" executed 1');
    expect(leftBehind(host)).toEqual(["B settled"]);
    const [before, after] = stage.attempts.get("B")!;
    expect(after!.key).not.toBe(before!.key); // another call: its key must not meet the old one's
  });

  test("rule 48: same id, other tool: tool-changed", async () => {
    const stage = await settledAbc();
    expect(await refused(stage, batchOf("A B:look C"))).toEqual(["tool-changed 1 B→B"]);
  });

  test("rule 49: the same input in another key order, and 1 for 1.0, is the same", async () => {
    const stage = new Stage();
    const input = (text: string) => (run: any) => run.batch([{ id: "A", tool: "work", input: JSON.parse(text) }]);
    const stays = async (run: any) => [
      await input('{"b":1.0,"a":{"y":[1e2],"x":-0}}')(run),
      await new Promise(() => undefined),
    ];
    await stage.life(stays, () => stage.end("A", "a"));
    const run = await stage.begin(stage.host(), input('{"a":{"x":0,"y":[100]},"b":1}'));
    expect(told(run.result)).toEqual(['A ok="a" executed 1 replayed']);
  });

  test("rule 50: a batch comes back as single calls, and single calls as a batch: the same slots", async () => {
    const singles = (run: any) => Promise.all(["A", "B", "C"].map((id) => run.call("work", { of: id }, { id })));
    const one = await settledAbc(abc);
    const asSingles = await one.begin(one.host(), singles);
    expect(asSingles.result).toEqual(["a", "b", "c"]);
    const other = await settledAbc(singles);
    const asBatch = await other.begin(other.host(), abc);
    expect(told(asBatch.result).map((line) => line.slice(0, 8))).toEqual(['A ok="a"', 'B ok="b"', 'C ok="c"']);
    expect([...one.began, ...other.began]).toEqual([]);
  });

  test.each([
    ["an unknown tool", (stage: Stage) => ({ look: stage.tools.look })],
    [
      "an invalid input",
      (stage: Stage) => ({
        ...stage.tools,
        work: stage.worker({
          input: { "~standard": { version: 1, vendor: "test", validate: () => ({ issues: [{ message: "no" }] }) } },
        }),
      }),
    ],
  ])(
    "rule 51: A failed on %s and would now succeed: the failure was an outcome; B and C keep theirs",
    async (_, toolsOf) => {
      const stage = new Stage();
      const program = batchOf("A:work B:look C:look");
      const first = stage.host({}, toolsOf(stage));
      await stage.begin(first, async (run) => [await program(run), await new Promise(() => undefined)]);
      await stage.end("B", "b");
      await stage.end("C", "c");
      first.crash();
      expect(stage.began).toEqual(["B:1", "C:1"]);
      const run = await stage.begin(stage.host(), program);
      const [a, b, c] = run.result as any[];
      expect(a).toMatchObject({ kind: "error", replayed: true, attempts: 0 });
      expect(a.error.code).toMatch(/unknown-tool|invalid-input/);
      expect([b.value, c.value]).toEqual(["b", "c"]);
      expect(stage.began).toEqual(["B:1", "C:1"]);
    },
  );

  test("rule 52: a dropped slot that was in doubt is reported as such", async () => {
    const stage = new Stage();
    await stage.life(batchOf("A B", "send"), () => stage.end("A", "a"));
    const host = stage.host();
    const run = await stage.begin(host, batchOf("A", "send"), adapt);
    expect(run.done).toBe(true);
    expect(leftBehind(host)).toEqual(["B in-doubt"]);
    expect(host.warnings.join()).toContain("B (in doubt)");
  });

  test("rule 53: a crash in the middle of adapting leaves what the next host can adapt again", async () => {
    const stage = await settledAbc();
    const program = batchOf("A X C");
    for (let crash = 0; crash < 3; crash++) {
      const host = stage.host();
      host.journal.afterAppend = () => host.crash();
      await stage.begin(host, program, adapt);
    }
    const run = await stage.begin(stage.host(), program, adapt);
    await stage.end("X", "x");
    expect(told(run.result)).toEqual([
      'A ok="a" executed 1 replayed',
      'X ok="x" re-executed 4',
      'C ok="c" executed 1 replayed',
    ]);
    expect(stage.entries.filter((entry) => entry.startsWith("planned"))).toEqual(["planned 0/0", "planned 3/0"]);
  });

  test("rule 53: an id that adapting gave to another call keeps that call's key over crashes", async () => {
    const stage = await settledAbc();
    const changed = (run: any) => run.batch([{ id: "B", tool: "work", input: "other" }]);
    for (let crash = 0; crash < 2; crash++) {
      const host = stage.host();
      await stage.begin(host, changed, adapt);
      host.crash();
    }
    const [old, first, second] = stage.attempts.get("B")!;
    expect(first!.key).not.toBe(old!.key);
    expect(second!.key).toBe(first!.key);
  });

  test("rule 54: another version of the program is recorded, and the user's policy decides", async () => {
    const stage = new Stage();
    const first = stage.host();
    await stage.begin(first, abc, { version: "1" });
    first.crash();
    const changes: unknown[] = [];
    const refusedRun = await stage.begin(stage.host(), abc, {
      version: "2",
      onVersionChange: (change) => {
        changes.push(change);
        throw new Error("not with this journal");
      },
    });
    expect(refusedRun.error.message).toBe("not with this journal");
    expect(changes).toEqual([{ journal: "1", program: "2" }]);
    expect(stage.began).toHaveLength(3);
    const host = stage.host();
    const run = await stage.begin(host, abc, { version: "2" });
    for (const id of ["A", "B", "C"]) await stage.end(id, id);
    expect(run.done).toBe(true);
    const view = await host.runtime.read("r");
    expect(view.openings.map(({ version }) => version)).toEqual(["1", "2"]);
  });

  test("rule 54: the same version again is no change", async () => {
    const stage = new Stage();
    const first = stage.host();
    await stage.begin(first, abc, { version: "1" });
    first.crash();
    const changes: unknown[] = [];
    await stage.begin(stage.host(), abc, { version: "1", onVersionChange: (change) => void changes.push(change) });
    expect(changes).toEqual([]);
  });

  test("a mismatch in one run leaves a run that opens beside it alone (rule 69)", async () => {
    const stage = await settledAbc();
    const host = stage.host({}, { ...stage.tools, now: tool({ run: () => "now" }) });
    const bad = host.runtime.run("r", batchOf("X")).catch((error: { code: string }) => error.code);
    const beside = Array.from({ length: 20 }, async (_, i) => {
      for (let turn = 0; turn < i; turn++) await undefined; // each opens a little later than the one before
      return host.runtime.run(`beside ${i}`, (run: any) => run.call("now", null));
    });
    expect(await bad).toBe("journal-mismatch");
    expect(await Promise.all(beside)).toEqual(beside.map(() => "now"));
  });
});
