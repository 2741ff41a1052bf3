// What a crash leaves of limits: processes on one real journal, killed and followed by another. A pause, a used-up
// rate, an open breaker and a deadline hold for whoever comes next, and a full queue starts slowly; beside each, the
// same on a journal that knows nothing, or without the mechanism.
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { Life } from "./lives.ts";

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "holdfast-restart-"));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

/**
 * A moment told by one process and by another, ms apart at most: each reads a clock of whole milliseconds and a finer
 * one, one after the other, on a machine that may take the processor away in between. A pause that began anew would be
 * off by what passes between the two, which the tests make far more.
 */
const APART_MS = 50;

type Deed = "overloaded" | "fails" | "works" | "hangs" | "counts";
/** A host on the journal of this name; `terms`: what its batch says, and each of its calls. */
function life(deed: Deed, journal: string, run: string, limits: object = {}, calls = 1, terms: object = {}): Life {
  const said = [limits, calls, terms].map((one) => JSON.stringify(one));
  return new Life("restart.mjs", [deed, join(folder, journal), run, ...said]);
}

describe("a pause that the outside asked for", () => {
  const PAUSE_MS = 4_000;
  /** What the limits of the next host look back for, if at all: a pause outlives them all. */
  const kinds = {
    "no other limit": {},
    "a rate whose window is shorter than the pause": { tools: { ask: { rate: { limit: 100, perMs: 200 } } } },
    "a rate that looks back further": { tools: { ask: { rate: { limit: 100, perMs: 60_000 } } } },
  };

  async function holds(journal: string, limits: object): Promise<void> {
    const first = life("overloaded", journal, "met", limits);
    const { nextAt } = await first.said("attempt-failed");
    expect(nextAt).toBeGreaterThanOrEqual((await first.said("called")).at + PAUSE_MS);
    await first.kill();
    await delay(300); // longer than the shortest window above

    const other = life("works", journal, "other", limits);
    const waiting = await other.said("waiting");
    expect(waiting).toMatchObject({ why: "resting", limit: "tools.ask" });
    expect(Math.abs(waiting.mayStartAt - nextAt)).toBeLessThanOrEqual(APART_MS);
    expect((await other.said("called")).at).toBeGreaterThanOrEqual(nextAt - APART_MS);
    expect((await other.said("over")).outcomes).toMatchObject([{ kind: "ok", attempts: 1 }]);

    const same = life("works", journal, "met", limits);
    expect((await same.said("over")).outcomes).toMatchObject([{ kind: "ok", attempts: 2 }]);
  }

  test("holds after a kill, for the run that met it and for another, however far the other limits look back", async () => {
    await Promise.all(Object.entries(kinds).map(([what, limits]) => holds(`${what}.db`, limits)));
  });

  test("control: on a journal of its own the next host calls at once", async () => {
    const first = life("overloaded", "one.db", "met");
    const { nextAt } = await first.said("attempt-failed");
    await first.kill();
    const other = life("works", "two.db", "other");
    expect((await other.said("called")).at).toBeLessThan(nextAt);
    expect(other.count("waiting")).toBe(0);
    await other.said("over");
  });
});

describe("a minute's quota", () => {
  const limits = { tools: { ask: { rate: { limit: 5, perMs: 60_000 } } } };

  test("is not fresh after a kill: what four of five have used leaves one", async () => {
    const first = life("works", "journal.db", "first", limits, 4);
    await first.said("over");
    await first.ended;
    const second = life("works", "journal.db", "second", limits, 3);
    const waiting = await second.said("waiting");
    expect(waiting).toMatchObject({ why: "rate", limit: "tools.ask", inUse: 5, size: 5 });
    await second.said("called");
    expect(second.count("called")).toBe(1);
    // In the minute of the first, and no sooner than its first start is out of the window.
    const began = first.lines.find(({ word }) => word === "called")!.at;
    expect(waiting.mayStartAt).toBeGreaterThanOrEqual(began + 60_000);
    await second.kill();
    // What was killed in the middle of it counts as well.
    const third = life("works", "journal.db", "third", limits, 1);
    await third.said("waiting");
    expect(third.count("called")).toBe(0);
  });

  test("control: on a journal of its own there is a fresh one", async () => {
    const first = life("works", "one.db", "first", limits, 4);
    await first.said("over");
    const second = life("works", "two.db", "second", limits, 3);
    expect((await second.said("over")).outcomes.length).toBe(3);
    expect(second.count("called")).toBe(3);
  });
});

describe("a breaker", () => {
  const breaker = { minimumCalls: 5, openMs: 30_000, windowMs: 30_000 };
  const limits = { concurrency: 1, tools: { ask: { breaker } } };

  test("that is open stays open after a kill: calls fail with when it is worth trying, and nobody is called", async () => {
    const first = life("fails", "journal.db", "first", limits, 8);
    const { outcomes: failed, gauge } = await first.said("over");
    expect(gauge.breaker).toBe("open");
    expect(first.count("called")).toBe(5);
    expect(failed.slice(5)).toMatchObject(
      Array(3).fill({ kind: "error", attempts: 0, error: { code: "circuit-open" } }),
    );
    await first.kill();
    const second = life("works", "journal.db", "second", limits, 2);
    const { outcomes, gauge: still } = await second.said("over");
    expect(second.count("called")).toBe(0);
    expect(outcomes).toMatchObject(Array(2).fill({ kind: "error", attempts: 0, error: { code: "circuit-open" } }));
    expect(outcomes[0].error.data.retryAt).toBeGreaterThan(first.lines.at(-1)!.at);
    expect(still.breaker).toBe("open");
  });

  test("control: on a journal of its own it is closed", async () => {
    const first = life("fails", "one.db", "first", limits, 8);
    await first.said("over");
    const second = life("works", "two.db", "second", limits, 2);
    expect((await second.said("over")).gauge.breaker).toBe("closed");
    expect(second.count("called")).toBe(2);
  });
});

describe("a pause that only a settled call knows of", () => {
  const once = { tools: { ask: { throttlesMax: 0 } } };

  test.each([
    ["that was told so once too often", once, {}],
    ["whose deadline comes before the end of the pause", {}, { call: { deadlineMs: 3_000 } }],
  ])("holds after a kill: of a call %s", async (_, limits, terms) => {
    const first = life("overloaded", "journal.db", "met", limits, 1, terms);
    expect((await first.said("over")).outcomes).toMatchObject([{ kind: "error", attempts: 1 }]);
    const until = (await first.said("over")).gauge.pausedUntil;
    await first.kill();
    await delay(4 * APART_MS);
    const other = life("works", "journal.db", "other", limits);
    const waiting = await other.said("waiting");
    expect(waiting).toMatchObject({ why: "resting", limit: "tools.ask" });
    expect(Math.abs(waiting.mayStartAt - until)).toBeLessThanOrEqual(APART_MS);
    expect((await other.said("called")).at).toBeGreaterThanOrEqual(until - APART_MS);
    await other.said("over");
    // The control: a journal of its own.
    const fresh = life("works", "fresh.db", "other", limits);
    await fresh.said("over");
    expect(fresh.count("waiting")).toBe(0);
  });
});

describe("h9.deadline_after_restart", () => {
  const HOUR = 3_600_000;

  test.each([
    ["batch", { batch: { deadlineMs: HOUR } }],
    ["call", { call: { deadlineMs: HOUR } }],
  ])("what was left of the deadline of a %s is what is left of it after a kill", async (_, terms) => {
    const first = life("hangs", "journal.db", "r", {}, 1, terms);
    const { deadline } = await first.said("called");
    await first.kill();
    await delay(20);
    // The program says an hour anew; what the journal says counts, to the millisecond.
    const second = life("hangs", "journal.db", "r", {}, 1, terms);
    expect(await second.said("called")).toMatchObject({ attempt: 2, deadline });
    await second.kill();
    // The control: a run of its own has an hour of its own.
    const other = life("hangs", "journal.db", "other", {}, 1, terms);
    expect((await other.said("called")).deadline).toBeGreaterThan(deadline);
  });

  test.each([
    ["batch", { batch: { deadlineMs: 1_500 } }],
    ["call", { call: { deadlineMs: 1_500 } }],
  ])("what ran out while nobody was there is over at once, of a %s", async (_, terms) => {
    const first = life("hangs", "journal.db", "r", { concurrency: 1 }, 2, terms);
    const { deadline } = await first.said("called");
    await first.kill();
    await delay(Math.max(0, deadline - Date.now()) + 20);
    const second = life("hangs", "journal.db", "r", { concurrency: 1 }, 2, terms);
    const { outcomes } = await second.said("over");
    expect(outcomes).toMatchObject([
      { kind: "timed-out", reason: "deadline", attempts: 1 },
      { kind: "not-started", reason: "deadline", attempts: 0 },
    ]);
    expect(second.count("called")).toBe(0);
  });
});

describe("h10.ramp after a restart", () => {
  const LEFT = 10_000;
  const SIZE = 64;

  /** How many of those that a kill has left begin before the first has ended. */
  async function firstWave(journal: string, limits: object): Promise<number> {
    const first = life("hangs", journal, "r", { concurrency: SIZE }, LEFT);
    await first.said("called");
    await first.kill();
    const { ok, firstWave } = await life("counts", journal, "r", { concurrency: SIZE, ...limits }, LEFT).said("over");
    expect(ok).toBe(LEFT);
    return firstWave;
  }

  test("of ten thousand that were left one begins before the first has ended, and all come to their end", async () => {
    expect(await firstWave("ramp.db", {})).toBe(1);
  });

  test("control: without the ramp all that may at once", async () => {
    expect(await firstWave("none.db", { ramp: false })).toBe(SIZE);
  });
});
