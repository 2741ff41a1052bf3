// Runs, leases and entries in a SQLite file: what the journal's thread does, synchronously. All that is asked
// at once is one transaction and one sync; it knows nothing of threads and messages.
import { EntryKind } from "../../bindings/js/src/entry.ts";
import { HoldfastError } from "../../bindings/js/src/errors.ts";
import { corrupt, fenced, runBusy } from "../../bindings/js/src/journal-errors.ts";
import type { RunSummary } from "../../bindings/js/src/ports.ts";
import { prunableRuns } from "../../bindings/js/src/prunable-runs.ts";
import { keyPath } from "../../bindings/js/src/run-key.ts";
import { EntryReader } from "./entry-reader.ts";
import { GiveWay } from "./give-way.ts";
import { connect } from "./journal-connection.ts";
import type { Group, Rows, Wish } from "./journal-wire.ts";
import { type Holder, isGone, newHolder } from "./lease-holder.ts";
import { NUMBERS, RowChecksum } from "./row-checksum.ts";
import type { Database, SqlRow, Statement } from "./sqlite.ts";
import { journalError } from "./sqlite-errors.ts";
import { WalRoom } from "./wal-room.ts";

/** What changes the file. */
export type Change = Group | Extract<Wish, { readonly kind: "open" | "release" | "refuse" | "prune" }>;

/** What a change came to. */
export type Outcome =
  | { readonly kind: "done"; readonly opened?: OpenedRow; readonly pruned?: readonly string[] }
  | { readonly kind: "failed"; readonly error: HoldfastError };

/** A run whose lease was taken: its number in this file, and how many entries it has. */
export interface OpenedRow {
  readonly run: string;
  readonly number: number;
  readonly fence: number;
  readonly entries: number;
}

/** A run whose lease is held here. */
interface Held {
  readonly run: string;
  readonly fence: number;
  readonly checksum: RowChecksum;
  /** The seq of the next entry. */
  next: number;
  /** A group that was not written: none after it may be, or there would be a hole. */
  failed: HoldfastError | undefined;
}

const PAGE_BYTES = 4096;
/** Pages in the write-ahead log, about, before they are worth moving when nothing else is to be done; and when it must be. */
const PAGES_TO_MOVE = 1_000;
const PAGES_MAX = 16_000;

export class JournalStore {
  readonly path: string;
  readonly #database: Database;
  readonly #giveWay: GiveWay;
  readonly #reader: EntryReader;
  readonly #room: WalRoom;
  readonly #leaseMs: number;
  readonly #me: Holder = newHolder();
  readonly #held = new Map<number, Held>();
  /** Given back here, and not yet in the file. */
  readonly #owed = new Map<number, Held>();
  readonly #sql: Statements;
  /** When the leases are to be renewed, wall ms. */
  #beatAt = 0;
  #pages = 0;

  /** Opens a journal's file, or makes one. Throws `journal-*`. */
  constructor(path: string, leaseMs: number) {
    this.path = path;
    this.#leaseMs = leaseMs;
    this.#giveWay = new GiveWay(path);
    this.#database = connect(path, this.#giveWay);
    this.#room = new WalRoom(path);
    this.#sql = statements(this.#database);
    this.#reader = new EntryReader(this.#database);
  }

  // ── writing ───────────────────────────────────────────────────────────────────────────────────

  /** Makes changes durable in one transaction. One that is refused or fails does not fail the others. */
  commit(changes: readonly Change[]): readonly Outcome[] {
    try {
      return this.#transaction(changes);
    } catch (error) {
      if (changes.length === 1) return [this.#failed(changes[0]!, error)];
      return changes.flatMap((change) => this.commit([change]));
    }
  }

  /** What a change that SQLite did not take comes to. */
  #failed(change: Change, cause: unknown): Outcome {
    const error = journalError(this.path, "writing", cause);
    const held = "number" in change ? this.#held.get(change.number) : undefined;
    if (change.kind === "append" && held !== undefined) held.failed = error;
    if (change.kind !== "release") return { kind: "failed", error };
    // Given back as far as this journal goes; the file hears of it with the next change that it takes.
    if (held?.fence === change.fence) {
      this.#held.delete(change.number);
      this.#owed.set(change.number, held);
    }
    return { kind: "done" };
  }

  /** Throws what is not a refusal; then nothing has happened. */
  #transaction(changes: readonly Change[]): readonly Outcome[] {
    const checked = new Set<Held>();
    const undo: (() => void)[] = [];
    // A lease that is given back may be lost with the power: its process is gone then as well.
    const durable = changes.some(({ kind }) => kind !== "release" && kind !== "refuse");
    this.#begin(durable);
    try {
      if (durable) this.#room.ensure();
      for (const [number, held] of this.#owed) this.#free(number, held);
      const outcomes = changes.map((change): Outcome => {
        try {
          return this.#change(change, checked, undo);
        } catch (error) {
          if (error instanceof HoldfastError) return { kind: "failed", error };
          throw error;
        }
      });
      this.#database.exec("COMMIT");
      this.#owed.clear();
      this.#pages += 2;
      return outcomes;
    } catch (error) {
      for (const back of undo.reverse()) back();
      this.#rollback();
      throw error;
    }
  }

  #begin(durable: boolean): void {
    this.#synchronous(durable);
    this.#giveWay.patiently(() => this.#database.exec("BEGIN IMMEDIATE"));
  }

  #durable = true;
  #synchronous(durable: boolean): void {
    if (this.#durable === durable) return;
    this.#database.exec(`PRAGMA synchronous = ${durable ? "FULL" : "NORMAL"}`);
    this.#durable = durable;
  }

  #rollback(): void {
    try {
      this.#database.exec("ROLLBACK");
    } catch {
      // A full or failing disk has ended the transaction already.
    }
  }

  #change(change: Change, checked: Set<Held>, undo: (() => void)[]): Outcome {
    switch (change.kind) {
      case "append":
        this.#append(change, checked, undo);
        return { kind: "done" };
      case "open":
        return { kind: "done", opened: this.#open(change.run, undo) };
      case "release":
        this.#release(change.number, change.fence, undo);
        return { kind: "done" };
      case "refuse":
        throw fenced(change.run, change.fence, this.#newestFence(change.run));
      case "prune":
        return { kind: "done", pruned: this.#prune(change.closedBefore) };
    }
  }

  #append(group: Group, checked: Set<Held>, undo: (() => void)[]): void {
    const held = this.#held.get(group.number);
    if (held === undefined || held.fence !== group.fence) throw this.#strange(group);
    if (held.failed !== undefined) throw held.failed;
    if (!checked.has(held)) {
      // Nobody can take the run before this transaction ends: once is enough.
      this.#checkFence(group.number, held);
      checked.add(held);
      const { next } = held;
      undo.push(() => {
        held.next = next;
      });
    }
    const { numbers, payloads } = group;
    let byte = 0;
    for (let at = 0; at < numbers.length; at += NUMBERS) {
      const length = numbers[at + NUMBERS - 1]!;
      const payload = length < 0 ? null : payloads.subarray(byte, byte + length);
      if (length > 0) byte += length;
      numbers[at] = held.next++;
      this.#insert(group.number, numbers, at, payload, held.checksum.of(numbers, at, payload));
      if (numbers[at + 1] === EntryKind.runClosed) this.#sql.close.run([group.number]);
    }
    this.#pages += Math.ceil((numbers.length * 4 + payloads.length) / PAGE_BYTES);
  }

  #insert(run: number, numbers: Float64Array, at: number, payload: Uint8Array | null, crc: number): void {
    this.#sql.insert.run([
      run,
      numbers[at]!,
      numbers[at + 1]!,
      numbers[at + 2]!,
      numbers[at + 3]!,
      numbers[at + 4]!,
      numbers[at + 5]!,
      numbers[at + 6]!,
      numbers[at + 7]!,
      numbers[at + 8]!,
      payload,
      crc,
    ]);
  }

  /** The journal knows what it holds; a number that this thread does not know was given back on the way. */
  #strange(group: Group): HoldfastError {
    const row = this.#sql.fence.get([group.number]);
    return fenced(String(row?.run ?? "?"), group.fence, row === undefined ? undefined : Number(row.fence));
  }

  #checkFence(number: number, held: Held): void {
    const row = this.#sql.fence.get([number]);
    if (row !== undefined && Number(row.fence) === held.fence && row.host === this.#me.id) return;
    this.#held.delete(number);
    throw fenced(held.run, held.fence, row === undefined ? undefined : Number(row.fence));
  }

  #newestFence(run: string): number | undefined {
    const row = this.#sql.run.get([run]);
    return row === undefined ? undefined : integer(run, row, "fence");
  }

  // ── leases ────────────────────────────────────────────────────────────────────────────────────

  #open(run: string, undo: (() => void)[]): OpenedRow {
    const now = Date.now();
    const row = this.#sql.run.get([run]);
    if (row !== undefined) this.#freeOrBusy(run, row, now);
    this.#renew(now);
    if (row === undefined) {
      this.#sql.create.run([run, this.#me.id]);
      return this.#hold({ run, number: integer(run, this.#sql.run.get([run])!, "id"), fence: 1, entries: 0 }, undo);
    }
    const number = integer(run, row, "id");
    const entries = integer(run, this.#sql.count.get([number])!, "entries");
    const known = integer(run, row, "entries");
    if (entries < known)
      throw corrupt(keyPath(run).join("/"), undefined, entries, `it has ${entries} entries and had ${known}`);
    const fence = integer(run, row, "fence") + 1;
    this.#sql.take.run([fence, this.#me.id, entries, number]);
    return this.#hold({ run, number, fence, entries }, undo);
  }

  /** Throws `run-busy` unless nobody living holds the run. */
  #freeOrBusy(run: string, row: SqlRow, now: number): void {
    if (row.host === null || row.alive_until === null) return;
    const pid = integer(run, row, "pid");
    const aliveUntil = integer(run, row, "alive_until");
    if (row.host === this.#me.id) {
      if (this.#held.has(integer(run, row, "id"))) throw runBusy(run, `process ${pid} (this one)`, aliveUntil);
    } else if (isGone({ pid, started: String(row.started), machine: String(row.machine) })) {
      this.#sql.freeAll.run([row.host as string]);
      this.#sql.forget.run([row.host as string]);
    } else if (aliveUntil > now) throw runBusy(run, `process ${pid}`, aliveUntil);
  }

  #hold(opened: OpenedRow, undo: (() => void)[]): OpenedRow {
    const { run, number, fence, entries } = opened;
    this.#held.set(number, { run, fence, checksum: new RowChecksum(run), next: entries, failed: undefined });
    undo.push(() => this.#held.delete(number));
    return opened;
  }

  #release(number: number, fence: number, undo: (() => void)[]): void {
    const held = this.#held.get(number);
    if (held?.fence !== fence) return;
    this.#held.delete(number);
    undo.push(() => this.#held.set(number, held));
    this.#free(number, held);
  }

  #free(number: number, { next, fence }: Held): void {
    this.#sql.free.run([next, number, fence, this.#me.id]);
  }

  /** Says that this journal lives; first of all within the transaction that takes its first lease. */
  #renew(now: number): void {
    const { id, pid, started, machine } = this.#me;
    if (this.#beatAt === 0) this.#sql.sweep.run([now]);
    this.#sql.alive.run([id, pid, started, machine, now + this.#leaseMs]);
    this.#beatAt = now + this.#leaseMs / 3;
  }

  /** Renews the leases if that is due; how long until it is, ms. Without any there is nothing to renew. */
  beat(): number {
    if (this.#held.size === 0) return Number.POSITIVE_INFINITY;
    const now = Date.now();
    // The clock may have been set back.
    if (now < this.#beatAt && this.#beatAt - now <= this.#leaseMs) return this.#beatAt - now;
    this.#begin(false);
    try {
      this.#renew(now);
      this.#database.exec("COMMIT");
    } catch (error) {
      this.#rollback();
      throw error;
    }
    return this.#beatAt - now;
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
      if (row === undefined) return undefined;
      const number = integer(run, row, "id");
      const entries = integer(run, this.#sql.count.get([number])!, "entries");
      const known = integer(run, row, "entries");
      if (entries < known)
        throw corrupt(keyPath(run).join("/"), undefined, entries, `it has ${entries} entries and had ${known}`);
      return { number, entries };
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
        leased: row.host !== null && this.#lives(row, now, living),
      };
    });
  }

  #lives(row: SqlRow, now: number, known: Map<string, boolean>): boolean {
    const host = String(row.host);
    let lives = known.get(host);
    if (lives === undefined) {
      const holder = { pid: Number(row.pid), started: String(row.started), machine: String(row.machine) };
      lives = row.alive_until !== null && (host === this.#me.id || (Number(row.alive_until) > now && !isGone(holder)));
      known.set(host, lives);
    }
    return lives;
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

  // ── the file ──────────────────────────────────────────────────────────────────────────────────

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

  /** Moves what is in the log into the file, without waiting for readers. */
  #move(): void {
    this.#pages = 0;
    this.#database.prepare("PRAGMA wal_checkpoint(PASSIVE)").all([]);
  }

  tidy(): void {
    if (this.wantsMoving) this.#move();
  }

  /** Gives all leases back and closes the file. */
  close(): void {
    try {
      if (this.#beatAt !== 0) {
        this.#begin(false);
        for (const [number, held] of [...this.#owed, ...this.#held]) this.#free(number, held);
        this.#sql.freeAll.run([this.#me.id]);
        this.#sql.forget.run([this.#me.id]);
        this.#database.exec("COMMIT");
      }
    } finally {
      this.#room.close();
      this.#database.close();
    }
  }
}

/** An integer of a row; one that no journal of ours has is a flipped bit. */
function integer(run: string, row: SqlRow, column: string): number {
  const value = row[column];
  const number = typeof value === "bigint" ? Number(value) : Number.NaN;
  if (Number.isSafeInteger(number) && number >= 0) return number;
  throw corrupt(keyPath(run).join("/"), undefined, 0, `its ${column} is ${String(value)}`);
}

type Statements = ReturnType<typeof statements>;

function statements(database: Database) {
  const prepare = (sql: string): Statement => database.prepare(sql);
  return {
    insert: prepare("INSERT INTO entries VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"),
    fence: prepare("SELECT run, fence, host FROM runs WHERE id = ?"),
    close: prepare("UPDATE runs SET closed = 1 WHERE id = ?"),
    run: prepare(
      `SELECT runs.id, runs.fence, runs.entries, runs.host, hosts.pid, hosts.started, hosts.machine, hosts.alive_until
       FROM runs LEFT JOIN hosts ON hosts.id = runs.host WHERE runs.run = ?`,
    ),
    count: prepare("SELECT coalesce(max(seq) + 1, 0) AS entries FROM entries WHERE run = ?"),
    create: prepare("INSERT INTO runs (run, fence, host, entries, closed) VALUES (?, 1, ?, 0, 0)"),
    take: prepare("UPDATE runs SET fence = ?, host = ?, entries = ? WHERE id = ?"),
    free: prepare("UPDATE runs SET host = NULL, entries = ? WHERE id = ? AND fence = ? AND host = ?"),
    freeAll: prepare("UPDATE runs SET host = NULL WHERE host = ?"),
    alive: prepare(
      `INSERT INTO hosts VALUES (?, ?, ?, ?, ?)
       ON CONFLICT (id) DO UPDATE SET alive_until = excluded.alive_until`,
    ),
    forget: prepare("DELETE FROM hosts WHERE id = ?"),
    sweep: prepare(
      "DELETE FROM hosts WHERE alive_until < ? AND id NOT IN (SELECT host FROM runs WHERE host IS NOT NULL)",
    ),
    summaries: prepare(
      `SELECT runs.run, runs.closed, runs.host, hosts.pid, hosts.started, hosts.machine, hosts.alive_until,
         coalesce(last.seq + 1, 0) AS entries, coalesce(first.at, 0) AS opened_at, coalesce(last.at, 0) AS updated_at
       FROM runs
       LEFT JOIN hosts ON hosts.id = runs.host
       LEFT JOIN entries AS first ON first.run = runs.id AND first.seq = 0
       LEFT JOIN entries AS last ON last.run = runs.id
         AND last.seq = (SELECT max(seq) FROM entries WHERE run = runs.id)
       ORDER BY last.seq IS NULL, opened_at, runs.id`,
    ),
    dropEntries: prepare("DELETE FROM entries WHERE run = ?"),
    dropRun: prepare("DELETE FROM runs WHERE id = ?"),
  };
}
