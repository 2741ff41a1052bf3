// A batch that may hold back no more bytes lets only its earliest unfinished call start. Where that one waits itself, it may
// be for one of those that are kept from starting: by a key, over however many others, through a child run, for permits
// that are kept. Then that one goes all the same, or nothing ever would.
import { Buffer, locking, onlyOneOf } from "./buffer";
import { awaited } from "./circles";
import { State } from "./codes";
import { Conditions } from "./conditions";
import { isWaiting } from "./nesting";
import { Slot } from "./runs";

let only: usize = 0; // the Slot that may start

/** Of the same batch, it could start but for what is held back. */
function isHeld(slot: Slot): bool {
  if (changetype<usize>(slot) == only || slot.batch != changetype<Slot>(only).batch) return false;
  if (!slot.waits || slot.state != State.queued || slot.conditions == 0) return false;
  return !changetype<Conditions>(slot.conditions).passes;
}

/** Such a call, from now on one that goes first; or null. */
export function takeHeldBack(): Slot | null {
  for (let at = locking; at != 0; at = changetype<Buffer>(at).next) {
    const one = onlyOneOf(changetype<Buffer>(at));
    if (one === null || !isWaiting(one.state)) continue;
    only = changetype<usize>(one);
    const slot = awaited(one, isHeld);
    if (slot === null) continue;
    changetype<Conditions>(slot.conditions).passes = true;
    return slot;
  }
  return null;
}
