// Worker tools whose calls a test ends when it wants to, on threads that are none.
import { WorkerPool } from "../../bindings/js/src/worker-pool.ts";
import { FakeThreads } from "./fake-threads.ts";

/** A call that has begun. */
interface Puppet {
  readonly input: any;
  readonly ctx: any;
  resolve(value?: unknown): void;
  reject(thrown: unknown): void;
}

/** What became of a call, as its caller sees it. */
export interface Called {
  readonly progress: unknown[];
  readonly reports: unknown[];
  value?: unknown;
  error?: any;
  over: boolean;
  abort(why: Error, graceMs: number): void;
}

export interface CallOptions {
  readonly input?: unknown;
  readonly export?: string;
  readonly url?: string;
  readonly transfer?: object[];
}

export class Puppets {
  /** By call id. */
  readonly begun = new Map<string, Puppet>();
  readonly threads = new FakeThreads((url) => this.#load(url));

  /** What the threads find at a URL. */
  async #load(url: string): Promise<Readonly<Record<string, unknown>>> {
    if (url !== "puppets:") throw new Error(`nothing at ${url}`);
    const puppet = (input: unknown, ctx: { readonly callId: string }): Promise<unknown> =>
      new Promise((resolve, reject) => {
        this.begun.set(ctx.callId, { input, ctx, resolve, reject });
      });
    return { default: puppet, notAFunction: 7 };
  }

  pool(size = 2, idleMs = 1_000): WorkerPool {
    return new WorkerPool(this.threads, { size, idleMs });
  }

  /** How many threads nobody has ended. */
  get alive(): number {
    return this.threads.made.filter(({ terminated }) => !terminated).length;
  }

  /** Runs a call and notes what becomes of it. */
  call(pool: WorkerPool, callId: string, options: CallOptions = {}): Called {
    const { url = "puppets:", export: exportName = "default", input = null, transfer } = options;
    const progress: unknown[] = [];
    const reports: unknown[] = [];
    const job = pool.run(
      {
        module: { url, exportName },
        input,
        context: { runId: "run", callId, attempt: 1, idempotencyKey: `key-${callId}` },
        resultBytesMax: 1_000_000,
        ...(transfer === undefined ? {} : { transfer }),
      },
      { onProgress: (value) => progress.push(value), onReport: (report) => reports.push(report) },
    );
    const called: Called = { progress, reports, over: false, abort: (why, graceMs) => job.abort(why, graceMs) };
    job.result.then(
      (value) => Object.assign(called, { value, over: true }),
      (error: unknown) => Object.assign(called, { error, over: true }),
    );
    return called;
  }
}
