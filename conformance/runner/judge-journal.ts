// Holds a journal of ours against the entries that a scenario expects, complete and in order. Hosts with a
// journal of their own are judged by outcomes and ledger alone.
import type { Json } from "../protocol/messages.ts";
import { type JournalEntry, readJournalFile } from "./journal-file.ts";
import { type Finding, finding, type JudgeWith } from "./judge-ends.ts";
import { same } from "./match.ts";
import type { JournalRow, Scenario } from "./scenario.ts";

function fits(row: JournalRow, entry: JournalEntry, judge: JudgeWith): boolean {
  return (
    row.kind === entry.kind &&
    Object.entries(row.fields).every(([name, value]) =>
      same(value, entry[name as keyof JournalEntry] as Json, judge.bindings),
    )
  );
}

const rowText = ({ kind, fields }: JournalRow): string =>
  [kind, ...Object.entries(fields).map(([name, value]) => `${name}=${value}`)].join(" ");

function entryText(entry: JournalEntry | undefined, row: JournalRow | undefined): string {
  if (entry === undefined) return "no entry";
  const names = row === undefined || row.kind !== entry.kind ? (["slot", "attempt"] as const) : Object.keys(row.fields);
  return [entry.kind, ...names.map((name) => `${name}=${entry[name as keyof JournalEntry]}`)].join(" ");
}

/** What is otherwise in the journals of a scenario's runs. Nothing when this machine cannot read SQLite. */
export async function judgeJournals(
  expected: Scenario["journals"],
  path: string,
  judge: JudgeWith,
): Promise<Finding[]> {
  const findings: Finding[] = [];
  for (const { run, rows } of expected) {
    const entries = await readJournalFile(path, run);
    if (entries === undefined) return findings;
    for (let i = 0; i < Math.max(rows.length, entries.length); i++) {
      const [row, entry] = [rows[i], entries[i]];
      if (row !== undefined && entry !== undefined && fits(row, entry, judge)) continue;
      const wanted = row === undefined ? "no entry" : rowText(row);
      findings.push(finding(`journal of ${run}, entry ${i}`, wanted, entryText(entry, row)));
      break; // what follows has moved
    }
  }
  return findings;
}
