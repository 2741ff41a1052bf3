// Tells whoever watches which calls did not start at once, and what holds each. Nothing depends on it.
import { NoticeKind } from "./codes";
import { explainInto } from "./explain";
import { grow, List, makeList } from "./memory";
import { notice } from "./output";
import { Slot } from "./runs";
import { runtimeScope } from "./scopes";

const newcomers: List = makeList(sizeof<usize>(), 16);
let watched: bool = false;

export function watch(on: bool): void {
  watched = on;
}

/** The slot began to wait in this turn. */
export function noteNewcomer(slot: Slot): void {
  if (watched) store<usize>(grow(newcomers), changetype<usize>(slot));
}

/** Its permits have returned, and it may still run. */
export function noteAbandoned(slot: Slot): void {
  if (!watched) return;
  const row = notice();
  row.kind = <u8>NoticeKind.abandoned;
  row.run = slot.run.number;
  row.slot = slot.ordinal;
  row.inUse = runtimeScope.abandoned;
  row.size = runtimeScope.cap;
}

/** Last in a turn: those that still wait. */
export function tellNewcomers(): void {
  for (let i: u32 = 0; i < newcomers.length; i++) {
    const slot = changetype<Slot>(load<usize>(newcomers.at + <usize>i * sizeof<usize>()));
    if (slot.queued) explainInto(notice(), slot);
  }
  newcomers.length = 0;
}
