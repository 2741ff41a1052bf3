// Little histories for the core: what a careless or hostile host might say, in any order. Made by
// fast-check from a seed, so that a failure shrinks to the few events that matter.
import * as fc from "fast-check";
import type { Call, Charge, Event, Key, Limit, Policy, Terms } from "../dist/glue.js";

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
  throttles: 3,
  abandons: false,
  keeps: false,
};

/** Tool 0 bounded to two at once, tool 1 not. */
export const POLICIES: Policy[] = [
  { ...POLICY, concurrency: 2 },
  { ...POLICY, abandons: true, keeps: true },
];

const LIMIT: Limit = { kind: "window", scope: "tool", mode: 0, number: 0, meter: 0, size: 0n, per: 0n, a: 0n, b: 0n };

/** Some of everything: rates and a breaker on tool 1, a group, keys, tenants, a small queue. */
export const LIMITS: Limit[] = [
  { ...LIMIT, number: 1, size: 5n, per: 20_000n },
  { ...LIMIT, kind: "pace", number: 1, meter: 1, size: 9n, per: 9_000n, a: 6n },
  { ...LIMIT, kind: "breaker", number: 1, size: 3n, per: 10_000n, a: 500n, b: 8_000n, meter: 1 },
  { ...LIMIT, kind: "member", number: 0, meter: 0 },
  { ...LIMIT, kind: "adaptive", scope: "group", size: 2n, a: 1n },
  { ...LIMIT, kind: "concurrency", scope: "group", size: 2n },
  { ...LIMIT, kind: "concurrency", scope: "key", size: 1n },
  { ...LIMIT, kind: "concurrency", scope: "tenant", size: 2n },
  { ...LIMIT, kind: "queue", scope: "runtime", size: 9n },
  { ...LIMIT, kind: "steps", scope: "runtime", size: 4n },
];

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
  readonly terms: readonly Terms[];
  readonly keys: readonly Key[];
  readonly charges: readonly Charge[];
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
    terms: fc.constantFrom(0, 0, 1, 2, 3, 4),
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
    "pause",
    "unpause",
    "observed",
    "reprioritise",
    "watch",
    "spent",
    "nested",
  ),
  outcome: fc.constantFrom("ok", "error"),
  verdict: fc.constantFrom("done", "failed", "not-done", "unknown"),
  mode: fc.integer({ min: 0, max: 7 }),
  run: fc.constantFrom(0, 0, 0, 1, 5),
  slot: somewhere,
  attempt: fc.integer({ min: 0, max: 3 }),
  payload: fc.integer({ min: 1, max: 99 }),
  first: fc.constantFrom(0, 1, 2),
  count: fc.constantFrom(0, 1),
  a: fc.constantFrom(0n, 1n, 4n, 6_000n),
  b: fc.constantFrom(0n, 1n << 32n, (1n << 32n) + 1n, 2n << 32n, 3n << 32n),
});

const terms: fc.Arbitrary<Terms> = fc.record({
  startWithin: fc.constantFrom(0n, 0n, 4_000n),
  budget: fc.constantFrom(0n, 0n, 3_000n),
  priority: fc.integer({ min: -3, max: 3 }),
  weight: fc.constantFrom(0, 1, 2),
  key: fc.constantFrom(0, 0, 1, 2),
  firstLock: fc.constantFrom(0, 1),
  locks: fc.integer({ min: 0, max: 2 }),
  firstCharge: fc.constantFrom(0, 1),
  charges: fc.constantFrom(0, 1),
  sheddable: fc.boolean(),
  background: fc.boolean(),
  preempts: fc.boolean(),
  preemptible: fc.boolean(),
});
const keys: fc.Arbitrary<Key[]> = fc.array(
  fc.record({ nameHigh: fc.constant(3n), nameLow: fc.constantFrom(1n, 2n), write: fc.boolean() }),
  { minLength: 3, maxLength: 3 },
);
const charges: fc.Arbitrary<Charge[]> = fc.array(
  fc.record({ meter: fc.constantFrom(0, 1), cost: fc.integer({ min: 0, max: 7 }) }),
  { minLength: 3, maxLength: 3 },
);

const batch = fc.record({
  calls: fc.uniqueArray(call, { minLength: 0, maxLength: 5, selector: ({ idLow }) => idLow }),
  announce: fc.boolean(),
  limit: fc.integer({ min: 0, max: 3 }),
  tenant: fc.constantFrom(0, 0, 1, 2),
});

/** A crossing with at most one batch in it, anywhere among the replies. */
const crossing: fc.Arbitrary<Crossing> = fc
  .record({
    later: fc.constantFrom(0, 0, 500, 5_000, 20_000),
    before: fc.array(reply, { maxLength: 4 }),
    after: fc.array(reply, { maxLength: 4 }),
    batch: fc.option(batch, { nil: undefined, freq: 2 }),
    terms: fc.array(terms, { minLength: 4, maxLength: 4 }),
    keys,
    charges,
  })
  .map(({ later, before, after, batch, ...lists }) => {
    if (batch === undefined) return { later, events: [...before, ...after], calls: [], ...lists };
    const event: Event = {
      ...BLANK,
      kind: "batch",
      mode: batch.announce ? 1 : 0,
      first: 0,
      count: batch.calls.length,
      a: BigInt(batch.limit),
      slot: batch.tenant,
      attempt: 0,
    };
    return { later, events: [...before, event, ...after], calls: batch.calls, ...lists };
  });

export const history: fc.Arbitrary<readonly Crossing[]> = fc.array(crossing, { minLength: 1, maxLength: 14 });
