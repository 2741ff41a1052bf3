// Drives the component through jco's glue, as the JavaScript driver does: typed objects, one by one.
import type { Call, Entry, Event, Reaction, Root } from "../../../core/dist/glue.js";
import { type CoreHost, type Counted, digest, NOW, WALL } from "./host.ts";

const RUN = 1;
const NO_BOUND = 0xffffffff;

const BLANK: Event = {
  kind: "settled",
  outcome: "ok",
  verdict: "done",
  mode: 0,
  run: RUN,
  slot: 0,
  attempt: 1,
  payload: 0,
  first: 0,
  count: 0,
  a: 0n,
  b: 0n,
};

export function glueHost(core: Root): CoreHost {
  core.configure(
    1n,
    NO_BOUND,
    [
      {
        backoff: 0n,
        backoffMost: 0n,
        askBackoff: 1_000n,
        askFor: 1_000_000n,
        grace: 1_000_000n,
        attempts: 1,
        asks: 5,
        concurrency: NO_BOUND,
        throttles: 20,
        abandons: false,
        keeps: false,
      },
    ],
    [],
  );
  const batches = new Map<number, Call[]>();
  const journals = new Map<number, Entry[]>();

  function callsOf(slots: number): Call[] {
    const made = batches.get(slots) ?? Array.from({ length: slots }, (_, slot) => callOf(slot));
    batches.set(slots, made);
    return made;
  }

  function batch(slots: number, limit: number): Reaction {
    const a = BigInt(Number.isFinite(limit) ? limit : 0);
    return core.handle(
      NOW,
      WALL,
      [{ ...BLANK, kind: "batch", attempt: 0, count: slots, a }],
      callsOf(slots),
      [],
      [],
      [],
    );
  }

  function close(): void {
    core.handle(NOW, WALL, [{ ...BLANK, kind: "close" }], [], [], [], []);
  }

  function carryOut(slots: number, limit: number, keep?: (entries: Entry[]) => void): Counted {
    const counted = { calls: 0, entries: 0, resolutions: 0 };
    const opened = core.open(NOW, WALL, RUN, false, [], []);
    keep?.(opened.entries);
    let reaction = batch(slots, limit);
    for (;;) {
      counted.entries += reaction.entries.length;
      counted.resolutions += reaction.resolutions.length;
      keep?.(reaction.entries);
      const events: Event[] = [];
      for (const { kind, slot } of reaction.actions) {
        if (kind === "call") events.push({ ...BLANK, slot, payload: slot + 1 });
      }
      if (events.length === 0) break;
      counted.calls += events.length;
      reaction = core.handle(NOW, WALL, events, [], [], [], []);
    }
    close();
    return counted;
  }

  function journalOf(slots: number): Entry[] {
    const made = journals.get(slots) ?? [];
    if (made.length === 0) carryOut(slots, 10, (entries) => made.push(...entries));
    journals.set(slots, made);
    return made;
  }

  return {
    name: "core through the glue",
    carryOut,
    replay(slots) {
      core.open(NOW, WALL, RUN, false, journalOf(slots), callsOf(slots));
      const { actions, entries, resolutions } = batch(slots, 0);
      close();
      return { calls: actions.length, entries: entries.length, resolutions: resolutions.length };
    },
  };
}

function callOf(slot: number): Call {
  return {
    idHigh: digest(slot, 0n),
    idLow: digest(slot, 1n),
    inputHigh: digest(slot, 2n),
    inputLow: digest(slot, 3n),
    runFor: 0n,
    deadline: 0n,
    tool: 0,
    ready: 0,
    readyOutcome: "ok",
    effect: "idempotent",
    reconciles: false,
    terms: 0,
  };
}
