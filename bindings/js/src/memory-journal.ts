// A journal in the memory of this process: for tests and for runs that may be lost. Same leases, fences
// and groups as a durable one; it never outlives the process and says so.
import { type Entry, EntryKind } from "./entry.ts";
import { checkGroup } from "./entry-bounds.ts";
import type { JournalError } from "./errors.ts";
import { fenced, journalClosed, runBusy } from "./journal-errors.ts";
import type { Journal, OpenedRun, PruneOptions, RunSummary } from "./ports.ts";
import { prunableRuns } from "./prunable-runs.ts";

interface MemoryRun {
  fence: number;
  leased: boolean;
  closed: boolean;
  /** A group that was not taken: none after it may be, or there would be a hole. */
  failed: JournalError | undefined;
  readonly entries: Entry[];
}

/** A `Journal` that a crash of the process loses: `durable` is false. Every one is a store of its own. */
export class MemoryJournal implements Journal {
  readonly durable = false;
  readonly name = "memory";
  readonly #runs = new Map<string, MemoryRun>();
  #closed = false;

  async open(run: string): Promise<OpenedRun> {
    this.#refuseClosed();
    let held = this.#runs.get(run);
    if (held?.leased) throw runBusy(run, "this process");
    if (held === undefined) {
      held = { fence: 0, leased: false, closed: false, failed: undefined, entries: [] };
      this.#runs.set(run, held);
    }
    held.leased = true;
    held.failed = undefined;
    held.fence++;
    return { fence: held.fence, entries: held.entries.map(copyOf) };
  }

  async append(run: string, fence: number, entries: readonly Entry[]): Promise<void> {
    this.#refuseClosed();
    const held = this.#runs.get(run);
    if (held === undefined || held.fence !== fence || !held.leased) throw fenced(run, fence, held?.fence);
    held.failed ??= checkGroup(run, entries);
    if (held.failed !== undefined) throw held.failed;
    for (const entry of entries) {
      held.entries.push(copyOf(entry));
      if (entry.kind === EntryKind.runClosed) held.closed = true;
    }
  }

  async release(run: string, fence: number): Promise<void> {
    this.#refuseClosed();
    const held = this.#runs.get(run);
    if (held?.fence === fence) held.leased = false;
  }

  async read(run: string): Promise<readonly Entry[] | undefined> {
    this.#refuseClosed();
    return this.#runs.get(run)?.entries.map(copyOf);
  }

  async runs(): Promise<readonly RunSummary[]> {
    this.#refuseClosed();
    return byFirstEntry([...this.#runs].map(([run, held]) => summaryOf(run, held)));
  }

  async prune({ closedBefore }: PruneOptions): Promise<readonly string[]> {
    const pruned = prunableRuns(await this.runs(), closedBefore);
    for (const run of pruned) this.#runs.delete(run);
    return pruned;
  }

  async close(): Promise<void> {
    this.#closed = true;
    this.#runs.clear();
  }

  #refuseClosed(): void {
    if (this.#closed) throw journalClosed(this.name);
  }
}

/** Whoever appended may use the bytes again, and whoever reads may scribble on them. */
function copyOf({ kind, slot, count, attempt, outcome, source, at, until, payload }: Entry): Entry {
  return { kind, slot, count, attempt, outcome, source, at, until, payload: payload?.slice() ?? null };
}

function summaryOf(run: string, { leased, closed, entries }: MemoryRun): RunSummary {
  const last = entries.at(-1);
  return {
    run,
    entries: entries.length,
    openedAt: entries[0]?.at ?? 0,
    updatedAt: last?.at ?? 0,
    closed,
    leased,
  };
}

/** A run that was taken and has no entry yet comes last. */
function byFirstEntry(runs: RunSummary[]): RunSummary[] {
  return runs.sort((a, b) => Number(a.entries === 0) - Number(b.entries === 0) || a.openedAt - b.openedAt);
}
