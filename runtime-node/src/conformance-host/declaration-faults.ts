// Hosts that are wrong about what a tool, a call or a step says of itself, one seeded fault each, for faults.ts:
// they pass over a word of it, or do not tell what came of it.
import type { RateOptions } from "../../../bindings/js/src/limits.ts";
import { readPlan } from "../../../bindings/js/src/payload.ts";
import { type Entry, EntryKind, type Outcome } from "../index.ts";
import type { Fault } from "./fault.ts";
import { withRates } from "./limit-faults.ts";
import { unsaid } from "./unsaid.ts";
import { readingAs } from "./wrapped-journal.ts";

/** Slots in which one tool stands in for another. */
function standIns(entries: readonly Entry[]): ReadonlySet<number> {
  const plans = entries.filter(({ kind }) => kind === EntryKind.planned);
  return new Set(
    plans.flatMap(({ slot, count, payload }) =>
      readPlan(payload, count).calls.flatMap(({ id }, i) => (id.startsWith("#fallback-of-") ? [slot + i] : [])),
    ),
  );
}

function withoutTheirEnds(entries: readonly Entry[]): readonly Entry[] {
  const slots = standIns(entries);
  return entries.filter(({ kind, slot }) => kind !== EntryKind.settled || !slots.has(slot));
}

export const DECLARATION_FAULTS: readonly Fault[] = [
  { name: "fallback-ignored", what: "calls no other tool where one comes to nothing", tool: unsaid("fallback") },
  {
    name: "fallback-whatever-it-was",
    what: "calls the other tool for any end, also one that was not named",
    tool: (spec) =>
      spec.fallback === undefined ? spec : { ...spec, fallback: { ...spec.fallback, when: ["error", "limit"] } },
  },
  {
    name: "fallback-not-marked",
    what: "gives another tool's value for the call's own",
    outcome: (outcome) => unsaid("fallback")(outcome) as Outcome,
  },
  {
    name: "fallback-called-again",
    what: "calls what stands in once more after a crash, though it has its outcome",
    journal: readingAs(withoutTheirEnds),
  },
  {
    name: "budget-ignored",
    what: "starts calls that have not the time they need",
    tool: unsaid("minBudgetMs"),
    calls: (calls) => calls.map(unsaid("minBudgetMs")),
  },
  {
    name: "buffer-without-end",
    what: "holds back whatever comes early, however many bytes",
    step: unsaid("bufferedBytesMax"),
  },
  {
    name: "permits-kept-after-grace",
    what: "keeps the permits of a call that was to give them back when it does not stop",
    tool: unsaid("afterGrace"),
  },
  {
    name: "abandoned-not-counted",
    what: "forgets calls that did not stop and have given their permits back",
    gauge: (gauge) => ({ ...gauge, abandoned: 0 }),
  },
  {
    name: "preempts-nobody",
    what: "lets an urgent call wait for what might have been cancelled for it",
    calls: (calls) => calls.map(unsaid("preempt")),
  },
  {
    name: "preempts-anybody",
    what: "cancels a call for a more urgent one that never said that it may be",
    calls: (calls) => calls.map((call) => ({ ...call, preemptible: true })),
  },
  {
    name: "preemption-not-told",
    what: "does not say of a cancelled call that another one was more urgent",
    outcome: (outcome) => (outcome.kind === "cancelled" ? (unsaid("reason")(outcome) as Outcome) : outcome),
  },
  {
    name: "waiting-parent-gives-back",
    what: "gives the permits back of a call that was to keep them while it waits for its child",
    tool: unsaid("holdWhileWaiting"),
  },
  {
    name: "undeclared-beside-others",
    what: "runs calls beside others that say nothing of what they write",
    limits: ({ locks: _, ...limits }) => limits,
  },
  {
    name: "time-zone-ignored",
    what: "begins everybody's day at midnight of UTC",
    limits: withRates((rates) => rates.map(unsaid("timeZone")) as RateOptions[]),
  },
  {
    name: "deaf-to-the-outside",
    what: "goes by its own count of a rate, whatever the outside says is left",
    ending: unsaid("observed"),
  },
  { name: "stream-without-end", what: "makes all calls of a stream that there are", step: unsaid("ahead") },
  {
    name: "stream-as-they-come",
    what: "gives a stream's outcomes as they come, whatever was asked",
    step: (step) => ("stream" in step ? { ...step, order: "completion" } : step),
  },
  {
    name: "stream-as-asked-for",
    what: "holds a stream's outcomes back that were to be given as they come",
    step: unsaid("order"),
  },
];
