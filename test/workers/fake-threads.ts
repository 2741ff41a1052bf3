// Threads that are none: each has the real inside of a worker behind a pair of endpoints that clone what
// passes, so that a test sees every message, kills when it wants to, and moves the time itself.
import { expose, wrap } from "comlink";
import type { WorkerEndpoint, WorkerSpawner, WorkerThread } from "../../bindings/js/src/ports.ts";
import { makeToolWorker } from "../../bindings/js/src/tool-worker.ts";
import type { HostSide } from "../../bindings/js/src/worker-protocol.ts";

type Listener = (event: { readonly data: unknown }) => void;
type Load = (url: string) => Promise<Readonly<Record<string, unknown>>>;
type Ours = NonNullable<Parameters<typeof expose>[1]>;

/** Two endpoints, each hearing what the other posts, in order, in a later turn. */
function pair(): { near: WorkerEndpoint; far: WorkerEndpoint; cut(): void } {
  const sides: [Set<Listener>, Set<Listener>] = [new Set(), new Set()];
  const make = (mine: Set<Listener>, theirs: Set<Listener>): WorkerEndpoint => ({
    postMessage(message, transfer) {
      const data: unknown = structuredClone(message, { transfer: [...(transfer ?? [])] as never[] });
      setImmediate(() => {
        for (const listener of theirs) listener({ data });
      });
    },
    addEventListener: (_, listener) => void mine.add(listener),
    removeEventListener: (_, listener) => void mine.delete(listener),
  });
  return {
    near: make(sides[0], sides[1]),
    far: make(sides[1], sides[0]),
    cut: () => sides.map((side) => side.clear()),
  };
}

export class FakeThread implements WorkerThread {
  readonly endpoint: WorkerEndpoint;
  /** The worker's own end: what a hostile tool could post to. */
  readonly inside: WorkerEndpoint;
  holds = true;
  terminated = false;
  /** Ends only when the test says so, like a thread inside a system call. */
  stuck = false;
  readonly #cut: () => void;
  readonly #listeners: ((why: string) => void)[] = [];

  constructor(time: FakeTime, load: Load) {
    const { near, far, cut } = pair();
    this.endpoint = near;
    this.inside = far;
    this.#cut = cut;
    const host = wrap<HostSide>(far as unknown as Ours);
    const tell: HostSide["tell"] = (message) => void host.tell(message);
    const worker = makeToolWorker(
      { tell },
      { load, nowMs: () => time.nowMs, timer: (ms, call) => time.timer(ms, call) },
    );
    expose(worker, far as unknown as Ours);
  }
  onEnd(listener: (why: string) => void): void {
    this.#listeners.push(listener);
  }
  terminate(): void {
    this.terminated = true;
    if (!this.stuck) this.die("it was terminated");
  }
  hold(alive: boolean): void {
    this.holds = alive;
  }
  /** What a real one does on process.exit, an uncaught exception, or for want of memory. */
  die(why: string): void {
    this.#cut();
    setImmediate(() => {
      for (const listener of this.#listeners.splice(0)) listener(why);
    });
  }
}

/** Time that only the test moves. */
export class FakeTime {
  nowMs = 0;
  #timers: { at: number; call: () => void }[] = [];
  timer(delayMs: number, call: () => void): () => void {
    const timer = { at: this.nowMs + delayMs, call };
    this.#timers.push(timer);
    return () => {
      this.#timers = this.#timers.filter((other) => other !== timer);
    };
  }
  get waiting(): number {
    return this.#timers.length;
  }
  async pass(ms: number): Promise<void> {
    this.nowMs += ms;
    const due = this.#timers.filter(({ at }) => at <= this.nowMs);
    this.#timers = this.#timers.filter(({ at }) => at > this.nowMs);
    for (const { call } of due) call();
    await settle();
  }
}

/** Lets every message that is under way arrive, and what it causes. */
export async function settle(): Promise<void> {
  for (let turn = 0; turn < 20; turn++) await new Promise((resolve) => setImmediate(resolve));
}

export class FakeThreads implements WorkerSpawner {
  readonly time = new FakeTime();
  readonly made: FakeThread[] = [];
  /** Called in place of the next spawns. */
  readonly failures: (() => void)[] = [];
  readonly #load: Load;
  constructor(load: Load) {
    this.#load = load;
  }
  spawn(): WorkerThread {
    this.failures.shift()?.();
    const thread = new FakeThread(this.time, this.#load);
    this.made.push(thread);
    return thread;
  }
  timer(delayMs: number, call: () => void): () => void {
    return this.time.timer(delayMs, call);
  }
}
