// H6, shared state: what calls return of shared keys is folded in request order, so who was faster does not
// matter, nothing is lost in silence, and a crash at any entry changes nothing.
import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { HoldfastError } from "../../bindings/js/src/errors.ts";
import type { Outcome } from "../../bindings/js/src/outcome.ts";
import { type Reducer, reduceOutcomes, type SharedState } from "../../bindings/js/src/reduce.ts";
import { tool } from "../../bindings/js/src/tool.ts";
import { settle, start, World } from "../rules/fakes.ts";

const FACTS = { tool: "t", attempts: 1, source: "executed", replayed: false, queuedAt: 0, startedAt: 0 } as const;

/** The outcome of a call that says this of key `k`. */
const said = (id: number | string, k: unknown, endedAt = 0): Outcome =>
  ({ kind: "ok", value: { outputs: { k } }, id: String(id), endedAt, ...FACTS }) as Outcome;

const codeOf = (work: () => unknown): string => {
  try {
    work();
  } catch (thrown) {
    if (thrown instanceof HoldfastError) return thrown.message;
    throw thrown;
  }
  return "nothing was thrown";
};

describe("twenty calls of one counter", () => {
  const ids = Array.from({ length: 20 }, (_, i) => `c${i}`);
  const calls = ids.map((id) => ({ id, tool: "add", input: {} }));

  /** Runs them in a world whose tools end in this order; gives what a shared variable came to, and the fold. */
  async function count(order: readonly number[]): Promise<{ written: number; summed: unknown }> {
    const world = new World();
    const ends = new Map<string, () => void>();
    let shared = 0;
    const add = tool({
      effect: "idempotent",
      run: async (_: object, ctx) => {
        const read = shared; // as people write it: read, wait, write
        await new Promise<void>((end) => ends.set(ctx.callId, end));
        shared = read + 1;
        return { outputs: { total: 1 } };
      },
    });
    const host = world.host({ add }, { limits: { concurrency: 20 } });
    const run = start(host, "r", (run) => run.batch(calls));
    await settle();
    for (const i of order) ends.get(ids[i]!)!();
    await settle();
    const { state } = reduceOutcomes(run.result as Outcome[], { keys: { total: "sum" } });
    return { written: shared, summed: state.total?.value };
  }

  test("h6.counter_20: they make twenty; a variable that they share makes one", async () => {
    const forwards = ids.map((_, i) => i);
    expect(await count(forwards)).toEqual({ written: 1, summed: 20 });
    expect(await count(forwards.toReversed())).toEqual({ written: 1, summed: 20 });
  });

  test("h6.crash_between_output_and_commit: a crash at any entry leaves the key at exactly twenty", async () => {
    let entries = 1;
    for (let dieAt = 1; dieAt <= entries; dieAt++) {
      const world = new World();
      const tools = { add: tool({ effect: "idempotent", run: () => ({ outputs: { total: 1 } }) }) };
      const program = async (run: any): Promise<SharedState> => {
        const half = reduceOutcomes(await run.batch(calls.slice(0, 10)), { keys: { total: "sum" } });
        return reduceOutcomes(await run.batch(calls.slice(10)), { keys: { total: "sum" }, state: half.state }).state;
      };
      const first = world.host(tools, { limits: { concurrency: 1 } });
      let seen = 0;
      first.journal.afterAppend = (_, appended) => {
        seen += appended.length;
        if (seen >= dieAt) first.crash();
      };
      start(first, "r", program);
      for (let i = 0; i < 12; i++) await settle();
      const second = start(world.host(tools), "r", program);
      for (let i = 0; i < 6; i++) await settle();
      expect(second.result, `died at entry ${dieAt}`).toEqual({ total: { value: 20, version: 20 } });
      entries = world.disk.of("r").length;
    }
    expect(entries).toBeGreaterThan(40);
  });
});

describe("h6.same_key_adversarial", () => {
  /** The fold as a child would write it. */
  const naive: Record<Exclude<Reducer, "cas" | "reject-conflict">, (values: number[]) => unknown> = {
    last: (values) => values.at(-1),
    first: (values) => values[0],
    append: (values) => values,
    sum: (values) => values.reduce((a, b) => a + b),
    max: (values) => Math.max(...values),
    merge: (values) => Object.fromEntries(values.map((value) => [`f${value % 7}`, value])),
  };

  test.each(Object.keys(naive) as (keyof typeof naive)[])("%s: a thousand calls, ended in any order", (reducer) => {
    const many = fc.array(fc.integer({ min: -1_000, max: 1_000 }), { minLength: 1, maxLength: 1_000 });
    return fc.assert(
      fc.property(many, fc.infiniteStream(fc.nat(50)), (values, times) => {
        const of = (value: number): unknown => (reducer === "merge" ? { [`f${value % 7}`]: value } : value);
        const outcomes = values.map((value, i) => said(i, of(value), times.next().value));
        const { state } = reduceOutcomes(outcomes, { keys: { k: reducer } });
        expect(state.k?.value).toEqual(naive[reducer](values));
      }),
      { numRuns: 40 },
    );
  });

  test("by completion the journal's times decide, and ties stand as asked", () => {
    const outcomes = [said("a", 1, 30), said("b", 2, 10), said("c", 3, 10)];
    const { state } = reduceOutcomes(outcomes, { keys: { k: "append" }, order: "completion" });
    expect(state.k?.value).toEqual([2, 3, 1]);
  });

  test("a call that failed says nothing", () => {
    const failed = { ...said("b", 5), kind: "error", error: { name: "E", message: "m" } } as Outcome;
    expect(reduceOutcomes([said("a", 1), failed], { keys: { k: "sum" } }).state.k).toEqual({ value: 1, version: 1 });
  });
});

test("h6.cas: of twenty that were made from one version one wins, and nineteen are told by whom", () => {
  const outcomes = Array.from({ length: 20 }, (_, i) => said(`c${i}`, { value: i, version: 3 }));
  const { state, conflicts } = reduceOutcomes(outcomes, { keys: { k: "cas" }, state: { k: { value: 0, version: 3 } } });
  expect(state.k).toEqual({ value: 0, version: 4 });
  expect(conflicts).toHaveLength(19);
  expect(conflicts[0]).toEqual({ key: "k", id: "c1", winner: "c0", expected: 3, found: 4 });
  expect(conflicts.map(({ id }) => id)).toEqual(outcomes.slice(1).map(({ id }) => id));
});

test("h6.reject_conflict: a second writer is refused, and both are named", () => {
  const keys = { k: "reject-conflict" } as const;
  expect(codeOf(() => reduceOutcomes([said("a", 1), said("b", 2)], { keys }))).toMatch(
    /^write-conflict: the calls a and b/,
  );
  // Written in an earlier batch is no conflict.
  expect(reduceOutcomes([said("a", 1)], { keys, state: { k: { value: 0, version: 1 } } }).state.k?.value).toBe(1);
});

test.each([
  ["sum", "one", "no number"],
  ["sum", 1e308, "room"],
  ["merge", [1], "no object"],
  ["cas", 5, "no object"],
  ["cas", { value: 1 }, "{ value, version }"],
] as const)("%s does not take %j", (reducer, value, words) => {
  const state: SharedState = { k: { value: reducer === "sum" ? 1.7e308 : {}, version: 1 } };
  const message = codeOf(() => reduceOutcomes([said("a", value)], { keys: { k: reducer }, state }));
  expect(message).toContain("invalid-output: the call a says");
  expect(message).toContain(words);
});

test("a key without a reducer, and a reducer that there is none of, are refused by name", () => {
  expect(codeOf(() => reduceOutcomes([said("a", 1)], { keys: {} }))).toContain('of "k"');
  expect(codeOf(() => reduceOutcomes([], { keys: { k: "min" as Reducer } }))).toMatch(
    /^invalid-option: keys.k is "min"/,
  );
  const odd = JSON.parse('{"outputs":{"__proto__":{"polluted":1}}}');
  const outcome = { ...said("a", 1), value: odd } as Outcome;
  expect(codeOf(() => reduceOutcomes([outcome], { keys: { k: "merge" } }))).toContain("__proto__");
  expect(({} as { polluted?: unknown }).polluted).toBeUndefined();
});
