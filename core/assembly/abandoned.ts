// Calls that did not stop when they were told to, and whose tools let their permits go: counted in each of their scopes, so
// that what still runs can be seen.
import { release } from "./admission";
import { unitsOf } from "./conditions";
import { Line, scopeOf } from "./lines";
import { Slot } from "./runs";

/** It did not stop: its permits return without it, and it is counted where it held them until it has really ended. */
export function abandon(slot: Slot): void {
  release(slot);
  slot.abandoned = true;
  const line = changetype<Line>(slot.line);
  for (let i: u32 = 0; i < line.scopeCount; i++) scopeOf(line, i).abandoned += unitsOf(slot);
}

/** It has really ended. */
export function unabandon(slot: Slot): void {
  slot.abandoned = false;
  const line = changetype<Line>(slot.line);
  for (let i: u32 = 0; i < line.scopeCount; i++) scopeOf(line, i).abandoned -= unitsOf(slot);
}
