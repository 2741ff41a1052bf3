// The life of a slot as a table: rows are states, columns are what can happen, the cell is the move.
// What is not listed is refused and changes nothing. The moves themselves are in moves.ts.
import { Happening as H, State as S } from "./codes";
import { Row } from "./records";

/** What is done about it. */
export const enum Move {
  refuse, // nothing changes
  claim, // decide by the recovery table
  replay, // give the outcome that the journal has
  call, // attempt + 1, with permits
  settleOk,
  failOrRetry, // an error: the next attempt if the tool allows one, else settle
  stoppedEarly, // ended without a result though nobody told it to
  timeOut, // this attempt's own time is over
  overdue, // the batch's or the call's deadline: the outcome is due now
  retryAfterEnding, // the timed-out attempt has stopped: the next one
  giveUp, // it did not stop within its grace
  cancelQueued,
  abort, // tell it to stop because of a cancel
  abandon, // a cancelled call has ended without a result: its effect decides
  suspend,
  resume,
  resumeAtOnce, // it is on its way out: let it go on without permits
  carryOn,
  requeue, // its back-off is over
  ask,
  askAgain, // its wait is over
  noVerdict, // unknown, or the ask timed out
  verdictOk,
  verdictError,
  verdictNotDone,
  surface, // nobody knows
  throttle, // the outside said "slow down": back to its place, its retries untouched
  shed, // there is too much to do
  failFast, // its breaker is open
  expire, // it has waited longer than it was to
  forgo, // too little would be left until its deadline
  late, // something came back after it had settled
  left, // it really ended
  leftOverloaded, // … and the outside had refused it: the scope rests
  abandonPermits, // it did not, and its tool lets its permits go
  failCircle, // it would wait for ever
}

const COLUMNS: u32 = 20;
const STATES: u32 = 13;
const moves: StaticArray<u8> = new StaticArray<u8>(STATES * COLUMNS);

function on(state: S, happening: H, move: Move): void {
  const at = <u32>state * COLUMNS + <u32>happening;
  assert(moves[at] == Move.refuse, "two rows for one cell");
  moves[at] = <u8>move;
}

on(S.planned, H.claim, Move.claim);
on(S.settled, H.claim, Move.replay);

on(S.queued, H.grant, Move.call);
on(S.queued, H.deadline, Move.overdue);
on(S.queued, H.cancel, Move.cancelQueued);
on(S.queued, H.due, Move.expire);
on(S.queued, H.shed, Move.shed);
on(S.queued, H.broken, Move.failFast);
on(S.queued, H.hopeless, Move.forgo);
on(S.queued, H.circle, Move.failCircle);

on(S.running, H.ok, Move.settleOk);
on(S.running, H.error, Move.failOrRetry);
on(S.running, H.stopped, Move.stoppedEarly);
on(S.running, H.lost, Move.stoppedEarly);
on(S.running, H.due, Move.timeOut);
on(S.running, H.deadline, Move.overdue);
on(S.running, H.cancel, Move.abort);
on(S.running, H.suspend, Move.suspend);
on(S.running, H.overloaded, Move.throttle);

on(S.suspended, H.ok, Move.settleOk);
on(S.suspended, H.error, Move.failOrRetry);
on(S.suspended, H.stopped, Move.stoppedEarly);
on(S.suspended, H.lost, Move.stoppedEarly);
on(S.suspended, H.due, Move.timeOut);
on(S.suspended, H.deadline, Move.overdue);
on(S.suspended, H.cancel, Move.abort);
on(S.suspended, H.resume, Move.resume);
on(S.suspended, H.overloaded, Move.throttle);

on(S.resuming, H.grant, Move.carryOn);
on(S.resuming, H.ok, Move.settleOk);
on(S.resuming, H.error, Move.failOrRetry);
on(S.resuming, H.stopped, Move.stoppedEarly);
on(S.resuming, H.lost, Move.stoppedEarly);
on(S.resuming, H.due, Move.timeOut);
on(S.resuming, H.deadline, Move.overdue);
on(S.resuming, H.cancel, Move.abort);
on(S.resuming, H.overloaded, Move.throttle);

on(S.backingOff, H.due, Move.requeue);
on(S.backingOff, H.deadline, Move.overdue);
on(S.backingOff, H.cancel, Move.cancelQueued);

on(S.ending, H.ok, Move.settleOk);
on(S.ending, H.error, Move.retryAfterEnding);
on(S.ending, H.stopped, Move.retryAfterEnding);
on(S.ending, H.lost, Move.retryAfterEnding);
on(S.ending, H.due, Move.giveUp);
on(S.ending, H.deadline, Move.overdue);
on(S.ending, H.cancel, Move.abort);
on(S.ending, H.resume, Move.resumeAtOnce);
on(S.ending, H.overloaded, Move.throttle);

on(S.cancelling, H.ok, Move.settleOk);
on(S.cancelling, H.error, Move.failOrRetry);
on(S.cancelling, H.stopped, Move.abandon);
on(S.cancelling, H.lost, Move.abandon);
on(S.cancelling, H.due, Move.giveUp);
on(S.cancelling, H.deadline, Move.giveUp);
on(S.cancelling, H.resume, Move.resumeAtOnce);
on(S.cancelling, H.overloaded, Move.throttle);

on(S.doubtful, H.grant, Move.ask);
on(S.doubtful, H.deadline, Move.surface);
on(S.doubtful, H.cancel, Move.surface);
on(S.doubtful, H.circle, Move.surface);

on(S.asking, H.verdictDone, Move.verdictOk);
on(S.asking, H.verdictFailed, Move.verdictError);
on(S.asking, H.verdictNotDone, Move.verdictNotDone);
on(S.asking, H.verdictUnknown, Move.noVerdict);
on(S.asking, H.due, Move.noVerdict);
on(S.asking, H.deadline, Move.surface);

on(S.askWaiting, H.due, Move.askAgain);
on(S.askWaiting, H.deadline, Move.surface);
on(S.askWaiting, H.cancel, Move.surface);

on(S.leaving, H.ok, Move.late);
on(S.leaving, H.error, Move.late);
on(S.leaving, H.stopped, Move.left);
on(S.leaving, H.lost, Move.left);
on(S.leaving, H.due, Move.abandonPermits);
on(S.leaving, H.resume, Move.resumeAtOnce);
on(S.leaving, H.overloaded, Move.leftOverloaded);

/** The move for what happened to a slot in this state. */
export function moveFor(state: i32, happening: i32): Move {
  return <Move>moves[<u32>state * COLUMNS + <u32>happening];
}

/** Writes the listed cells as rows (state, happening, move, 0); returns how many. Called with 0 it only counts. */
export function transitionRows(at: usize): u32 {
  let count: u32 = 0;
  for (let state: u32 = 0; state < STATES; state++) {
    for (let happening: u32 = 0; happening < COLUMNS; happening++) {
      const move = moves[state * COLUMNS + happening];
      if (move == Move.refuse) continue;
      if (at != 0) {
        const row = changetype<Row>(at + <usize>count * offsetof<Row>());
        row.a = state;
        row.b = happening;
        row.c = move;
        row.d = 0;
      }
      count++;
    }
  }
  return count;
}
