// What is on disk while a case is carried out: the entries of each run, and the planned calls beside
// them. Outlives the core that a crash drops.
import type { Call, Entry, Reaction } from "../../core/dist/glue.js";
import type { Names } from "./names.ts";
import { callRow, journalRow } from "./say.ts";

/** An entry with the calls that it plans, if it plans any. */
export interface KeptEntry {
  readonly entry: Entry;
  readonly calls: readonly Call[];
}

export class KeptJournals {
  readonly #runs = new Map<number, KeptEntry[]>();
  #lastGroup = new Map<number, number>();

  of(run: number): readonly KeptEntry[] {
    return this.#runs.get(run) ?? [];
  }

  /** What was on disk before the case began. */
  begin(run: number, journal: readonly KeptEntry[]): void {
    this.#runs.set(run, [...journal]);
    this.#lastGroup.set(run, journal.length);
  }

  /** One reaction's entries: a group. */
  keep(reaction: Reaction, calls: readonly Call[]): void {
    if (reaction.entries.length === 0) return;
    this.#lastGroup = new Map([...this.#runs].map(([run, kept]) => [run, kept.length]));
    const planned = new Map<string, Call>();
    for (const row of reaction.placements) {
      if (!row.fresh) continue;
      for (let i = 0; i < row.count; i++) planned.set(`${row.run}/${row.slot + i}`, calls[row.call + i] as Call);
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

  /** The disk never got the last group. */
  loseLastGroup(): void {
    for (const [run, kept] of this.#runs) kept.length = this.#lastGroup.get(run) ?? 0;
  }
}

/** A journal as rows. That a run was opened goes without saying. */
export function rowsOf(journal: readonly KeptEntry[], names: Names): string[] {
  return journal
    .filter(({ entry }) => entry.kind !== "run-opened")
    .flatMap(({ entry, calls }) => [journalRow(entry, names), ...calls.map((call) => callRow(call, names))]);
}
