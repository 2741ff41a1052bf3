// What is on disk while a case is carried out: the entries of each run, and the planned calls beside
// them. Outlives the core that a crash drops.
import type { Call, Entry, Event, Key, Reaction } from "../../core/dist/glue.js";
import { Beside } from "./hear-limits.ts";
import type { Names } from "./names.ts";
import { callRow, journalRow } from "./say.ts";

/** An entry with the calls that it plans, if it plans any. */
export interface KeptEntry {
  readonly entry: Entry;
  readonly calls: readonly Call[];
}

/** Entries that say how much was used, and how it went. */
const SPEAKS: ReadonlySet<string> = new Set(["started", "attempt-failed", "settled"]);

export class KeptJournals {
  readonly #runs = new Map<number, KeptEntry[]>();
  #lastGroup = new Map<number, number>();
  /** What the planned calls say of their start. */
  readonly #beside = new Beside();
  /** Whose batch a planned call came in. */
  readonly #tenants = new Map<Call, Key>();
  readonly #streamed = new Set<Call>();

  of(run: number): readonly KeptEntry[] {
    return this.#runs.get(run) ?? [];
  }

  /** What was on disk before the case began. */
  begin(run: number, journal: readonly KeptEntry[]): void {
    this.#runs.set(run, [...journal]);
    this.#lastGroup.set(run, journal.length);
  }

  /** One reaction's entries: a group. */
  keep(reaction: Reaction, calls: readonly Call[], beside: Beside, events: readonly Event[]): void {
    if (reaction.entries.length === 0) return;
    this.#lastGroup = new Map([...this.#runs].map(([run, kept]) => [run, kept.length]));
    const planned = new Map<string, Call>();
    for (const row of reaction.placements) {
      if (!row.fresh) continue;
      const batch = events.find(({ kind, first, count }) => kind === "batch" && row.call - first < count);
      const tenant = batch === undefined || batch.slot === 0 ? undefined : beside.keys[batch.slot - 1];
      for (let i = 0; i < row.count; i++) {
        const call = { ...this.#beside.moved(calls[row.call + i] as Call, beside) };
        planned.set(`${row.run}/${row.slot + i}`, call);
        if (tenant !== undefined) this.#tenants.set(call, tenant);
        if (batch !== undefined && batch.a >> 32n !== 0n) this.#streamed.add(call);
      }
    }
    for (const entry of reaction.entries) {
      const kept = this.#runs.get(entry.run) ?? [];
      this.#runs.set(entry.run, kept);
      const named = entry.kind === "planned" ? entry.count : 0;
      kept.push({
        entry,
        calls: Array.from({ length: named }, (_, i) => planned.get(`${entry.run}/${entry.slot + i}`) as Call),
      });
    }
  }

  /** Did it come in a stream? */
  isStreamed(call: Call): boolean {
    return this.#streamed.has(call);
  }

  /** What all runs say of the past, in the order of `at`, as `recall` takes it. */
  past(): { entries: Entry[]; calls: Call[]; beside: Beside } {
    const beside = new Beside();
    const entries: Entry[] = [];
    const calls: Call[] = [];
    for (const kept of this.#runs.values()) {
      const first = calls.length;
      for (const { entry, calls: planned } of kept) {
        for (const call of planned) {
          const tenant = this.#tenants.get(call);
          const ready = tenant === undefined ? 0 : beside.keys.push(tenant);
          calls.push({ ...beside.moved(call, this.#beside), ready });
        }
        if (SPEAKS.has(entry.kind)) entries.push({ ...entry, run: 0, slot: first + entry.slot });
      }
      entries.push(...unfinished(kept, first));
    }
    return { entries: entries.sort((a, b) => Number(a.at - b.at)), calls, beside };
  }

  /** The disk never got the last group. */
  loseLastGroup(): void {
    for (const [run, kept] of this.#runs) kept.length = this.#lastGroup.get(run) ?? 0;
  }
}

/** How many calls of each tool a run has left, if it did not close; its first call is row `first`. */
function unfinished(kept: readonly KeptEntry[], first: number): Entry[] {
  if (kept.some(({ entry }) => entry.kind === "run-closed")) return [];
  const settled = new Set(kept.filter(({ entry }) => entry.kind === "settled").map(({ entry }) => entry.slot));
  const left = new Map<number, { slot: number; count: number }>();
  for (const [slot, { tool }] of kept.flatMap(({ calls }) => calls).entries()) {
    if (settled.has(slot)) continue;
    const known = left.get(tool);
    if (known === undefined) left.set(tool, { slot: first + slot, count: 1 });
    else known.count++;
  }
  return [...left.values()].map((of) => ({ ...LEFT, ...of }));
}

const LEFT: Entry = {
  kind: "planned",
  outcome: "ok",
  source: "executed",
  run: 0,
  slot: 0,
  count: 0,
  attempt: 0,
  payload: 0,
  at: 0n,
  until: 0n,
  reason: "none",
  scope: "runtime",
  number: 0,
};

/** A journal as rows. That a run was opened goes without saying. */
export function rowsOf(journal: readonly KeptEntry[], names: Names): string[] {
  return journal
    .filter(({ entry }) => entry.kind !== "run-opened")
    .flatMap(({ entry, calls }) => [journalRow(entry, names), ...calls.map((call) => callRow(call, names))]);
}
