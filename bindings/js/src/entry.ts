// An entry of a run's journal: numbers in columns, payload bytes beside them. The numbers are the
// same in every language and on disk for ever; add at the end, never renumber.

/** What an entry records, as the number in its `kind` column. */
export const EntryKind = {
  runOpened: 0,
  planned: 1,
  started: 2,
  attemptFailed: 3,
  settled: 4,
  late: 5,
  runClosed: 6,
} as const;
/** One of those numbers. */
export type EntryKind = (typeof EntryKind)[keyof typeof EntryKind];

/** Their names, by number. */
export const ENTRY_KINDS = [
  "run-opened",
  "planned",
  "started",
  "attempt-failed",
  "settled",
  "late",
  "run-closed",
] as const;
/** How a slot or a run ended, by the number in `outcome`. */
export const OUTCOMES = ["ok", "error", "unknown", "timed-out", "not-started", "cancelled"] as const;
/** How an outcome came to be known, by the number in `source`. */
export const SOURCES = ["executed", "re-executed", "reconciled", "surfaced"] as const;
/** What tools declare of themselves, by the number in a plan. */
export const EFFECTS = ["read", "idempotent", "once"] as const;

/** The journal's format; a store of a newer one is refused. */
export const JOURNAL_FORMAT = 1;

/** One entry. A field that means nothing for its kind is 0. */
export interface Entry {
  readonly kind: EntryKind;
  /** Ordinal; of a planned entry, the first of its batch. */
  readonly slot: number;
  /** planned: how many slots. */
  readonly count: number;
  /** 1-based; of settled, how many attempts there were. */
  readonly attempt: number;
  /** Index into OUTCOMES (settled, late, run-closed). */
  readonly outcome: number;
  /** Index into SOURCES (settled). */
  readonly source: number;
  /** Wall-clock milliseconds. */
  readonly at: number;
  /** planned: the batch's absolute deadline; attempt-failed: when the next one is due. Wall ms; 0 = none. */
  readonly until: number;
  /** UTF-8 JSON; null where there is nothing to say (a result of undefined among them). */
  readonly payload: Uint8Array | null;
}
