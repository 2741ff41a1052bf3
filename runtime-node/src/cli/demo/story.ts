// What happened to each call of the demo, put together from the facts: how the kill found it, what Holdfast
// did about it, what it came to, and how often it really began and ended. Pure.
import type { SlotView } from "../../../../bindings/js/src/api.ts";
import type { Effect, OutcomeKind, Source } from "../../../../bindings/js/src/outcome.ts";
import type { LedgerLine } from "./ledger.ts";
import type { Facts } from "./promises.ts";
import type { Turn } from "./turn.ts";

/** How the kill found a call. */
export type Found = "settled" | "in doubt" | "waiting";
export type How = Source | "replayed";
export type Said = "done" | "not done" | "unknown";

export interface Story {
  readonly id: string;
  readonly tool: string;
  readonly about: string;
  readonly effect: Effect;
  /** Absent when nothing was killed. */
  readonly found?: Found;
  readonly how: How;
  readonly outcome: OutcomeKind;
  readonly attempts: number;
  /** By the tools' own ledger, over all lives. */
  readonly began: number;
  readonly ended: number;
  /** What the reconciler said last, if it was asked. */
  readonly said?: Said;
}

/** Every way, in the order in which they are told. */
export const WAYS: readonly How[] = ["executed", "replayed", "re-executed", "reconciled", "surfaced"];

const SAID: Partial<Record<LedgerLine["what"], Said>> = {
  "said-done": "done",
  "said-not-done": "not done",
  "said-unknown": "unknown",
};

function foundOf(slot: SlotView | undefined): Found {
  if (slot === undefined || slot.state === "planned") return "waiting";
  return slot.state === "settled" ? "settled" : "in doubt";
}

/** The story of every call that has an outcome, in the order of the request. */
export function storiesOf(turn: Turn, facts: Facts): readonly Story[] {
  const killed = facts.afterKills.at(-1);
  return turn.calls.flatMap((call): Story[] => {
    const outcome = facts.outcomes.find(({ id }) => id === call.id);
    const slot = facts.journal.slots.find(({ id }) => id === call.id);
    if (outcome === undefined || slot === undefined) return [];
    const lines = facts.ledger.filter((line) => line.call === call.id);
    const said = lines.map(({ what }) => SAID[what]).findLast((word) => word !== undefined);
    return [
      {
        id: call.id,
        tool: call.tool,
        about: call.about,
        effect: slot.effect,
        ...(killed === undefined ? {} : { found: foundOf(killed.slots.find(({ id }) => id === call.id)) }),
        how: outcome.replayed ? "replayed" : outcome.source,
        outcome: outcome.kind,
        attempts: outcome.attempts,
        began: lines.filter(({ what }) => what === "began").length,
        ended: lines.filter(({ what }) => what === "ended" || what === "failed").length,
        ...(said === undefined ? {} : { said }),
      },
    ];
  });
}
