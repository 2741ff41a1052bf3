// Calls as they come, outcomes as they go: a producer is asked for more only while few enough of its calls are on
// their way and there is room for them in the queue. Calls that come in one breath share a batch and a commit.
import type { Outcome } from "./outcome.ts";
import type { PreparedCall } from "./prepared-call.ts";
import { isThenable } from "./thenable.ts";

/** Most calls that are planned together. */
const CHUNK_MAX = 256;
/** A producer that has not answered after so many microtasks waits for something: what it has given goes on its way. */
const BREATH = 16;

/** Where its calls go. */
export interface StreamWith {
  /** Calls taken and not given back as outcomes, at most. */
  readonly ahead: number;
  /** Calls on their way at most, so that its own share of the queue takes them all. */
  readonly unfinishedMax: number;
  readonly inOrder: boolean;
  /** Calls that the queue has room for now; 0 under pressure. */
  readonly room: () => number;
  /** Calls back after every turn of the core, until it is told not to. */
  readonly onTurn: (listener: () => void) => () => void;
  /** Checks calls and names those that have no id, from this number of the stream on. Throws when one is none. */
  readonly prepare: (calls: readonly unknown[], first: number) => Promise<readonly PreparedCall[]>;
  /** Makes them. `told` of each, once; rejects when they cannot be made. */
  readonly make: (calls: readonly PreparedCall[], told: (outcome: Outcome, index: number) => void) => Promise<unknown>;
  /** Tells a call to stop; false: it is not planned yet. */
  readonly cancel: (callId: string) => boolean;
  /** Aborts when the run is cancelled or stopped. */
  readonly signal: AbortSignal;
}

type Calls = Iterable<unknown> | AsyncIterable<unknown>;
interface Waiter {
  readonly resolve: (result: IteratorResult<Outcome, undefined>) => void;
  readonly reject: (error: unknown) => void;
}

const DONE: IteratorResult<Outcome, undefined> = { done: true, value: undefined };

async function breath(): Promise<void> {
  for (let i = 0; i < BREATH; i++) await undefined;
}

export class CallStream implements AsyncIterableIterator<Outcome, undefined> {
  readonly #calls: Calls;
  readonly #with: StreamWith;
  #iterator: Iterator<unknown> | AsyncIterator<unknown> | undefined;
  /** Asked of the producer and not answered yet. */
  #asked: PromiseLike<IteratorResult<unknown>> | undefined;
  #pulling = false;
  /** Nothing more is asked of the producer. */
  #stopped = false;
  /** The consumer wants no more. */
  #hasLeft = false;
  #failed: { readonly error: unknown } | undefined;
  #taken = 0;
  #given = 0;
  /** Calls have been taken that are not made yet: until they are, no more are. */
  #preparing = false;
  readonly #unfinished = new Set<string>();
  readonly #toCancel = new Set<string>();
  readonly #known = new Map<number, Outcome>();
  readonly #waiters: Waiter[] = [];
  /** Something may be different: there is room, or nothing to wait for. */
  #waiting: (() => void)[] = [];
  /** Waits no longer for the producer's answer. */
  #halt: (() => void) | undefined;
  #unlisten: (() => void) | undefined;

  constructor(calls: Calls, withThese: StreamWith) {
    this.#calls = calls;
    this.#with = withThese;
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  next(): Promise<IteratorResult<Outcome, undefined>> {
    this.#begin();
    return new Promise((resolve, reject) => {
      this.#waiters.push({ resolve, reject });
      this.#serve();
    });
  }

  /** The consumer has seen enough: what waits never starts, what runs is told to stop, and the loop is left once it has. */
  async return(): Promise<IteratorResult<Outcome, undefined>> {
    this.#hasLeft = true;
    this.#failed = undefined;
    this.#known.clear();
    for (const id of this.#unfinished) this.#toCancel.add(id);
    this.#cancelPlanned();
    const released = this.#stop();
    while (!this.#isOver && !this.#with.signal.aborted) await this.#changed();
    this.#end();
    for (const { resolve } of this.#waiters.splice(0)) resolve(DONE);
    await released;
    return DONE;
  }

  // ── the consumer's side ───────────────────────────────────────────────────────────────────────

  get #isOver(): boolean {
    return this.#stopped && !this.#pulling && !this.#preparing && this.#unfinished.size === 0;
  }

  #take(): Outcome | undefined {
    const [index] = this.#with.inOrder ? [this.#given] : this.#known.keys();
    const outcome = index === undefined ? undefined : this.#known.get(index);
    if (index !== undefined) this.#known.delete(index);
    return outcome;
  }

  /** Gives what is known to whoever asks for it. */
  #serve(): void {
    while (this.#waiters.length > 0) {
      const outcome = this.#take();
      if (outcome === undefined) break;
      this.#given++;
      this.#waiters.shift()!.resolve({ done: false, value: outcome });
    }
    if (this.#isOver) this.#finish();
    this.#tellChange();
  }

  /** Everything has been given: whoever still asks is told so, or why it ended. */
  #finish(): void {
    this.#end();
    if (this.#known.size > 0) return;
    for (const { resolve, reject } of this.#waiters.splice(0)) {
      const failed = this.#failed;
      this.#failed = undefined;
      if (failed === undefined) resolve(DONE);
      else reject(failed.error);
    }
  }

  #settled(outcome: Outcome, index: number): void {
    this.#unfinished.delete(outcome.id);
    this.#toCancel.delete(outcome.id);
    if (!this.#hasLeft) this.#known.set(index, outcome);
    this.#serve();
  }

  #fail(error: unknown): void {
    this.#failed ??= { error };
    void this.#stop().catch(() => undefined); // the first error is the one that is told
    this.#serve();
  }

  #changed(): Promise<void> {
    return new Promise((resolve) => this.#waiting.push(resolve));
  }

  #tellChange(): void {
    for (const wake of this.#waiting.splice(0)) wake();
  }

  // ── the producer's side ───────────────────────────────────────────────────────────────────────

  #begin(): void {
    if (this.#iterator !== undefined || this.#stopped) return;
    const { onTurn, signal } = this.#with;
    const calls = this.#calls as Partial<Iterable<unknown> & AsyncIterable<unknown>>;
    try {
      this.#iterator = calls[Symbol.asyncIterator]?.() ?? (calls as Iterable<unknown>)[Symbol.iterator]();
    } catch (thrown) {
      this.#stopped = true;
      this.#failed = { error: thrown };
      return;
    }
    const unturned = onTurn(() => {
      this.#cancelPlanned();
      this.#tellChange();
    });
    const cut = (): void => {
      this.#fail(signal.reason);
      this.#end(); // of a run that was stopped nothing more is heard
    };
    signal.addEventListener("abort", cut, { once: true });
    this.#unlisten = () => {
      unturned();
      signal.removeEventListener("abort", cut);
    };
    if (signal.aborted) cut();
    else void this.#pull();
  }

  #end(): void {
    this.#unlisten?.();
    this.#unlisten = undefined;
  }

  /** Asks for no more, and lets the producer put away what it holds. One that is being asked may never answer: nobody waits for it. */
  async #stop(): Promise<void> {
    if (this.#stopped) return;
    this.#stopped = true;
    const released = this.#iterator?.return?.();
    const isAsked = this.#asked !== undefined;
    this.#halt?.();
    this.#tellChange();
    if (isAsked) Promise.resolve(released).catch(() => undefined);
    else await released;
  }

  #cancelPlanned(): void {
    for (const id of this.#toCancel) if (this.#with.cancel(id)) this.#toCancel.delete(id);
  }

  /** How many more may be taken now. */
  get #room(): number {
    const { ahead, unfinishedMax, room } = this.#with;
    const own = Math.min(ahead - (this.#taken - this.#given), unfinishedMax - this.#unfinished.size);
    return this.#preparing || own <= 0 ? 0 : Math.min(own, CHUNK_MAX, room());
  }

  async #pull(): Promise<void> {
    this.#pulling = true;
    while (!this.#stopped) {
      const most = this.#room;
      if (most === 0) await this.#changed();
      else void this.#submit(await this.#gather(most));
    }
    this.#pulling = false;
    this.#serve();
  }

  /** As many calls as come in one breath, at least one unless there are none any more. None once the consumer has left. */
  async #gather(most: number): Promise<unknown[]> {
    const calls: unknown[] = [];
    try {
      while (calls.length < most) {
        const pulled = await this.#next(calls.length > 0);
        if (pulled === undefined) break;
        if (pulled.done) {
          this.#stopped = true;
          break;
        }
        calls.push(isThenable(pulled.value) ? await pulled.value : pulled.value);
      }
    } catch (thrown) {
      if (!this.#stopped) this.#failed ??= { error: thrown };
      this.#stopped = true;
    }
    return this.#hasLeft ? [] : calls;
  }

  /** What the producer gives next; undefined: nothing in this breath, or nobody wants it any more. */
  #next(inOneBreath: boolean): Promise<IteratorResult<unknown> | undefined> | IteratorResult<unknown> {
    const asked: unknown = this.#asked ?? this.#iterator!.next();
    if (!isThenable(asked)) return asked as IteratorResult<unknown>;
    this.#asked = asked as PromiseLike<IteratorResult<unknown>>;
    return this.#answer(this.#asked, inOneBreath);
  }

  async #answer(
    asked: PromiseLike<IteratorResult<unknown>>,
    inOneBreath: boolean,
  ): Promise<IteratorResult<unknown> | undefined> {
    const answer = await new Promise<IteratorResult<unknown> | undefined>((resolve, reject) => {
      asked.then(resolve, reject);
      this.#halt = () => resolve(undefined);
      if (inOneBreath) void breath().then(this.#halt);
    });
    this.#halt = undefined;
    if (answer !== undefined) this.#asked = undefined;
    return answer;
  }

  async #submit(calls: readonly unknown[]): Promise<void> {
    if (calls.length === 0) return;
    const first = this.#taken;
    this.#taken += calls.length;
    this.#preparing = true;
    let prepared: readonly PreparedCall[] = [];
    try {
      prepared = await this.#with.prepare(calls, first);
      // Looked at again, for others may have come in between: what is asked for now is in the queue before anybody looks next.
      const { room, signal } = this.#with;
      while (!this.#hasLeft && !signal.aborted && room() < prepared.length) await this.#changed();
      this.#preparing = false;
      if (this.#hasLeft) return this.#serve();
      for (const { id } of prepared) this.#unfinished.add(id);
      this.#tellChange();
      await this.#with.make(prepared, (outcome, index) => this.#settled(outcome, first + index));
    } catch (thrown) {
      this.#preparing = false;
      for (const { id } of prepared) this.#unfinished.delete(id);
      this.#fail(thrown);
    }
  }
}
