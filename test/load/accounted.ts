// The checker that stands over every test here: each submitted call has exactly one typed outcome, the journal
// says the same as the program was told, and what was lent is back. It limits nothing and starts no call of its own.
import {
  type BatchOptions,
  type Json,
  type Limits,
  type Outcome,
  openRuntime,
  type Runtime,
  type Tools,
} from "holdfast";
import { beforeAll, expect, onTestFinished } from "vitest";

// That a journal in memory is not durable is no news here.
beforeAll(() => void process.removeAllListeners("warning"));

/** A batch as these tests make them: of any tools. */
export interface Asked {
  readonly tool: string;
  readonly input?: Json;
  readonly id?: string;
  readonly [option: string]: unknown;
}

export interface Around {
  readonly journal?: unknown;
  readonly limits?: Limits<any>;
  readonly workers?: { readonly size: number };
}

/** "Without limits", as near as there is: what a control opens. */
export const UNLIMITED = { concurrency: 1_000_000, startsPerStepMax: 1_000_000 } as const;

const KINDS = ["ok", "error", "unknown", "timed-out", "not-started", "cancelled"];

/** A runtime that is closed when its test is over, and must have everything back by then. */
export async function open(tools: Tools, around: Around = {}): Promise<Runtime> {
  const { journal = "memory", ...others } = around;
  const runtime = (await openRuntime({ journal, tools, ...others } as never)) as unknown as Runtime;
  let closed = false;
  const close = runtime.close.bind(runtime);
  runtime.close = (options) => {
    closed = true;
    return close(options);
  };
  onTestFinished(async () => {
    if (closed) return;
    nothingHeld(runtime, Object.keys(tools));
    await runtime.close({ graceMs: 0 });
  });
  return runtime;
}

/** No permit is lent any more, of the runtime or of a tool. */
export function nothingHeld(runtime: Runtime, tools: readonly string[] = []): void {
  for (const limit of ["runtime", ...tools.map((name) => `tools.${name}` as const)] as const)
    expect([limit, runtime.limit(limit).inUse]).toEqual([limit, 0]);
}

/** Exactly one typed outcome for each call, in their order; none ok without output, none that ends before it began. */
export function oneOutcomeEach(calls: readonly Asked[], outcomes: readonly Outcome[]): void {
  expect(outcomes.length).toBe(calls.length);
  for (const [i, outcome] of outcomes.entries()) {
    const asked = calls[i]!;
    if (asked.id !== undefined && outcome.id !== asked.id) expect(outcome.id).toBe(asked.id);
    if (outcome.tool !== asked.tool) expect(outcome.tool).toBe(asked.tool);
    if (!KINDS.includes(outcome.kind)) expect(KINDS).toContain(outcome.kind);
    if (outcome.kind === "ok" && outcome.value === undefined) expect(outcome).toHaveProperty("value", "something");
    if (outcome.kind === "not-started" && outcome.attempts !== 0) expect(outcome.attempts).toBe(0);
    if (outcome.kind === "ok" && outcome.attempts === 0) expect(outcome.attempts).toBeGreaterThan(0);
  }
  expect(new Set(outcomes.map(({ id }) => id)).size).toBe(calls.length);
}

/** Runs one batch as a run of its own, checks it, and gives its outcomes. `id` is the run's. */
export async function batch(
  runtime: Runtime,
  id: string,
  calls: readonly Asked[],
  options: BatchOptions = {},
): Promise<Outcome[]> {
  const told: string[] = [];
  const { onOutcome, ...others } = options;
  const listen = (outcome: Outcome, index: number): void => {
    told.push(outcome.id);
    onOutcome?.(outcome, index);
  };
  let outcomes: Outcome[] = [];
  await runtime.run(id, async (run) => {
    const { batch } = run as { batch(calls: unknown, options: BatchOptions): Promise<Outcome[]> };
    const asked = calls.map(({ input = null, ...call }) => ({ ...call, input }));
    outcomes = await batch.call(run, asked, { ...others, onOutcome: listen });
  });
  oneOutcomeEach(calls, outcomes);
  // Each was told of once.
  expect(told.length).toBe(calls.length);
  expect(new Set(told).size).toBe(calls.length);
  await journalAgrees(runtime, id, outcomes);
  return outcomes;
}

/** What the journal holds of a run is what its program was told. */
export async function journalAgrees(runtime: Runtime, id: string, outcomes: readonly Outcome[]): Promise<void> {
  const { slots } = await runtime.read(id);
  const kept = new Map(slots.map((slot) => [slot.id, slot]));
  expect(slots.length).toBe(kept.size);
  for (const outcome of outcomes) {
    const slot = kept.get(outcome.id);
    if (slot?.state !== "settled" || slot.outcome !== outcome.kind)
      expect([outcome.id, slot?.state, slot?.outcome]).toEqual([outcome.id, "settled", outcome.kind]);
  }
}

/** How many there are of each kind. */
export function counts(outcomes: readonly Outcome[]): Readonly<Record<string, number>> {
  const found: Record<string, number> = {};
  for (const { kind } of outcomes) found[kind] = (found[kind] ?? 0) + 1;
  return found;
}

/** So many calls of a tool, `prefix-0` and on. */
export function callsOf(tool: string, count: number, more: (n: number) => Partial<Asked> = () => ({})): Asked[] {
  return Array.from({ length: count }, (_, n) => ({ id: `${tool}-${n}`, tool, input: n, ...more(n) }));
}
