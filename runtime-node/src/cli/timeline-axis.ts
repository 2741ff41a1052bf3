// The time of a run laid along a line of cells: the lives of its hosts to scale, the gaps between them
// folded, so that a run that went on after a week still shows what happened. Pure.
import type { RunView } from "../../../bindings/js/src/api.ts";

/** From a host's taking the run to the last that is known of it. Wall-clock ms. */
export interface Life {
  readonly from: number;
  readonly to: number;
}

/** A gap takes at most this part of the time in which somebody was there. */
const GAP_SHARE_MAX = 0.12;

function momentsOf(view: RunView): number[] {
  const moments = [view.openedAt, ...view.openings.map(({ at }) => at)];
  if (view.closedAt !== undefined) moments.push(view.closedAt);
  for (const slot of view.slots) {
    moments.push(slot.plannedAt);
    if (slot.endedAt !== undefined) moments.push(slot.endedAt);
    for (const span of slot.spans) {
      moments.push(span.startedAt);
      if (span.endedAt !== undefined) moments.push(span.endedAt);
    }
  }
  return moments.sort((a, b) => a - b);
}

/** The lives of a run's hosts, oldest first; at least one. */
export function livesOf(view: RunView): readonly Life[] {
  const moments = momentsOf(view);
  const first = moments[0] ?? view.openedAt;
  const starts = [...new Set(view.openings.map(({ at }) => at))].sort((a, b) => a - b);
  if (starts.length === 0 || starts[0]! > first) starts.unshift(first);
  return starts.map((from, i) => {
    const next = starts[i + 1];
    const seen = moments.filter((at) => at >= from && (next === undefined || at < next));
    return { from, to: seen.at(-1) ?? from };
  });
}

/** Moments to cells. */
export interface Axis {
  readonly cells: number;
  readonly lives: readonly Life[];
  /** Ms from the first moment to the last, gaps included. */
  readonly spanMs: number;
  /** The cell that a moment falls into, 0…cells-1. */
  cellOf(wallMs: number): number;
}

/** Lays the lives of a run along so many cells. */
export function layAxis(view: RunView, cells: number): Axis {
  const lives = livesOf(view);
  const aliveMs = Math.max(
    1,
    lives.reduce((sum, life) => sum + life.to - life.from, 0),
  );
  const stretches: { from: number; to: number; start: number; weight: number }[] = [];
  let total = 0;
  const lay = (from: number, to: number, weight: number): void => {
    stretches.push({ from, to, start: total, weight });
    total += weight;
  };
  for (const [i, life] of lives.entries()) {
    const before = lives[i - 1];
    if (before !== undefined) lay(before.to, life.from, Math.min(life.from - before.to, aliveMs * GAP_SHARE_MAX));
    lay(life.from, life.to, life.to - life.from);
  }
  const scale = cells / Math.max(total, 1);
  const cellOf = (wallMs: number): number => {
    const stretch = stretches.find(({ to }) => wallMs <= to) ?? stretches.at(-1)!;
    const length = stretch.to - stretch.from;
    const part = length === 0 ? 0 : Math.min(1, Math.max(0, (wallMs - stretch.from) / length));
    return Math.min(cells - 1, Math.max(0, Math.floor((stretch.start + part * stretch.weight) * scale)));
  };
  return { cells, lives, spanMs: lives.at(-1)!.to - lives[0]!.from, cellOf };
}
