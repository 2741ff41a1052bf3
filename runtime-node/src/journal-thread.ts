// The journal's thread: takes what has been asked, makes it durable as one commit, says so, and reads for
// others in between. It holds the file; when it has nothing to do it sleeps, and wakes to renew its leases.
import { type MessagePort, receiveMessageOnPort, workerData } from "node:worker_threads";
import { RingReader } from "./journal-ring.ts";
import { type Change, JournalStore, type Outcome } from "./journal-store.ts";
import {
  failureOf,
  type Reply,
  type Request,
  type Rows,
  type ThreadStart,
  unpack,
  type VerifyStart,
  type WishResult,
} from "./journal-wire.ts";
import { journalError } from "./sqlite-errors.ts";
import type { Verified } from "./verify-journal.ts";

/** Reads of runs that are under way, a piece at a time. */
interface Reading {
  readonly id: number;
  readonly pieces: Generator<Rows, void>;
  readonly result: WishResult;
  /** When it fails: whoever cannot have the entries shall not hold the run. */
  readonly giveBack?: () => void;
}

/** After so long without anything to do, what is in the log is moved into the file. */
const IDLE_MS = 20;

class JournalThread {
  readonly #start: ThreadStart & { readonly port: MessagePort };
  readonly #ring: RingReader;
  readonly #readings: Reading[] = [];
  #mailed = 0;
  #closing: number | undefined;

  constructor(start: ThreadStart & { readonly port: MessagePort }) {
    this.#start = start;
    this.#ring = new RingReader(start.ring);
  }

  /** Opens the file and serves until it is told to close. */
  serve(): void {
    const { path, leaseMs } = this.#start;
    const store = this.#attempt(0, () => new JournalStore(path, leaseMs));
    if (store !== undefined) this.#mail({ id: 0, kind: "done", result: undefined });
    this.#ring.say(0, this.#mailed);
    if (store !== undefined) this.#loop(store);
  }

  #loop(store: JournalStore): void {
    for (;;) {
      const requests = this.#take();
      this.#mailed = 0;
      const granted = this.#carryOut(store, requests);
      this.#readOn();
      if (granted > 0 || this.#mailed > 0) this.#ring.say(granted, this.#mailed);
      const untilBeat = store.beat();
      if (this.#readings.length > 0) continue;
      if (this.#closing !== undefined) {
        this.#close(store, this.#closing);
        return;
      }
      if (requests.length > 0) store.after(this.#ring.waiting);
      else this.#idle(store, untilBeat);
    }
  }

  #take(): Request[] {
    return this.#ring.take().map((frame) => {
      if (frame.length > 0) return unpack(frame);
      return unpack(receiveMessageOnPort(this.#start.port)?.message as Uint8Array);
    });
  }

  /** How many appends it was. */
  #carryOut(store: JournalStore, requests: readonly Request[]): number {
    const changes = requests.filter((request): request is Change & { readonly id: number } => {
      return request.kind !== "read" && request.kind !== "runs" && request.kind !== "close";
    });
    const outcomes = changes.length === 0 ? [] : store.commit(changes);
    for (const [i, outcome] of outcomes.entries()) this.#answer(store, changes[i]!, outcome);
    for (const request of requests) {
      if (request.kind === "read") this.#read(store, request);
      else if (request.kind === "runs") this.#reply(request.id, () => ({ runs: store.runs() }));
      else if (request.kind === "close") this.#closing = request.id;
    }
    return changes.filter(({ kind }) => kind === "append").length;
  }

  #answer(store: JournalStore, { id, kind }: Change & { readonly id: number }, outcome: Outcome): void {
    if (outcome.kind === "failed") this.#mail({ id, kind: "failed", failure: failureOf(outcome.error) });
    else if (outcome.opened !== undefined) {
      const { run, number, fence, entries } = outcome.opened;
      const giveBack = (): void => void store.commit([{ kind: "release", run, number, fence }]);
      this.#readings.push({ id, pieces: store.read(run, number, entries), result: { number, fence }, giveBack });
    } else if (outcome.pruned !== undefined) this.#mail({ id, kind: "done", result: { pruned: outcome.pruned } });
    else if (kind !== "append") this.#mail({ id, kind: "done", result: undefined });
  }

  #read(store: JournalStore, { id, run }: Extract<Request, { readonly kind: "read" }>): void {
    const found = this.#attempt(id, () => ({ at: store.find(run) }));
    if (found === undefined) return;
    if (found.at === undefined) this.#mail({ id, kind: "done", result: { found: false } });
    else {
      const pieces = store.read(run, found.at.number, found.at.entries);
      this.#readings.push({ id, pieces, result: { found: true } });
    }
  }

  /** One piece of the reading that has waited longest. */
  #readOn(): void {
    const reading = this.#readings[0];
    if (reading === undefined) return;
    const piece = this.#attempt(reading.id, () => reading.pieces.next());
    if (piece !== undefined && !piece.done) {
      this.#mail({ id: reading.id, kind: "rows", rows: piece.value });
      return;
    }
    this.#readings.shift();
    if (piece === undefined) reading.giveBack?.();
    if (piece !== undefined) this.#mail({ id: reading.id, kind: "done", result: reading.result });
  }

  #idle(store: JournalStore, untilBeat: number): void {
    if (!store.wantsMoving) this.#ring.wait(untilBeat);
    else if (this.#ring.wait(Math.min(untilBeat, IDLE_MS)) === "timed-out") store.tidy();
  }

  #close(store: JournalStore, id: number): void {
    this.#mailed = 0;
    this.#reply(id, () => {
      store.close();
      return undefined;
    });
    this.#ring.say(0, this.#mailed);
  }

  #reply(id: number, work: () => WishResult): void {
    const result = this.#attempt(id, () => ({ of: work() }));
    if (result !== undefined) this.#mail({ id, kind: "done", result: result.of });
  }

  /** What a piece of work gives, or undefined when it failed and its failure is in the mail. */
  #attempt<Result>(id: number, work: () => Result): Result | undefined {
    try {
      return work();
    } catch (thrown) {
      const error = journalError(this.#start.path, id === 0 ? "opening" : "reading", thrown);
      this.#mail({ id, kind: "failed", failure: failureOf(error) });
      return undefined;
    }
  }

  #mail(reply: Reply): void {
    this.#mailed += 1;
    const moved = reply.kind === "rows" ? [reply.rows.numbers.buffer, reply.rows.payloads.buffer] : [];
    this.#start.port.postMessage(reply, moved as ArrayBuffer[]);
  }
}

/** Node 22 warns that its SQLite is experimental: nobody who uses Holdfast has chosen it. */
function quietSqliteWarning(): void {
  const emit = process.emitWarning.bind(process) as (...given: unknown[]) => void;
  process.emitWarning = ((warning: string | Error, ...rest: unknown[]): void => {
    const text = typeof warning === "string" ? warning : warning.message;
    if (!text.startsWith("SQLite is an experimental feature")) emit(warning, ...rest);
  }) as typeof process.emitWarning;
}

/** Loaded only here: it needs the core. */
async function verify(path: string, port: MessagePort): Promise<void> {
  const { verifyFile } = await import("./verify-file.ts");
  let verified: Verified;
  try {
    verified = { report: verifyFile(path) };
  } catch (thrown) {
    verified = { failure: failureOf(journalError(path, "reading", thrown)) };
  }
  port.postMessage(verified);
}

quietSqliteWarning();
const start = workerData as (ThreadStart | VerifyStart) & { readonly port: MessagePort };
if ("verify" in start) await verify(start.verify, start.port);
else new JournalThread(start).serve();
