// A journal in a SQLite file, which a thread of its own holds: this is the end that the program's thread sees.
// It hands groups and wishes over and settles promises; what is durable is decided over there.
import { MessageChannel, type MessagePort, receiveMessageOnPort, Worker } from "node:worker_threads";
import type { Entry } from "../../bindings/js/src/entry.ts";
import { checkGroup } from "../../bindings/js/src/entry-bounds.ts";
import { type HoldfastError, JournalError } from "../../bindings/js/src/errors.ts";
import { journalClosed } from "../../bindings/js/src/journal-errors.ts";
import { checkInteger, checkKeys } from "../../bindings/js/src/options.ts";
import type { Journal, OpenedRun, PruneOptions, RunSummary } from "../../bindings/js/src/ports.ts";
import { journalPath } from "./journal-file.ts";
import { FRAME_BYTES_MAX, newRing, RingWriter } from "./journal-ring.ts";
import { errorOf, Packer, type Reply, takeApart, type Wish, type WishResult } from "./journal-wire.ts";
import { threadFile } from "./thread-file.ts";

/** Options of `openSqliteJournal`. */
export interface SqliteJournalOptions {
  /** How long a process that has stopped answering keeps its runs, ms: 1_000…3_600_000. Default 10_000. */
  readonly leaseMs?: number;
}

/** A journal that survives its process. */
export interface DurableJournal extends Journal {
  readonly durable: true;
}

/**
 * Opens a journal in a SQLite file, which is made if there is none; its folder must be there. Close it, or
 * its thread ends with the process. Several processes may have one file open, each run one of them at a time.
 *
 * Throws `invalid-option`, or a JournalError: `journal-foreign` for another program's file, `journal-version`
 * for one of a newer Holdfast, `journal-corrupt`, or `journal-unavailable` when it cannot be opened.
 */
export async function openSqliteJournal(path: string, options: SqliteJournalOptions = {}): Promise<DurableJournal> {
  const given = checkKeys("options", options, ["leaseMs"]);
  const leaseMs = checkInteger("leaseMs", given.leaseMs as number | undefined, 1_000, 3_600_000, 10_000);
  const journal = new SqliteJournal(journalPath(path), leaseMs);
  await journal.opened;
  return journal;
}

interface Waiting {
  readonly resolve: (result: WishResult) => void;
  readonly reject: (error: HoldfastError) => void;
  /** What was read so far: taken apart while the thread reads on. */
  readonly entries: Entry[];
}

interface Answer {
  readonly result: WishResult;
  readonly entries: readonly Entry[];
}

interface WaitingAppend {
  readonly id: number;
  readonly held: HeldRun;
  readonly resolve: () => void;
  readonly reject: (error: HoldfastError) => void;
}

/** A run whose lease this journal took, under its number in the file. */
interface HeldRun {
  readonly number: number;
  readonly fence: number;
  /** A group that was not written: none after it may be, or the journal would have a hole. */
  failed: HoldfastError | undefined;
}

const STANDS_FOR_A_MESSAGE = new Uint8Array();

class SqliteJournal implements DurableJournal {
  readonly durable = true;
  readonly name: string;
  /** Settles when the file is open, or cannot be. */
  readonly opened: Promise<unknown>;
  readonly #thread: Worker;
  readonly #ended: Promise<void>;
  readonly #port: MessagePort;
  readonly #ring: RingWriter;
  readonly #packer = new Packer();
  readonly #held = new Map<string, HeldRun>();
  readonly #waiting = new Map<number, Waiting>();
  #appends: WaitingAppend[] = [];
  /** Failures of appends, until their turn has come. */
  readonly #failures = new Map<number, HoldfastError>();
  /** Frames that the ring has no room for. */
  #backlog: Uint8Array[] = [];
  #nextId = 1;
  #granted = 0;
  #mailed = 0;
  #publishing = false;
  #listening = false;
  /** Why it does nothing any more. */
  #over: HoldfastError | undefined;
  #closing: Promise<void> | undefined;

  constructor(path: string, leaseMs: number) {
    this.name = path;
    const ring = newRing();
    const { port1, port2 } = new MessageChannel();
    this.#ring = new RingWriter(ring);
    this.#port = port1;
    this.#thread = new Worker(threadFile("journal-thread.js", "journal-unavailable"), {
      name: "holdfast-journal",
      workerData: { path, leaseMs, ring, port: port2 },
      transferList: [port2],
    });
    this.opened = this.#promiseOf(0);
    this.#ended = new Promise((resolve) => {
      this.#thread.once("error", (error) => this.#lost(error));
      this.#thread.once("exit", (code) => {
        this.#lost(new Error(`it ended with code ${code}`));
        resolve();
      });
    });
    this.#listen();
  }

  async open(run: string): Promise<OpenedRun> {
    const { result, entries } = await this.#ask({ kind: "open", run });
    const { number, fence } = result as { readonly number: number; readonly fence: number };
    this.#held.set(run, { number, fence, failed: undefined });
    return { fence, entries };
  }

  append(run: string, fence: number, entries: readonly Entry[]): Promise<void> {
    try {
      return this.#append(run, fence, entries);
    } catch (error) {
      return Promise.reject(error);
    }
  }

  #append(run: string, fence: number, entries: readonly Entry[]): Promise<void> {
    this.#refuseOver();
    const held = this.#held.get(run);
    if (held === undefined || held.fence !== fence)
      return this.#ask({ kind: "refuse", run, fence }).then(() => undefined);
    if (held.failed !== undefined) throw held.failed;
    held.failed = checkGroup(run, entries);
    if (held.failed !== undefined) throw held.failed;
    const id = this.#nextId++;
    this.#send(this.#packer.group(id, held.number, fence, entries));
    return new Promise((resolve, reject) => this.#appends.push({ id, held, resolve, reject }));
  }

  async release(run: string, fence: number): Promise<void> {
    this.#refuseOver();
    const held = this.#held.get(run);
    if (held?.fence !== fence) return;
    this.#held.delete(run);
    await this.#ask({ kind: "release", run, number: held.number, fence });
  }

  async read(run: string): Promise<readonly Entry[] | undefined> {
    const { result, entries } = await this.#ask({ kind: "read", run });
    return (result as { readonly found: boolean }).found ? entries : undefined;
  }

  async runs(): Promise<readonly RunSummary[]> {
    const { result } = await this.#ask({ kind: "runs" });
    return (result as { readonly runs: readonly RunSummary[] }).runs;
  }

  async prune({ closedBefore }: PruneOptions): Promise<readonly string[]> {
    const { result } = await this.#ask({ kind: "prune", closedBefore });
    return (result as { readonly pruned: readonly string[] }).pruned;
  }

  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  async #close(): Promise<void> {
    const closed = this.#over === undefined ? this.#ask({ kind: "close" }) : undefined;
    this.#over ??= journalClosed(this.name);
    try {
      await closed;
    } finally {
      this.#thread.ref();
      await this.#ended;
    }
  }

  // ── handing over ──────────────────────────────────────────────────────────────────────────────

  #refuseOver(): void {
    if (this.#over !== undefined) throw this.#over;
  }

  async #ask(wish: Wish): Promise<Answer> {
    this.#refuseOver();
    const id = this.#nextId++;
    this.#send(this.#packer.wish(id, wish));
    return this.#promiseOf(id);
  }

  #promiseOf(id: number): Promise<Answer> {
    return new Promise((resolve, reject) => {
      const entries: Entry[] = [];
      this.#waiting.set(id, { resolve: (result) => resolve({ result, entries }), reject, entries });
    });
  }

  #send(frame: Uint8Array): void {
    if (this.#backlog.length > 0 || !this.#write(frame)) this.#backlog.push(frame.slice());
    if (this.#publishing) return;
    this.#publishing = true;
    // Once per breath: groups of all runs that come together are shown together, and share a commit.
    queueMicrotask(() => {
      this.#publishing = false;
      this.#ring.publish();
      this.#listen();
    });
  }

  /** False when there is no room for it now. */
  #write(frame: Uint8Array): boolean {
    if (frame.length <= FRAME_BYTES_MAX) return this.#ring.write(frame);
    if (!this.#ring.write(STANDS_FOR_A_MESSAGE)) return false;
    const copy = frame.slice();
    this.#port.postMessage(copy, [copy.buffer]);
    return true;
  }

  #writeBacklog(): void {
    let written = 0;
    while (written < this.#backlog.length && this.#write(this.#backlog[written]!)) written++;
    if (written === 0) return;
    this.#backlog = this.#backlog.slice(written);
    this.#ring.publish();
  }

  // ── hearing back ──────────────────────────────────────────────────────────────────────────────

  get #pending(): boolean {
    return this.#appends.length > 0 || this.#waiting.size > 0;
  }

  /** Settles what has been answered, and waits for more while there is something to wait for. */
  #listen(): void {
    if (this.#listening) return;
    this.#hear();
  }

  #hear(): void {
    for (;;) {
      const { wakes } = this.#ring;
      this.#readMail();
      this.#settleAppends();
      this.#writeBacklog();
      if (!this.#pending) break;
      const spoken = this.#ring.spoken(wakes);
      if (spoken === undefined) continue;
      if (!this.#listening) this.#thread.ref();
      this.#listening = true;
      void spoken.then(() => this.#hear());
      return;
    }
    // Nothing to wait for: the process may end.
    this.#listening = false;
    this.#thread.unref();
  }

  #readMail(): void {
    for (const { mailed } = this.#ring; this.#mailed !== mailed; this.#mailed = (this.#mailed + 1) >>> 0) {
      const reply = receiveMessageOnPort(this.#port)?.message as Reply;
      const waiting = this.#waiting.get(reply.id);
      if (reply.kind === "rows") {
        if (waiting !== undefined) takeApart(reply.rows, waiting.entries);
      } else if (waiting === undefined) {
        if (reply.kind === "failed") this.#failures.set(reply.id, errorOf(reply.failure));
      } else {
        this.#waiting.delete(reply.id);
        if (reply.kind === "done") waiting.resolve(reply.result);
        else waiting.reject(errorOf(reply.failure));
      }
    }
  }

  #settleAppends(): void {
    const { granted } = this.#ring;
    const count = (granted - this.#granted) >>> 0;
    if (count === 0) return;
    this.#granted = granted;
    const settled = this.#appends.slice(0, count);
    this.#appends = this.#appends.slice(count);
    for (const { id, held, resolve, reject } of settled) {
      const failure = this.#failures.get(id);
      if (failure === undefined) {
        resolve();
        continue;
      }
      this.#failures.delete(id);
      held.failed ??= failure;
      reject(failure);
    }
  }

  /** The thread is gone: nobody will answer any more. */
  #lost(cause: Error): void {
    this.#readMail();
    this.#settleAppends();
    const next = "Open the journal again: it goes on from what is on disk.";
    const what = `the thread of the journal ${JSON.stringify(this.name)} ended unexpectedly (${cause.message})`;
    const error = new JournalError("journal-unavailable", what, next, { details: { path: this.name }, cause });
    this.#over ??= error;
    const [appends, waiting] = [this.#appends, [...this.#waiting.values()]];
    this.#appends = [];
    this.#waiting.clear();
    this.#backlog = [];
    for (const { reject } of appends) reject(error);
    for (const { reject } of waiting) reject(error);
    this.#port.close();
  }
}
