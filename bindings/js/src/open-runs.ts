// The runs that are open here, by the number that the core knows each by.
import type { LiveRun } from "./live-run.ts";

export class OpenRuns {
  readonly #runs = new Map<number, LiveRun>();
  readonly #free: number[] = [];
  #next = 0;

  takeNumber(): number {
    return this.#free.pop() ?? this.#next++;
  }

  /** Of a run that the core never took. */
  giveBackNumber(number: number): void {
    this.#free.push(number);
  }

  add(run: LiveRun): void {
    this.#runs.set(run.number, run);
  }

  get(number: number): LiveRun | undefined {
    return this.#runs.get(number);
  }

  /** The core has nothing of it any more: its number may be used again. */
  release(number: number): void {
    if (this.#runs.delete(number)) this.#free.push(number);
  }

  /** The core itself is gone. Their numbers are not used again: what is in flight still reports by them. */
  takeAll(): LiveRun[] {
    const all = [...this.#runs.values()];
    this.#runs.clear();
    return all;
  }

  all(): LiveRun[] {
    return [...this.#runs.values()];
  }
}
