// Rules 72 and 73: journals that cannot be right are refused with run and place and nothing is called; a
// run that has ended gives what it came to.
import { describe, expect, test } from "vitest";
import { type Entry, EntryKind } from "../../bindings/js/src/entry.ts";
import { JournalError } from "../../bindings/js/src/errors.ts";
import { settle, start } from "./fakes.ts";
import { batchOf, Stage } from "./stage.ts";

const abc = batchOf("A B C");
const text = (value: unknown): Uint8Array => new TextEncoder().encode(JSON.stringify(value));

/** A journal of [A, B, C] with A settled, as it lies on disk. */
async function begun(): Promise<Stage> {
  const stage = new Stage();
  await stage.life(abc, () => stage.end("A", "a"));
  stage.began.length = 0;
  return stage;
}

describe("journals that cannot be right", () => {
  const spoiled: [string, (entries: Entry[]) => void, string?][] = [
    [
      "a plan that is not JSON",
      (e) => {
        e[1] = { ...e[1]!, payload: new Uint8Array([0x7b]) };
      },
    ],
    [
      "a plan without bytes",
      (e) => {
        e[1] = { ...e[1]!, payload: null };
      },
    ],
    [
      "a plan of another count",
      (e) => {
        e[1] = { ...e[1]!, count: 2 };
      },
    ],
    [
      "a plan of no slots",
      (e) => {
        e[1] = { ...e[1]!, count: 0, payload: text({ calls: [] }) };
      },
    ],
    [
      "a plan whose call has no digest",
      (e) => {
        e[1] = { ...e[1]!, count: 1, payload: text({ calls: [{ id: "A", tool: "work", effect: "once" }] }) };
      },
    ],
    [
      "a plan that is gone",
      (e) => {
        e.splice(1, 1);
      },
    ],
    [
      "the same plan twice",
      (e) => {
        e.splice(2, 0, e[1]!);
      },
    ],
    [
      "a start that is gone",
      (e) => {
        e.splice(2, 1);
      },
    ],
    [
      "the same start twice",
      (e) => {
        e.splice(3, 0, e[2]!);
      },
    ],
    [
      "an attempt out of order",
      (e) => {
        e[2] = { ...e[2]!, attempt: 7 };
      },
    ],
    [
      "a slot that was never planned",
      (e) => {
        e[2] = { ...e[2]!, slot: 99 };
      },
    ],
    [
      "a slot beyond every number",
      (e) => {
        e[2] = { ...e[2]!, slot: 2 ** 40 };
      },
    ],
    [
      "an ordinal below zero",
      (e) => {
        e[2] = { ...e[2]!, slot: -1 };
      },
    ],
    [
      "an outcome of a slot that never started, in another attempt",
      (e) => {
        e.push({ ...e.at(-1)!, slot: 1, attempt: 2 });
      },
    ],
    [
      "two outcomes of one slot",
      (e) => {
        e.push(e.at(-1)!);
      },
    ],
    [
      "a start after the outcome",
      (e) => {
        e.push({ ...e[2]!, attempt: 2 });
      },
    ],
    [
      "a failed attempt that never started",
      (e) => {
        e.push({ ...e[2]!, kind: EntryKind.attemptFailed, attempt: 2 });
      },
    ],
    [
      "something late of a slot that has not settled",
      (e) => {
        e.push({ ...e[2]!, kind: EntryKind.late, slot: 1 });
      },
    ],
    [
      "an unknown kind",
      (e) => {
        e[2] = { ...e[2]!, kind: 42 as never };
      },
    ],
    [
      "an unknown outcome",
      (e) => {
        e[5] = { ...e[5]!, outcome: 9 };
      },
    ],
    [
      "an unknown source",
      (e) => {
        e[5] = { ...e[5]!, source: 9 };
      },
    ],
    [
      "a time that is none",
      (e) => {
        e[2] = { ...e[2]!, at: Number.NaN };
      },
    ],
    [
      "a time that is no integer",
      (e) => {
        e[2] = { ...e[2]!, at: 1.5 };
      },
    ],
    [
      "a time before all time",
      (e) => {
        e[1] = { ...e[1]!, until: -1 };
      },
    ],
    [
      "entries after the run was closed",
      (e) => {
        e.splice(2, 0, { ...e[0]!, kind: EntryKind.runClosed, payload: null });
      },
    ],
    [
      "a format of a later version",
      (e) => {
        e[0] = { ...e[0]!, payload: text({ format: 2, fence: 1 }) };
      },
      "journal-version",
    ],
    [
      "an opening that is not JSON",
      (e) => {
        e[0] = { ...e[0]!, payload: new Uint8Array([0xff]) };
      },
    ],
  ];

  test.each(spoiled)(
    "rule 72: %s: an error that names the run, and nothing is called",
    async (_, spoil, code = "journal-corrupt") => {
      const stage = await begun();
      const stored = stage.world.disk.runs.get("r")!;
      spoil(stored.entries);
      const before = [...stored.entries];
      const host = stage.host();
      const run = await stage.begin(host, abc);
      expect(run.error).toBeInstanceOf(JournalError);
      expect(run.error).toMatchObject({ code, details: { runId: "r" } });
      expect(run.error.message).toMatch(/run "r".*(slot|entry) \d+/);
      expect(stage.began).toEqual([]);
      expect(stored.entries).toEqual(before);
      expect(stored.leased).toBe(false); // given back: somebody may mend it
      const other = start(host, "other", async (run: any) => (await batchOf("X")(run)).length);
      await settle();
      await stage.end("X", "x");
      expect(other.result).toBe(1); // and the runtime goes on
    },
  );

  test("rule 72: a journal cut off anywhere is a journal that the next host carries on from", async () => {
    const whole = (await begun()).world.disk.of("r");
    for (let length = 0; length <= whole.length; length++) {
      const stage = new Stage();
      stage.world.disk.runs.set("r", { fence: 1, leased: false, entries: whole.slice(0, length) });
      const run = await stage.begin(stage.host(), abc);
      for (const id of ["A", "B", "C"]) await stage.end(id, "x");
      expect((run.result as any[]).map(({ kind }) => kind)).toEqual(["ok", "ok", "ok"]);
    }
  });

  test("rule 72: a journal that read() cannot read is said so, too", async () => {
    const stage = await begun();
    stage.world.disk.runs.get("r")!.entries.splice(1, 1);
    await expect(stage.host().runtime.read("r")).rejects.toMatchObject({ code: "journal-corrupt" });
  });

  test("rule 73: a finished run opened again gives its result and calls nothing", async () => {
    const stage = new Stage();
    const first = await stage.begin(stage.host(), abc);
    for (const id of ["A", "B", "C"]) await stage.end(id, id);
    const before = stage.entries;
    let ran = false;
    const again = await stage.begin(stage.host(), () => {
      ran = true;
    });
    expect(again.result).toEqual(first.result);
    expect(ran).toBe(false);
    expect(stage.began).toHaveLength(3);
    expect(stage.entries).toEqual(before);
  });

  test("rule 73: a finished run that threw throws again, with what it threw", async () => {
    const stage = new Stage();
    const thrown = Object.assign(new TypeError("no model"), { code: "E_MODEL", data: { tried: 3 } });
    const first = await stage.begin(stage.host(), () => {
      throw thrown;
    });
    expect(first.error).toBe(thrown);
    const again = await stage.begin(stage.host(), () => "never run");
    expect(again.error).toMatchObject({
      code: "run-failed",
      error: { name: "TypeError", message: "no model", code: "E_MODEL", data: { tried: 3 } },
    });
  });

  test("rule 73: a program that threw undefined has thrown, and did not return", async () => {
    const stage = new Stage();
    let rejected = false;
    await stage
      .host()
      .runtime.run("r", () => Promise.reject(undefined))
      .catch((error: unknown) => {
        rejected = error === undefined;
      });
    expect(rejected).toBe(true);
  });
});
