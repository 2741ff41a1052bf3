// What Holdfast promises, held against what is known from outside: the tools' own ledger, the files, the
// journal as the kill left it. Pure: facts in, findings out; a promise without a finding was kept.
import { isDeepStrictEqual } from "node:util";
import type { RunView, SlotView } from "../../../../bindings/js/src/api.ts";
import type { Effect, Outcome } from "../../../../bindings/js/src/outcome.ts";
import type { Found } from "./disk.ts";
import type { LedgerLine } from "./ledger.ts";

/** Everything that the check goes by. */
export interface Facts {
  /** Ids of the calls, in the order of the request. */
  readonly asked: readonly string[];
  /** What the program was given in the end. */
  readonly outcomes: readonly Outcome[];
  /** The journal right after each kill, oldest first. */
  readonly afterKills: readonly RunView[];
  readonly journal: RunView;
  readonly ledger: readonly LedgerLine[];
  /** Of calls that leave a trace on disk. */
  readonly found: ReadonlyMap<string, Found>;
  /** What verifying the journal brought up. */
  readonly problems: readonly string[];
}

export interface Checked {
  readonly promise: string;
  /** How many cases were looked at. */
  readonly cases: number;
  /** What broke it, by call; empty if it was kept. */
  readonly broken: readonly string[];
}

type Check = (facts: Facts) => Checked;

const KINDS: ReadonlySet<string> = new Set(["ok", "error", "unknown", "timed-out", "not-started", "cancelled"]);

const count = (facts: Facts, call: string, what: LedgerLine["what"], lifeLeast = 1): number =>
  facts.ledger.filter((line) => line.call === call && line.what === what && line.life >= lifeLeast).length;
const slotsOf = (facts: Facts, ...effects: readonly Effect[]): SlotView[] =>
  facts.journal.slots.filter(({ effect }) => effects.includes(effect));

const oneOutcome: Check = (facts) => {
  const broken = facts.asked.flatMap((id) => {
    const its = facts.outcomes.filter((outcome) => outcome.id === id);
    if (its.length !== 1) return [`${id} has ${its.length} outcomes`];
    const kind = its[0]!.kind;
    if (!KINDS.has(kind)) return [`${id} has an outcome of kind ${JSON.stringify(kind)}`];
    const journaled = facts.journal.slots.find((slot) => slot.id === id)?.outcome;
    return journaled === kind ? [] : [`${id}: the program saw ${kind}, the journal says ${journaled ?? "nothing"}`];
  });
  const strangers = facts.outcomes
    .filter(({ id }) => !facts.asked.includes(id))
    .map(({ id }) => `${id} was never asked for`);
  return {
    promise: "every call has exactly one outcome, of a known kind",
    cases: facts.asked.length,
    broken: [...broken, ...strangers],
  };
};

const inOrder: Check = ({ asked, outcomes }) => ({
  promise: "outcomes stand in the order of the request",
  cases: outcomes.length,
  broken: outcomes.flatMap(({ id }, i) =>
    id === asked[i] ? [] : [`place ${i + 1} has ${id}, not ${asked[i] ?? "nothing"}`],
  ),
});

const repeatable: Check = (facts) => {
  const slots = slotsOf(facts, "read", "idempotent");
  const most = 1 + facts.afterKills.length;
  const broken = slots.flatMap(({ id }) => {
    const began = count(facts, id, "began");
    return began <= most ? [] : [`${id} began ${began} times`];
  });
  return {
    promise: `a read or idempotent tool began at most ${most === 1 ? "once" : `${most} times: once and once per crash`}`,
    cases: slots.length,
    broken,
  };
};

const onlyOnce: Check = (facts) => {
  const slots = slotsOf(facts, "once");
  const broken = slots.flatMap(({ id }) => {
    const began = count(facts, id, "began");
    const notDone = count(facts, id, "said-not-done");
    return began <= 1 + notDone ? [] : [`${id} began ${began} times and its reconciler said not-done ${notDone} times`];
  });
  return {
    promise: "a once tool began once, or again because its reconciler said not-done",
    cases: slots.length,
    broken,
  };
};

const reallyDone: Check = (facts) => {
  const executed = facts.outcomes.filter(
    ({ kind, source }) => kind === "ok" && (source === "executed" || source === "re-executed"),
  );
  const broken = executed.flatMap(({ id, attempts }) => {
    const ended = facts.ledger.some((line) => line.call === id && line.what === "ended" && line.attempt === attempts);
    return ended ? [] : [`${id} is ok by attempt ${attempts}, which never ended`];
  });
  return { promise: "no success is made up: the tool wrote that it ended", cases: executed.length, broken };
};

const onDisk: Check = (facts) => {
  const traced = facts.outcomes.filter(({ id }) => facts.found.has(id));
  const broken = traced.flatMap(({ id, kind }) => {
    const found = facts.found.get(id)!;
    if (found === "once" || (found === "absent" && kind !== "ok")) return [];
    return [`${id} is ${kind}, and on disk its effect is ${found}`];
  });
  return {
    promise: "what was edited, moved or written is on disk exactly once, and whole",
    cases: traced.length,
    broken,
  };
};

const settledStays: Check = (facts) => {
  const settled = facts.afterKills.flatMap((view, i) =>
    view.slots.filter(({ state }) => state === "settled").map(({ id }) => ({ id, life: i + 2 })),
  );
  const broken = settled.flatMap(({ id, life }) => {
    const again = count(facts, id, "began", life) + count(facts, id, "asked", life);
    return again === 0 ? [] : [`${id} had settled and was called or asked ${again} times after`];
  });
  return { promise: "what had settled before the kill was never called again", cases: settled.length, broken };
};

const nothingChanges: Check = (facts) => {
  const settled = facts.afterKills.flatMap((view) => view.slots.filter(({ state }) => state === "settled"));
  const broken = settled.flatMap((before) => {
    const now = facts.outcomes.find(({ id }) => id === before.id);
    if (now === undefined) return [`${before.id} was settled and is lost`];
    const value = now.kind === "ok" ? now.value : undefined;
    const error = now.kind === "error" ? now.error : undefined;
    const same =
      now.kind === before.outcome && isDeepStrictEqual(value, before.value) && isDeepStrictEqual(error, before.error);
    return same ? [] : [`${before.id} was ${before.outcome} and is ${now.kind}, or its value changed`];
  });
  return { promise: "and its outcome is the same, byte for byte", cases: settled.length, broken };
};

const soundJournal: Check = ({ journal, problems }) => ({
  promise: "the journal is sound",
  cases: journal.slots.length,
  broken: problems,
});

/** Every promise, checked. */
export function checkPromises(facts: Facts): readonly Checked[] {
  return [
    oneOutcome,
    inOrder,
    repeatable,
    onlyOnce,
    reallyDone,
    onDisk,
    settledStays,
    nothingChanges,
    soundJournal,
  ].map((check) => check(facts));
}
