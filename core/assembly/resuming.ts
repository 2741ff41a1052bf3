// Calls that resume: their run is done, and they wait for their permits to go on, one behind the other. They go before new
// starts: the first that must wait keeps those off what it waits for.
import { gained } from "./freed";
import { permitsRefusing } from "./refusal";
import { Slot } from "./runs";
import { Scope } from "./scopes";

let head: usize = 0;
let tail: usize = 0;
let reserver: usize = 0; // the Scope that the first of them waits for

/** The slot waits for its permits to go on. */
export function enqueueResuming(slot: Slot): void {
  slot.resumes = true;
  slot.previous = tail;
  if (tail == 0) head = changetype<usize>(slot);
  else changetype<Slot>(tail).next = changetype<usize>(slot);
  tail = changetype<usize>(slot);
}

export function leaveResuming(slot: Slot): void {
  slot.resumes = false;
  if (slot.previous == 0) head = slot.next;
  else changetype<Slot>(slot.previous).next = slot.next;
  if (slot.next == 0) tail = slot.previous;
  else changetype<Slot>(slot.next).previous = slot.previous;
  slot.previous = 0;
  slot.next = 0;
}

/** The first of them, taken out, if there are permits for it. */
export function takeResuming(): Slot | null {
  if (reserver != 0) {
    const scope = changetype<Scope>(reserver);
    scope.reserved = false;
    reserver = 0;
    gained(scope);
  }
  if (head == 0) return null;
  const slot = changetype<Slot>(head);
  const scope = permitsRefusing(slot);
  if (scope !== null) {
    scope.reserved = true;
    reserver = changetype<usize>(scope);
    return null;
  }
  leaveResuming(slot);
  return slot;
}

export function isAnyResuming(): bool {
  return head != 0;
}
