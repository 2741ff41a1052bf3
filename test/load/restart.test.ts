// What a crash leaves of limits: processes on one real journal, killed and followed by another. A pause, a
// used-up rate and an open breaker hold for whoever comes next; beside each, the same on a journal that knows nothing.
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

type Deed = "overloaded" | "fails" | "works";
/** A host on the journal of this name. */
function life(deed: Deed, journal: string, run: string, limits: object = {}, calls = 1): Life {
  return new Life("restart.mjs", [deed, join(folder, journal), run, JSON.stringify(limits), String(calls)]);
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
    expect(Math.abs(waiting.mayStartAt - nextAt)).toBeLessThanOrEqual(1);
    expect((await other.said("called")).at).toBeGreaterThanOrEqual(nextAt);
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
