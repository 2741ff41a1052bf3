// What one life of the demo has been seen doing: which calls wait, run, are asked about, have settled.
// It only keeps what the events say.
import type { CallEvent } from "../../../../bindings/js/src/events.ts";
import type { OutcomeKind } from "../../../../bindings/js/src/outcome.ts";
import type { PlannedCall, Turn } from "./turn.ts";

export interface Watched {
  readonly call: PlannedCall;
  state: "waiting" | "running" | "asked-about" | "settled";
  attempt: number;
  /** 0…1, where the tool tells. */
  part: number | undefined;
  /** Wall-clock ms at which it got into its state. */
  since: number;
  outcome: OutcomeKind | undefined;
  /** It had settled in an earlier life. */
  replayed: boolean;
}

/** How many calls are in each state. */
export interface Tally {
  readonly settled: number;
  readonly replayed: number;
  readonly running: number;
  readonly waiting: number;
}

export class Watch {
  readonly calls: readonly Watched[];
  /** Has any call of this life started? */
  begun = false;
  readonly #byId: ReadonlyMap<string, Watched>;

  constructor(turn: Turn) {
    this.calls = turn.calls.map((call) => ({
      call,
      state: "waiting",
      attempt: 0,
      part: undefined,
      since: 0,
      outcome: undefined,
      replayed: false,
    }));
    this.#byId = new Map(this.calls.map((watched) => [watched.call.id, watched]));
  }

  /** Takes an event in; gives back the call that it is about. */
  see(event: CallEvent): Watched | undefined {
    if (!("callId" in event)) return undefined;
    const watched = this.#byId.get(event.callId);
    if (watched === undefined) return undefined;
    switch (event.kind) {
      case "started":
        this.begun = true;
        watched.state = "running";
        watched.attempt = event.attempt;
        watched.part = undefined;
        watched.since = event.at;
        break;
      case "progress":
        if (typeof event.value === "number" && Number.isFinite(event.value))
          watched.part = Math.min(1, Math.max(0, event.value));
        break;
      case "reconciling":
        watched.state = "asked-about";
        watched.since = event.at;
        break;
      case "settled":
      case "replayed":
        watched.state = "settled";
        watched.outcome = event.outcome.kind;
        watched.replayed = event.kind === "replayed";
        break;
      default:
        break;
    }
    return watched;
  }

  get tally(): Tally {
    const count = (is: (watched: Watched) => boolean): number => this.calls.filter(is).length;
    return {
      settled: count(({ state }) => state === "settled"),
      replayed: count(({ replayed }) => replayed),
      running: count(({ state }) => state === "running" || state === "asked-about"),
      waiting: count(({ state }) => state === "waiting"),
    };
  }
}
