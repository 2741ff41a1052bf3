// Hosts that are wrong on purpose, one seeded fault each: HOLDFAST_FAULT=<name> chooses. The conformance suite
// must catch every one of them, and test/conformance says by which scenarios.
import { readPlan } from "../../../bindings/js/src/payload.ts";
import { type Entry, EntryKind, HoldfastError, MismatchError, OUTCOMES, type Outcome, SOURCES } from "../index.ts";
import { DECLARATION_FAULTS } from "./declaration-faults.ts";
import type { Fault } from "./fault.ts";
import { LIMIT_FAULTS } from "./limit-faults.ts";
import { appendingAs, readingAs } from "./wrapped-journal.ts";

const is = (kind: keyof typeof EntryKind) => (entry: Entry) => entry.kind === EntryKind[kind];
const without = (refused: (entry: Entry, all: readonly Entry[]) => boolean) =>
  readingAs((entries) => entries.filter((entry) => !refused(entry, entries)));

/** Slots that have started and not settled. */
function inDoubt(entries: readonly Entry[]): Entry[] {
  const settled = new Set(entries.filter(is("settled")).map(({ slot }) => slot));
  return entries.filter((entry) => is("started")(entry) && !settled.has(entry.slot));
}

/** The effect that the plan records for a slot. */
function effectOf(slot: number, entries: readonly Entry[]): string | undefined {
  const plan = entries.find((one) => is("planned")(one) && slot >= one.slot && slot < one.slot + one.count);
  return plan === undefined ? undefined : readPlan(plan.payload, plan.count).calls[slot - plan.slot]?.effect;
}

const settledOk = (entry: Entry): Entry => ({
  ...entry,
  kind: EntryKind.settled,
  outcome: 0,
  source: 0,
  payload: null,
});
const isError = ({ kind, outcome }: Entry): boolean => kind === EntryKind.settled && OUTCOMES[outcome] === "error";
const isNothing = (outcome: Outcome): boolean => outcome.kind === "ok" && !outcome.value;

/** Holds settled entries back until everything that was planned has settled. */
function settlesAtFanIn(): Fault["journal"] {
  const held: Entry[] = [];
  let open = 0;
  return appendingAs(async (inner, run, fence, entries) => {
    for (const { kind, count } of entries) if (kind === EntryKind.planned) open += count;
    const settled = entries.filter(is("settled"));
    held.push(...settled);
    open -= settled.length;
    const others = entries.filter((entry) => entry.kind !== EntryKind.settled);
    const group = open > 0 ? others : [...held.splice(0), ...others];
    if (group.length > 0) await inner.append(run, fence, group);
  });
}

/** Entries of the slots before the first that differs; the rest is thrown away. */
function truncatesOnMismatch(): Pick<Fault, "journal" | "running"> {
  let cutAt = Number.POSITIVE_INFINITY;
  return {
    journal: readingAs((entries) =>
      entries.filter(({ kind, slot }) => kind === EntryKind.runOpened || kind === EntryKind.runClosed || slot < cutAt),
    ),
    async running(start) {
      try {
        return await start();
      } catch (thrown) {
        if (!(thrown instanceof MismatchError)) throw thrown;
        cutAt = Math.min(...thrown.differences.map(({ slot = 0 }) => slot));
        return await start();
      }
    },
  };
}

/** Outcomes as they come: the order in which the tools really ended, not the clock's. */
function givesAsTheyEnd(): Pick<Fault, "outcomes" | "whileRunning"> {
  const order: string[] = [];
  const place = ({ id }: Outcome): number => order.lastIndexOf(id);
  return {
    whileRunning: (ended, { callId }) => ended.finally(() => order.push(callId)),
    outcomes: (outcomes) => [...outcomes].sort((a, b) => place(a) - place(b)),
  };
}

/** Runs that were taken over go on as if nothing had happened. */
const acceptsZombies = appendingAs(async (inner, run, fence, entries) => {
  try {
    await inner.append(run, fence, entries);
  } catch (error) {
    if (!(error instanceof HoldfastError) || error.code !== "fenced") throw error;
  }
});

const FAULTS: readonly Fault[] = [
  {
    name: "entries-after-actions",
    what: "acts first and writes later",
    journal: appendingAs(async (inner, run, fence, entries) => {
      void inner.append(run, fence, entries);
    }),
  },
  {
    name: "append-failure-ignored",
    what: "carries on when an append has failed",
    journal: appendingAs((inner, run, fence, entries) => inner.append(run, fence, entries).catch(() => undefined)),
  },
  {
    name: "pending-read-as-hit",
    what: "takes a call that was started for one that has settled",
    journal: readingAs((entries) => [...entries, ...inDoubt(entries).map(settledOk)]),
  },
  {
    name: "doubt-forgotten",
    what: "takes a call in doubt for one that was never started, whatever its tool declares",
    journal: readingAs((entries) => entries.filter((entry) => !inDoubt(entries).includes(entry))),
  },
  {
    name: "settled-at-fan-in",
    what: "writes outcomes only when the whole batch has settled",
    get journal() {
      return settlesAtFanIn();
    },
  } as Fault,
  { name: "errors-not-kept", what: "does not take an error for an outcome", journal: without(isError) },
  {
    name: "nothing-not-kept",
    what: "takes an empty result for none at all",
    journal: without(
      ({ kind, payload }) =>
        kind === EntryKind.settled && (payload === null || String.fromCharCode(...payload) === "null"),
    ),
  },
  {
    name: "reconciler-asked-for-settled",
    what: "asks what became of calls whose outcome it has",
    journal: without(
      (entry, all) =>
        is("settled")(entry) && SOURCES[entry.source] === "executed" && effectOf(entry.slot, all) === "once",
    ),
  },
  {
    name: "unknown-taken-for-success",
    what: "takes a reconciler that does not know for one that says done",
    verdict: (given) => (given.verdict === "unknown" ? { verdict: "done", value: null } : given),
  },
  {
    name: "no-verdict-taken-for-failure",
    what: "takes a reconciler that throws for one that says failed",
    verdict: (given) => (given.verdict === "throws" ? { verdict: "failed", error: given.error } : given),
  },
  {
    name: "deadline-restarted",
    what: "counts a batch's deadline from the restart",
    journal: readingAs((entries) =>
      entries.map((entry) =>
        is("planned")(entry) && entry.until > 0 ? { ...entry, until: Date.now() + entry.until - entry.at } : entry,
      ),
    ),
  },
  {
    name: "retry-wait-forgotten",
    what: "makes the next attempt at once after a restart",
    journal: readingAs((entries) =>
      entries.map((entry) => (is("attemptFailed")(entry) ? { ...entry, until: 0 } : entry)),
    ),
  },
  { name: "suffix-truncated", what: "throws away what follows a difference", ...truncatesOnMismatch() },
  { name: "zombie-accepted", what: "goes on when another host has taken its run over", journal: acceptsZombies },
  { name: "finished-run-again", what: "runs a finished run again", journal: without(is("runClosed")) },
  {
    name: "positional-identity",
    what: "knows calls by their place, not by their id",
    calls: (calls) => calls.map(({ id: _, ...call }) => call),
    outcomes: (outcomes, calls) => outcomes.map((outcome, i) => ({ ...outcome, id: calls[i]?.id ?? outcome.id })),
  },
  {
    name: "fail-fast",
    what: "gives up a batch when one call fails",
    outcomes(outcomes) {
      const failed = outcomes.find(({ kind }) => kind === "error");
      if (failed?.kind === "error") throw new Error(failed.error.message);
      return outcomes;
    },
  },
  {
    name: "completion-order",
    what: "gives outcomes in the order in which the calls ended",
    ...givesAsTheyEnd(),
  },
  {
    name: "siblings-shifted",
    what: "leaves a result that cannot be written out of the list",
    outcomes: (outcomes) =>
      outcomes.filter((outcome) => outcome.kind !== "error" || outcome.error.code !== "result-not-json"),
  },
  { name: "duplicate-ids-kept", what: "takes one id twice for two calls", calls: renamed },
  {
    name: "replay-counted-as-success",
    what: "does not say that an outcome was replayed",
    outcome: (outcome) => ({ ...outcome, replayed: false }),
  },
  {
    name: "attempts-from-one",
    what: "counts attempts of its own process only",
    outcome: (outcome) => ({ ...outcome, attempts: Math.min(1, outcome.attempts) }),
  },
  { name: "error-details-lost", what: "replays an error without its code and data", outcome: withoutDetails },
  {
    name: "falsy-becomes-null",
    what: "gives null for false, 0 and the empty text",
    outcome: (one) => (isNothing(one) ? ({ ...one, value: null } as Outcome) : one),
  },
  {
    name: "key-changes-with-attempt",
    what: "makes a new idempotency key for each attempt",
    key: (key, attempt) => `${key}-${attempt}`,
  },
  { name: "key-of-tool-only", what: "gives calls of a run one key", key: (key) => key.slice(0, 2) },
  {
    name: "permit-returned-at-timeout",
    what: "counts a call as ended when it has only been told to stop",
    whileRunning: (ended, ctx) => endsWhenTold(ended, ctx.signal),
  },
  { name: "concurrency-ignored", what: "starts all calls of a batch at once", concurrency: () => undefined },
  {
    name: "clock-not-replayed",
    what: "reads the clock again on replay",
    draw: async (what) => (what === "now" ? performance.now() : String(performance.now())),
  },
  {
    name: "run-ids-collide",
    what: "takes runs for the same whose ids differ in case, or in a separator",
    runId: (id) => id.toLowerCase().replace(/[^a-z0-9]/g, "-"),
  },
  ...LIMIT_FAULTS,
  ...DECLARATION_FAULTS,
];

function renamed(calls: Parameters<NonNullable<Fault["calls"]>>[0]) {
  const seen = new Set<string>();
  return calls.map((call, i) => {
    const { id } = call;
    if (id === undefined || !seen.has(id)) {
      if (id !== undefined) seen.add(id);
      return call;
    }
    return { ...call, id: `${id}-${i}` };
  });
}

function withoutDetails(outcome: Outcome): Outcome {
  if (outcome.kind !== "error" || !outcome.replayed) return outcome;
  const { name, message } = outcome.error;
  return { ...outcome, error: { name, message } };
}

/** Ends an attempt as soon as it is told to, while what it does goes on. */
function endsWhenTold(ended: Promise<unknown>, signal: AbortSignal): Promise<unknown> {
  return new Promise((resolve, reject) => {
    ended.then(resolve, reject);
    signal.addEventListener("abort", () => reject(signal.reason), { once: true });
  });
}

const NONE: Fault = { name: "none", what: "nothing is wrong with it" };

/** Names of all faults, and what each does wrong. */
export const faults = (): readonly Pick<Fault, "name" | "what">[] => FAULTS;

/** The fault of this name. Throws when there is none. */
export function faultNamed(name: string | undefined): Fault {
  if (name === undefined || name === "") return NONE;
  const found = FAULTS.find((fault) => fault.name === name);
  if (found !== undefined) return found;
  throw new HoldfastError(
    "invalid-option",
    `HOLDFAST_FAULT is ${name}`,
    `It is one of ${FAULTS.map((one) => one.name).join(", ")}.`,
  );
}
