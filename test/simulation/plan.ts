// The programs of simulated worlds: a few batches of a few calls of every effect, some announced, some with
// a child run inside, made by fast-check so that a world that fails shrinks.
import * as fc from "fast-check";

export interface PlannedCall {
  readonly id: string;
  readonly tool: "look" | "work" | "send" | "pay" | "agent";
  readonly timeoutMs: number | undefined;
}

export interface PlannedBatch {
  readonly calls: readonly PlannedCall[];
  readonly concurrency: number | undefined;
  readonly deadlineMs: number | undefined;
  readonly announce: boolean;
}

export interface WorldPlan {
  readonly batches: readonly PlannedBatch[];
  /** Calls at once in a runtime. */
  readonly concurrency: number;
  readonly decisions: readonly number[];
}

const call = fc.record({
  tool: fc.constantFrom("work", "send", "pay", "look", "agent"),
  timeoutMs: fc.option(fc.constant(200), { nil: undefined, freq: 4 }),
});

const batch = fc.record({
  calls: fc.array(call, { minLength: 1, maxLength: 4 }),
  concurrency: fc.option(fc.integer({ min: 1, max: 2 }), { nil: undefined }),
  deadlineMs: fc.option(fc.constantFrom(100, 1_000), { nil: undefined, freq: 3 }),
  announce: fc.boolean(),
});

export const worldPlan: fc.Arbitrary<WorldPlan> = fc
  .record({
    batches: fc.array(batch, { minLength: 1, maxLength: 3 }),
    concurrency: fc.constantFrom(16, 2, 1),
    decisions: fc.array(fc.nat({ max: 5_039 }), { maxLength: 120 }),
  })
  .map(({ batches, concurrency, decisions }) => ({
    concurrency,
    decisions,
    batches: batches.map((one, b) => ({
      ...one,
      calls: one.calls.map((planned, c) => ({ ...planned, id: `${b}.${c}` }) as PlannedCall),
    })),
  }));
