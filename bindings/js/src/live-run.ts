// A run while it is open here: who waits for which slot, what is in flight, what has been appended.
// State only; the driver moves it.

import type { Action, CoreEntry, Resolution } from "./core.ts";
import type { Digest } from "./digest.ts";
import type { Entry } from "./entry.ts";
import type { HoldfastError } from "./errors.ts";
import { journaledStandIns } from "./fallback-calls.ts";
import type { HeldNames } from "./held-names.ts";
import type { JournaledRun } from "./journaled-run.ts";
import type { Outcome } from "./outcome.ts";
import type { Payload, PlannedCall } from "./payload.ts";
import type { PreparedCall } from "./prepared-call.ts";
import type { WorkerJob } from "./worker-pool.ts";

/** Among whom starts are shared. */
export interface Tenant {
  readonly id: string;
  /** Its share beside others: 0.001…1000. */
  readonly weight: number;
}

/** An attempt or an ask in flight. */
export interface InFlight {
  readonly attempt: number;
  /** Made when somebody looks at the signal: most tools never do. */
  controller: AbortController | undefined;
  /** Why it was told to stop. */
  told: Error | undefined;
  job: WorkerJob | undefined;
  /** Child runs that are open now, and the names used so far. */
  children: number;
  readonly childNames: Set<string>;
  /** What stopped a child of it, if it was nothing that the child came to. */
  childStopped: HoldfastError | undefined;
  /** Called when a suspended call may go on. */
  carryOn: (() => void) | undefined;
}

/** Whoever waits for the outcomes of a batch. */
export interface BatchWait {
  readonly outcomes: Outcome[];
  left: number;
  readonly announced: boolean;
  readonly tenant: Tenant | undefined;
  /** Wall ms; 0 = none. */
  readonly deadline: number;
  /** Called with each outcome as it is given, and its position. */
  readonly onOutcome: ((outcome: Outcome, position: number) => void) | undefined;
  readonly resolve: (outcomes: Outcome[]) => void;
  readonly reject: (error: unknown) => void;
}

export interface LiveSlot {
  readonly ordinal: number;
  readonly call: PreparedCall;
  /** How often its id was given to another call before (adapt). */
  readonly generation: number;
  /** It was announced: it starts when it is claimed. */
  readonly announced: boolean;
  /** What whoever claimed it waits for; the same for all who do. */
  claimed: Promise<Outcome> | undefined;
  wait: BatchWait | undefined;
  position: number;
  inFlight: InFlight | undefined;
  /** The attempt that was told to stop before it began, 1-based; 0 if none was. */
  heldBack: number;
  ask: InFlight | undefined;
  outcome: Outcome | undefined;
  /** Whose batch it came in. */
  readonly tenant: Tenant | undefined;
  /** Wall ms by which the call, its batch or a parent must be over; 0 = none. */
  readonly deadline: number;
  /** Why a limit or a deadline decided, in words, until its outcome is given. */
  reason: Payload | undefined;
  /** The tool that is called instead of what it came to. */
  fallback: string | undefined;
}

/** A slot as the journal had it when the run was opened. */
export interface JournaledSlot extends PlannedCall {
  readonly state: "planned" | "in-doubt" | "settled";
  /** Wall ms; 0 = none. */
  readonly batchDeadline: number;
}

export interface LiveRun {
  readonly number: number;
  readonly key: string;
  readonly id: string;
  readonly fence: number;
  readonly adapt: boolean;
  /** Whose batches its are, unless they say otherwise. */
  readonly tenant: Tenant | undefined;
  /** Wall ms: no call of it may be under way after that; 0 = none. From the parents. */
  readonly deadline: number;
  /** What the calls above it hold. */
  readonly held: HeldNames | undefined;
  readonly journaled: readonly JournaledSlot[];
  readonly slots: (LiveSlot | undefined)[];
  readonly byId: Map<string, LiveSlot>;
  /** How many slots of the journal have an id; and of those that share one, how many came before. */
  readonly idUses: Map<string, number>;
  readonly generations: Map<number, number>;
  /** Of the ids in its journal. */
  readonly idDigests: ReadonlyMap<string, Digest>;
  /** Of the journal: by the id of a call, its slot and the one that stands in for it. */
  readonly standIns: ReadonlyMap<string, { readonly of: number; readonly by: JournaledSlot }>;
  /** By the slot that each stands in for: those of them that the program is on its way to. */
  readonly fallbacks: Map<number, Promise<Outcome>>;
  /** By the numbers that the core knows them by; those of the journal come first. */
  readonly payloads: Map<number, Payload>;
  nextPayload: number;
  /** Entries that nothing waits for: they travel with the next group. */
  stash: Entry[];
  lastAppend: Promise<void> | undefined;
  /** Calls whose tool has not returned. */
  inFlight: number;
  /** Called when the last of them has. */
  onLeft: (() => void) | undefined;
  /** Calls made so far, in the program's order: names those without an id. */
  created: number;
  readonly controller: AbortController;
  /** Why it ends without being closed. */
  stopped: HoldfastError | undefined;
  readonly onStop: (error: HoldfastError) => void;
  /** Called when run-closed is durable. */
  onClosed: (() => void) | undefined;
  unawaited: string[];
  /** What the program threw, if it has. */
  thrown: unknown;
}

/** What one turn of the core brings to one run. */
export interface RunTurn {
  readonly run: LiveRun;
  readonly entries: CoreEntry[];
  readonly gated: Action[];
  readonly resolutions: Resolution[];
}

/** A run that is about to be opened from its journal. */
export function makeLiveRun(parts: {
  readonly key: string;
  readonly id: string;
  readonly fence: number;
  readonly adapt: boolean;
  readonly tenant: Tenant | undefined;
  readonly deadline: number;
  readonly held: HeldNames | undefined;
  readonly number: number;
  readonly journaled: JournaledRun;
  readonly onStop: (error: HoldfastError) => void;
}): LiveRun {
  const idUses = new Map<string, number>();
  const generations = new Map<number, number>();
  for (const [ordinal, slot] of parts.journaled.slots.entries()) {
    const before = idUses.get(slot.id) ?? 0;
    if (before > 0) generations.set(ordinal, before);
    idUses.set(slot.id, before + 1);
  }
  return {
    number: parts.number,
    key: parts.key,
    id: parts.id,
    fence: parts.fence,
    adapt: parts.adapt,
    tenant: parts.tenant,
    deadline: parts.deadline,
    held: parts.held,
    journaled: parts.journaled.slots,
    slots: [],
    byId: new Map(),
    idUses,
    generations,
    idDigests: parts.journaled.idDigests,
    standIns: journaledStandIns(parts.journaled.slots),
    fallbacks: new Map(),
    payloads: parts.journaled.payloads,
    nextPayload: parts.journaled.entries.length + 2,
    stash: [],
    lastAppend: undefined,
    inFlight: 0,
    onLeft: undefined,
    created: 0,
    controller: new AbortController(),
    stopped: undefined,
    onStop: parts.onStop,
    onClosed: undefined,
    unawaited: [],
    thrown: undefined,
  };
}

/** A new call in flight. */
export function makeInFlight(attempt: number): InFlight {
  return {
    attempt,
    controller: undefined,
    told: undefined,
    job: undefined,
    children: 0,
    childNames: new Set(),
    childStopped: undefined,
    carryOn: undefined,
  };
}

/** Its signal, made when first asked for. */
export function signalOf(inFlight: InFlight): AbortSignal {
  if (inFlight.controller === undefined) {
    inFlight.controller = new AbortController();
    if (inFlight.told !== undefined) inFlight.controller.abort(inFlight.told);
  }
  return inFlight.controller.signal;
}

/** Tells it to stop. */
export function tellToStop(inFlight: InFlight, why: Error, graceMs: number): void {
  if (inFlight.told !== undefined) return;
  inFlight.told = why;
  inFlight.controller?.abort(why);
  inFlight.job?.abort(why, graceMs);
}

/** Gives a payload the number by which the core knows it. */
export function keepPayload(run: LiveRun, payload: Payload): number {
  run.payloads.set(run.nextPayload, payload);
  return run.nextPayload++;
}
