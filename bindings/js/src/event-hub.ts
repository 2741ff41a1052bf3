// Hands every step to whoever watches. Each listener has a bounded buffer of its own; one that is too
// slow loses the oldest steps and is told how many. Nothing waits for a listener.
import type { CallEvent } from "./events.ts";
import { checkInteger, checkKeys } from "./options.ts";

const BUFFER_MAX = 10_000;

class Listener implements AsyncIterableIterator<CallEvent> {
  readonly #bufferMax: number;
  readonly #end: (listener: Listener) => void;
  #buffer: CallEvent[] = [];
  #first = 0;
  #missed = 0;
  #waiting: ((result: IteratorResult<CallEvent>) => void)[] = [];
  #ended = false;

  constructor(bufferMax: number, end: (listener: Listener) => void) {
    this.#bufferMax = bufferMax;
    this.#end = end;
  }

  push(event: CallEvent): void {
    const waiting = this.#waiting.shift();
    if (waiting !== undefined) {
      waiting({ done: false, value: event });
      return;
    }
    this.#buffer.push(event);
    if (this.#buffer.length - this.#first <= this.#bufferMax) return;
    this.#first++;
    this.#missed++;
    if (this.#first > this.#bufferMax) {
      this.#buffer = this.#buffer.slice(this.#first);
      this.#first = 0;
    }
  }

  #take(): CallEvent | undefined {
    if (this.#missed > 0) {
      const event: CallEvent = { kind: "missed", at: this.#buffer[this.#first]?.at ?? 0, count: this.#missed };
      this.#missed = 0;
      return event;
    }
    const event = this.#buffer[this.#first];
    if (event === undefined) return undefined;
    this.#first++;
    if (this.#first === this.#buffer.length) {
      this.#buffer = [];
      this.#first = 0;
    }
    return event;
  }

  next(): Promise<IteratorResult<CallEvent>> {
    const value = this.#take();
    if (value !== undefined) return Promise.resolve({ done: false, value });
    if (this.#ended) return Promise.resolve({ done: true, value: undefined });
    return new Promise((resolve) => this.#waiting.push(resolve));
  }

  /** No more comes; what is buffered can still be read. */
  end(): void {
    this.#ended = true;
    for (const resolve of this.#waiting.splice(0)) resolve({ done: true, value: undefined });
  }

  return(): Promise<IteratorResult<CallEvent>> {
    this.#buffer = [];
    this.#first = 0;
    this.#missed = 0;
    this.#end(this);
    this.end();
    return Promise.resolve({ done: true, value: undefined });
  }

  [Symbol.asyncIterator](): this {
    return this;
  }
}

export class EventHub {
  readonly #listeners = new Set<Listener>();
  #closed = false;

  /** False: nobody would see it, so it need not be made. */
  get listening(): boolean {
    return this.#listeners.size > 0;
  }

  emit(event: CallEvent): void {
    for (const listener of this.#listeners) listener.push(event);
  }

  listen(options: { readonly bufferMax?: number } | undefined): AsyncIterableIterator<CallEvent> {
    const given = checkKeys("options", options, ["bufferMax"]);
    const bufferMax = checkInteger("options.bufferMax", given.bufferMax, 1, 10_000_000, BUFFER_MAX);
    const listener = new Listener(bufferMax, (ended) => this.#listeners.delete(ended));
    if (this.#closed) listener.end();
    else this.#listeners.add(listener);
    return listener;
  }

  close(): void {
    this.#closed = true;
    for (const listener of this.#listeners) listener.end();
    this.#listeners.clear();
  }
}
