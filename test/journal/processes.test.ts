// Journals of several real processes on one file: killed at any moment, stopped and woken, fighting for a run,
// keeping one another out.
import { existsSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { HoldfastError, openSqliteJournal, verifyJournal } from "holdfast";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import type { Entry } from "../../bindings/js/src/entry.ts";
import { group, groupsOf } from "./entries.ts";
import { groupSize } from "./group-size.mjs";
import { Writer } from "./writer.ts";

let folder: string;
let path: string;
const writers: Writer[] = [];
const opened: { close(): Promise<void> }[] = [];

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "holdfast-processes-"));
  path = join(folder, "journal.db");
});
afterEach(async () => {
  for (const writer of writers.splice(0)) await writer.kill();
  for (const journal of opened.splice(0)) await journal.close();
  rmSync(folder, { recursive: true, force: true });
});

function start(what: ConstructorParameters<typeof Writer>[0], run: string, leaseMs?: number): Writer {
  const writer = new Writer(what, path, run, leaseMs);
  writers.push(writer);
  return writer;
}

async function open(leaseMs = 10_000) {
  const journal = await openSqliteJournal(path, { leaseMs });
  opened.push(journal);
  return journal;
}

const codeOf = (work: Promise<unknown>): Promise<string> =>
  work.then(
    () => "fine",
    (error: unknown) => (error instanceof HoldfastError ? error.code : String(error)),
  );

/** Group by group: each whole, none left out, none twice. Gives how many there are. */
function wholeGroups(entries: readonly Entry[]): number {
  const groups = groupsOf(entries)
    .split(" ")
    .filter((one) => one !== "");
  expect(groups).toEqual(groups.map((_, number) => `${number}×${groupSize(number)}`));
  return groups.length;
}

describe("a process that is killed", () => {
  test("at any moment: nothing that was acknowledged is lost, no group is torn, and the run is free at once", async () => {
    let before = 0;
    for (let round = 0; round < 30; round++) {
      const writer = start("groups", "a");
      expect(await writer.line(0)).toBe(`opened ${before}`);
      // A fixed walk over moments, from at once to some dozens of commits later.
      await writer.line(1 + ((round * 5) % 17));
      await delay((round * 7) % 5);
      await writer.kill();
      const durable = writer.lines.slice(1).map((line) => Number(line.split(" ")[1]));
      const journal = await open();
      const { fence, entries } = await journal.open("a");
      const found = wholeGroups(entries);
      expect(found).toBeGreaterThan(Math.max(before - 1, ...durable));
      // Four were under way, of which nobody heard.
      expect(found - 1 - Math.max(before - 1, ...durable)).toBeLessThanOrEqual(4);
      before = found;
      await journal.release("a", fence);
      await opened.pop()!.close();
    }
    expect(await verifyJournal(path)).toMatchObject({ ok: true });
  });

  test("while its parent has not noticed: it is gone all the same", async () => {
    const writer = start("hold", "a");
    await writer.line(0);
    const journal = await open();
    expect(await codeOf(journal.open("a"))).toBe("run-busy");
    // No turn of our loop between the kill and the open's arrival: nobody has waited for the process yet.
    process.kill(writer.pid, "SIGKILL");
    const until = Date.now() + 5_000;
    let code = await codeOf(journal.open("a"));
    while (code === "run-busy" && Date.now() < until) code = await codeOf(journal.open("a"));
    expect(code).toBe("fine");
  });

  test("that only went away without closing leaves its run free as well", async () => {
    const writer = start("abandon", "a");
    expect(await writer.ended).toEqual({ code: 0, signal: null });
    expect(writer.lines).toEqual(["abandoned"]);
    const { entries } = await (await open()).open("a");
    expect(groupsOf(entries)).toBe("abandoned×1");
  });
});

describe("rule 74: processes that fight for one run", () => {
  test("hold it one after the other, never at once", async () => {
    const fighters = [start("fight", "a"), start("fight", "a"), start("fight", "a")];
    for (const fighter of fighters) expect(await fighter.ended).toEqual({ code: 0, signal: null });
    const { entries, fence } = await (await open()).open("a");
    const groups = groupsOf(entries).split(/ (?=\d+ \d+×)/);
    // Each fence wrote its three groups of two without anybody in between, in the order of the fences.
    expect(groups.map((one) => Number(one.split(" ")[0]))).toEqual(Array.from({ length: 45 }, (_, i) => i + 1));
    for (const one of groups) expect(one).toMatch(/×6$/);
    const winners = groups.map((one) => Number(/ (\d+)×/.exec(one)?.[1]));
    for (const fighter of fighters) expect(winners.filter((pid) => pid === fighter.pid).length).toBe(15);
    expect(fence).toBe(46);
  });
});

describe("rule 71: a process that is stopped", () => {
  test("loses its lease when it ends, and what it writes when it wakes is refused", async () => {
    const holder = start("hold", "a", 1_000);
    expect(await holder.line(0)).toBe("opened 1");
    expect(await holder.ask("before")).toBe("durable");
    holder.signal("SIGSTOP");
    const journal = await open(1_000);
    expect(await codeOf(journal.open("a"))).toBe("run-busy");
    let taken: Awaited<ReturnType<typeof journal.open>> | undefined;
    for (const until = Date.now() + 20_000; taken === undefined && Date.now() < until; await delay(50))
      taken = await journal.open("a").catch(() => undefined);
    expect(taken?.fence).toBe(2);
    holder.signal("SIGCONT");
    expect(await holder.ask("zombie")).toBe("FencedError fenced");
    expect(await holder.ask("zombie again")).toBe("FencedError fenced");
    await journal.append("a", 2, group("after", 1));
    expect(groupsOf((await journal.read("a"))!)).toBe("before×1 after×1");
  });

  test("goes on when nobody took its run meanwhile", async () => {
    const holder = start("hold", "a", 1_000);
    await holder.line(0);
    holder.signal("SIGSTOP");
    await delay(1_500);
    holder.signal("SIGCONT");
    expect(await holder.ask("still here")).toBe("durable");
    expect(await codeOf((await open()).open("a"))).toBe("run-busy");
  });

  test("is not one whose loop is blocked: its thread says that it lives", async () => {
    const holder = start("hold", "a", 1_000);
    await holder.line(0);
    const journal = await open();
    const blocked = holder.ask("block");
    let over = false;
    void blocked.then(() => {
      over = true;
    });
    while (!over) {
      expect(await codeOf(journal.open("a"))).toBe("run-busy");
      await delay(100);
    }
    expect(await holder.ask("after")).toBe("durable");
  });
});

describe("a process that writes without a pause", () => {
  // What the writers have written meanwhile is read whole: on a busy machine that takes its time.
  test("lets others have their turn", { timeout: 120_000 }, async () => {
    const writers = [start("groups", "busy"), start("groups", "busier")];
    for (const writer of writers) await writer.line(20);
    for (let i = 0; i < 10; i++) {
      const journal = await open();
      const { fence } = await journal.open(`mine ${i}`);
      await journal.append(`mine ${i}`, fence, group("x", 1));
      await opened.pop()!.close();
    }
    for (const writer of writers) await writer.kill();
    const journal = await open();
    for (const run of ["busy", "busier"]) wholeGroups((await journal.read(run))!);
    expect((await journal.runs()).length).toBe(12);
    if (existsSync(`${path}-wait`)) expect(await verifyJournal(path)).toMatchObject({ ok: true });
  });
});
