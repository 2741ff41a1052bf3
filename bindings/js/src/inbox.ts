// What has happened since the core's last turn: events, and the calls that they speak of. Gathers what
// happens in one breath into one turn; looks at none of it.
import type { Asked, Call, CoreEvent } from "./core.ts";
import type { BatchWait } from "./live-run.ts";
import type { PreparedCall } from "./prepared-call.ts";

/** A call on its way to its slot, and who waits for it. */
export interface WaitingCall {
  readonly call: PreparedCall;
  readonly wait: BatchWait;
  readonly position: number;
}

/** All that goes to the core in one turn. `waiting[i]` is the call that the core knows as `asked.calls[i]`. */
export interface Happened {
  readonly events: CoreEvent[];
  readonly asked: Asked;
  readonly waiting: WaitingCall[];
}

/** For a step that only goes on with the one before. */
export const NOTHING: Pick<Happened, "events" | "asked"> = {
  events: [],
  asked: { calls: [], terms: [], keys: [], charges: [] },
};

function nothing(): Happened {
  return { events: [], asked: { calls: [], terms: [], keys: [], charges: [] }, waiting: [] };
}

export class Inbox {
  readonly #turn: () => void;
  #happened: Happened = nothing();
  #scheduled = false;

  constructor(turn: () => void) {
    this.#turn = turn;
  }

  /** Adds a call for the next batch event; its index. */
  addCall(call: Call, waiting: WaitingCall): number {
    this.#happened.waiting.push(waiting);
    return this.#happened.asked.calls.push(call) - 1;
  }

  /** The index that the next call gets. */
  get nextCall(): number {
    return this.#happened.asked.calls.length;
  }

  /** The rows that go with the events of this turn. */
  get asked(): Asked {
    return this.#happened.asked;
  }

  /** A turn without news: the core has more to say than one turn takes. */
  wake(): void {
    this.#schedule();
  }

  send(event: CoreEvent): void {
    this.#happened.events.push(event);
    this.#schedule();
  }

  #schedule(): void {
    if (this.#scheduled) return;
    this.#scheduled = true;
    // A few microtasks later: calls that return in the same breath share a turn, and so a commit.
    void Promise.resolve().then(() => Promise.resolve().then(() => Promise.resolve().then(this.#turn)));
  }

  /** Empties it. */
  take(): Happened {
    const happened = this.#happened;
    this.#happened = nothing();
    this.#scheduled = false;
    return happened;
  }

  /** Forgets what was meant for a core that is gone. What is under way comes to a turn that finds nothing. */
  discard(): void {
    this.#happened = nothing();
  }
}
