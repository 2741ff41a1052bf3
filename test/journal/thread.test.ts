// The journal and its thread: what happens when the thread ends by itself, and what the file looks like to
// others while it works.
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Worker } from "node:worker_threads";
import { type HoldfastError, openSqliteJournal } from "holdfast";
import { afterEach, beforeEach, expect, test } from "vitest";
import { openSqlite } from "../../runtime-node/src/sqlite.ts";
import { entry, group, groupsOf } from "./entries.ts";

let path: string;
beforeEach(() => {
  path = join(mkdtempSync(join(tmpdir(), "holdfast-thread-")), "journal.db");
});
afterEach(() => rmSync(join(path, ".."), { recursive: true, force: true }));

/** The worker that a piece of work starts. */
async function threadOf(work: () => Promise<unknown>): Promise<Worker> {
  const { unref } = Worker.prototype;
  const started = new Set<Worker>();
  Worker.prototype.unref = function (this: Worker) {
    started.add(this);
    return unref.call(this);
  };
  try {
    await work();
  } finally {
    Worker.prototype.unref = unref;
  }
  expect(started.size).toBe(1);
  return [...started][0]!;
}

test("a thread that ends by itself fails everything that waits, in words, and nothing hangs", async () => {
  let journal!: Awaited<ReturnType<typeof openSqliteJournal>>;
  const thread = await threadOf(async () => {
    journal = await openSqliteJournal(path);
  });
  const { fence } = await journal.open("a");
  await journal.append("a", fence, group("safe", 1));
  const waiting = [
    ...Array.from({ length: 50 }, () => journal.append("a", fence, group("lost?", 2_000))),
    journal.read("a"),
    journal.open("b"),
    journal.runs(),
  ];
  const settled = Promise.allSettled(waiting);
  await thread.terminate();
  const failed = (await settled).flatMap((one) => (one.status === "rejected" ? [one.reason as HoldfastError] : []));
  expect(failed.length).toBeGreaterThan(0);
  for (const error of failed) {
    expect(error).toMatchObject({ name: "JournalError", code: "journal-unavailable" });
    expect(error.message).toContain("ended unexpectedly");
  }
  for (const later of [
    () => journal.append("a", fence, group("late", 1)),
    () => journal.runs(),
    () => journal.release("a", fence),
  ])
    await expect(later()).rejects.toMatchObject({ code: "journal-unavailable" });
  await journal.close();
  const again = await openSqliteJournal(path);
  expect(groupsOf((await again.read("a"))!)).toMatch(/^safe×1( lost\?×(2000|4000|6000|8000|\d+000))?$/);
  await again.close();
});

test("more at once than the memory between them holds goes over whole and in order", async () => {
  const journal = await openSqliteJournal(path);
  const { fence } = await journal.open("a");
  const payload = new TextEncoder().encode(JSON.stringify("x".repeat(20_000)));
  await Promise.all(Array.from({ length: 300 }, (_, i) => journal.append("a", fence, [entry({ slot: i, payload })])));
  const read = (await journal.read("a"))!;
  expect(read.map(({ slot }) => slot)).toEqual(Array.from({ length: 300 }, (_, i) => i));
  expect(read.every((one) => one.payload?.length === payload.length)).toBe(true);
  await journal.close();
});

test("anybody can read the file with SQL while it is written", async () => {
  const journal = await openSqliteJournal(path);
  const { fence } = await journal.open("ticket-4711");
  await journal.append("ticket-4711", fence, [entry({ slot: 3, payload: new TextEncoder().encode('{"paid":true}') })]);
  const reader = openSqlite(path, { readOnly: true });
  const [row] = reader
    .prepare("SELECT r.run, e.slot, CAST(e.payload AS TEXT) AS payload FROM entries e JOIN runs r ON r.id = e.run")
    .all([]);
  expect({ ...row }).toEqual({ run: "ticket-4711", slot: 3n, payload: '{"paid":true}' });
  expect(reader.prepare("SELECT pid FROM hosts").all([])).toMatchObject([{ pid: BigInt(process.pid) }]);
  expect(reader.prepare("PRAGMA application_id").get([])?.application_id).toBe(0x484f4c44n);
  reader.close();
  await journal.append("ticket-4711", fence, [entry()]);
  await journal.close();
});

test("what was written is moved from the log into the file when nothing is to be done", async () => {
  const journal = await openSqliteJournal(path);
  const { fence } = await journal.open("a");
  const payload = new Uint8Array(1_000_000);
  for (let i = 0; i < 6; i++) await journal.append("a", fence, [entry({ payload })]);
  const reader = openSqlite(path, { readOnly: true });
  const pagesInFile = (): number => Number(reader.prepare("PRAGMA page_count").get([])?.page_count);
  expect(pagesInFile()).toBeGreaterThan(1_000);
  reader.close();
  const { statSync } = await import("node:fs");
  for (const until = Date.now() + 20_000; statSync(path).size < 4_000_000 && Date.now() < until; )
    await new Promise((resolve) => setTimeout(resolve, 20));
  expect(statSync(path).size).toBeGreaterThan(4_000_000);
  await journal.close();
});
