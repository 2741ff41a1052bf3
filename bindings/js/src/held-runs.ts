// Which runs are open in this runtime, by key: from before a run's journal is read until its lease is
// given back. One at a time of each.
import { HoldfastError } from "./errors.ts";
import type { LiveRun } from "./live-run.ts";

interface Held {
  live: LiveRun | undefined;
  readonly gone: Promise<void>;
}

export class HeldRuns {
  readonly #held = new Map<string, Held>();

  get size(): number {
    return this.#held.size;
  }

  /** The run of this key, once its journal has been read. */
  live(key: string): LiveRun | undefined {
    return this.#held.get(key)?.live;
  }

  setLive(key: string, live: LiveRun): void {
    const held = this.#held.get(key);
    if (held !== undefined) held.live = live;
  }

  /** Resolves when nobody holds the key. */
  async gone(key: string): Promise<void> {
    for (let held = this.#held.get(key); held !== undefined; held = this.#held.get(key)) await held.gone;
  }

  /** Does the work of one run. Throws `run-busy` while another of its key is at work. */
  async hold(key: string, id: string, work: () => Promise<unknown>): Promise<unknown> {
    if (this.#held.has(key)) {
      throw new HoldfastError(
        "run-busy",
        `run ${JSON.stringify(id)} is open in this runtime already`,
        "Await the first, or give the second an id of its own.",
        { details: { runId: id } },
      );
    }
    let leave = (): void => undefined;
    const gone = new Promise<void>((resolve) => {
      leave = resolve;
    });
    this.#held.set(key, { live: undefined, gone });
    try {
      return await work();
    } finally {
      this.#held.delete(key);
      leave();
    }
  }
}
