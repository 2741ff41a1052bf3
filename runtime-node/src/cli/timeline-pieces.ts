// What a slot was doing when: queued, running, waiting for a retry, with nobody there, in doubt. It reads
// only what the journal says; where a host died is known no better than by its last entry. Pure.
import type { SlotView } from "../../../bindings/js/src/api.ts";
import type { Life } from "./timeline-axis.ts";

export type PieceState = "queued" | "running" | "waiting" | "down" | "in-doubt";

/** One stretch of a slot's time. Wall-clock ms. */
export interface Piece {
  readonly state: PieceState;
  readonly from: number;
  readonly to: number;
  /** The attempt it belongs to, 1-based; 0 while queued. */
  readonly attempt: number;
}

/** An attempt that a host's death cut off: running to the last sign of life, then nobody, then in doubt. */
function attemptPieces(attempt: number, from: number, to: number, lives: readonly Life[]): Piece[] {
  const pieces: Piece[] = [];
  let state: PieceState = "running";
  for (const [i, life] of lives.entries()) {
    const next = lives[i + 1];
    if (next !== undefined && next.from <= from) continue;
    if (life.from >= to && life.from > from) break;
    const start = Math.max(from, life.from);
    const over = next === undefined || next.from >= to;
    const end = over ? to : Math.max(start, life.to);
    pieces.push({ state, from: start, to: end, attempt });
    if (over) break;
    pieces.push({ state: "down", from: end, to: next.from, attempt });
    state = "in-doubt";
  }
  return pieces;
}

/** The pieces of a slot's time, oldest first. */
export function piecesOf(slot: SlotView, lives: readonly Life[]): readonly Piece[] {
  const end = lives.at(-1)!.to;
  const over = slot.endedAt ?? end;
  const pieces: Piece[] = [{ state: "queued", from: slot.plannedAt, to: slot.spans[0]?.startedAt ?? over, attempt: 0 }];
  for (const [i, span] of slot.spans.entries()) {
    const next = slot.spans[i + 1];
    const spanEnd = span.endedAt ?? next?.startedAt ?? over;
    pieces.push(...attemptPieces(span.attempt, span.startedAt, spanEnd, lives));
    const until = next?.startedAt ?? over;
    if (until > spanEnd) pieces.push({ state: "waiting", from: spanEnd, to: until, attempt: span.attempt });
  }
  return pieces;
}
