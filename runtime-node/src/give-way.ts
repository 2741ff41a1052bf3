// How journals of several processes take turns on one file. SQLite's locks are not fair: whoever writes without
// a pause keeps the others out. So one who waits leaves a mark beside the file, and one who writes on and on
// looks for it now and then and pauses: nobody pays while nobody waits.
import { rmSync, writeFileSync } from "node:fs";
import { isBusy } from "./sqlite-errors.ts";

/** How long one waits for the file before it is an error. */
const WAIT_MS_MAX = 30_000;
const POLL_MS = 1;
/** A wait is short as a rule: only a longer one is worth a mark. */
const MARK_AFTER_POLLS = 3;
/** Commits in a row before a writer looks for a mark. */
const COMMITS_IN_A_ROW = 16;
const PAUSE_MS = 2;

const sleeping = new Int32Array(new SharedArrayBuffer(4));

/** Blocks this thread; for threads that have nothing else to do. */
function sleep(ms: number): void {
  Atomics.wait(sleeping, 0, 0, ms);
}

export class GiveWay {
  readonly #mark: string;
  #inARow = 0;

  constructor(path: string) {
    this.#mark = `${path}-wait`;
  }

  /** Does what needs the file, again and again while another connection is in the way; then throws what SQLite threw. */
  patiently<Result>(work: () => Result): Result {
    const until = performance.now() + WAIT_MS_MAX;
    for (let polls = 1; ; polls++) {
      try {
        const result = work();
        if (polls > MARK_AFTER_POLLS) takeAway(this.#mark);
        return result;
      } catch (error) {
        if (!isBusy(error) || performance.now() > until) throw error;
      }
      // Whoever gives way takes the mark away: it is left again until the turn has come.
      if (polls % MARK_AFTER_POLLS === 0) leave(this.#mark);
      sleep(POLL_MS);
    }
  }

  /** To be called after a commit when the next is due already. */
  pauseIfAsked(): void {
    if (++this.#inARow < COMMITS_IN_A_ROW) return;
    this.#inARow = 0;
    if (takeAway(this.#mark)) sleep(PAUSE_MS);
  }

  /** Nothing was due for a moment: others had their chance. */
  paused(): void {
    this.#inARow = 0;
  }
}

function leave(mark: string): void {
  try {
    writeFileSync(mark, "");
  } catch {
    // A full disk, say: then the turn comes by chance, only later.
  }
}

/** Was there one? */
function takeAway(mark: string): boolean {
  try {
    rmSync(mark);
    return true;
  } catch {
    return false; // none, or another user's in a folder where only its owner may remove it
  }
}
