// H7: the loop stays alive and orders take hold while 100 000 calls wait. Counted: starts per turn, starts after an
// order. Milliseconds are measured and printed, never asserted.
import { monitorEventLoopDelay } from "node:perf_hooks";
import { type Entry, EntryKind, type Journal, MemoryJournal, type Outcome, type Runtime, tool } from "holdfast";
import { describe, expect, test } from "vitest";
import { callsOf, counts, nothingHeld, oneOutcomeEach, open } from "./accounted.ts";
import { Inside, measured, until } from "./inside.ts";

const MANY = 100_000;

/** A journal in memory that counts the starts of each group: what one turn of the loop has started. */
function counting(turns: number[]): Journal {
  const memory = new MemoryJournal();
  const append = memory.append.bind(memory);
  memory.append = (run, fence, entries: readonly Entry[]) => {
    const starts = entries.filter(({ kind }) => kind === EntryKind.started).length;
    if (starts > 0) turns.push(starts);
    return append(run, fence, entries);
  };
  return memory;
}

const yielding = (inside: Inside) =>
  tool({
    effect: "read",
    run: (n: number) => inside.count(() => new Promise<number>((done) => setImmediate(done, n))),
  });

describe("h7.event_loop_lag", () => {
  async function drain(many: number, concurrency: number, startsPerStepMax?: number) {
    const turns: number[] = [];
    const inside = new Inside();
    const limits = { concurrency, ...(startsPerStepMax === undefined ? {} : { startsPerStepMax }) };
    const runtime = await open({ work: yielding(inside) }, { journal: counting(turns), limits });
    const lag = monitorEventLoopDelay({ resolution: 1 });
    const calls = callsOf("work", many);
    const outcomes: Outcome[] = [];
    await runtime.run("drain", async (run: any) => {
      const batch = run.batch(calls);
      lag.enable();
      outcomes.push(...(await batch));
      lag.disable();
    });
    oneOutcomeEach(calls, outcomes);
    expect(counts(outcomes)).toEqual({ ok: many });
    nothingHeld(runtime, ["work"]);
    return { turns, p99: lag.percentile(99) / 1e6, worst: lag.max / 1e6 };
  }

  test("with 100 000 queued no turn of the loop starts more than four steps of 64", async () => {
    const { turns, p99, worst } = await drain(MANY, 1_000);
    expect(Math.max(...turns)).toBeLessThanOrEqual(256);
    expect(turns.reduce((sum, starts) => sum + starts, 0)).toBe(MANY);
    measured("h7.event_loop_lag", { "ms p99": p99, "ms at most": worst, turns: turns.length });
  });

  test("with 100 000 queued and a hundred at once each turn starts what has come free", async () => {
    const { turns, p99, worst } = await drain(MANY, 100);
    expect(Math.max(...turns)).toBeLessThanOrEqual(100);
    expect(turns.reduce((sum, starts) => sum + starts, 0)).toBe(MANY);
    measured("h7.event_loop_lag at 100", { "ms p99": p99, "ms at most": worst, turns: turns.length });
  });

  test("control: without the bound one step starts all that the cap has room for", async () => {
    const { turns, p99, worst } = await drain(10_000, 1_000, 1_000_000);
    expect(Math.max(...turns)).toBe(1_000);
    measured("h7.event_loop_lag control", { "ms p99": p99, "ms at most": worst });
  });
});

describe("h7.control_latency", () => {
  /** Does the last of so many wait? */
  const waits = (runtime: Runtime): boolean => {
    try {
      return runtime.explain("many", `work-${MANY - 1}`).state === "waiting";
    } catch {
      return false;
    }
  };

  test("with 100 000 queued: a pause starts nothing more, a size holds at once, a priority moves one, a cancel ends all", async () => {
    const inside = new Inside();
    const began: number[] = [];
    const work = tool({
      effect: "read",
      run: (n: number) => {
        began.push(n);
        return inside.count(() => new Promise<number>((done) => setTimeout(done, 1, n)));
      },
    });
    const runtime = await open({ work }, { limits: { concurrency: 4 } });
    const calls = callsOf("work", MANY);
    const outcomes: Outcome[] = [];
    const over = runtime.run("many", async (run: any) => {
      outcomes.push(...(await run.batch(calls)));
    });
    over.catch(() => undefined);
    await until(() => waits(runtime) && inside.ended > 0, "all are in line");

    const took: Record<string, number> = {};
    const timed = async (what: string, order: () => void, isSo: () => boolean): Promise<void> => {
      const from = performance.now();
      order();
      await until(isSo, what);
      took[`ms ${what}`] = performance.now() - from;
    };
    await timed(
      "pause",
      () => runtime.pause(),
      () => inside.now === 0 && runtime.limit("runtime").inUse === 0,
    );
    const atPause = inside.began;
    await new Promise((done) => setTimeout(done, 30));
    expect(inside.began).toBe(atPause);

    // The very last in line goes next.
    const last = MANY - 1;
    expect(runtime.setPriority("many", `work-${last}`, 1000)).toBe(true);
    runtime.setLimit("runtime", { concurrency: 1 });
    inside.peak = 0;
    await timed(
      "resume",
      () => runtime.resume(),
      () => inside.began > atPause,
    );
    expect(began[atPause]).toBe(last);
    await until(() => inside.began > atPause + 20, "some have run");
    expect(inside.peak).toBe(1);

    await timed(
      "cancel",
      () => runtime.cancel("many"),
      () => outcomes.length === MANY,
    );
    await over.catch(() => undefined);
    oneOutcomeEach(calls, outcomes);
    const { ok = 0, cancelled = 0 } = counts(outcomes);
    expect(ok + cancelled).toBe(MANY);
    expect(inside.began - ok).toBeLessThanOrEqual(1); // the one that ran when it was cancelled
    measured("h7.control_latency", took);
  });
});
