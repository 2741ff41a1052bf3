// Scopes that have something to give again: what is parked there is to be looked at in this turn.
import { Stand } from "./fairness";
import { grow, List, makeList } from "./memory";
import { Scope } from "./scopes";

const freed: List = makeList(sizeof<usize>(), 16);

/** Something came free, or its time has come. */
export function gained(scope: Scope): void {
  if (scope.listed || scope.promised != 0 || scope.queue == 0) return;
  if (changetype<Stand>(scope.queue).members.length == 0) return;
  scope.listed = true;
  store<usize>(grow(freed), changetype<usize>(scope));
}

/** One of them, taken from the list, or null. */
export function takeFreed(): Scope | null {
  if (freed.length == 0) return null;
  freed.length--;
  const scope = changetype<Scope>(load<usize>(freed.at + <usize>freed.length * sizeof<usize>()));
  scope.listed = false;
  return scope;
}

/** The scope goes. */
export function unlist(scope: Scope): void {
  if (!scope.listed) return;
  scope.listed = false;
  for (let i: u32 = 0; i < freed.length; i++) {
    const at = freed.at + <usize>i * sizeof<usize>();
    if (load<usize>(at) != changetype<usize>(scope)) continue;
    store<usize>(at, load<usize>(freed.at + <usize>(freed.length - 1) * sizeof<usize>()));
    freed.length--;
    return;
  }
}
