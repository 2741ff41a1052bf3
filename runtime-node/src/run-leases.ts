// Who may write which run: takes leases, gives them back, says that this journal lives, and refuses an older
// fence. All of it within the transaction of whoever calls; what a rollback must take back goes into `undo`.

import type { HoldfastError } from "../../bindings/js/src/errors.ts";
import { fenced, runBusy } from "../../bindings/js/src/journal-errors.ts";
import { countEntries, integer, type JournalSql } from "./journal-sql.ts";
import { type Holder, isGone, newHolder } from "./lease-holder.ts";
import { RowChecksum } from "./row-checksum.ts";
import type { SqlRow } from "./sqlite.ts";

/** A run whose lease was taken: its number in this file, and how many entries it has. */
export interface OpenedRow {
  readonly run: string;
  readonly number: number;
  readonly fence: number;
  readonly entries: number;
}

/** A run whose lease is held here. */
export interface HeldRow {
  readonly run: string;
  readonly fence: number;
  readonly checksum: RowChecksum;
  /** The seq of the next entry. */
  next: number;
  /** Why a group was not written: none after it may be, or there would be a hole. */
  failed: HoldfastError | undefined;
}

/** What takes back in memory what a rollback takes back in the file. */
export type Undo = (() => void)[];

export class RunLeases {
  readonly #sql: JournalSql;
  readonly #leaseMs: number;
  readonly #me: Holder = newHolder();
  readonly #held = new Map<number, HeldRow>();
  /** Given back here, and not yet in the file. */
  readonly #owed = new Map<number, HeldRow>();
  /** When this journal is to say again that it lives, wall ms. 0: it never has. */
  #beatAt = 0;

  constructor(sql: JournalSql, leaseMs: number) {
    this.#sql = sql;
    this.#leaseMs = leaseMs;
  }

  /** Takes a run's lease with a new fence. Throws `run-busy`, or `journal-corrupt` when entries are missing. */
  take(run: string, undo: Undo): OpenedRow {
    const now = Date.now();
    const row = this.#sql.run.get([run]);
    if (row !== undefined) this.#freeOrBusy(run, row, now);
    const entries = row === undefined ? 0 : countEntries(this.#sql, run, row);
    this.renew(now);
    if (row === undefined) this.#sql.create.run([run, this.#me.id]);
    else this.#sql.take.run([this.#me.id, entries, integer(run, row, "id")]);
    const taken = this.#sql.run.get([run])!;
    const [number, fence] = [integer(run, taken, "id"), integer(run, taken, "fence")];
    this.#held.set(number, { run, fence, checksum: new RowChecksum(run), next: entries, failed: undefined });
    undo.push(() => this.#held.delete(number));
    return { run, number, fence, entries };
  }

  #freeOrBusy(run: string, row: SqlRow, now: number): void {
    if (row.host === null || row.alive_until === null) return;
    const pid = integer(run, row, "pid");
    const aliveUntil = integer(run, row, "alive_until");
    if (row.host === this.#me.id) {
      if (this.#held.has(integer(run, row, "id"))) throw runBusy(run, `process ${pid} (this one)`, aliveUntil);
    } else if (isGone(holderOf(row))) {
      this.#sql.freeAll.run([row.host as string]);
      this.#sql.forget.run([row.host as string]);
    } else if (aliveUntil > now) throw runBusy(run, `process ${pid}`, aliveUntil);
  }

  /** A run that is held here under this fence, and still is in the file. Throws `fenced`. */
  check(number: number, fence: number): HeldRow {
    const held = this.#held.get(number);
    const row = this.#sql.fence.get([number]);
    if (held?.fence === fence && row?.host === this.#me.id && Number(row.fence) === fence) return held;
    if (held?.fence === fence) this.#held.delete(number);
    throw fenced(held?.run ?? String(row?.run ?? "?"), fence, row === undefined ? undefined : Number(row.fence));
  }

  /** Why this fence may not write a run. */
  refusal(run: string, fence: number): HoldfastError {
    const row = this.#sql.run.get([run]);
    return fenced(run, fence, row === undefined ? undefined : integer(run, row, "fence"));
  }

  /** Remembers that a group of this run was not written. */
  fail(number: number, error: HoldfastError): void {
    const held = this.#held.get(number);
    if (held !== undefined) held.failed = error;
  }

  /** Gives a lease back; one that is not held is nothing. */
  release(number: number, fence: number, undo: Undo): void {
    const held = this.#held.get(number);
    if (held?.fence !== fence) return;
    this.#held.delete(number);
    undo.push(() => this.#held.set(number, held));
    this.#free(number, held);
  }

  /** Gives a lease back that the file does not take back now: it hears of it with the next change that it takes. */
  owe(number: number, fence: number): void {
    const held = this.#held.get(number);
    if (held?.fence !== fence) return;
    this.#held.delete(number);
    this.#owed.set(number, held);
  }

  payOwed(): void {
    for (const [number, held] of this.#owed) this.#free(number, held);
  }

  paid(): void {
    this.#owed.clear();
  }

  get everHeld(): boolean {
    return this.#beatAt !== 0;
  }

  /** Gives all back. */
  releaseAll(): void {
    for (const [number, held] of [...this.#owed, ...this.#held]) this.#free(number, held);
    this.#sql.freeAll.run([this.#me.id]);
    this.#sql.forget.run([this.#me.id]);
  }

  #free(number: number, { next, fence }: HeldRow): void {
    this.#sql.free.run([next, number, fence, this.#me.id]);
  }

  /** Says that this journal lives; the first time within the transaction that takes its first lease. */
  renew(now: number): void {
    const { id, pid, started, machine } = this.#me;
    if (this.#beatAt === 0) this.#sql.sweep.run([now]);
    this.#sql.alive.run([id, pid, started, machine, now + this.#leaseMs]);
    this.#beatAt = now + this.#leaseMs / 3;
  }

  /** How long until it is to be said again, ms. Without a lease there is nothing to renew. */
  untilBeat(now: number): number {
    if (this.#held.size === 0) return Number.POSITIVE_INFINITY;
    const left = this.#beatAt - now;
    // More than there ever is: the clock was set back.
    return left > this.#leaseMs ? 0 : Math.max(0, left);
  }

  /** Does whoever holds this run live, as far as can be told? `known` spares asking twice in one list. */
  isHeld(row: SqlRow, now: number, known: Map<string, boolean>): boolean {
    if (row.host === null || row.alive_until === null) return false;
    const host = String(row.host);
    let lives = known.get(host);
    if (lives === undefined) {
      lives = host === this.#me.id || (Number(row.alive_until) > now && !isGone(holderOf(row)));
      known.set(host, lives);
    }
    return lives;
  }
}

function holderOf(row: SqlRow): Omit<Holder, "id"> {
  return { pid: Number(row.pid), started: String(row.started), machine: String(row.machine) };
}
