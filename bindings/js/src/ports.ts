// What a runtime gives a driver. Types only: a port is where I/O lives, and nothing here decides.
import type { Entry } from "./entry.ts";

/** A run's journal as it was when its lease was taken. */
export interface OpenedRun {
  /** Higher than every fence before it; an append with an older one is refused. */
  readonly fence: number;
  /** Everything in the journal, in order. Empty for a new run. */
  readonly entries: readonly Entry[];
}

/** What `runs()` lists. Times are wall-clock milliseconds. */
export interface RunSummary {
  /** The key under which the journal holds the run (see run-key.ts). */
  readonly run: string;
  readonly entries: number;
  /** Wall ms of the first and of the last entry. */
  readonly openedAt: number;
  readonly updatedAt: number;
  readonly closed: boolean;
  /** Is some living host's lease on it, as far as the store can tell? */
  readonly leased: boolean;
}

export interface PruneOptions {
  /** Only runs that closed before this wall-clock time, ms. */
  readonly closedBefore: number;
}

/**
 * The ordered entries of runs, and the leases to write them. Whoever implements it passes the
 * contract test in `test/journal/contract.ts`.
 *
 * Failures are `JournalError`s with a code: `run-busy` (a HoldfastError) when a living host holds the
 * lease, `fenced` when a newer one took it, `journal-corrupt` naming run and entry, and so on.
 */
export interface Journal {
  /** False when a crash of the process loses everything. */
  readonly durable: boolean;
  /** For people: a path, or "memory". */
  readonly name: string;
  /** Takes the lease with a new fence and reads what is there. Creates the run if there is none. */
  open(run: string): Promise<OpenedRun>;
  /**
   * Appends a group of entries: all or none, after every group appended to the run before. Resolves
   * once it is durable. Groups of all runs that come close together share one commit.
   * A group that fails takes those after it along, until the run is opened again: a journal has no holes.
   * The caller does not touch the payloads' bytes afterwards.
   */
  append(run: string, fence: number, entries: readonly Entry[]): Promise<void>;
  /** Gives the lease back, after what was appended. An unknown or fenced run is not an error. */
  release(run: string, fence: number): Promise<void>;
  /** Reads a run without taking its lease; undefined if there is none. */
  read(run: string): Promise<readonly Entry[] | undefined>;
  /** All runs, by first entry; an empty iteration order surprise is a bug. */
  runs(): Promise<readonly RunSummary[]>;
  /** Deletes closed runs; returns their keys. Never touches an open or leased run. */
  prune(options: PruneOptions): Promise<readonly string[]>;
  /** Waits for what was appended, releases all leases, closes the store. Twice is once. */
  close(): Promise<void>;
}

/** Time, as an input. */
export interface Clock {
  /** Monotonic microseconds, an integer below 2^53. */
  nowUs(): number;
  /** Wall-clock milliseconds, an integer. */
  wallMs(): number;
  /** Calls back once, not before `delayMs` (at most 2^31-1) has passed. Returns what cancels it. */
  timer(delayMs: number, callback: () => void): () => void;
}

/** Where a worker tool's code is. */
export interface WorkerModule {
  /** An absolute URL of an ES module. */
  readonly url: string;
  /** Name of its exported function `(input, ctx) => result`. */
  readonly exportName: string;
}

/** How messages pass to a thread and back: what a `Worker` of the browser is, and Node's with comlink's adapter. */
export interface WorkerEndpoint {
  /** Throws when the message cannot be cloned. */
  postMessage(message: unknown, transfer?: readonly object[]): void;
  /** Hears every message from now on. */
  addEventListener(type: "message", listener: (event: { readonly data: unknown }) => void): void;
  /** Hears none any more. */
  removeEventListener(type: "message", listener: (event: { readonly data: unknown }) => void): void;
}

/** A thread that runs `tool-worker.ts`. */
export interface WorkerThread {
  readonly endpoint: WorkerEndpoint;
  /** Calls back once, when the thread has gone or can do no more, whoever ended it; says why in words. */
  onEnd(listener: (why: string) => void): void;
  /** Ends it, whatever it is doing. Twice is once. */
  terminate(): void;
  /** Does it keep the process alive? It begins by doing so. */
  hold(alive: boolean): void;
}

/** Makes threads for worker tools. */
export interface WorkerSpawner {
  /** Throws when there can be no thread. */
  spawn(): WorkerThread;
  /** Calls back once, not before `delayMs` has passed; keeps no process alive. Returns what cancels it. */
  timer(delayMs: number, callback: () => void): () => void;
}

/** Everything a driver needs from its environment. */
export interface Ports {
  readonly journal: Journal;
  readonly clock: Clock;
  /** The compiled core module. */
  readonly core: WebAssembly.Module;
  /** Absent where there are no workers: worker tools are refused when the runtime is opened. */
  readonly workers?: WorkerSpawner;
  /** Entropy for seeds and uuids: cryptographic bytes. */
  readonly random: (bytes: number) => Uint8Array;
  /** SHA-256 of UTF-8 text; absent: a portable one. */
  readonly sha256?: (text: string) => Uint8Array;
  /** Takes every crossing into the core, a line each way, for `holdfast replay`. Never throws. Absent costs nothing. */
  readonly record?: (line: string) => void;
  /** Tells a person something they should know (not durable, unclaimed calls, a tool that ignores its abort). */
  readonly warn: (message: string) => void;
}
