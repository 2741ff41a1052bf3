// What the owner of a runtime asks of its limits while it runs: other sizes, pauses, priorities, and why a
// call waits. Names become the core's numbers here, and its answers become words.
import type { Core, Key, Notice } from "./core.ts";
import { NONE } from "./core.ts";
import { coreEvent } from "./core-event.ts";
import { type Digest, idDigest, type Sha256 } from "./digest.ts";
import { HoldfastError } from "./errors.ts";
import type { Inbox } from "./inbox.ts";
import { CONCURRENCY_MOST, type ScopeRef } from "./limit-rows.ts";
import type { LimitTable } from "./limit-table.ts";
import type { Explanation, Gauge, LimitName, Waiting } from "./limits.ts";
import type { LiveRun, LiveSlot } from "./live-run.ts";
import { checkInteger, checkKeys, checkString, refuseOption, SPAN_MS_MAX } from "./options.ts";
import type { Observed } from "./provider-headers.ts";
import { addKey } from "./start-terms.ts";

const NO_BOUND = BigInt(NONE);
const HELD = (1n << 64n) - 1n;
const SCOPES = ["runtime", "tool", "group", "key", "tenant", "batch", "lock"] as const;

/** A notice of the core in words. */
export function waitingOf(notice: Notice, limits: LimitTable): Waiting {
  const until = Number(notice.until);
  return {
    // `abandoned` is of a call that waits for nothing any more.
    why: notice.kind === "free" || notice.kind === "abandoned" ? "turn" : notice.kind,
    limit: limits.nameOf(notice.scope, notice.number),
    inUse: Number(notice.inUse),
    size: notice.size === NO_BOUND ? Number.POSITIVE_INFINITY : Number(notice.size),
    ...(until === 0 ? {} : { mayStartAt: until }),
  };
}

/** A call of a run that is open here. Throws `run-not-found` or `unknown-call`. */
export function callOf(run: LiveRun | undefined, runId: string, callId: string): [LiveRun, LiveSlot] {
  if (run === undefined) {
    throw new HoldfastError(
      "run-not-found",
      `run ${JSON.stringify(runId)} is not open here`,
      "Only what runs in this runtime waits in it; runtime.read(id) shows what the journal has.",
      { details: { runId } },
    );
  }
  const slot = run.byId.get(callId);
  if (slot !== undefined) return [run, slot];
  throw new HoldfastError(
    "unknown-call",
    `run ${JSON.stringify(runId)} has made no call ${JSON.stringify(callId)} yet`,
    "Give the id of a call that was made or announced.",
    { details: { runId, callId } },
  );
}

/** What it needs of its driver. The core is asked for each time: a trap replaces it. */
export interface LimitControlWith {
  readonly limits: LimitTable;
  readonly inbox: Inbox;
  readonly sha256: Sha256;
  readonly core: () => Core;
  readonly now: () => bigint;
  readonly wall: () => bigint;
}

export class LimitControl {
  readonly #with: LimitControlWith;

  constructor(withThese: LimitControlWith) {
    this.#with = withThese;
  }

  #find(limit: string): ScopeRef {
    const found = this.#with.limits.find(limit);
    if (found !== undefined) return found;
    throw new HoldfastError(
      "unknown-limit",
      `this runtime has no limit ${JSON.stringify(limit)}`,
      `It has ${this.#with.limits.names.join(", ")}.`,
      { details: { limit } },
    );
  }

  /** The fields of an event that name a scope; one of keys or tenants is named by its digest. */
  #scopeFields(limit: string, key: string | undefined): { mode: number; slot: number; first: number } {
    const ref = this.#find(limit);
    const named = ref.kind === "key" || ref.kind === "tenant";
    if (named && key === undefined) refuseOption("options.key", key, `the name of one of the ${limit}`);
    if (!named && key !== undefined) refuseOption("options.key", key, 'absent but for "keys" and "tenants"');
    const first = key === undefined ? 0 : addKey(this.#with.inbox.asked as { keys: Key[] }, this.#digest(key), false);
    return { mode: SCOPES.indexOf(ref.kind), slot: ref.number, first };
  }

  #digest(name: string): Digest {
    return idDigest(name, this.#with.sha256);
  }

  setLimit(limit: LimitName, to: { readonly concurrency: number }): void {
    const given = checkKeys("to", to, ["concurrency"]);
    if (given.concurrency === undefined) refuseOption("to.concurrency", undefined, "how many calls at once");
    const size = checkInteger("to.concurrency", given.concurrency, 0, CONCURRENCY_MOST, 0);
    const { kind, number } = this.#find(limit);
    this.#with.inbox.send(coreEvent("limit", { mode: SCOPES.indexOf(kind), slot: number, a: BigInt(size) }));
  }

  pause(limit: LimitName, options: { readonly forMs?: number; readonly key?: string } | undefined): void {
    const given = checkKeys("options", options, ["forMs", "key"]);
    const forMs = checkInteger("options.forMs", given.forMs, 1, SPAN_MS_MAX, 0);
    const fields = this.#scopeFields(limit, checkString("options.key", given.key, 1_000));
    this.#with.inbox.send(coreEvent("pause", { ...fields, a: BigInt(forMs) * 1000n }));
  }

  resume(limit: LimitName, options: { readonly key?: string } | undefined): void {
    const given = checkKeys("options", options, ["key"]);
    const fields = this.#scopeFields(limit, checkString("options.key", given.key, 1_000));
    this.#with.inbox.send(coreEvent("unpause", fields));
  }

  /** What a provider said of the rates of a scope. What no rate counts is nobody's business. */
  observe(limit: LimitName, observed: readonly Observed[], key: string | undefined): void {
    const { kind } = this.#find(limit);
    for (const { counts, remaining, resetMs } of observed) {
      const meter = this.#with.limits.meters.of(counts);
      if (meter === undefined) continue;
      const fields = this.#scopeFields(limit, kind === "key" ? key : undefined);
      const left = BigInt(checkInteger("observed.remaining", remaining, 0, Number.MAX_SAFE_INTEGER, 0));
      const reset = BigInt(checkInteger("observed.resetMs", resetMs, 0, SPAN_MS_MAX, 0)) * 1000n;
      this.#with.inbox.send(coreEvent("observed", { ...fields, attempt: meter, a: left, b: reset }));
    }
  }

  setPriority(run: LiveRun, slot: LiveSlot, priority: number): void {
    const wanted = checkInteger("priority", priority, -1000, 1000, 0);
    const a = BigInt.asUintN(64, BigInt(wanted));
    this.#with.inbox.send(coreEvent("reprioritise", { run: run.number, slot: slot.ordinal, a }));
  }

  explain(run: LiveRun, slot: LiveSlot): Explanation {
    if (slot.outcome !== undefined) return { state: "settled" };
    const { core, now, wall, limits } = this.#with;
    const notice = core().explain(now(), wall(), run.number, slot.ordinal);
    if (notice.kind !== "free") return { state: "waiting", ...waitingOf(notice, limits) };
    if (slot.inFlight !== undefined) return { state: "started" };
    return { state: slot.wait === undefined ? "planned" : "retrying" };
  }

  limit(limit: LimitName): Gauge {
    const { kind, number } = this.#find(limit);
    const { core, now, wall } = this.#with;
    const { size, cap, inUse, abandoned, breaker, pausedUntil } = core().gauge(now(), wall(), kind, number);
    const units = (count: number): number => (count === NONE ? Number.POSITIVE_INFINITY : count);
    return {
      size: units(size),
      cap: units(cap),
      inUse,
      abandoned,
      breaker,
      ...(pausedUntil === 0n
        ? {}
        : { pausedUntil: pausedUntil === HELD ? Number.POSITIVE_INFINITY : Number(pausedUntil) }),
    };
  }
}
