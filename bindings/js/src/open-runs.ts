// The runs that are open here, by the number that the core knows each by.
import type { LiveRun } from "./live-run.ts";

export class OpenRuns {
  readonly #runs = new Map<number, LiveRun>();
  readonly #free: number[] = [];
  /** Released since the last turn: an event that speaks of them may still be on its way. */
  readonly #leaving: number[] = [];
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

  /** Is it this very run that the core knows by its number? */
  has(run: LiveRun): boolean {
    return this.#runs.get(run.number) === run;
  }

  /** The core has nothing of it any more: its number may be used again, after the turn that is under way. */
  release(number: number): void {
    if (this.#runs.delete(number)) this.#leaving.push(number);
  }

  /** The core has taken all that had happened: nothing speaks of the released numbers any more. */
  turned(): void {
    if (this.#leaving.length > 0) this.#free.push(...this.#leaving.splice(0));
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
