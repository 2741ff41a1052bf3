// `holdfast replay`: what a recording came to when its cores were asked once more. Pure but for the reading.
import type { Replayed } from "../../../bindings/js/src/replay.ts";
import { type Look, painter } from "./paint.ts";
import { clip, plain } from "./plain-text.ts";

/** Cells of a value that differs. */
const VALUE_CELLS = 400;

const counted = (count: number, one: string, many: string): string => `${count} ${count === 1 ? one : many}`;

/** What is told of a replay. */
export function replayLines(path: string, replayed: Replayed, look: Look): string[] {
  const paint = painter(look);
  const { cores, crossings, unanswered, truncated, difference } = replayed;
  const told = `${counted(crossings, "crossing", "crossings")} into ${counted(cores, "core", "cores")}`;
  if (difference === undefined) {
    const ends = [
      ...(unanswered === 0 ? [] : [`${counted(unanswered, "was", "were")} never answered: the process ended in it`]),
      ...(truncated === 0 ? [] : [`${counted(truncated, "line was", "lines were")} cut off by the end of a process`]),
    ];
    return [`${paint("green", "the same")}  ${told} of ${plain(path)}`, ...ends];
  }
  const shown = (json: string): string => clip(plain(json), VALUE_CELLS, "…");
  return [
    `${paint("red", "different")}  ${plain(path)}:${difference.line}, core ${plain(difference.core)}, after ${told}`,
    `  at        ${plain(difference.path)}`,
    `  recorded  ${shown(difference.recorded)}`,
    `  now       ${shown(difference.now)}`,
    "",
    "Another build of the core may decide otherwise; replay with the version that recorded.",
  ];
}
