// The rates of a runtime whose days are those of a time zone: told to the core as they lie when it is made, and
// again whenever that may have become wrong, also after a long sleep.
import type { CalendarZone } from "./calendar-zone.ts";
import { type CoreEvent, type Limit, NONE } from "./core.ts";
import { coreEvent } from "./core-event.ts";

const SCOPES = ["runtime", "tool", "group", "key", "tenant", "batch", "lock"] as const;

export class Calendars {
  readonly #rows: readonly Limit[];
  readonly #zones: readonly { readonly row: number; readonly zone: CalendarZone }[];
  #staleAt = Number.POSITIVE_INFINITY;

  constructor(rows: readonly Limit[], zones: ReadonlyMap<Limit, CalendarZone>) {
    this.#rows = rows;
    this.#zones = [...zones].map(([row, zone]) => ({ row: rows.indexOf(row), zone }));
  }

  /** All rows, for a new core. */
  rows(wallMs: number): Limit[] {
    const rows = [...this.#rows];
    for (const { row, a, b } of this.#grids(wallMs)) rows[row] = { ...rows[row]!, a, b };
    return rows;
  }

  /** What the core is to be told now, if anything. */
  changes(wallMs: number): CoreEvent[] {
    if (wallMs < this.#staleAt) return [];
    return this.#grids(wallMs).map(({ row, a, b }) => {
      const { scope, number } = this.#rows[row]!;
      const slot = scope === "runtime" ? NONE : number;
      return coreEvent("calendar", { mode: SCOPES.indexOf(scope), slot, attempt: row, a, b });
    });
  }

  #grids(wallMs: number): { readonly row: number; readonly a: bigint; readonly b: bigint }[] {
    this.#staleAt = Number.POSITIVE_INFINITY;
    return this.#zones.map(({ row, zone }) => {
      const { begins, oddEnd, staleAt } = zone.grid(wallMs);
      this.#staleAt = Math.min(this.#staleAt, staleAt);
      return { row, a: BigInt(begins), b: BigInt(oddEnd) };
    });
  }
}
