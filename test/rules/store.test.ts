// Rules 65–71 and 74: whose journal is whose, and who may write it. What needs a real file or a
// real process is tested with those, in test/sweep and beside the SQLite journal; here the driver's part.
import { describe, expect, test } from "vitest";
import { canonical, idempotencyKey, portableSha256 } from "../../bindings/js/src/digest.ts";
import { FencedError, HoldfastError, JournalError } from "../../bindings/js/src/errors.ts";
import { childKey, keyPath, runKey } from "../../bindings/js/src/run-key.ts";
import { settle, start } from "./fakes.ts";
import { batchOf, Stage, told } from "./stage.ts";

const abc = batchOf("A B C");

/** A journal of [A, B, C] with A settled, as it lies on disk. */
async function begun(): Promise<Stage> {
  const stage = new Stage();
  await stage.life(abc, () => stage.end("A", "a"));
  stage.began.length = 0;
  return stage;
}

describe("whose is what", () => {
  test("rule 65: whatever was written before a host took the run is found, to the last entry", async () => {
    const stage = await begun();
    const host = stage.host();
    const open = host.journal.open.bind(host.journal);
    host.journal.open = async (run) => {
      const opened = await open(run); // a copy, as of a snapshot: nothing of it may be missing or added
      return { ...opened, entries: structuredClone(opened.entries) };
    };
    await stage.begin(host, abc);
    expect(stage.began).toEqual(["B:2", "C:2"]);
  });

  test("rule 66: keys depend on run and call alone: another process makes the same", async () => {
    const keys = new Set<string>();
    for (let process = 0; process < 3; process++) {
      const stage = new Stage(); // another seed, another table of tools
      await stage.begin(
        stage.host({}, process === 0 ? stage.tools : { z: stage.tools.look, work: stage.tools.work }),
        abc,
      );
      keys.add(stage.attempts.get("B")![0]!.key);
    }
    expect([...keys]).toEqual([idempotencyKey("r", "B", 0, portableSha256)]);
    expect([...keys][0]).toBe("hf-668c4fe9e21cd8c2726686b53960593f");
  });

  test("rule 67: two runs with equal content have separate journals", async () => {
    const stage = new Stage();
    const host = stage.host();
    const program = batchOf("A");
    const first = start(host, "one", program);
    await settle();
    await stage.end("A", 1);
    const second = start(host, "two", program);
    await settle();
    await stage.end("A", 2);
    expect(told(first.result)).toEqual(["A ok=1 executed 1"]);
    expect(told(second.result)).toEqual(["A ok=2 executed 1"]);
    expect(stage.world.disk.entries("one")).toEqual(stage.world.disk.entries("two"));
    const [one, two] = stage.attempts.get("A")!;
    expect(one!.key).not.toBe(two!.key);
  });

  test('rule 68: run ids with separators, unicode, 1 and "1" do not collide', async () => {
    const ids = [
      "a",
      "a/b",
      "a%2Fb",
      "a~b",
      "a%7Eb",
      "%",
      "%25",
      "/",
      "//",
      "~",
      "é",
      "e\u0301",
      "日本",
      "a b",
      " ",
      "1",
      "01",
      "__proto__",
    ];
    const stage = new Stage();
    const host = stage.host({}, { echo: { options: { run: (input: unknown) => input } } });
    for (const id of ids) await host.runtime.run(id, (run: any) => run.call("echo", id));
    for (const id of ids) expect(await host.runtime.run(id, () => "never run")).toBe(id);
    expect((await host.runtime.runs()).map(({ id }) => id)).toEqual(ids);
    await expect(host.runtime.run(1 as never, () => "")).rejects.toMatchObject({ code: "invalid-run-id" });
  });

  test("rule 68: a child's key is nobody else's, and leads back to the ids it is made of", () => {
    const keys = [
      runKey("a/b"),
      childKey(runKey("a"), "b", undefined),
      childKey(runKey("a"), "b", "c"),
      childKey(runKey("a"), "b~c", undefined),
      childKey(childKey(runKey("a"), "b", undefined), "c", undefined),
      childKey(runKey("a/b"), "c", undefined),
    ];
    expect(new Set(keys).size).toBe(keys.length);
    expect(keys.map(keyPath)).toEqual([
      ["a/b"],
      ["a", "b"],
      ["a", "b~c"],
      ["a", "b%7Ec"],
      ["a", "b", "c"],
      ["a/b", "c"],
    ]);
  });

  test("rule 69: recovering one run touches no other", async () => {
    const stage = new Stage();
    const first = stage.host();
    for (const id of ["one", "two", "three"]) start(first, id, abc);
    await settle();
    first.crash();
    const before = stage.world.disk.entries("two");
    const fence = stage.world.disk.runs.get("two")!.fence;
    start(stage.host(), "one", abc);
    await settle();
    expect(stage.world.disk.entries("two")).toEqual(before);
    expect(stage.world.disk.runs.get("two")!.fence).toBe(fence);
    expect(stage.world.disk.entries("one").length).toBeGreaterThan(before.length);
  });

  test("rule 69: a program that goes on after its end reaches no run that has its number now", async () => {
    const stage = new Stage();
    const host = stage.host();
    let late: Promise<unknown> = Promise.resolve();
    let goOn = (): void => undefined;
    const waits = new Promise<void>((resolve) => {
      goOn = resolve;
    });
    await host.runtime.run("first", async (run: any) => {
      late = waits.then(() => run.call("work", 1, { id: "stray" })).catch((error: HoldfastError) => error.code);
    });
    const second = await stage.begin(host, batchOf("A"));
    goOn();
    await settle();
    expect(await late).toBe("run-stopped");
    await stage.end("A", "a");
    expect(told(second.result)).toEqual(['A ok="a" executed 1']);
    expect(stage.began).toEqual(["A:1"]);
    expect(stage.entries).toEqual(["run-opened 0/0", "planned 0/0", "started 0/1", "settled 0/1", "run-closed 0/0"]);
  });

  test("rule 69: an append that fails stops its own run and no other", async () => {
    const stage = new Stage();
    const host = stage.host();
    const one = start(host, "one", batchOf("A"));
    const two = start(host, "two", batchOf("B"));
    await settle();
    host.journal.beforeAppend = (run) => {
      if (run === "one") throw new Error("EIO");
    };
    await stage.end("A", "a");
    await stage.end("B", "b");
    expect(one.error).toBeInstanceOf(JournalError);
    expect(told(two.result)).toEqual(['B ok="b" executed 1']);
  });

  test("rule 70: recovery reads to the real end, however much there is", async () => {
    const stage = new Stage();
    const many = async (run: any) => {
      for (let i = 0; i < 500; i++) await run.call("echo", i);
      return run.call("work", "the end", { id: "A" });
    };
    const tools = { ...stage.tools, echo: { options: { run: (input: unknown) => input } } };
    const first = stage.host({}, tools);
    await stage.begin(first, many);
    for (let i = 0; i < 1_000 && stage.began.length === 0; i++) await settle();
    first.crash();
    expect(stage.entries).toHaveLength(1 + 500 * 3 + 2);
    const second = stage.host(
      {},
      {
        ...stage.tools,
        echo: {
          options: {
            run: () => {
              throw new Error("called again");
            },
          },
        },
      },
    );
    const run = await stage.begin(second, many);
    for (let i = 0; i < 1_000 && stage.began.length === 1; i++) await settle();
    await stage.end("A", "end");
    expect(run.result).toBe("end");
    expect(stage.began).toEqual(["A:1", "A:2"]);
  });
});

describe("who may write", () => {
  test("rule 71: a zombie's append is refused, its late outcome never merged", async () => {
    const stage = new Stage();
    const zombie = stage.host();
    const old = await stage.begin(zombie, batchOf("A"));
    stage.world.disk.runs.get("r")!.leased = false; // its lease ran out; it does not know
    const host = stage.host();
    const run = await stage.begin(host, batchOf("A"));
    const [first, second] = stage.attempts.get("A")!;
    first!.resolve("of the zombie");
    await settle();
    expect(old.error).toBeInstanceOf(FencedError);
    expect(run.done).toBe(false);
    second!.resolve("a");
    await settle();
    expect(told(run.result)).toEqual(['A ok="a" re-executed 2']);
    expect(stage.entries.filter((entry) => entry.startsWith("settled"))).toEqual(["settled 0/2"]);
  });

  test("rule 71: a zombie starts nothing more once it has been told", async () => {
    const stage = new Stage();
    const zombie = stage.host();
    await stage.begin(zombie, async (run) => [await batchOf("A")(run), await batchOf("B")(run)]);
    stage.world.disk.runs.get("r")!.fence++;
    await stage.end("A", "a");
    expect(stage.began).toEqual(["A:1"]);
  });

  test("rule 74: two recoveries at once: exactly one goes on, the other is told that the run is busy", async () => {
    const stage = await begun();
    const runs = [stage.host(), stage.host()].map((host) => start(host, "r", abc));
    await settle();
    const refused = runs.filter(({ error }) => error !== undefined);
    expect(refused).toHaveLength(1);
    expect(refused[0]!.error).toMatchObject({ name: "HoldfastError", code: "run-busy" });
    expect(stage.began).toEqual(["B:2", "C:2"]);
  });

  test("rule 74: the one that waits goes on when the other is gone", async () => {
    const stage = await begun();
    const first = stage.host();
    await stage.begin(first, abc);
    const second = stage.host();
    const waiting = await stage.begin(second, abc, { waitMs: 10_000 });
    await stage.world.clock.pass(5_000);
    expect(waiting.done).toBe(false);
    first.crash();
    await stage.world.clock.pass(100);
    await stage.end("B", "b");
    await stage.end("C", "c");
    expect(told(waiting.result)).toEqual([
      'A ok="a" executed 1 replayed',
      'B ok="b" re-executed 3',
      'C ok="c" re-executed 3',
    ]);
  });
});

test("canonical text is what keys and digests are made of", () => {
  expect(canonical({ b: 1, a: [1.0, "é"] })).toBe('{"a":[1,"é"],"b":1}');
  expect(HoldfastError.prototype).toBeInstanceOf(Error);
});
