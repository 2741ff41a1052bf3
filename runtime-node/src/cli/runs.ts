// `holdfast runs`: the runs of a journal as a table. Pure but for its command's reading.
import type { RunListing } from "../../../bindings/js/src/api.ts";
import { duration, moment } from "./duration.ts";
import type { Look } from "./paint.ts";
import { runName } from "./run-name.ts";
import { type Cell, type Column, tableLines } from "./table.ts";

const COLUMNS: readonly Column[] = [
  { title: "run", shrinkTo: 12 },
  { title: "state" },
  { title: "entries", align: "right" },
  { title: "opened", shrinkTo: 10 },
  { title: "lasted" },
];

function stateCell(run: RunListing): Cell {
  if (run.state === "closed") return { text: "finished", colour: "green" };
  // Not finished and nobody's: it goes on as soon as its program runs it again.
  return run.leased ? { text: "running", colour: "blue" } : { text: "interrupted", colour: "yellow" };
}

const keyOf = (parts: readonly string[]): string => JSON.stringify(parts);

/** Outermost runs in the journal's order, each followed by the runs inside it. */
function nested(runs: readonly RunListing[]): RunListing[] {
  const known = new Set(runs.map(({ id, path }) => keyOf([...path, id])));
  const inside = new Map<string, RunListing[]>();
  for (const run of runs) {
    // A run whose parent was pruned stands on its own.
    const parent = known.has(keyOf(run.path)) ? keyOf(run.path) : "";
    inside.set(parent, [...(inside.get(parent) ?? []), run]);
  }
  const walk = (parent: string): RunListing[] =>
    (inside.get(parent) ?? []).flatMap((run) => [run, ...walk(keyOf([...run.path, run.id]))]);
  return walk("");
}

/** A table of runs, oldest first, runs inside runs below the one they belong to. */
export function runsLines(runs: readonly RunListing[], look: Look): string[] {
  if (runs.length === 0) return ["The journal holds no runs."];
  const rows = nested(runs).map((run): Cell[] => [
    { text: "  ".repeat(run.path.length) + runName(run.id, run.path), colour: "bold" },
    stateCell(run),
    { text: String(run.entries) },
    { text: moment(run.openedAt) },
    { text: duration(run.updatedAt - run.openedAt) },
  ]);
  return tableLines(COLUMNS, rows, look);
}
