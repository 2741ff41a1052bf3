// H4: exhaustion of memory and of timers. What calls hold is counted inside the tools; what a process takes is
// read in a process of its own.
import { execFile } from "node:child_process";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { tool } from "holdfast";
import { describe, expect, test } from "vitest";
import { batch, callsOf, counts, open } from "./accounted.ts";
import { Inside, measured } from "./inside.ts";

const run = promisify(execFile);
const program = fileURLToPath(new URL("resources.mjs", import.meta.url));

/** A process of resources.mjs; it must end by itself. */
async function said(...args: readonly (string | number)[]): Promise<Record<string, number>> {
  const { stdout } = await run(process.execPath, ["--no-warnings", program, ...args.map(String)], { timeout: 60_000 });
  return JSON.parse(stdout);
}

const MB = 1024 * 1024;

describe("h4.memory.inflight", () => {
  test("tools of 2 MB, 200 of them, under a cap of 10: never more than 20 MB are held; without a cap all 400 MB", async () => {
    const capped = await said("memory", 10);
    const free = await said("memory", 1_000_000);
    expect([capped.ok, capped.heldPeak]).toEqual([200, 10 * 2 * MB]);
    expect([free.ok, free.heldPeak]).toEqual([200, 200 * 2 * MB]);
    // What the process took beside it depends on its collector; a fifth of the uncapped one leaves it room.
    expect(capped.rssGrowth!).toBeLessThan(free.rssGrowth! / 2);
    measured("h4.memory.inflight", { "MB capped": capped.rssGrowth! / MB, "MB without": free.rssGrowth! / MB });
  });
});

describe("h4.weights", () => {
  const BUDGET = 64;
  const weightOf = (n: number): number => 1 + ((n * 37) % 32);

  test("with permits as megabytes, what is in flight never weighs more than the budget, and uses it", async () => {
    const inside = new Inside();
    const heavy = tool({
      run: (n: number) => inside.count(() => new Promise((done) => setTimeout(done, 2, n)), weightOf(n)),
    });
    const runtime = await open({ heavy }, { limits: { concurrency: BUDGET } });
    const calls = callsOf("heavy", 300, (n) => ({ weight: weightOf(n) }));
    expect(counts(await batch(runtime, "weighed", calls))).toEqual({ ok: 300 });
    expect(inside.unitsPeak).toBeLessThanOrEqual(BUDGET);
    expect(inside.unitsPeak).toBeGreaterThan(BUDGET / 2);
  });

  test("control: counted as one each, they weigh far more", async () => {
    const inside = new Inside();
    const heavy = tool({
      run: (n: number) => inside.count(() => new Promise((done) => setTimeout(done, 2, n)), weightOf(n)),
    });
    const runtime = await open({ heavy }, { limits: { concurrency: BUDGET } });
    expect(counts(await batch(runtime, "counted", callsOf("heavy", 300)))).toEqual({ ok: 300 });
    expect(inside.unitsPeak).toBeGreaterThan(BUDGET * 2);
  });

  test("one that weighs more than there will ever be is refused as such, at once", async () => {
    const heavy = tool({ run: () => true });
    const runtime = await open({ heavy }, { limits: { concurrency: BUDGET } });
    const [outcome] = await batch(runtime, "whale", [{ id: "whale", tool: "heavy", weight: BUDGET + 1 }]);
    expect(outcome).toMatchObject({ kind: "not-started", reason: "limit", limit: "runtime", attempts: 0 });
  });
});

describe("h4.timer_count", () => {
  test("100 000 waiting calls with deadlines of their own are one timer of the host, and none when all is over", async () => {
    const facts = await said("timers", 100_000);
    expect(facts.control).toBe(1_000); // a timer for each is what the counter would show
    expect(facts.waiting).toBe(100_000);
    expect(facts.timersWhileWaiting! - facts.timersBefore!).toBeLessThanOrEqual(1);
    expect(facts.timersAfter! - facts.timersBefore!).toBeLessThanOrEqual(0);
    expect([facts.ok, facts.cancelled]).toEqual([1, 99_999]);
  });
});
