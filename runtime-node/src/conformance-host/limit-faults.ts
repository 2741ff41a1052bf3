// Hosts that are wrong about limits, one seeded fault each, for faults.ts: who may start, in which order, what a
// restart remembers, what the owner and the program are told.
import type { Limits, RateOptions, ScopeLimits, ToolLimits } from "../../../bindings/js/src/limits.ts";
import type { WireCall } from "../../../conformance/protocol/messages.ts";
import { type Entry, EntryKind, type Journal, type Outcome } from "../index.ts";
import type { Fault } from "./fault.ts";
import { unsaid } from "./unsaid.ts";
import { readingAs, WrappedJournal } from "./wrapped-journal.ts";

type Calls = readonly WireCall[];

/** Each call is made without this word. */
const deafTo = (word: keyof WireCall) => (calls: Calls) => calls.map(unsaid(word));

/** The calls are made in another order than they stand in, and their outcomes are given as they stand. */
function inAnotherOrder(order: (calls: Calls) => Calls): Pick<Fault, "calls" | "outcomes"> {
  return {
    calls: order,
    outcomes: (outcomes, calls) => calls.map(({ id }) => outcomes.find((one) => one.id === id)) as Outcome[],
  };
}

const withEachTool =
  (change: (tool: ToolLimits) => ToolLimits) =>
  (limits: Limits): Limits => ({
    ...limits,
    tools: Object.fromEntries(
      Object.entries(limits.tools ?? {}).map(([name, tool]) => [name, change(tool as ToolLimits)]),
    ),
  });

export const withRates = (change: (rates: readonly RateOptions[]) => readonly RateOptions[]) =>
  withEachTool((tool) => (tool.rate === undefined ? tool : { ...tool, rate: change([tool.rate].flat()) }));

/** The journal gives this of the past of other runs. */
function remembering(change: (entries: readonly Entry[]) => readonly Entry[]): NonNullable<Fault["journal"]> {
  return (inner: Journal) =>
    new (class extends WrappedJournal {
      override async read(run: string): Promise<readonly Entry[] | undefined> {
        const entries = await this.inner.read(run);
        return entries && change(entries);
      }
    })(inner);
}

const forgetting = (kind: keyof typeof EntryKind) =>
  remembering((entries) => entries.filter((entry) => entry.kind !== EntryKind[kind]));

const rested = (entries: readonly Entry[]): readonly Entry[] =>
  entries.map((entry) => (entry.kind === EntryKind.attemptFailed ? { ...entry, until: 0 } : entry));

/** Whoever asked first goes first, whoever it is: lanes, and each batch in a lower one than the last. */
function firstBatchFirst(): Pick<Fault, "limits" | "calls"> {
  let batches = 0;
  return {
    limits: (limits) => ({ ...limits, priority: { lanes: true, waitMsMax: 3_600_000 } }),
    calls(calls) {
      const priority = -++batches;
      return calls.map((call) => ({ ...call, priority }));
    },
  };
}

/** The first breaker of a tool is everybody's. */
function sharedBreaker(limits: Limits): Limits {
  const found = Object.values(limits.tools ?? {}).find((tool) => (tool as ToolLimits).breaker !== undefined);
  const breaker = (found as ScopeLimits | undefined)?.breaker;
  if (breaker === undefined) return limits;
  return { ...withEachTool(({ breaker: _, ...tool }) => tool)(limits), breaker };
}

function isRefusal(outcome: Outcome): boolean {
  return outcome.kind === "error" && outcome.error.code === "circuit-open";
}

const after = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

export const LIMIT_FAULTS: readonly Fault[] = [
  { name: "weight-ignored", what: "takes a heavy call for a light one", calls: deafTo("weight") },
  { name: "cost-ignored", what: "counts starts where costs count", calls: deafTo("cost") },
  { name: "start-within-ignored", what: "lets a call wait longer than it said", calls: deafTo("startWithinMs") },
  {
    name: "priority-reversed",
    what: "takes a larger priority for a later one",
    calls: (calls) => calls.map((call) => (call.priority === undefined ? call : { ...call, priority: -call.priority })),
  },
  {
    name: "last-in-first-out",
    what: "starts the newest of equal calls first",
    ...inAnotherOrder((calls) => calls.toReversed()),
  },
  {
    name: "writers-overlap",
    what: "lets writers of one key run beside others",
    calls: (calls) => calls.map(({ writes, ...call }) => (writes === undefined ? call : { ...call, reads: writes })),
  },
  {
    name: "readers-overtake-writers",
    what: "lets later readers go before a writer that waits",
    ...inAnotherOrder((calls) => calls.toSorted((a, b) => Number(!!a.writes) - Number(!!b.writes))),
  },
  {
    name: "first-batch-first",
    what: "serves whoever asked first to the end before anybody else",
    ...firstBatchFirst(),
  },
  {
    name: "lanes-ignored",
    what: "puts fairness before priority where it was told otherwise",
    limits: (limits) => ({ ...limits, priority: {} }),
  },
  {
    name: "queue-without-end",
    what: "lets everybody wait, however many",
    limits: (limits) => ({ ...limits, queue: {} }),
  },
  {
    name: "full-queue-drops-nobody",
    what: "refuses the new call whatever it is worth",
    limits: ({ queue: { whenFull: _, ...queue } = {}, ...limits }) => ({ ...limits, queue }),
  },
  {
    name: "full-queue-drops-the-started",
    what: "drops a call that was started once and waits for its next attempt",
    outcome: (one) => (one.attempts > 1 ? ({ ...one, kind: "not-started", reason: "overloaded" } as Outcome) : one),
  },
  {
    name: "rate-forgotten-at-restart",
    what: "grants a fresh quota in each process",
    journal: forgetting("started"),
  },
  {
    name: "breaker-forgotten-at-restart",
    what: "closes an open breaker in each process",
    journal: forgetting("settled"),
  },
  {
    name: "rest-forgotten-at-restart",
    what: "calls at once what wanted to be left alone when the process died",
    journal: (inner) => readingAs(rested)(remembering(rested)(inner)),
  },
  {
    name: "first-rate-only",
    what: "keeps the first of several rates",
    limits: withRates((rates) => rates.slice(0, 1)),
  },
  {
    name: "pace-as-window",
    what: "starts at once what was to be spread",
    limits: withRates((rates) =>
      rates.map(({ burst: _, mode, ...rate }) => ({ ...rate, ...(mode === "pace" ? {} : { mode }) }) as RateOptions),
    ),
  },
  {
    name: "slow-down-taken-for-failure",
    what: "takes a call that was told to slow down for one that failed",
    slowDown: () => Promise.reject(new Error("429")),
  },
  {
    name: "one-call-rests",
    what: "lets the call rest that was told to slow down, and no other",
    slowDown: (retryAfterMs, again) => after(retryAfterMs).then(again),
  },
  {
    name: "starts-all-after-a-rest",
    what: "starts everything that waits at once when a rest is over",
    limits: (limits) => ({ ...withEachTool((tool) => ({ ...tool, ramp: false }))(limits), ramp: false }),
  },
  {
    name: "refusal-counted-as-success",
    what: "takes a call that an open breaker refused for one that went well",
    outcome: (one) => (isRefusal(one) ? ({ ...one, kind: "ok", value: null } as Outcome) : one),
  },
  { name: "breaker-of-all", what: "stops calling every tool when one fails", limits: sharedBreaker },
  {
    name: "waits-beyond-the-deadline",
    what: "waits for an attempt that cannot begin in time",
    whileRunning: (ended, { signal }) =>
      ended.catch(
        (error: unknown) =>
          new Promise((_, reject) => {
            signal.addEventListener("abort", () => reject(error), { once: true });
          }),
      ),
  },
  { name: "child-outlives-its-parent", what: "gives a child run a deadline of its own", childAlone: true },
  { name: "deaf-to-its-owner", what: "changes no limit while it runs", deafToControl: true },
  {
    name: "explains-by-guessing",
    what: "names the runtime's permits whatever holds a call",
    held: ({ why }) => (why === undefined ? {} : { why: "permits", limit: "runtime" }),
  },
  { name: "tells-as-they-come", what: "tells outcomes as they come, whatever was asked", tells: "completion" },
  { name: "tells-as-asked-for", what: "holds outcomes back that were to be told as they come", tells: "request" },
  {
    name: "last-write-wins",
    what: "keeps the last of several writes",
    reducers: (keys) => Object.fromEntries(Object.keys(keys).map((key) => [key, "last"])),
  },
];
