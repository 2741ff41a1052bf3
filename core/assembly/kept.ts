// Permits that calls keep while they wait for runs of their own. They are in use as far as a limit's size goes; what a slow
// start or an adaptive limit allows for the moment is about calls that do something, and only the ends of such raise it.
import { unitsOf } from "./conditions";
import { gained } from "./freed";
import { Line, scopeOf } from "./lines";
import { shutTickets } from "./locks";
import { Slot } from "./runs";

/** It waits, and keeps what it holds. */
export function keepPermits(slot: Slot): void {
  slot.keeps = true;
  const line = changetype<Line>(slot.line);
  for (let i: u32 = 0; i < line.scopeCount; i++) {
    const scope = scopeOf(line, i);
    scope.kept += unitsOf(slot);
    if (scope.cap < scope.size) gained(scope);
  }
}

/** It goes on, or gives them back. */
export function keepNoMore(slot: Slot): void {
  if (!slot.keeps) return;
  slot.keeps = false;
  const line = changetype<Line>(slot.line);
  for (let i: u32 = 0; i < line.scopeCount; i++) scopeOf(line, i).kept -= unitsOf(slot);
}

/** It waits to start, behind nobody, and there is room for it beside all that is kept: some day it starts. */
export function hasRoomBesideKept(slot: Slot): bool {
  if (!slot.queued || shutTickets(slot) > 0) return false;
  const line = changetype<Line>(slot.line);
  const units = unitsOf(slot);
  for (let i: u32 = 0; i < line.scopeCount; i++) {
    const scope = scopeOf(line, i);
    if (scope.kept != 0 && scope.size != 0 && <u64>scope.kept + units > <u64>scope.size) return false;
  }
  return true;
}
