// Runs and entries in a SQLite file: what the journal's thread does, synchronously. All that is asked at once
// is one transaction and one sync; it knows nothing of threads and messages.
import { EntryKind } from "../../bindings/js/src/entry.ts";
import { HoldfastError } from "../../bindings/js/src/errors.ts";
import type { RunSummary } from "../../bindings/js/src/ports.ts";
import { prunableRuns } from "../../bindings/js/src/prunable-runs.ts";
import { EntryReader } from "./entry-reader.ts";
import { EntryWriter } from "./entry-writer.ts";
import { GiveWay } from "./give-way.ts";
import { connect } from "./journal-connection.ts";
import { countEntries, integer, type JournalSql, prepareSql } from "./journal-sql.ts";
import type { Group, Rows, Wish } from "./journal-wire.ts";
import { NUMBERS, RowChecksum } from "./row-checksum.ts";
import { type HeldRow, type OpenedRow, RunLeases, type Undo } from "./run-leases.ts";
import type { Database } from "./sqlite.ts";
import { journalError } from "./sqlite-errors.ts";
import { WalRoom } from "./wal-room.ts";

/** What changes the file. */
export type Change = Group | Extract<Wish, { readonly kind: "open" | "release" | "refuse" | "prune" }>;

/** What a change came to. */
export type Outcome =
  | { readonly kind: "done"; readonly opened?: OpenedRow; readonly pruned?: readonly string[] }
  | { readonly kind: "failed"; readonly error: HoldfastError };

/** What one transaction remembers. */
interface Scope {
  readonly undo: Undo;
  /** Runs whose fence was looked at: nobody can take them before it ends. */
  readonly checked: Map<number, HeldRow>;
}

const PAGE_BYTES = 4096;
/** Pages in the write-ahead log, about, before they are worth moving when nothing else is to be done; and when it must be. */
const PAGES_TO_MOVE = 1_000;
const PAGES_MAX = 16_000;
/** After a renewal that failed. */
const BEAT_AGAIN_MS = 100;

export class JournalStore {
  readonly path: string;
  readonly #database: Database;
  readonly #giveWay: GiveWay;
  readonly #sql: JournalSql;
  readonly #leases: RunLeases;
  readonly #reader: EntryReader;
  readonly #writer: EntryWriter;
  readonly #room: WalRoom;
  /** Does a commit sync? As SQLite is set now. */
  #durable = true;
  #pages = 0;

  /** Opens a journal's file, or makes one. Throws `journal-*`. */
  constructor(path: string, leaseMs: number) {
    this.path = path;
    this.#giveWay = new GiveWay(path);
    this.#database = connect(path, this.#giveWay);
    this.#sql = prepareSql(this.#database);
    this.#leases = new RunLeases(this.#sql, leaseMs);
    this.#reader = new EntryReader(this.#database);
    this.#writer = new EntryWriter(this.#database);
    this.#room = new WalRoom(path);
  }

  // ── writing ───────────────────────────────────────────────────────────────────────────────────

  /** Makes changes durable in one transaction. One that is refused or fails does not fail the others. */
  commit(changes: readonly Change[]): readonly Outcome[] {
    // A lease that is given back may be lost with the power: its process is gone then as well.
    const durable = changes.some(({ kind }) => kind !== "release" && kind !== "refuse");
    const scope: Scope = { undo: [], checked: new Map() };
    try {
      const outcomes = this.#transaction(durable, () => {
        this.#leases.payOwed();
        return changes.map((change) => this.#orRefused(change, scope));
      });
      this.#leases.paid();
      return outcomes;
    } catch (error) {
      for (const back of scope.undo.reverse()) back();
      if (changes.length === 1) return [this.#failed(changes[0]!, error)];
      return changes.flatMap((change) => this.commit([change]));
    }
  }

  /** All of the work or none. Throws what SQLite throws. */
  #transaction<Result>(durable: boolean, work: () => Result): Result {
    if (this.#durable !== durable) this.#database.exec(`PRAGMA synchronous = ${durable ? "FULL" : "NORMAL"}`);
    this.#durable = durable;
    this.#giveWay.patiently(() => this.#sql.begin.run([]));
    try {
      if (durable) this.#room.ensure();
      const result = work();
      this.#sql.commit.run([]);
      this.#pages += 2;
      return result;
    } catch (error) {
      this.#rollback();
      throw error;
    }
  }

  #rollback(): void {
    try {
      this.#database.exec("ROLLBACK");
    } catch {
      // A full or failing disk has ended the transaction already.
    }
  }

  /** What SQLite did not take. */
  #failed(change: Change, cause: unknown): Outcome {
    const error = journalError(this.path, "writing", cause);
    if (change.kind === "append") this.#leases.fail(change.number, error);
    if (change.kind !== "release") return { kind: "failed", error };
    this.#leases.owe(change.number, change.fence);
    return { kind: "done" };
  }

  /** A refusal comes before anything of the change is written. */
  #orRefused(change: Change, scope: Scope): Outcome {
    try {
      return this.#change(change, scope);
    } catch (error) {
      if (error instanceof HoldfastError) return { kind: "failed", error };
      throw error;
    }
  }

  #change(change: Change, scope: Scope): Outcome {
    switch (change.kind) {
      case "append":
        this.#append(change, scope);
        return { kind: "done" };
      case "open":
        return { kind: "done", opened: this.#leases.take(change.run, scope.undo) };
      case "release":
        this.#leases.release(change.number, change.fence, scope.undo);
        scope.checked.delete(change.number);
        return { kind: "done" };
      case "refuse":
        throw this.#leases.refusal(change.run, change.fence);
      case "prune":
        return { kind: "done", pruned: this.#prune(change.closedBefore) };
    }
  }

  #append(group: Group, { checked, undo }: Scope): void {
    const { number, fence } = group;
    let held = checked.get(number);
    if (held?.fence !== fence) {
      held = this.#leases.check(number, fence);
      const [run, { next }] = [held, held];
      undo.push(() => {
        run.next = next;
      });
      checked.set(number, held);
    }
    if (held.failed !== undefined) throw held.failed;
    this.#writer.write(group, held);
    const { numbers, payloads } = group;
    for (let at = 1; at < numbers.length; at += NUMBERS)
      if (numbers[at] === EntryKind.runClosed) this.#sql.close.run([number]);
    this.#pages += Math.ceil((numbers.length * 4 + payloads.length) / PAGE_BYTES);
  }

  #prune(closedBefore: number): readonly string[] {
    const pruned = prunableRuns(this.#summaries(), closedBefore);
    for (const run of pruned) {
      const number = integer(run, this.#sql.run.get([run])!, "id");
      this.#sql.dropEntries.run([number]);
      this.#sql.dropRun.run([number]);
    }
    return pruned;
  }

  // ── looking ───────────────────────────────────────────────────────────────────────────────────

  /** Reads entries of a run, in pieces; work for others goes on between them. */
  *read(run: string, number: number, entries: number): Generator<Rows, void> {
    const checksum = new RowChecksum(run);
    for (let from = 0; from < entries; ) {
      const rows = this.#giveWay.patiently(() => this.#reader.piece(run, number, from, entries, checksum));
      from += rows.numbers.length / NUMBERS;
      yield rows;
    }
  }

  /** Where a run is; undefined if there is none. */
  find(run: string): { readonly number: number; readonly entries: number } | undefined {
    return this.#giveWay.patiently(() => {
      const row = this.#sql.run.get([run]);
      return row && { number: integer(run, row, "id"), entries: countEntries(this.#sql, run, row) };
    });
  }

  runs(): readonly RunSummary[] {
    return this.#giveWay.patiently(() => this.#summaries());
  }

  #summaries(): readonly RunSummary[] {
    const now = Date.now();
    const living = new Map<string, boolean>();
    return this.#sql.summaries.all([]).map((row) => {
      const run = String(row.run);
      return {
        run,
        entries: integer(run, row, "entries"),
        openedAt: integer(run, row, "opened_at"),
        updatedAt: integer(run, row, "updated_at"),
        closed: row.closed === 1n,
        leased: this.#leases.isHeld(row, now, living),
      };
    });
  }

  // ── between commits ───────────────────────────────────────────────────────────────────────────

  /** Renews the leases if that is due; how long until it is, ms. */
  beat(): number {
    const now = Date.now();
    const left = this.#leases.untilBeat(now);
    if (left > 0) return left;
    try {
      this.#transaction(false, () => this.#leases.renew(now));
    } catch {
      // A full disk, say. Whoever takes a run over meanwhile raises its fence, and the next append hears of it.
      return BEAT_AGAIN_MS;
    }
    return this.#leases.untilBeat(now);
  }

  /** A commit has ended; `more`: the next is due. */
  after(more: boolean): void {
    if (more) this.#giveWay.pauseIfAsked();
    else this.#giveWay.paused();
    if (this.#pages >= PAGES_MAX) this.#move();
  }

  /** Is there something in the log that is worth moving into the file when nothing else is to be done? */
  get wantsMoving(): boolean {
    return this.#pages >= PAGES_TO_MOVE;
  }

  tidy(): void {
    if (this.wantsMoving) this.#move();
  }

  /** Moves what is in the log into the file, without waiting for readers. */
  #move(): void {
    this.#pages = 0;
    try {
      this.#database.prepare("PRAGMA wal_checkpoint(PASSIVE)").all([]);
    } catch {
      // It is all in the log, and stays there until the next time.
    }
  }

  /** Gives all leases back and closes the file. */
  close(): void {
    try {
      // Who only read leaves no trace, and waits for nobody.
      if (this.#leases.everHeld) this.#transaction(false, () => this.#leases.releaseAll());
    } finally {
      this.#room.close();
      this.#database.close();
    }
  }
}
