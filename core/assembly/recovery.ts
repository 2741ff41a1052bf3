// What is done about a slot that the journal left behind, when the program asks for it again.
// One row for each of what the journal says × the effect × whether there is a reconciler.
import { Effect } from "./codes";
import { Row } from "./records";

/** What the journal says of a slot. */
export const enum Said {
  planned,
  started,
  attemptFailed,
  settled,
}

export const enum Decision {
  start, // attempt 1
  again, // attempt + 1, same idempotency key
  ask, // the reconciler says what happened
  surface, // settle as unknown: the program decides
  wait, // for the recorded time, then attempt + 1
  replay, // never call, never ask
}

const ROWS: u32 = 24;
const decisions: StaticArray<u8> = new StaticArray<u8>(ROWS);

function row(said: Said, effect: Effect, reconciles: u32, decision: Decision): void {
  decisions[(<u32>said * 3 + <u32>effect) * 2 + reconciles] = <u8>decision;
}

// Nothing can have happened yet.
row(Said.planned, Effect.read, 0, Decision.start);
row(Said.planned, Effect.read, 1, Decision.start);
row(Said.planned, Effect.idempotent, 0, Decision.start);
row(Said.planned, Effect.idempotent, 1, Decision.start);
row(Said.planned, Effect.once, 0, Decision.start);
row(Said.planned, Effect.once, 1, Decision.start);

// It may have happened, or half of it. What may run twice does; a read costs less than a question.
row(Said.started, Effect.read, 0, Decision.again);
row(Said.started, Effect.read, 1, Decision.again);
row(Said.started, Effect.idempotent, 0, Decision.again);
row(Said.started, Effect.idempotent, 1, Decision.again);
row(Said.started, Effect.once, 0, Decision.surface); // nobody said that it may run twice
row(Said.started, Effect.once, 1, Decision.ask);

// The attempt is known to have failed, and was to be followed by another.
row(Said.attemptFailed, Effect.read, 0, Decision.wait);
row(Said.attemptFailed, Effect.read, 1, Decision.wait);
row(Said.attemptFailed, Effect.idempotent, 0, Decision.wait);
row(Said.attemptFailed, Effect.idempotent, 1, Decision.wait);
row(Said.attemptFailed, Effect.once, 0, Decision.wait);
row(Said.attemptFailed, Effect.once, 1, Decision.wait);

// The program may have seen it.
row(Said.settled, Effect.read, 0, Decision.replay);
row(Said.settled, Effect.read, 1, Decision.replay);
row(Said.settled, Effect.idempotent, 0, Decision.replay);
row(Said.settled, Effect.idempotent, 1, Decision.replay);
row(Said.settled, Effect.once, 0, Decision.replay);
row(Said.settled, Effect.once, 1, Decision.replay);

export function decide(said: i32, effect: i32, reconciles: bool): Decision {
  return <Decision>decisions[(<u32>said * 3 + <u32>effect) * 2 + <u32>reconciles];
}

/** Writes the rows (said, effect, reconciles, decision); returns how many. Called with 0 it only counts. */
export function recoveryRows(at: usize): u32 {
  if (at == 0) return ROWS;
  for (let i: u32 = 0; i < ROWS; i++) {
    const out = changetype<Row>(at + <usize>i * offsetof<Row>());
    out.a = i / 6;
    out.b = (i / 2) % 3;
    out.c = i % 2;
    out.d = decisions[i];
  }
  return ROWS;
}
