// What every contender is given to do, and what it must give back: the same calls, the same tool, the
// same results. The tool does nothing, so that what is measured is the promise and not the work.
import { strict as assert } from "node:assert";

/** A call as a model makes it. */
export interface WorkCall {
  readonly id: string;
  readonly tool: "work";
  readonly input: { readonly path: string; readonly line: number };
}

export interface WorkResult {
  readonly path: string;
  readonly found: number;
}

/** What every contender's batch comes to: one outcome per call, in request order. */
export type WorkOutcome = { readonly id: string } & (
  | { readonly kind: "ok"; readonly value: WorkResult }
  | { readonly kind: "error"; readonly error: { readonly name: string; readonly message: string } }
);

/** The tool. `ms` 0 returns at once, in the same turn of the loop. */
export type WorkTool = (input: WorkCall["input"]) => Promise<WorkResult>;

export function toolThatTakes(ms: number): WorkTool {
  const answer = (input: WorkCall["input"]): WorkResult => ({ path: input.path, found: input.line * 2 });
  if (ms === 0) return async (input) => answer(input);
  return (input) => new Promise((resolve) => setTimeout(() => resolve(answer(input)), ms));
}

/** `count` calls whose ids begin with `prefix`; a prefix is used once in a run. */
export function makeCalls(prefix: string, count: number): readonly WorkCall[] {
  return Array.from({ length: count }, (_, i) => ({
    id: `${prefix}-${i}`,
    tool: "work",
    input: { path: `src/module-${i % 97}/index.ts`, line: i },
  }));
}

/** Refuses a contender that is fast because it did something else. */
export function checkOutcomes(calls: readonly WorkCall[], outcomes: readonly WorkOutcome[]): void {
  assert.equal(outcomes.length, calls.length);
  for (const [i, call] of calls.entries()) {
    const { id, kind, ...rest } = outcomes[i]!;
    assert.deepEqual({ id, kind }, { id: call.id, kind: "ok" });
    const { value } = rest as { value: WorkResult };
    assert.deepEqual(value, { path: call.input.path, found: call.input.line * 2 });
  }
}

/** The same for one batch after the other. */
export function checkBatches(
  batches: readonly (readonly WorkCall[])[],
  outcomes: readonly (readonly WorkOutcome[])[],
): void {
  for (const [i, calls] of batches.entries()) checkOutcomes(calls, outcomes[i] ?? []);
}

/** How a thrown value is kept: as data, like every contender keeps it. */
export function errorOutcome(id: string, thrown: unknown): WorkOutcome {
  const { name, message } = thrown instanceof Error ? thrown : new Error(String(thrown));
  return { id, kind: "error", error: { name, message } };
}
