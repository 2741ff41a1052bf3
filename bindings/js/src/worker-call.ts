// One call on its way through the pool: what is asked, and how it ended, once and for all.
import type { Json } from "./outcome.ts";
import type { WorkerRequest } from "./worker-pool.ts";
import type { WorkerReport } from "./worker-report.ts";

/** The worker ended before its call did: whether the tool did its work, nobody here knows. */
export class WorkerLostError extends Error {
  override readonly name: string = "WorkerLostError";
}

/** Told what a call says while it runs. */
export interface WorkerListener {
  onProgress(value: Json): void;
  /** What it says of its limits. */
  onReport(report: WorkerReport): void;
}

export class WorkerCall {
  readonly request: WorkerRequest;
  readonly result: Promise<unknown>;
  readonly #listener: WorkerListener;
  #resolve!: (value: unknown) => void;
  #reject!: (thrown: unknown) => void;
  #over = false;

  constructor(request: WorkerRequest, listener: WorkerListener) {
    this.request = request;
    this.#listener = listener;
    this.result = new Promise((resolve, reject) => {
      this.#resolve = resolve;
      this.#reject = reject;
    });
  }

  progress(value: Json): void {
    if (!this.#over) this.#listener.onProgress(value);
  }

  report(report: WorkerReport): void {
    if (!this.#over) this.#listener.onReport(report);
  }

  /** The first end counts. */
  succeed(value: unknown): void {
    this.#over = true;
    this.#resolve(value);
  }

  fail(thrown: unknown): void {
    this.#over = true;
    this.#reject(thrown);
  }
}
