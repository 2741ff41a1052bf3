// A true account of a turn that was killed once, small enough to read: every kind of fate in it. The tests
// falsify it, one fact at a time.

import type { Outcome, RunView, SlotView } from "holdfast";
import type { Found } from "../../runtime-node/src/cli/demo/disk.ts";
import type { LedgerLine } from "../../runtime-node/src/cli/demo/ledger.ts";
import type { Facts } from "../../runtime-node/src/cli/demo/promises.ts";

/** The same facts, open to be falsified. */
export interface OpenFacts extends Facts {
  readonly outcomes: any[];
  ledger: LedgerLine[];
  readonly found: Map<string, Found>;
  readonly problems: string[];
}

const line = (what: LedgerLine["what"], call: string, attempt = 1, life = 1): LedgerLine => ({
  what,
  call,
  attempt,
  life,
  at: 0,
});

function slot(id: string, effect: SlotView["effect"], rest: Partial<SlotView>): SlotView {
  const tool = `tool-of-${id}`;
  return {
    slot: 0,
    id,
    tool,
    effect,
    input: null,
    state: "planned",
    attempts: 0,
    plannedAt: 0,
    late: 0,
    spans: [],
    ...rest,
  };
}

const view = (slots: readonly SlotView[]): RunView => ({
  id: "turn",
  path: [],
  state: "open",
  openedAt: 0,
  openings: [],
  slots,
});

function outcome(id: string, kind: Outcome["kind"], rest: object): Outcome {
  const facts = {
    id,
    tool: `tool-of-${id}`,
    attempts: 1,
    source: "executed",
    replayed: false,
    queuedAt: 0,
    endedAt: 1,
  };
  return { ...facts, kind, ...rest } as Outcome;
}

const FAILURE = { name: "Error", message: "no such file" };

/** As it was. */
export function trueFacts(): OpenFacts {
  const settled = [
    slot("read", "read", { state: "settled", outcome: "ok", source: "executed", attempts: 1, value: { text: "x" } }),
    slot("failed", "read", { state: "settled", outcome: "error", source: "executed", attempts: 1, error: FAILURE }),
  ];
  const facts: Facts = {
    asked: ["read", "failed", "write", "edit", "move", "toggle"],
    outcomes: [
      outcome("read", "ok", { value: { text: "x" }, replayed: true }),
      outcome("failed", "error", { error: FAILURE, replayed: true }),
      outcome("write", "ok", { value: "w", source: "re-executed", attempts: 2 }),
      outcome("edit", "ok", { value: "e", source: "reconciled" }),
      outcome("move", "ok", { value: "m", source: "re-executed", attempts: 2 }),
      outcome("toggle", "unknown", { source: "surfaced" }),
    ],
    afterKills: [
      view([
        ...settled,
        slot("write", "idempotent", { state: "started", attempts: 1 }),
        slot("edit", "once", { state: "started", attempts: 1 }),
        slot("move", "once", { state: "started", attempts: 1 }),
        slot("toggle", "once", { state: "started", attempts: 1 }),
      ]),
    ],
    journal: view([
      ...settled,
      slot("write", "idempotent", { state: "settled", outcome: "ok", attempts: 2 }),
      slot("edit", "once", { state: "settled", outcome: "ok", attempts: 1 }),
      slot("move", "once", { state: "settled", outcome: "ok", attempts: 2 }),
      slot("toggle", "once", { state: "settled", outcome: "unknown", attempts: 1 }),
    ]),
    ledger: [
      ...["read", "failed", "write", "edit", "move", "toggle"].map((id) => line("began", id)),
      line("ended", "read"),
      line("failed", "failed"),
      line("asked", "edit", 1, 2),
      line("said-done", "edit", 1, 2),
      line("asked", "move", 1, 2),
      line("said-not-done", "move", 1, 2),
      line("began", "write", 2, 2),
      line("began", "move", 2, 2),
      line("ended", "write", 2, 2),
      line("ended", "move", 2, 2),
    ],
    found: new Map([
      ["write", "once"],
      ["edit", "once"],
      ["move", "once"],
    ]),
    problems: [],
  };
  return structuredClone(facts) as OpenFacts;
}
