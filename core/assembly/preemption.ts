// Preemption: a call that was given the right cancels those of lower priority that keep it waiting for a key,
// if they were declared preemptible and have begun. Who has not begun is overtaken (locks.ts), not cancelled. What
// becomes of a call that is cancelled is decided by the same moves as ever.
import { State } from "./codes";
import { Conditions, priorityOf } from "./conditions";
import { forEachBefore, shutTickets } from "./locks";
import { grow, List, makeList } from "./memory";
import { Slot } from "./runs";

const preemptors: List = makeList(sizeof<usize>(), 4);
const victims: List = makeList(sizeof<usize>(), 4);
let told: u32 = 0; // of the victims
let preemptor: usize = 0;

/** The slot began to wait for keys, or stands higher now: looked at before anything starts. */
export function notePreemptor(slot: Slot): void {
  store<usize>(grow(preemptors), changetype<usize>(slot));
}

function consider(before: Slot): void {
  const mayBe = changetype<Conditions>(before.conditions).preemptible && !before.cancelled && before.attempt > 0;
  if (!mayBe || priorityOf(before) >= priorityOf(changetype<Slot>(preemptor))) return;
  before.cancelled = true;
  before.preempted = true;
  if (isAsked(before)) return;
  store<usize>(grow(victims), changetype<usize>(before));
}

/** In doubt, as a cancel leaves a call that may have happened: the answer decides, and is the last that is asked for. */
function isAsked(slot: Slot): bool {
  return slot.state == State.doubtful || slot.state == State.asking || slot.state == State.askWaiting;
}

/** The next slot that is to be told, or null. */
export function takeVictim(): Slot | null {
  while (told == victims.length && preemptors.length > 0) {
    preemptors.length--;
    preemptor = load<usize>(preemptors.at + <usize>preemptors.length * sizeof<usize>());
    const slot = changetype<Slot>(preemptor);
    if (slot.queued && shutTickets(slot) > 0) forEachBefore(slot, consider);
  }
  if (told < victims.length) {
    told++;
    return changetype<Slot>(load<usize>(victims.at + <usize>(told - 1) * sizeof<usize>()));
  }
  victims.length = 0;
  told = 0;
  return null;
}
