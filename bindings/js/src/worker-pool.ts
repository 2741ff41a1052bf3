// The threads of worker tools: at most so many, one call at a time in each. Calls wait in order for a
// thread; one that stays idle is ended; one that dies takes its own call with it and is replaced.
import { HoldfastError } from "./errors.ts";
import type { WorkerModule, WorkerSpawner } from "./ports.ts";
import { closedError } from "./run-end.ts";
import { WorkerCall, type WorkerListener } from "./worker-call.ts";
import type { CallFacts } from "./worker-protocol.ts";
import { ToolThread } from "./worker-thread.ts";

export { WorkerLostError } from "./worker-call.ts";

/** A call that is to be run in a worker. */
export interface WorkerRequest {
  readonly module: WorkerModule;
  /** What can be cloned: it is copied into the worker. */
  readonly input: unknown;
  readonly context: CallFacts;
  /** Largest result, bytes of JSON: one that is larger does not leave the worker. */
  readonly resultBytesMax: number;
  /** Parts of the input that are moved instead of copied. */
  readonly transfer?: readonly object[];
}

/** A call on its way through a worker. */
export interface WorkerJob {
  /**
   * What the tool returned. Rejects with the CallError that it threw, with a `HoldfastError` (`worker-failed`,
   * `result-not-json`, `result-too-large`) when the call could not be made or used, with a `WorkerLostError` when its worker ended
   * before it did, and with the reason of an abort if it had not begun.
   */
  readonly result: Promise<unknown>;
  /** Tells the tool to stop; its worker is ended after `graceMs`. Twice is once. */
  abort(why: Error, graceMs: number): void;
}

/** After its grace, what cannot be ended is left behind, ms: a thread inside a system call. */
const LEAVE_BEHIND_MS = 2_000;

export class WorkerPool {
  readonly #spawner: WorkerSpawner;
  readonly #size: number;
  readonly #idleMs: number;
  readonly #threads = new Set<ToolThread>();
  /** Those without a call, the one that was busy last at the end: the others may grow old. */
  readonly #idle: ToolThread[] = [];
  /** As long as the runtime has permits for. */
  readonly #queue: WorkerCall[] = [];
  #closed = false;
  #onEmpty: (() => void) | undefined;

  /** `size` threads at most; one that had no call for `idleMs` is ended. */
  constructor(spawner: WorkerSpawner, options: { readonly size: number; readonly idleMs: number }) {
    this.#spawner = spawner;
    this.#size = options.size;
    this.#idleMs = options.idleMs;
  }

  /** Runs a call as soon as a thread is free. */
  run(request: WorkerRequest, listener: WorkerListener): WorkerJob {
    const call = new WorkerCall(request, listener);
    if (this.#closed) call.fail(closedError());
    else {
      this.#queue.push(call);
      this.#serve();
    }
    return { result: call.result, abort: (why, graceMs) => this.#abort(call, why, graceMs) };
  }

  /** Stops what runs, ends it after the grace, and waits until the threads have gone. */
  async close(graceMs: number): Promise<void> {
    this.#closed = true;
    for (const call of this.#queue.splice(0)) call.fail(closedError());
    for (const thread of this.#threads) {
      if (thread.call === undefined) thread.end();
      else thread.abort(closedError(), graceMs, this.#spawner);
    }
    // Also those that had been told before and were given longer.
    if (!(await this.#emptyWithin(graceMs))) for (const thread of this.#threads) thread.end();
    await this.#emptyWithin(LEAVE_BEHIND_MS);
  }

  #emptyWithin(timeoutMs: number): Promise<boolean> {
    if (this.#threads.size === 0) return Promise.resolve(true);
    return new Promise((resolve) => {
      const cancel = this.#spawner.timer(timeoutMs, () => resolve(false));
      this.#onEmpty = () => {
        cancel();
        resolve(true);
      };
    });
  }

  #serve(): void {
    while (this.#queue.length > 0 && this.#idle.length > 0) {
      const thread = this.#idle.pop()!;
      if (thread.state === "idle") thread.run(this.#queue.shift()!);
    }
    const starting = (): number => [...this.#threads].filter(({ state }) => state === "starting").length;
    while (starting() < this.#queue.length && this.#threads.size < this.#size) this.#spawn();
  }

  #spawn(): void {
    try {
      const thread = new ToolThread(this.#spawner.spawn(), {
        ready: () => this.#free(thread),
        ended: (why) => this.#ended(thread, why),
      });
      this.#threads.add(thread);
    } catch (thrown) {
      this.#failFirst(thrown);
    }
  }

  /** No thread could be had, so one call gets none: it has certainly not begun. */
  #failFirst(why: unknown): void {
    this.#queue.shift()?.fail(why instanceof HoldfastError ? why : noThread(why));
  }

  #free(thread: ToolThread): void {
    if (this.#closed) {
      thread.end();
      return;
    }
    this.#idle.push(thread);
    this.#serve();
    if (thread.state === "idle") thread.endAfter(this.#idleMs, this.#spawner);
  }

  #ended(thread: ToolThread, why: string): void {
    this.#threads.delete(thread);
    const place = this.#idle.indexOf(thread);
    if (place !== -1) this.#idle.splice(place, 1);
    if (thread.state === "starting") this.#failFirst(why);
    this.#serve();
    if (this.#threads.size === 0) this.#onEmpty?.();
  }

  #abort(call: WorkerCall, why: Error, graceMs: number): void {
    const place = this.#queue.indexOf(call);
    if (place !== -1) {
      this.#queue.splice(place, 1);
      call.fail(why);
      return;
    }
    const thread = [...this.#threads].find((one) => one.call === call);
    thread?.abort(why, graceMs, this.#spawner);
  }
}

function noThread(why: unknown): HoldfastError {
  const words = why instanceof Error ? why.message : String(why);
  return new HoldfastError(
    "worker-failed",
    `no worker thread could be started (${words})`,
    "Nothing of the call was begun. Look at `resourceLimits` and at what the process may still take.",
    { cause: why },
  );
}
