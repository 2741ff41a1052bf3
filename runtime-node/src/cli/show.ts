// `holdfast show`: everything a journal says of one run: its openings, its slots, what they came to. Pure.
import type { RunListing, RunView, SlotView } from "../../../bindings/js/src/api.ts";
import type { CallError, Json } from "../../../bindings/js/src/outcome.ts";
import { duration, moment } from "./duration.ts";
import { type Look, marksOf, painter } from "./paint.ts";
import { clip, plain, plainJson } from "./plain-text.ts";
import { runName } from "./run-name.ts";
import { type Cell, type Column, tableLines } from "./table.ts";
import { kindMark, stateOf } from "./timeline.ts";

const COLUMNS: readonly Column[] = [
  { title: "slot", align: "right" },
  { title: "call", shrinkTo: 8 },
  { title: "tool", shrinkTo: 8 },
  { title: "effect" },
  { title: "" },
  { title: "outcome" },
  { title: "source" },
  { title: "attempts", align: "right" },
  { title: "queued", align: "right" },
  { title: "took", align: "right" },
  { title: "result", shrinkTo: 6 },
];
/** Cells of a result or error that a line may take before the table is fitted. */
const RESULT_CELLS = 120;

function shortJson(value: Json | undefined): string {
  return value === undefined ? "" : plainJson(value, 0).slice(0, RESULT_CELLS * 2);
}

function errorText(error: CallError): string {
  return `${error.name}: ${error.message}${error.code === undefined ? "" : ` (${error.code})`}`;
}

function slotRow(slot: SlotView, look: Look): Cell[] {
  const { mark, colour } = kindMark(slot.outcome, look);
  const result = slot.error === undefined ? shortJson(slot.value) : errorText(slot.error);
  const late = slot.late === 0 ? "" : ` (${slot.late} came late)`;
  return [
    { text: String(slot.slot), colour: "dim" },
    { text: plain(slot.id), colour: "bold" },
    { text: plain(slot.tool) },
    { text: slot.effect },
    { text: mark, colour },
    { text: slot.outcome ?? (slot.state === "started" ? "started, not settled" : slot.state), colour },
    { text: slot.source ?? "" },
    { text: String(slot.attempts) },
    { text: slot.startedAt === undefined ? "" : duration(slot.startedAt - slot.plannedAt) },
    { text: slot.startedAt === undefined || slot.endedAt === undefined ? "" : duration(slot.endedAt - slot.startedAt) },
    { text: clip(plain(result) + late, RESULT_CELLS, marksOf(look).more) },
  ];
}

/** The page of a run. `children` are the runs that its calls opened. */
export function showLines(view: RunView, children: readonly RunListing[], look: Look): string[] {
  const paint = painter(look);
  const fact = (name: string, text: string): string => `${paint("dim", name.padEnd(9))} ${text}`;
  const page = [fact("run", paint("bold", runName(view.id, view.path))), fact("state", stateOf(view))];
  if (view.path.length > 0) page.push(fact("inside of", runName(view.path.at(-1)!, view.path.slice(0, -1))));
  for (const [i, opening] of view.openings.entries()) {
    const version = opening.version === undefined ? "" : `, version ${plain(opening.version)}`;
    const host = opening.host === undefined ? "" : `, by ${plain(opening.host)}`;
    page.push(fact(i === 0 ? "opened" : "again", `${moment(opening.at)}, fence ${opening.fence}${version}${host}`));
  }
  if (view.closedAt !== undefined)
    page.push(fact("closed", `${moment(view.closedAt)}, after ${duration(view.closedAt - view.openedAt)}`));
  const shorten = (text: string): string => clip(plain(text), look.width - 10, marksOf(look).more);
  if (view.error !== undefined) page.push(fact("threw", paint("red", shorten(errorText(view.error)))));
  if (view.result !== undefined) page.push(fact("result", shorten(shortJson(view.result))));
  for (const child of children) page.push(fact("run in it", `${runName(child.id, child.path)} (${child.state})`));
  if (view.slots.length === 0) return [...page, "", "It made no calls."];
  return [
    ...page,
    "",
    ...tableLines(
      COLUMNS,
      view.slots.map((slot) => slotRow(slot, look)),
      look,
    ),
  ];
}
