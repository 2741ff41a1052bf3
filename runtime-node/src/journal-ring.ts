// Memory that a journal and its thread share: a ring of frames one way, and counters both ways. A frame costs
// a copy and a wake-up instead of a message; what does not fit goes by message, and its place is kept here.
//
// One writer, one reader. Positions are bytes since the beginning, modulo 2^32; the ring is a power of two.

/** Bytes of the ring. */
const RING_BYTES = 1 << 20;
/** A frame larger than this goes by message. */
export const FRAME_BYTES_MAX = RING_BYTES >> 1;

// Places in the first words. WROTE is what the thread waits for, WAKE what the journal waits for.
const WROTE = 0;
const READ = 1;
const WAKE = 2;
const GRANTED = 3;
const MAILED = 4;
const HEAD_BYTES = 64;

/** New memory for both ends. */
export function newRing(): SharedArrayBuffer {
  return new SharedArrayBuffer(HEAD_BYTES + RING_BYTES);
}

/** `Atomics.waitAsync` (V8 8.7), which TypeScript knows from a later year on. */
const waitAsync = (
  Atomics as unknown as {
    waitAsync(
      words: Int32Array,
      index: number,
      value: number,
    ): { readonly async: false } | { readonly async: true; readonly value: Promise<unknown> };
  }
).waitAsync;

/** The journal's end. */
export class RingWriter {
  readonly #words: Int32Array;
  readonly #bytes: Uint8Array;
  #wrote = 0;

  constructor(ring: SharedArrayBuffer) {
    this.#words = new Int32Array(ring, 0, HEAD_BYTES / 4);
    this.#bytes = new Uint8Array(ring, HEAD_BYTES);
  }

  /** Writes a frame if there is room for it now. The thread sees it once it is published. An empty one stands for a message. */
  write(frame: Uint8Array): boolean {
    const used = (this.#wrote - Atomics.load(this.#words, READ)) >>> 0;
    if (used + 8 + frame.length > RING_BYTES) return false;
    lengthBytes[0] = frame.length;
    this.#put(lengthView);
    this.#put(frame);
    return true;
  }

  #put(bytes: Uint8Array): void {
    const at = (this.#wrote >>> 0) % RING_BYTES;
    const first = Math.min(bytes.length, RING_BYTES - at);
    if (first === bytes.length) this.#bytes.set(bytes, at);
    else {
      this.#bytes.set(bytes.subarray(0, first), at);
      this.#bytes.set(bytes.subarray(first), 0);
    }
    this.#wrote = (this.#wrote + bytes.length) | 0;
  }

  /** Shows the thread all that was written, and wakes it. */
  publish(): void {
    Atomics.store(this.#words, WROTE, this.#wrote);
    Atomics.notify(this.#words, WROTE);
  }

  /** How often the thread has said something; to be read before what it said. */
  get wakes(): number {
    return Atomics.load(this.#words, WAKE);
  }

  /** How many appends, in their order, are durable or have failed. */
  get granted(): number {
    return Atomics.load(this.#words, GRANTED) >>> 0;
  }

  /** How many replies were sent by message. */
  get mailed(): number {
    return Atomics.load(this.#words, MAILED) >>> 0;
  }

  /** Resolves when the thread has said something since `wakes` was that; undefined: it has already. */
  spoken(wakes: number): Promise<unknown> | undefined {
    const waiting = waitAsync(this.#words, WAKE, wakes);
    return waiting.async ? waiting.value : undefined;
  }
}

const lengthBytes = new Float64Array(1);
const lengthView = new Uint8Array(lengthBytes.buffer);

/** The thread's end. */
export class RingReader {
  readonly #words: Int32Array;
  readonly #bytes: Uint8Array;
  #read = 0;

  constructor(ring: SharedArrayBuffer) {
    this.#words = new Int32Array(ring, 0, HEAD_BYTES / 4);
    this.#bytes = new Uint8Array(ring, HEAD_BYTES);
  }

  /** Takes all frames that there are, and gives their room back. Each begins at a multiple of 8. */
  take(): Uint8Array[] {
    const length = (Atomics.load(this.#words, WROTE) - this.#read) >>> 0;
    if (length === 0) return [];
    const copy = new Uint8Array(length);
    const at = (this.#read >>> 0) % RING_BYTES;
    const first = Math.min(length, RING_BYTES - at);
    copy.set(this.#bytes.subarray(at, at + first));
    copy.set(this.#bytes.subarray(0, length - first), first);
    this.#read = (this.#read + length) | 0;
    Atomics.store(this.#words, READ, this.#read);
    const numbers = new Float64Array(copy.buffer);
    const frames: Uint8Array[] = [];
    for (let from = 0; from < length; ) {
      const bytes = numbers[from / 8]!;
      frames.push(copy.subarray(from + 8, from + 8 + bytes));
      from += 8 + bytes;
    }
    return frames;
  }

  /** Are there frames to take? */
  get waiting(): boolean {
    return Atomics.load(this.#words, WROTE) !== this.#read;
  }

  /** Sleeps until there are frames, or for so long. */
  wait(ms: number): "ok" | "not-equal" | "timed-out" {
    return Atomics.wait(this.#words, WROTE, this.#read, ms);
  }

  /** Counts appends that are durable or whose failure is in the mail, and replies in the mail; then wakes the journal. */
  say(granted: number, mailed: number): void {
    Atomics.add(this.#words, GRANTED, granted);
    Atomics.add(this.#words, MAILED, mailed);
    Atomics.add(this.#words, WAKE, 1);
    Atomics.notify(this.#words, WAKE);
  }
}
