// What the steps of one turn bring, gathered: each run's share becomes one group of its journal.
import type { Happened } from "./inbox.ts";
import type { LiveRun, RunTurn } from "./live-run.ts";
import type { Difference } from "./mismatch.ts";
import type { OpenRuns } from "./open-runs.ts";

export class TurnWork {
  readonly happened: Happened;
  readonly turns = new Map<number, RunTurn>();
  readonly differences = new Map<LiveRun, Difference[]>();
  readonly #runs: OpenRuns;

  constructor(happened: Happened, runs: OpenRuns) {
    this.happened = happened;
    this.#runs = runs;
  }

  /** A run's share; undefined for one that is not open here any more. */
  of(number: number): RunTurn | undefined {
    const known = this.turns.get(number);
    if (known !== undefined) return known;
    const run = this.#runs.get(number);
    if (run === undefined) return undefined;
    const made: RunTurn = { run, entries: [], gated: [], resolutions: [] };
    this.turns.set(number, made);
    return made;
  }

  /** An announcement is answered when its plan is durable; one that changed nothing is answered at once. */
  answerAnnouncements(): void {
    const { events, waiting } = this.happened;
    for (const event of events) {
      if (event.kind !== "batch") continue;
      const wait = waiting[event.first]?.wait;
      const run = this.#runs.get(event.run);
      if (wait === undefined || !wait.announced || run === undefined) continue;
      if (run.stopped !== undefined) continue; // its program sees neither
      if (run.lastAppend === undefined) wait.resolve([]);
      else
        run.lastAppend.then(
          () => run.stopped === undefined && wait.resolve([]),
          () => undefined, // a failed append stops the run: its program sees neither
        );
    }
  }
}
