// How far a life of the demo is, as lines: a picture that is drawn over again and again, or one line per
// step where nothing can be drawn over. Pure.
import type { CallEvent } from "../../../../bindings/js/src/events.ts";
import { duration } from "../duration.ts";
import { type Look, marksOf, painter } from "../paint.ts";
import { clip, pad } from "../plain-text.ts";
import { kindMark } from "../timeline.ts";
import type { Watch, Watched } from "./watch.ts";

const SPINNER = { unicode: "⠋⠙⠹⠸⠼⠴⠦⠧⠇⠏", ascii: "|/-\\" } as const;
const FRAME_MS = 80;
const BAR = { unicode: { full: "━", rest: "─" }, ascii: { full: "=", rest: "-" } } as const;
const BAR_CELLS = 24;
const METER_CELLS = 10;
const TOOL_CELLS = 30;
const ABOUT_CELLS = 18;
/** From here on there is room for what a call is about. */
const WIDE = 90;

function bar(part: number, cells: number, look: Look): string {
  const { full, rest } = look.unicode ? BAR.unicode : BAR.ascii;
  const count = Math.round(part * cells);
  const paint = painter(look);
  return paint("green", full.repeat(count)) + paint("dim", rest.repeat(cells - count));
}

/** The mark of a call that runs: it turns, or it was cut off. */
function runningMark(watched: Watched, nowMs: number, cut: boolean, look: Look): string {
  const paint = painter(look);
  if (cut) return paint("red", marksOf(look).no);
  const frames = look.unicode ? SPINNER.unicode : SPINNER.ascii;
  const frame = frames[Math.floor(nowMs / FRAME_MS) % frames.length]!;
  return paint(watched.state === "asked-about" ? "magenta" : "blue", frame);
}

function callLine(watched: Watched, nowMs: number, cut: boolean, look: Look): string {
  const paint = painter(look);
  const more = marksOf(look).more;
  const { call, state, attempt, part, since } = watched;
  const tool = pad(clip(call.tool, TOOL_CELLS, more), TOOL_CELLS);
  const parts = [call.id, tool];
  if (look.width >= WIDE) parts.push(paint("dim", pad(clip(call.about, ABOUT_CELLS, more), ABOUT_CELLS)));
  parts.push(paint("dim", pad(duration(Math.max(0, nowMs - since)), 6, "right")));
  if (part !== undefined) parts.push(`${bar(part, METER_CELLS, look)} ${Math.round(part * 100)} %`);
  else if (state === "asked-about") parts.push(paint("magenta", "in doubt: asking"));
  else if (attempt > 1) parts.push(paint("yellow", "again"));
  return `  ${runningMark(watched, nowMs, cut, look)} ${parts.join("  ")}`;
}

/** The picture: the calls that run, and how many there are of each kind. `cut`: they never get any further. */
export function pictureLines(watch: Watch, nowMs: number, look: Look, cut = false): string[] {
  const { settled, running, waiting, replayed } = watch.tally;
  const again = replayed === 0 ? "" : ` (${replayed} replayed)`;
  const busy = watch.calls.filter(({ state }) => state === "running" || state === "asked-about");
  const counts = `${settled} settled${again}, ${running} ${cut ? "cut off" : "running"}, ${waiting} waiting`;
  return [
    ...busy.map((watched) => callLine(watched, nowMs, cut, look)),
    `  ${bar(settled / watch.calls.length, BAR_CELLS, look)} ${painter(look)("dim", counts)}`,
  ];
}

/** The line of one step, where it is worth one. `beganMs` is when the life began. */
export function stepLine(
  event: CallEvent,
  watched: Watched | undefined,
  beganMs: number,
  look: Look,
): string | undefined {
  if (watched === undefined) return undefined;
  const paint = painter(look);
  const { id, tool, about } = watched.call;
  const line = (mark: string, text: string): string =>
    `  ${mark} ${paint("dim", pad(duration(Math.max(0, event.at - beganMs)), 7, "right"))}  ${id}  ${text}`;
  switch (event.kind) {
    case "started":
      return event.attempt > 1
        ? line(paint("yellow", marksOf(look).arrow), `${tool} is called again, attempt ${event.attempt}`)
        : undefined;
    case "reconciling":
      return line(paint("magenta", marksOf(look).unsure), `${tool} is in doubt: asking what happened`);
    case "settled": {
      const { mark, colour } = kindMark(event.outcome.kind, look);
      const how = event.outcome.source === "executed" ? "" : `, ${event.outcome.source}`;
      return line(paint(colour, mark), `${tool} ${paint("dim", about)}: ${event.outcome.kind}${how}`);
    }
    default:
      return undefined;
  }
}
