// What is on disk while a case is carried out: the entries of each run, and the planned calls beside
// them. Outlives the core that a crash drops.
import type { Call, Entry, Reaction } from "../../core/dist/glue.js";
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

  of(run: number): readonly KeptEntry[] {
    return this.#runs.get(run) ?? [];
  }

  /** What was on disk before the case began. */
  begin(run: number, journal: readonly KeptEntry[]): void {
    this.#runs.set(run, [...journal]);
    this.#lastGroup.set(run, journal.length);
  }

  /** One reaction's entries: a group. */
  keep(reaction: Reaction, calls: readonly Call[], beside: Beside): void {
    if (reaction.entries.length === 0) return;
    this.#lastGroup = new Map([...this.#runs].map(([run, kept]) => [run, kept.length]));
    const planned = new Map<string, Call>();
    for (const row of reaction.placements) {
      if (!row.fresh) continue;
      for (let i = 0; i < row.count; i++)
        planned.set(`${row.run}/${row.slot + i}`, this.#beside.moved(calls[row.call + i] as Call, beside));
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

  /** What all runs say of the past, in the order of `at`, as `recall` takes it. */
  past(): { entries: Entry[]; calls: Call[]; beside: Beside } {
    const beside = new Beside();
    const entries: Entry[] = [];
    const calls: Call[] = [];
    for (const kept of this.#runs.values()) {
      const first = calls.length;
      for (const { entry, calls: planned } of kept) {
        calls.push(...planned.map((call) => beside.moved(call, this.#beside)));
        if (SPEAKS.has(entry.kind)) entries.push({ ...entry, run: 0, slot: first + entry.slot });
      }
    }
    return { entries: entries.sort((a, b) => Number(a.at - b.at)), calls, beside };
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
