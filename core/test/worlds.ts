// Little histories for the core: what a careless or hostile host might say, in any order. Made by
// fast-check from a seed, so that a failure shrinks to the few events that matter.
import * as fc from "fast-check";
import type { Call, Event, Policy } from "../dist/glue.js";

export const NONE = 0xffffffff;
export const WALL = 1_700_000_000_000n;

export const POLICY: Policy = {
  backoff: 1_000n,
  backoffMost: 8_000n,
  askBackoff: 1_000n,
  askFor: 5_000n,
  grace: 2_000n,
  attempts: 3,
  asks: 3,
  concurrency: NONE,
};

/** Tool 0 bounded to two at once, tool 1 not. */
export const POLICIES: Policy[] = [{ ...POLICY, concurrency: 2 }, POLICY];

export const BLANK: Event = {
  kind: "claim",
  outcome: "ok",
  verdict: "done",
  mode: 0,
  run: 0,
  slot: 0,
  attempt: 1,
  payload: 0,
  first: 0,
  count: 0,
  a: 0n,
  b: 0n,
};

/** One crossing: so many µs later, these events, with the calls that they speak of. */
export interface Crossing {
  readonly later: number;
  readonly events: readonly Event[];
  readonly calls: readonly Call[];
}

const small = fc.integer({ min: 0, max: 6 });
const somewhere = fc.oneof({ weight: 9, arbitrary: small }, { weight: 1, arbitrary: fc.constantFrom(NONE, 1_000_000) });

const call: fc.Arbitrary<Call> = fc
  .record({
    idHigh: fc.constant(7n),
    idLow: fc.integer({ min: 1, max: 40 }).map(BigInt),
    inputHigh: fc.constant(1n),
    inputLow: fc.integer({ min: 1, max: 2 }).map(BigInt),
    runFor: fc.constantFrom(0n, 0n, 3_000n),
    deadline: fc.constantFrom(0n, 0n, WALL + 10n),
    tool: fc.constantFrom(0, 1, 2),
    ready: fc.constantFrom(0, 0, 0, 9),
    effect: fc.constantFrom("read", "idempotent", "once"),
    reconciles: fc.boolean(),
    readyOutcome: fc.constantFrom("ok", "error"),
  })
  .map((made) => (made.tool === 2 ? { ...made, ready: 9 } : made));

const reply: fc.Arbitrary<Event> = fc.record({
  kind: fc.constantFrom(
    "claim",
    "settled",
    "settled",
    "settled",
    "reconciled",
    "stopped",
    "lost",
    "suspend",
    "resume",
    "cancel",
    "close",
    "forget",
    "limit",
  ),
  outcome: fc.constantFrom("ok", "error"),
  verdict: fc.constantFrom("done", "failed", "not-done", "unknown"),
  mode: fc.integer({ min: 0, max: 3 }),
  run: fc.constantFrom(0, 0, 0, 1, 5),
  slot: somewhere,
  attempt: fc.integer({ min: 0, max: 3 }),
  payload: fc.integer({ min: 1, max: 99 }),
  first: fc.constant(0),
  count: fc.constant(0),
  a: fc.constantFrom(0n, 1n, 4n),
  b: fc.constant(0n),
});

const batch = fc.record({
  calls: fc.uniqueArray(call, { minLength: 0, maxLength: 5, selector: ({ idLow }) => idLow }),
  announce: fc.boolean(),
  limit: fc.integer({ min: 0, max: 3 }),
});

/** A crossing with at most one batch in it, anywhere among the replies. */
const crossing: fc.Arbitrary<Crossing> = fc
  .record({
    later: fc.constantFrom(0, 0, 500, 5_000, 20_000),
    before: fc.array(reply, { maxLength: 4 }),
    after: fc.array(reply, { maxLength: 4 }),
    batch: fc.option(batch, { nil: undefined, freq: 2 }),
  })
  .map(({ later, before, after, batch }) => {
    if (batch === undefined) return { later, events: [...before, ...after], calls: [] };
    const event: Event = {
      ...BLANK,
      kind: "batch",
      mode: batch.announce ? 1 : 0,
      first: 0,
      count: batch.calls.length,
      a: BigInt(batch.limit),
    };
    return { later, events: [...before, event, ...after], calls: batch.calls };
  });

export const history: fc.Arbitrary<readonly Crossing[]> = fc.array(crossing, { minLength: 1, maxLength: 14 });
