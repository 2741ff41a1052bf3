// `holdfast verify`: what verifyJournal found, as lines or as JSON, and the exit code that goes with it.
import { type JournalProblem, type JournalReport, verifyJournal } from "../verify-journal.ts";
import type { CommandResult } from "./commands.ts";
import { Exit } from "./failure.ts";
import { checkJournalFile } from "./journal-argument.ts";
import { type Look, marksOf, painter } from "./paint.ts";
import { plain, plainJson } from "./plain-text.ts";

/** Checks a journal's file. Throws what cannot be looked at. */
export async function verifyCommand(journal: string, json: boolean, look: Look): Promise<CommandResult> {
  // An empty file is sound, and surely not what was meant.
  await checkJournalFile(journal);
  const report = await verifyJournal(journal);
  const text = json ? plainJson({ journal, ...report }) : verifyLines(report, look).join("\n");
  return { text, exit: report.ok ? Exit.ok : Exit.problems };
}

/** A verdict, then a line per problem and what to do about it. */
export function verifyLines(report: JournalReport, look: Look): string[] {
  const paint = painter(look);
  const marks = marksOf(look);
  const size = `${count(report.runs, "run")}, ${count(report.entries, "entry", "entries")}`;
  if (report.ok) return [`${paint("green", marks.yes)} ${plain(report.path)} is sound: ${size}.`];
  const lines = [
    `${paint("red", marks.no)} ${plain(report.path)} has ${count(report.problemCount, "problem")}; it holds ${size} that can be read.`,
  ];
  for (const problem of report.problems)
    lines.push("", `${paint("bold", placeOf(problem))}: ${plain(problem.what)}`, `  ${paint("dim", problem.next)}`);
  const more = report.problemCount - report.problems.length;
  if (more > 0) lines.push("", `and ${more} more`);
  return lines;
}

function placeOf(problem: JournalProblem): string {
  if (problem.of === "file") return "the file";
  const slot = problem.slot === undefined ? "" : `, slot ${problem.slot}`;
  const entry = problem.entry === undefined ? "" : `, entry ${problem.entry}`;
  return `run ${plain(problem.name)}${slot}${entry}`;
}

function count(number: number, one: string, many = `${one}s`): string {
  return `${number} ${number === 1 ? one : many}`;
}
