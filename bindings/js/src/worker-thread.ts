// One thread of the pool: proven to work, then given one call after another. It turns what the worker
// says, and the worker's end, into the end of its call. Whose turn it is, the pool decides.
import { expose, type Remote, transfer, wrap } from "comlink";
import { HoldfastError } from "./errors.ts";
import type { WorkerSpawner, WorkerThread } from "./ports.ts";
import { type WorkerCall, WorkerLostError } from "./worker-call.ts";
import {
  type FromWorker,
  guarded,
  type HostSide,
  readFromWorker,
  type ToWorker,
  type Unasked,
  type WorkerSide,
} from "./worker-protocol.ts";

export type ThreadState = "starting" | "idle" | "busy" | "ending";

/** What the pool wants to know. */
export interface ThreadListener {
  /** It can take a call. */
  ready(): void;
  /** It has gone; `state` is still what it was. */
  ended(why: string): void;
}

type CallOver = Exclude<FromWorker, Unasked | { readonly kind: "heard" }>;

function unsendable(thrown: unknown): HoldfastError {
  const why = thrown instanceof Error ? thrown.message : String(thrown);
  return new HoldfastError(
    "worker-failed",
    `the call could not be sent to its worker (${why})`,
    "What the tool's schema makes of an input, and what `transfer` names of it, must be fit for structuredClone.",
    { cause: thrown },
  );
}

export class ToolThread {
  state: ThreadState = "starting";
  /** What it runs now. */
  call: WorkerCall | undefined;
  readonly #thread: WorkerThread;
  readonly #listener: ThreadListener;
  readonly #remote: Remote<WorkerSide>;
  #job = 0;
  #told = false;
  #cancelTimer: (() => void) | undefined;

  constructor(thread: WorkerThread, listener: ThreadListener) {
    this.#thread = thread;
    this.#listener = listener;
    const endpoint = guarded(thread.endpoint);
    this.#remote = wrap<WorkerSide>(endpoint);
    expose({ tell: (message) => this.#heard(message) } satisfies HostSide, endpoint);
    thread.onEnd((why) => this.#ended(why));
    // A promise of a thread that dies stays pending; what counts is that it died.
    this.#tell({ kind: "hello" }).then(
      () => this.#free(),
      () => this.end(),
    );
  }

  #tell(message: ToWorker, moved: readonly object[] = []): Promise<unknown> {
    return this.#remote.tell(transfer(message, [...moved] as Parameters<typeof transfer>[1]));
  }

  /** Gives it a call. Only for an idle one. */
  run(call: WorkerCall): void {
    this.#stopTimer();
    this.state = "busy";
    this.call = call;
    this.#told = false;
    this.#thread.hold(true);
    const { module, input, context, resultBytesMax, transfer: moved } = call.request;
    this.#tell({ kind: "run", job: ++this.#job, module, input, facts: context, resultBytesMax }, moved).then(
      (answer) => this.#answered(call, readFromWorker(answer)),
      // The worker catches all that happens over there, so what is thrown here was never sent.
      (thrown) => this.#over(call, () => call.fail(unsendable(thrown))),
    );
  }

  #answered(call: WorkerCall, answer: FromWorker | undefined): void {
    if (answer === undefined || answer.kind === "heard" || answer.kind === "progress" || answer.kind === "report") {
      call.fail(new WorkerLostError("the worker gave an answer that is none, so it was ended"));
      this.end();
      return;
    }
    this.#over(call, () => settle(call, answer));
  }

  #over(call: WorkerCall, settleIt: () => void): void {
    settleIt();
    if (this.call !== call) return;
    this.call = undefined;
    if (this.state === "busy") this.#free();
  }

  #free(): void {
    if (this.state === "ending") return;
    this.#stopTimer();
    this.state = "idle";
    this.#thread.hold(false);
    this.#listener.ready();
  }

  #heard(message: unknown): void {
    const heard = readFromWorker(message);
    if (heard?.kind === "progress" && heard.job === this.#job) this.call?.progress(heard.value);
    if (heard?.kind === "report" && heard.job === this.#job) this.call?.report(heard.report);
  }

  /** Tells its call to stop, and ends the thread if it has not within `graceMs`. */
  abort(why: Error, graceMs: number, spawner: WorkerSpawner): void {
    if (this.state !== "busy" || this.#told) return;
    this.#told = true;
    const { name, message } = why;
    // Its answer says only that it was heard: what counts is how the call ends.
    this.#tell({ kind: "abort", job: this.#job, why: { name, message } }).catch(() => undefined);
    this.#cancelTimer = spawner.timer(graceMs, () => this.end());
  }

  /** Ends it unless it gets a call within this time. */
  endAfter(idleMs: number, spawner: WorkerSpawner): void {
    this.#cancelTimer = spawner.timer(idleMs, () => this.end());
  }

  /** Ends it now. Its call is lost once the thread has really gone. */
  end(): void {
    if (this.state === "ending") return;
    this.#stopTimer();
    // One that never worked stays `starting`, so that the pool can tell.
    if (this.state !== "starting") this.state = "ending";
    this.#thread.hold(true);
    this.#thread.terminate();
  }

  #stopTimer(): void {
    this.#cancelTimer?.();
    this.#cancelTimer = undefined;
  }

  #ended(why: string): void {
    this.#stopTimer();
    this.call?.fail(new WorkerLostError(this.#told ? `${why}; its call had been told to stop` : why));
    this.call = undefined;
    this.#listener.ended(why);
    this.state = "ending";
  }
}

/** How a call ended, as whoever waits for it sees it. A CallError is thrown as what it is, with its code and data. */
function settle(call: WorkerCall, end: CallOver): void {
  switch (end.kind) {
    case "returned":
      call.succeed(end.value);
      return;
    case "threw":
      call.fail(end.error);
      return;
    case "refused":
      call.fail(new HoldfastError(end.code, end.what, end.next));
  }
}
