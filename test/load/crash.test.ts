// chaos.host_crash_restore and h6.crash_between_output_and_commit: a host dies at an append, before it is on disk or
// after, and another carries on. Every position in a world of fakes, a sample of them in real processes on SQLite.
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type Outcome, tool } from "holdfast";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { settle, start, World } from "../rules/fakes.ts";
import { counts, nothingHeld, oneOutcomeEach } from "./accounted.ts";
import { measured } from "./inside.ts";
import { Life } from "./lives.ts";
import { seeded } from "./seeded.ts";

const NAMES = ["read", "add", "send"] as const;
const callsFor = (count: number) =>
  Array.from({ length: count }, (_, n) => ({ id: `call-${n}`, tool: NAMES[n % 3]!, input: n }));

/** What must hold of a run that was carried through a crash, whoever was called how often. */
function carriedThrough(calls: ReturnType<typeof callsFor>, outcomes: readonly Outcome[], called: Map<string, number>) {
  oneOutcomeEach(calls, outcomes);
  for (const [n, one] of outcomes.entries()) {
    const times = called.get(one.id) ?? 0;
    const { tool: name } = calls[n]!;
    // Only what may not run twice can be unknown, and it never ran twice.
    if (name === "send") expect([one.id, times <= 1]).toEqual([one.id, true]);
    else expect([one.id, one.kind, times >= 1]).toEqual([one.id, "ok", true]);
    expect(["ok", "unknown"]).toContain(one.kind);
    if (one.kind === "ok") expect(one.value).toBe(n);
  }
}

const tally = (ids: readonly string[]): Map<string, number> => {
  const found = new Map<string, number>();
  for (const id of ids) found.set(id, (found.get(id) ?? 0) + 1);
  return found;
};

interface Crashed {
  readonly outcomes: readonly Outcome[];
  readonly calledIds: readonly string[];
  /** Of all lives together. */
  readonly appends: number;
}

describe("chaos.host_crash_restore", () => {
  /** A run of these calls whose first host dies at an append; 0: at none. */
  async function carry(calls: ReturnType<typeof callsFor>, killAt: number, when: "before" | "after"): Promise<Crashed> {
    const world = new World();
    const calledIds: string[] = [];
    const run = async (n: number, ctx: { callId: string }) => {
      calledIds.push(ctx.callId);
      await Promise.resolve();
      return n;
    };
    const tools = {
      read: tool({ effect: "read", run }),
      add: tool({ effect: "idempotent", run }),
      send: tool({ effect: "once", run }),
    };
    let appends = 0;
    for (let life = 0; ; life++) {
      const host = world.host(tools, { limits: { concurrency: 16 } });
      const crash = () => {
        if (++appends === killAt && life === 0) host.crash();
      };
      if (when === "before") host.journal.beforeAppend = crash;
      else host.journal.afterAppend = crash;
      const state = start(host, "r", (program: any) => program.batch(calls));
      for (let turns = 0; !state.done && (life > 0 || killAt === 0 || appends < killAt); turns++) {
        if (turns > 2_000) throw new Error(`a run that dies at append ${killAt} does not end`);
        await settle();
      }
      if (!state.done) continue;
      if (state.error !== undefined) throw state.error;
      nothingHeld(host.runtime as never);
      return { outcomes: state.result as Outcome[], calledIds, appends };
    }
  }

  test("at every append of a run of 200 calls, before it is on disk and after: one outcome each, and the once-tools never twice", async () => {
    const calls = callsFor(200);
    const whole = await carry(calls, 0, "before");
    expect(counts(whole.outcomes)).toEqual({ ok: 200 });
    let unknown = 0;
    for (let killAt = 1; killAt <= whole.appends; killAt++)
      for (const when of ["before", "after"] as const) {
        const { outcomes, calledIds } = await carry(calls, killAt, when);
        carriedThrough(calls, outcomes, tally(calledIds));
        unknown += counts(outcomes).unknown ?? 0;
      }
    // It was crashed where it hurts.
    expect(unknown).toBeGreaterThan(0);
    measured("chaos.host_crash_restore", { appends: whole.appends, "unknown in all": unknown });
  });
});

describe("in real processes", () => {
  let folder: string;
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), "holdfast-crash-"));
  });
  afterEach(() => rmSync(folder, { recursive: true, force: true }));

  test("chaos.host_crash_restore: 200 calls, killed at a sample of appends by seed, and carried on by another process", async () => {
    const calls = callsFor(200);
    const life = (name: string, killAt: number, when: string) =>
      new Life("crash.mjs", [join(folder, `${name}.db`), join(folder, `${name}.txt`), `${killAt}`, when, "200"]);
    const whole = await life("whole", 0, "none").said("over");
    expect(whole.peak).toBe(8);
    const die = seeded(2026);
    const sample = Array.from({ length: 4 }, () => 1 + Math.floor(die() * (whole.appends - 1)));
    const one = async (killAt: number, i: number): Promise<void> => {
      const dead = await life(`${i}`, killAt, i % 2 === 0 ? "before" : "after").ended;
      expect(dead.signal).toBe("SIGKILL");
      const { outcomes, peak, inUse } = await life(`${i}`, 0, "none").said("over");
      const ledger = readFileSync(join(folder, `${i}.txt`), "utf8")
        .trim()
        .split("\n");
      carriedThrough(calls, outcomes, tally(ledger.map((line) => line.split(" ")[0]!)));
      // The same key in every life, and another for every call.
      const keys = new Set(ledger.map((line) => line.split(" ")[2]));
      expect(keys.size).toBe(new Set(ledger.map((line) => line.split(" ")[0])).size);
      expect([peak <= 8, inUse]).toEqual([true, 0]);
    };
    for (let i = 0; i < sample.length; i += 2)
      await Promise.all([one(sample[i]!, i), ...(i + 1 < sample.length ? [one(sample[i + 1]!, i + 1)] : [])]);
    measured("chaos.host_crash_restore in processes", { appends: whole.appends, "killed at": sample.join(",") });
  });
});

describe("h6.crash_between_output_and_commit", () => {
  /** Twelve increments that write one key; the counter outlives the hosts. `keyed`: it takes each idempotency key once. */
  async function increments(killAt: number, when: "before" | "after", keyed: boolean) {
    const world = new World();
    const applied = new Set<string>();
    let counter = 0;
    let appends = 0;
    const add = tool({
      effect: "idempotent",
      writes: "counter",
      run: async (_: number, ctx) => {
        const before = counter;
        await Promise.resolve();
        if (keyed && applied.has(ctx.idempotencyKey)) return counter;
        applied.add(ctx.idempotencyKey);
        counter = before + 1;
        return counter;
      },
    });
    const calls = Array.from({ length: 12 }, (_, n) => ({ id: `call-${n}`, tool: "add", input: n }));
    for (let life = 0; ; life++) {
      const host = world.host({ add }, {});
      const crash = () => {
        if (++appends === killAt && life === 0) host.crash();
      };
      if (when === "before") host.journal.beforeAppend = crash;
      else host.journal.afterAppend = crash;
      const state = start(host, "r", (program: any) => program.batch(calls));
      for (let turns = 0; !state.done && (life > 0 || killAt === 0 || appends < killAt); turns++) {
        if (turns > 500) throw new Error(`increments that die at append ${killAt} do not end`);
        await settle();
      }
      if (!state.done) continue;
      oneOutcomeEach(calls, state.result as unknown as Outcome[]);
      expect(counts(state.result as unknown as Outcome[])).toEqual({ ok: 12 });
      return { counter, appends };
    }
  }

  test("killed at every append: each increment is in the counter exactly once, by its idempotency key", async () => {
    const { appends } = await increments(0, "before", true);
    for (let killAt = 1; killAt <= appends; killAt++)
      for (const when of ["before", "after"] as const)
        expect([killAt, when, (await increments(killAt, when, true)).counter]).toEqual([killAt, when, 12]);
  });

  test("control: a counter that ignores the key has some of them twice", async () => {
    const { appends } = await increments(0, "before", false);
    const counters: number[] = [];
    for (let killAt = 1; killAt <= appends; killAt++)
      counters.push((await increments(killAt, "before", false)).counter);
    expect(Math.max(...counters)).toBeGreaterThan(12);
  });
});
