// A journal in a SQLite file without a thread of its own: the store of the journal's thread, on the thread of
// whoever asks. The loop stands still while it writes and reads, so it is for a host that may have no threads.
import type { Entry } from "../../../bindings/js/src/entry.ts";
import { checkGroup } from "../../../bindings/js/src/entry-bounds.ts";
import type { HoldfastError } from "../../../bindings/js/src/errors.ts";
import { journalClosed } from "../../../bindings/js/src/journal-errors.ts";
import { checkInteger } from "../../../bindings/js/src/options.ts";
import type { Journal, OpenedRun, PruneOptions, RunSummary } from "../../../bindings/js/src/ports.ts";
import { journalPath } from "../journal-file.ts";
import { type Change, JournalStore, type Outcome } from "../journal-store.ts";
import { type Group, Packer, takeApart, unpack } from "../journal-wire.ts";
import type { OpenedRow } from "../run-leases.ts";
import { type Doing, journalError } from "../sqlite-errors.ts";

/** Opens a journal that starts no thread. `leaseMs` and what it throws are as of `openSqliteJournal`. */
export function openLoopJournal(path: string, leaseMs?: number): Journal {
  return new LoopJournal(journalPath(path), checkInteger("leaseMs", leaseMs, 1_000, 3_600_000, 10_000));
}

type Done = Extract<Outcome, { readonly kind: "done" }>;

/** A change that the next commit takes along, and who waits for what it comes to. */
interface Asked {
  readonly change: Change;
  readonly settle: (outcome: Outcome) => void;
}

/** A run whose lease this journal took, under its number in the file. */
interface HeldRun {
  readonly number: number;
  readonly fence: number;
  /** A group that was not written: none after it may be, or the journal would have a hole. */
  failed: HoldfastError | undefined;
}

class LoopJournal implements Journal {
  readonly durable = true;
  readonly name: string;
  readonly #store: JournalStore;
  readonly #packer = new Packer();
  readonly #held = new Map<string, HeldRun>();
  #asked: Asked[] = [];
  #renewal: NodeJS.Timeout | undefined;
  #over: HoldfastError | undefined;
  #closing: Promise<void> | undefined;

  constructor(path: string, leaseMs: number) {
    this.name = path;
    this.#store = this.#attempt("opening", () => new JournalStore(path, leaseMs));
  }

  open(run: string): Promise<OpenedRun> {
    return this.#ask({ kind: "open", run }, ({ opened }) => this.#opened(opened!));
  }

  async append(run: string, fence: number, entries: readonly Entry[]): Promise<void> {
    this.#refuseOver();
    const held = this.#held.get(run);
    if (held?.fence !== fence) return this.#ask({ kind: "refuse", run, fence }, () => undefined);
    if (held.failed !== undefined) throw held.failed;
    held.failed = checkGroup(run, entries);
    if (held.failed !== undefined) throw held.failed;
    // Copied: the packer's memory is that of the next group too.
    const { number } = held;
    const group = unpack(this.#packer.group(0, number, fence, entries).slice()) as Group;
    return this.#ask(group, () => undefined).catch((error: HoldfastError) => {
      held.failed ??= error;
      throw error;
    });
  }

  async release(run: string, fence: number): Promise<void> {
    this.#refuseOver();
    const held = this.#held.get(run);
    if (held?.fence !== fence) return;
    this.#held.delete(run);
    await this.#ask({ kind: "release", run, number: held.number, fence }, () => undefined);
  }

  async read(run: string): Promise<readonly Entry[] | undefined> {
    this.#refuseOver();
    this.#commit();
    return this.#attempt("reading", () => {
      const at = this.#store.find(run);
      return at && this.#entries(run, at.number, at.entries);
    });
  }

  async runs(): Promise<readonly RunSummary[]> {
    this.#refuseOver();
    this.#commit();
    return this.#attempt("reading", () => this.#store.runs());
  }

  prune({ closedBefore }: PruneOptions): Promise<readonly string[]> {
    return this.#ask({ kind: "prune", closedBefore }, ({ pruned }) => pruned!);
  }

  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  async #close(): Promise<void> {
    this.#commit();
    this.#over = journalClosed(this.name);
    clearTimeout(this.#renewal);
    // Whoever waits for an append hears of it before the journal is closed.
    await new Promise((resolve) => setImmediate(resolve));
    this.#attempt("writing", () => this.#store.close());
  }

  #refuseOver(): void {
    if (this.#over !== undefined) throw this.#over;
  }

  /** Resolves with what `result` makes of the change, once that is durable. */
  async #ask<Result>(change: Change, result: (outcome: Done) => Result): Promise<Result> {
    this.#refuseOver();
    // Once per breath: groups of all runs that come together share a commit.
    if (this.#asked.length === 0) queueMicrotask(() => this.#commit());
    return new Promise((resolve, reject) => {
      const settle = (outcome: Outcome): void => {
        try {
          if (outcome.kind === "failed") throw outcome.error;
          resolve(result(outcome));
        } catch (error) {
          reject(error);
        }
      };
      this.#asked.push({ change, settle });
    });
  }

  #commit(): void {
    const asked = this.#asked;
    if (asked.length === 0) return;
    this.#asked = [];
    const outcomes = this.#store.commit(asked.map(({ change }) => change));
    for (const [i, { settle }] of asked.entries()) settle(outcomes[i]!);
    this.#store.after(false);
    this.#store.tidy();
    this.#renew();
  }

  #opened({ run, number, fence, entries }: OpenedRow): OpenedRun {
    try {
      const opened = { fence, entries: this.#attempt("reading", () => this.#entries(run, number, entries)) };
      this.#held.set(run, { number, fence, failed: undefined });
      return opened;
    } catch (error) {
      // Whoever cannot have the entries shall not hold the run.
      this.#store.commit([{ kind: "release", run, number, fence }]);
      throw error;
    }
  }

  #entries(run: string, number: number, count: number): readonly Entry[] {
    const entries: Entry[] = [];
    for (const rows of this.#store.read(run, number, count)) takeApart(rows, entries);
    return entries;
  }

  /** Says that this journal lives, and again in time. A loop that is kept busy for longer than a lease may lose its runs. */
  #renew(): void {
    clearTimeout(this.#renewal);
    const dueMs = this.#store.beat();
    this.#renewal = Number.isFinite(dueMs) ? setTimeout(() => this.#renew(), dueMs).unref() : undefined;
  }

  #attempt<Result>(doing: Doing, work: () => Result): Result {
    try {
      return work();
    } catch (thrown) {
      throw journalError(this.name, doing, thrown);
    }
  }
}
