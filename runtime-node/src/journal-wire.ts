// What goes between a journal and its thread: requests as frames of bytes, one per group of entries or per
// other wish, and replies as messages. Both ends are of one build, so nothing here is kept on disk.
import type { Entry } from "../../bindings/js/src/entry.ts";
import { type ErrorCode, FencedError, HoldfastError, JournalError } from "../../bindings/js/src/errors.ts";
import type { RunSummary } from "../../bindings/js/src/ports.ts";
import { NUMBERS } from "./row-checksum.ts";

/** What a thread is started with. */
export interface ThreadStart {
  readonly path: string;
  readonly leaseMs: number;
  readonly ring: SharedArrayBuffer;
}

/** Or to look at a file once, and end. */
export interface VerifyStart {
  readonly verify: string;
}

/** Everything that may be asked but appends. `run` is a key; `number` is what `open` gave for it. */
export type Wish =
  | { readonly kind: "open"; readonly run: string }
  | { readonly kind: "release"; readonly run: string; readonly number: number; readonly fence: number }
  /** Why this fence may not write, said by who knows the newest one. */
  | { readonly kind: "refuse"; readonly run: string; readonly fence: number }
  | { readonly kind: "read"; readonly run: string }
  | { readonly kind: "runs" }
  | { readonly kind: "prune"; readonly closedBefore: number }
  | { readonly kind: "close" };

/** A group of entries: `NUMBERS` numbers each, in the order of the checksum, and the payloads' bytes one after the other. */
export interface Group {
  readonly kind: "append";
  readonly number: number;
  readonly fence: number;
  /** The first of each row is its seq, which only the thread knows. */
  readonly numbers: Float64Array;
  readonly payloads: Uint8Array;
}

export type Request = (Wish | Group) & { readonly id: number };

/** Rows of a run that was read, in order. */
export interface Rows {
  readonly numbers: Float64Array;
  readonly payloads: Uint8Array;
}

/** What a wish came to. A granted append has no reply: the ring counts it. */
export type Reply =
  | { readonly id: number; readonly kind: "rows"; readonly rows: Rows }
  | { readonly id: number; readonly kind: "done"; readonly result: WishResult }
  | { readonly id: number; readonly kind: "failed"; readonly failure: Failure };

export type WishResult =
  | undefined
  | { readonly number: number; readonly fence: number }
  | { readonly runs: readonly RunSummary[] }
  | { readonly pruned: readonly string[] }
  | { readonly found: boolean };

// ── frames ────────────────────────────────────────────────────────────────────────────────────

const APPEND = 1;
const WISH = 2;
const HEAD = 6;
/** Frames are whole numbers of these, so that numbers in them lie where a Float64Array may lie. */
const ALIGN = 8;

/** Packs requests one after the other into memory of its own; what it gives is good until the next. */
export class Packer {
  #bytes = new Uint8Array(64 * 1024);
  #numbers = new Float64Array(this.#bytes.buffer);

  group(id: number, number: number, fence: number, entries: readonly Entry[]): Uint8Array {
    let payloadBytes = 0;
    for (const { payload } of entries) payloadBytes += payload?.length ?? 0;
    const payloadsAt = (HEAD + entries.length * NUMBERS) * 8;
    const length = this.#reserve(payloadsAt + payloadBytes);
    this.#numbers.set([APPEND, id, number, fence, entries.length, payloadBytes]);
    let [at, byte] = [HEAD, payloadsAt];
    for (const entry of entries) {
      this.#numbers[at + 1] = entry.kind;
      this.#numbers[at + 2] = entry.slot;
      this.#numbers[at + 3] = entry.count;
      this.#numbers[at + 4] = entry.attempt;
      this.#numbers[at + 5] = entry.outcome;
      this.#numbers[at + 6] = entry.source;
      this.#numbers[at + 7] = entry.at;
      this.#numbers[at + 8] = entry.until;
      this.#numbers[at + 9] = entry.payload === null ? -1 : entry.payload.length;
      at += NUMBERS;
      if (entry.payload === null) continue;
      this.#bytes.set(entry.payload, byte);
      byte += entry.payload.length;
    }
    return this.#bytes.subarray(0, length);
  }

  wish(id: number, wish: Wish): Uint8Array {
    const text = Buffer.from(JSON.stringify(wish));
    const length = this.#reserve(HEAD * 8 + text.length);
    this.#numbers.set([WISH, id, 0, 0, 0, text.length]);
    this.#bytes.set(text, HEAD * 8);
    return this.#bytes.subarray(0, length);
  }

  #reserve(bytes: number): number {
    const length = Math.ceil(bytes / ALIGN) * ALIGN;
    if (length > this.#bytes.length || this.#bytes.length > KEPT_MAX) {
      this.#bytes = new Uint8Array(Math.max(length, 64 * 1024));
      this.#numbers = new Float64Array(this.#bytes.buffer);
    }
    return length;
  }
}

/** A frame as large as a few payloads can be is not kept for the next one. */
const KEPT_MAX = 4 * 1024 * 1024;

/** Reads a frame; the request looks into its bytes, which must begin at a multiple of 8. */
export function unpack(frame: Uint8Array): Request {
  const head = new Float64Array(frame.buffer, frame.byteOffset, HEAD);
  const [kind, id, number, fence, count, bytes] = head as unknown as [number, number, number, number, number, number];
  if (kind === WISH) {
    const text = Buffer.from(frame.buffer, frame.byteOffset + HEAD * 8, bytes).toString();
    return { ...(JSON.parse(text) as Wish), id };
  }
  const numbers = new Float64Array(frame.buffer, frame.byteOffset + HEAD * 8, count * NUMBERS);
  const payloads = new Uint8Array(frame.buffer, numbers.byteOffset + numbers.byteLength, bytes);
  return { kind: "append", id, number, fence, numbers, payloads };
}

/** Takes rows apart into entries, whose payloads are views of the rows' bytes. */
export function takeApart({ numbers, payloads }: Rows, into: Entry[]): void {
  let byte = 0;
  for (let at = 0; at < numbers.length; at += NUMBERS) {
    const length = numbers[at + 9]!;
    into.push({
      kind: numbers[at + 1]! as Entry["kind"],
      slot: numbers[at + 2]!,
      count: numbers[at + 3]!,
      attempt: numbers[at + 4]!,
      outcome: numbers[at + 5]!,
      source: numbers[at + 6]!,
      at: numbers[at + 7]!,
      until: numbers[at + 8]!,
      payload: length < 0 ? null : payloads.subarray(byte, byte + length),
    });
    if (length > 0) byte += length;
  }
}

// ── errors ────────────────────────────────────────────────────────────────────────────────────

/** An error of Holdfast's as it crosses: a class does not survive the way. */
export interface Failure {
  readonly name: string;
  readonly code: ErrorCode;
  readonly what: string;
  readonly next: string;
  readonly details: Readonly<Record<string, unknown>>;
  readonly cause?: { readonly name: string; readonly message: string; readonly code?: unknown };
}

/** Takes an error apart. */
export function failureOf(error: HoldfastError): Failure {
  const { name, code, next, details, cause } = error;
  // Its message is made of these: `code: what. next`.
  const what = error.message.slice(code.length + 2, -(next.length + 2));
  if (!(cause instanceof Error)) return { name, code, what, next, details };
  const inner = { name: cause.name, message: cause.message, code: (cause as { code?: unknown }).code };
  return { name, code, what, next, details, cause: inner };
}

const CLASSES: Readonly<Record<string, typeof HoldfastError>> = { HoldfastError, JournalError, FencedError };

/** Makes the error again. */
export function errorOf({ name, code, what, next, details, cause }: Failure): HoldfastError {
  const Made = CLASSES[name] ?? JournalError;
  if (cause === undefined) return new Made(code, what, next, { details });
  return new Made(code, what, next, { details, cause: Object.assign(new Error(cause.message), cause) });
}
