// One call on its way through the pool: what is asked, and how it ended, once and for all.
import type { Json } from "./outcome.ts";
import type { WorkerRequest } from "./worker-pool.ts";

/** The worker ended before its call did: whether the tool did its work, nobody here knows. */
export class WorkerLostError extends Error {
  override readonly name: string = "WorkerLostError";
}

export class WorkerCall {
  readonly request: WorkerRequest;
  readonly result: Promise<unknown>;
  readonly #onProgress: (value: Json) => void;
  #resolve!: (value: unknown) => void;
  #reject!: (thrown: unknown) => void;
  #over = false;

  constructor(request: WorkerRequest, onProgress: (value: Json) => void) {
    this.request = request;
    this.#onProgress = onProgress;
    this.result = new Promise((resolve, reject) => {
      this.#resolve = resolve;
      this.#reject = reject;
    });
  }

  progress(value: Json): void {
    if (!this.#over) this.#onProgress(value);
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
