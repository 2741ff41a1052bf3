// How many more calls the queue takes, for those who bring them one after the other and would rather wait than be
// refused. Decides nothing: the core does, and its bounds are only kept in sight.
import type { LimitTable } from "./limit-table.ts";

/** What is known of the queue now. */
export interface QueueNow {
  readonly pressure: () => number;
  /** Calls that wait, with those that the core has not seen yet. */
  readonly queued: () => number;
}

export class QueueRoom {
  readonly #bounds: LimitTable["queue"];
  readonly #now: QueueNow;
  readonly #listeners = new Set<() => void>();

  constructor({ queue }: LimitTable, now: QueueNow) {
    this.#bounds = queue;
    this.#now = now;
  }

  /** Calls of one batch that may wait at once, as far as that has a bound of its own. */
  ofBatch(hasTenant: boolean): number {
    const { perBatch, perTenant } = this.#bounds;
    return hasTenant ? Math.min(perBatch, perTenant) : perBatch;
  }

  /** How many more may wait now; none under pressure. */
  get left(): number {
    return this.#now.pressure() > 0 ? 0 : Math.max(0, this.#bounds.max - this.#now.queued());
  }

  /** Calls back after every turn of the core, until it is told not to. */
  onTurn(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => void this.#listeners.delete(listener);
  }

  turned(): void {
    for (const listener of this.#listeners) listener();
  }
}
