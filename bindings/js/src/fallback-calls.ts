// The calls that stand in for others. Each is a call of its own: a slot with an id made of the first one's
// ordinal, its own limits, planned once the first one's end is on disk. What the journal has of them is met again
// together with the first, so that a program never comes between the two.
import type { CheckedBatch } from "./batch-options.ts";
import { PLAIN_BATCH } from "./batch-options.ts";
import { stepOf } from "./emit.ts";
import type { EventHub } from "./event-hub.ts";
import { fallbackId, fallbackOf, keptFallback, marked } from "./fallback.ts";
import type { JournaledSlot, LiveRun, LiveSlot, Tenant } from "./live-run.ts";
import type { NotOk, Outcome } from "./outcome.ts";
import type { Payload } from "./payload.ts";
import type { Clock } from "./ports.ts";
import { type PreparedCall, type PrepareWith, prepareStandIn } from "./prepared-call.ts";

/** A call of the journal that stands in for the slot `of`, made ready to be met again. */
export interface StandIn {
  readonly of: number;
  readonly call: PreparedCall;
}

/** By the id of a call in the journal: its slot, and the one that stands in for it. */
export function journaledStandIns(slots: readonly JournaledSlot[]): LiveRun["standIns"] {
  const found: Map<string, { readonly of: number; readonly by: JournaledSlot }> = new Map();
  for (const [ordinal, by] of slots.entries()) {
    const of = fallbackOf(by.id);
    if (of !== undefined && of < ordinal) found.set(slots[of]!.id, { of, by });
  }
  if (found.size === 0) return found;
  // An id that was used again (adapt) is its last slot's.
  for (const [ordinal, { id }] of slots.entries()) if ((found.get(id)?.of ?? ordinal) < ordinal) found.delete(id);
  return found;
}

/** What the journal has that stands in for these calls, and for those that stand in. */
export async function meetAgain(
  run: LiveRun,
  calls: readonly PreparedCall[],
  prepare: PrepareWith,
): Promise<readonly StandIn[]> {
  const met: StandIn[] = [];
  for (const call of calls) {
    let first = call;
    for (let known = run.standIns.get(first.id); known !== undefined; known = run.standIns.get(first.id)) {
      const { of, by } = known;
      const journaled = run.journaled[of]!;
      if (journaled.tool !== first.tool || !isSame(journaled, first)) break; // another call now: what stood in is left behind
      const { held, idDigests } = run;
      const { streamed } = first;
      const here = { deadline: by.deadline, held, idDigests, streamed, settled: by.state === "settled" };
      const standIn = prepareStandIn(first, by.id, by.tool, here, prepare);
      first = standIn instanceof Promise ? await standIn : standIn;
      met.push({ of, call: first });
    }
  }
  return met;
}

function isSame(journaled: JournaledSlot, { digest }: PreparedCall): boolean {
  return journaled.digest.high === digest.high && journaled.digest.low === digest.low;
}

/** What making such calls needs. */
export interface FallbackWith {
  readonly prepare: PrepareWith;
  readonly hub: EventHub;
  readonly clock: Clock;
  readonly batch: (
    run: LiveRun,
    calls: readonly PreparedCall[],
    options: CheckedBatch,
    announced: boolean,
  ) => Promise<Outcome[]>;
}

export class FallbackCalls {
  readonly #with: FallbackWith;

  constructor(withThese: FallbackWith) {
    this.#with = withThese;
  }

  /** Meets one again that the journal has. */
  take(run: LiveRun, { of, call }: StandIn, tenant: Tenant | undefined): void {
    run.fallbacks.set(of, this.#outcomeOf(run, call, tenant));
  }

  /** Undefined: the slot has come to this outcome, and nothing stands in. Else what it comes to, marked. */
  insteadOf(run: LiveRun, slot: LiveSlot, first: Outcome, payload: Payload | undefined): Promise<Outcome> | undefined {
    const tool = slot.fallback ?? (first.replayed ? keptFallback(first.kind, payload) : undefined);
    if (tool === undefined || first.kind === "ok") return undefined;
    const second = run.fallbacks.get(slot.ordinal) ?? this.#begin(run, slot, first, tool);
    run.fallbacks.delete(slot.ordinal);
    // The run has ended meanwhile, and nobody waits: the call is what its own tool came to.
    return second.then(
      (outcome) => marked(first, outcome),
      () => first,
    );
  }

  async #begin(run: LiveRun, slot: LiveSlot, first: NotOk, tool: string): Promise<Outcome> {
    const { prepare, hub, clock } = this.#with;
    const id = fallbackId(slot.ordinal);
    if (hub.listening) hub.emit({ ...stepOf(run, slot, clock.wallMs()), kind: "fell-back", to: tool, outcome: first });
    const { held, idDigests } = run;
    const { streamed } = slot.call;
    const here = { deadline: deadlineOf(run, slot), held, idDigests, streamed, settled: false };
    const call = await prepareStandIn(slot.call, id, tool, here, prepare);
    return this.#outcomeOf(run, call, slot.tenant);
  }

  #outcomeOf(run: LiveRun, call: PreparedCall, tenant: Tenant | undefined): Promise<Outcome> {
    const outcome = this.#with.batch(run, [call], { ...PLAIN_BATCH, tenant }, false).then(([only]) => only!);
    outcome.catch(() => undefined); // heard by whoever waits for the first
    return outcome;
  }
}

/** Wall ms by which the first had to be over, and so what stands in: as its journal has it, if that has it. */
function deadlineOf(run: LiveRun, slot: LiveSlot): number {
  const journaled = run.journaled[slot.ordinal];
  if (journaled === undefined) return slot.deadline;
  const both = [journaled.deadline, journaled.batchDeadline].filter((deadline) => deadline !== 0);
  return both.length === 0 ? 0 : Math.min(...both);
}
