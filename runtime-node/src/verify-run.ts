// Judges one run of a journal: can its entries be read, do its plans carry what they say, can one entry
// follow the other. The core itself is asked, as it will be when the run is opened. Pure but for that.
import { openCore, Refused } from "../../bindings/js/src/core.ts";
import { portableSha256 } from "../../bindings/js/src/digest.ts";
import { ENTRY_KINDS, type Entry, EntryKind, JOURNAL_FORMAT } from "../../bindings/js/src/entry.ts";
import { HoldfastError } from "../../bindings/js/src/errors.ts";
import { readJournal, refusedJournal } from "../../bindings/js/src/journaled-run.ts";
import { decodeJson } from "../../bindings/js/src/json.ts";
import { readOpening } from "../../bindings/js/src/payload.ts";
import { ToolTable } from "../../bindings/js/src/tool-table.ts";

/** What is wrong with an entry, or with the run as a whole. */
export interface RunProblem {
  readonly entry?: number;
  readonly slot?: number;
  readonly what: string;
}

/** What the table of runs says of a run. */
export interface RunRow {
  readonly fence: number;
  readonly closed: boolean;
}

/** Everything wrong with a run whose entries are bit by bit as they were written. */
export function judgeRun(
  name: string,
  row: RunRow,
  entries: readonly Entry[],
  core: WebAssembly.Module,
): readonly RunProblem[] {
  const problems = [...unreadable(entries), ...misplaced(row, entries)];
  return problems.length > 0 ? problems : impossible(name, entries, core);
}

/** Payloads that are not JSON. Plans are read whole, later. */
function unreadable(entries: readonly Entry[]): readonly RunProblem[] {
  return entries.flatMap(({ kind, slot, payload }, entry): RunProblem[] => {
    if (payload === null || kind === EntryKind.planned) return [];
    try {
      decodeJson(payload);
      return [];
    } catch (error) {
      return [
        { entry, slot, what: `the payload of this ${ENTRY_KINDS[kind] ?? "entry"} is not JSON (${said(error)})` },
      ];
    }
  });
}

function misplaced({ fence, closed }: RunRow, entries: readonly Entry[]): readonly RunProblem[] {
  const problems: RunProblem[] = [];
  const end = entries.findIndex(({ kind }) => kind === EntryKind.runClosed);
  if (closed !== end >= 0)
    problems.push({ what: `the table of runs says ${closed ? "closed" : "open"}, its entries say otherwise` });
  for (const [entry, { kind, payload }] of entries.entries()) {
    if (end >= 0 && entry > end && kind !== EntryKind.late)
      problems.push({ entry, what: `a ${ENTRY_KINDS[kind] ?? "strange entry"} after the run was closed` });
    if (kind !== EntryKind.runOpened) continue;
    const opening = readOpening(payload);
    if ((opening.format ?? 0) > JOURNAL_FORMAT)
      problems.push({ entry, what: `written in format ${opening.format}; this Holdfast reads ${JOURNAL_FORMAT}` });
    if ((opening.fence ?? 0) > fence)
      problems.push({ entry, what: `opened with fence ${opening.fence}, and the newest is ${fence}` });
  }
  return problems;
}

/** What opening it would refuse. */
function impossible(name: string, entries: readonly Entry[], module: WebAssembly.Module): readonly RunProblem[] {
  try {
    const read = readJournal(name, entries, new ToolTable({}), portableSha256);
    const core = openCore(module);
    core.configure(0n, 1, [], []);
    try {
      core.open(1n, 1n, 0, false, read.entries, read.calls);
    } catch (error) {
      throw error instanceof Refused ? refusedJournal(name, error) : error;
    }
    return [];
  } catch (error) {
    if (!(error instanceof HoldfastError)) throw error;
    const { slot, entry } = error.details as { readonly slot?: number; readonly entry?: number };
    return [
      {
        ...(entry === undefined ? {} : { entry }),
        ...(slot === undefined ? {} : { slot }),
        what: error.message.slice(error.code.length + 2, -(error.next.length + 2)),
      },
    ];
  }
}

function said(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
