// A run's journal as a Gantt chart in text: a line per slot, its queue time, each attempt, its waits, and
// where nobody was there. Pure: a view goes in, lines come out.
import type { RunView, SlotView } from "../../../bindings/js/src/api.ts";
import type { OutcomeKind } from "../../../bindings/js/src/outcome.ts";
import { duration, moment } from "./duration.ts";
import type { Colour, Look, Paint } from "./paint.ts";
import { marksOf, painter } from "./paint.ts";
import { cells, clip, pad, plain } from "./plain-text.ts";
import { runName } from "./run-name.ts";
import { type Axis, layAxis } from "./timeline-axis.ts";
import { type PieceState, piecesOf } from "./timeline-pieces.ts";

const GLYPHS: Readonly<
  Record<PieceState, { readonly unicode: string; readonly ascii: string; readonly colour: Colour }>
> = {
  queued: { unicode: "·", ascii: ".", colour: "dim" },
  running: { unicode: "█", ascii: "=", colour: "green" },
  waiting: { unicode: "░", ascii: "~", colour: "yellow" },
  down: { unicode: "╌", ascii: "x", colour: "red" },
  "in-doubt": { unicode: "▒", ascii: "?", colour: "magenta" },
};
const LEGEND: readonly (readonly [PieceState, string])[] = [
  ["queued", "queued"],
  ["running", "running"],
  ["waiting", "waiting for a retry"],
  ["down", "its process was gone"],
  ["in-doubt", "in doubt"],
];
/** Later in this list wins a cell that several share: the rarer says more. */
const STRENGTH: readonly PieceState[] = ["queued", "waiting", "in-doubt", "down", "running"];

interface Spot {
  readonly state: PieceState;
  readonly text: string;
}

/** How an outcome is marked, and in which colour its bar is drawn; undefined while there is none. */
export function kindMark(
  kind: OutcomeKind | undefined,
  look: Look,
): { readonly mark: string; readonly colour: Colour } {
  const marks = marksOf(look);
  if (kind === undefined) return { mark: marks.more, colour: "blue" };
  switch (kind) {
    case "ok":
      return { mark: marks.yes, colour: "green" };
    case "unknown":
      return { mark: marks.unsure, colour: "magenta" };
    case "error":
    case "timed-out":
      return { mark: marks.no, colour: "red" };
    case "not-started":
    case "cancelled":
      return { mark: marks.no, colour: "yellow" };
  }
}

/** A slot's bar, exactly `axis.cells` wide. The attempt's number stands where a second or later one begins. */
export function barOf(slot: SlotView, axis: Axis, look: Look): string {
  const spots: (Spot | undefined)[] = Array.from({ length: axis.cells });
  const pieces = [...piecesOf(slot, axis.lives)].sort((a, b) => STRENGTH.indexOf(a.state) - STRENGTH.indexOf(b.state));
  for (const { state, from, to, attempt } of pieces) {
    if (to <= from && state !== "running") continue;
    const first = axis.cellOf(from);
    // A piece ends before the cell in which the next begins, but is at least one cell.
    const last = Math.max(first, to >= (axis.lives.at(-1)?.to ?? to) ? axis.cellOf(to) : axis.cellOf(to) - 1);
    const glyph = look.unicode ? GLYPHS[state].unicode : GLYPHS[state].ascii;
    for (let cell = first; cell <= last; cell++) spots[cell] = { state, text: glyph };
    if (state === "running" && attempt > 1 && attempt < 10) spots[first] = { state, text: String(attempt) };
  }
  return drawSpots(spots, kindMark(slot.outcome, look).colour, painter(look));
}

/** Neighbours of one colour are painted together: fewer escape sequences, the same picture. */
function drawSpots(spots: readonly (Spot | undefined)[], running: Colour, paint: Paint): string {
  let line = "";
  let text = "";
  let colour: Colour | undefined;
  for (const spot of [...spots, undefined]) {
    const its = spot === undefined ? undefined : spot.state === "running" ? running : GLYPHS[spot.state].colour;
    if (its !== colour) {
      line += paint(colour, text);
      text = "";
      colour = its;
    }
    text += spot?.text ?? " ";
  }
  return line + paint(colour, text.slice(0, -1));
}

/** Labels above the bars: when the run began, where a host took it over again, how long it all took. */
export function rulerOf(axis: Axis, look: Look): string {
  const labels = [{ cell: 0, text: "0" }];
  const end = duration(axis.spanMs);
  labels.push({ cell: Math.max(2, axis.cells - cells(end)), text: end });
  for (const [i, life] of axis.lives.entries()) {
    const before = axis.lives[i - 1];
    if (before === undefined) continue;
    const mark = look.unicode ? "▼" : "v";
    labels.push({ cell: axis.cellOf(life.from), text: `${mark} taken over, ${duration(life.from - before.to)} later` });
    labels.push({ cell: axis.cellOf(life.from), text: mark });
  }
  const line: string[] = Array.from({ length: axis.cells }, () => " ");
  for (const { cell, text } of labels) {
    const room = line.slice(Math.max(0, cell - 1), cell + text.length + 1);
    if (cell + text.length > axis.cells || room.some((taken) => taken !== " ")) continue;
    for (const [i, character] of [...text].entries()) line[cell + i] = character;
  }
  return line.join("").trimEnd();
}

function legendOf(look: Look, states: ReadonlySet<PieceState>): string {
  const paint = painter(look);
  const shown = LEGEND.filter(([state]) => states.has(state));
  return shown
    .map(
      ([state, words]) =>
        `${paint(GLYPHS[state].colour, look.unicode ? GLYPHS[state].unicode : GLYPHS[state].ascii)} ${words}`,
    )
    .join("   ");
}

/** How a run stands, in a few words. */
export function stateOf(view: RunView): string {
  const recoveries = Math.max(0, view.openings.length - 1);
  const settled = view.slots.filter(({ state }) => state === "settled").length;
  const words = { open: "not finished", returned: "returned", threw: "threw" }[view.state];
  const taken = recoveries === 0 ? "" : `, taken over ${recoveries === 1 ? "once" : `${recoveries} times`}`;
  return `${words}, ${settled} of ${view.slots.length} calls settled${taken}`;
}

/** The chart of a run. */
export function timelineLines(view: RunView, look: Look): string[] {
  const paint = painter(look);
  const title = `${paint("bold", runName(view.id, view.path))}  ${stateOf(view)}  ${paint("dim", moment(view.openedAt))}`;
  if (view.slots.length === 0) return [title, "", "It made no calls."];
  const names = view.slots.map((slot) => ({ id: plain(slot.id), tool: plain(slot.tool) }));
  const most = Math.floor(look.width / 5);
  const idWidth = Math.min(most, Math.max(...names.map(({ id }) => cells(id))));
  const toolWidth = Math.min(most, Math.max(...names.map(({ tool }) => cells(tool))));
  const left = idWidth + toolWidth + 6;
  const axis = layAxis(view, look.width - left);
  const mark = marksOf(look).more;
  const states = new Set(
    view.slots
      .flatMap((slot) => piecesOf(slot, axis.lives))
      .filter(({ from, to }) => to > from)
      .map(({ state }) => state),
  );
  const rows = view.slots.map((slot, i) => {
    const { id, tool } = names[i]!;
    const end = kindMark(slot.outcome, look);
    const name = `${pad(clip(id, idWidth, mark), idWidth)}  ${pad(clip(tool, toolWidth, mark), toolWidth)}`;
    return `${name}  ${paint(end.colour, end.mark)} ${barOf(slot, axis, look)}`.trimEnd();
  });
  return [title, "", " ".repeat(left - 1) + paint("dim", rulerOf(axis, look)), ...rows, "", legendOf(look, states)];
}
