// Drives the bare module as Python and Java do: records at fixed offsets in one input area, results read
// where they lie. The offsets are core.wit's records in their natural layout.
import { type CoreHost, type Counted, digest, Kind, NOW, WALL } from "./host.ts";

/** Bytes of a record in a list. */
const CALL = 64;
const EVENT = 48;
const ENTRY = 48;
const ACTION = 32;
const POLICY = 64;

interface Exports {
  readonly memory: { readonly buffer: ArrayBuffer };
  reserve(bytes: number): number;
  configure(seed: bigint, concurrency: number, policies: number, count: number, limits: number, none: number): number;
  open(
    now: bigint,
    wall: bigint,
    run: number,
    adapt: number,
    entries: number,
    entryCount: number,
    calls: number,
    callCount: number,
  ): number;
  handle(
    now: bigint,
    wall: bigint,
    events: number,
    eventCount: number,
    calls: number,
    callCount: number,
    ...rest: number[]
  ): number;
}

const RUN = 1;
const NO_BOUND = 0xffffffff;
/** Terms, keys and charges: the calls of the bench are plain. */
const NO_TERMS = [0, 0, 0, 0, 0, 0];

interface Queueing {
  /** Takes a run of this number with a batch of which ten are called, and answers none of them. */
  queue(run: number, slots: number): void;
}

export function rawHost(exports: unknown): CoreHost & Queueing {
  const core = exports as Exports;
  /** Its memory may have grown in any call: a view of what it was is empty then, which is cheaper to see than to ask for it. */
  let bytes = new Uint8Array(core.memory.buffer);
  let view = new DataView(core.memory.buffer);
  const memory = (): DataView => {
    if (bytes.length === 0) {
      bytes = new Uint8Array(core.memory.buffer);
      view = new DataView(core.memory.buffer);
    }
    return view;
  };
  configure();
  const journals = new Map<number, Uint8Array>();
  const batches = new Map<number, Uint8Array>();

  function configure(): void {
    const at = core.reserve(POLICY);
    const bytes = memory();
    const fields = [0n, 0n, 1_000n, 1_000_000n, 1_000_000n];
    for (const [i, value] of fields.entries()) bytes.setBigUint64(at + i * 8, value, true);
    for (const [i, value] of [1, 5, NO_BOUND, 20].entries()) bytes.setUint32(at + 40 + i * 4, value, true);
    const result = core.configure(1n, NO_BOUND, at, 1, at, 0);
    if (memory().getUint8(result) !== 0) throw new Error("the core refused its configuration");
  }

  /** Bytes at the start of the input area; returns their address. */
  function lay(bytes: number): number {
    return core.reserve(bytes);
  }

  function batch(slots: number, limit: number, run = RUN): number {
    const calls = callBytes(slots);
    const at = lay(EVENT + calls.byteLength);
    layEvent(at, Kind.event.batch, 0, slots, Number.isFinite(limit) ? limit : 0, run);
    new Uint8Array(memory().buffer).set(calls, at + EVENT);
    return core.handle(NOW, WALL, at, 1, at + EVENT, slots, ...NO_TERMS);
  }

  function layEvent(at: number, kind: number, slot: number, count: number, a: number, run = RUN): void {
    const bytes = memory();
    bytes.setUint32(at, kind, true);
    bytes.setUint32(at + 4, run, true);
    bytes.setUint32(at + 8, slot, true);
    bytes.setUint32(at + 12, kind === Kind.event.batch ? 0 : 1, true);
    bytes.setUint32(at + 16, slot + 1, true);
    bytes.setUint32(at + 20, 0, true);
    bytes.setUint32(at + 24, count, true);
    bytes.setUint32(at + 32, a, true);
    bytes.setUint32(at + 36, 0, true);
    bytes.setBigUint64(at + 40, 0n, true);
  }

  function callBytes(slots: number): Uint8Array {
    const made = batches.get(slots) ?? new Uint8Array(slots * CALL);
    if (batches.has(slots)) return made;
    batches.set(slots, made);
    const bytes = new DataView(made.buffer);
    for (let slot = 0; slot < slots; slot++) {
      for (let word = 0; word < 4; word++) bytes.setBigUint64(slot * CALL + word * 8, digest(slot, BigInt(word)), true);
      bytes.setUint8(slot * CALL + 56, 1);
    }
    return made;
  }

  /** Reads a list of the reaction: 0 placements, 1 entries, 2 actions, 3 resolutions. */
  const listAt = (reaction: number, list: number): number => memory().getUint32(reaction + list * 8, true);
  const lengthOf = (reaction: number, list: number): number => memory().getUint32(reaction + list * 8 + 4, true);

  function opened(result: number): number {
    if (memory().getUint8(result) !== 0)
      throw new Error(`the core refused a journal at row ${memory().getUint32(result + 12, true)}`);
    return result + 8;
  }

  function close(): void {
    const at = lay(EVENT);
    layEvent(at, Kind.event.close, 0, 0, 0);
    core.handle(NOW, WALL, at, 1, at, 0, ...NO_TERMS);
  }

  /** Answers every call of a reaction with its result; returns the next reaction, or 0 when there was none to answer. */
  function settleCalls(reaction: number, counted: { calls: number }): number {
    const count = lengthOf(reaction, 2);
    const actions = listAt(reaction, 2);
    if (count === 0) return 0;
    const at = lay(count * EVENT);
    const bytes = memory();
    let events = 0;
    for (let i = 0; i < count; i++) {
      if (bytes.getUint8(actions + i * ACTION) !== Kind.action.call) continue;
      layEvent(at + events * EVENT, Kind.event.settled, bytes.getUint32(actions + i * ACTION + 8, true), 0, 0);
      events += 1;
    }
    counted.calls += events;
    return events === 0 ? 0 : core.handle(NOW, WALL, at, events, at, 0, ...NO_TERMS);
  }

  function carryOut(slots: number, limit: number, keep?: (reaction: number) => void): Counted {
    const counted = { calls: 0, entries: 0, resolutions: 0 };
    const first = opened(core.open(NOW, WALL, RUN, 0, lay(8), 0, lay(8), 0));
    keep?.(first);
    for (let reaction = batch(slots, limit); reaction !== 0; reaction = settleCalls(reaction, counted)) {
      counted.entries += lengthOf(reaction, 1);
      counted.resolutions += lengthOf(reaction, 3);
      keep?.(reaction);
    }
    close();
    return counted;
  }

  /** The entries of a batch as the core said them, in one piece. */
  function journalOf(slots: number): Uint8Array {
    const made = journals.get(slots);
    if (made) return made;
    const pieces: Uint8Array[] = [];
    carryOut(slots, 10, (reaction) => {
      const at = listAt(reaction, 1);
      pieces.push(new Uint8Array(memory().buffer.slice(at, at + lengthOf(reaction, 1) * ENTRY)));
    });
    const journal = new Uint8Array(Buffer.concat(pieces));
    journals.set(slots, journal);
    return journal;
  }

  return {
    name: "core, bare module",
    carryOut,
    queue(run, slots) {
      opened(core.open(NOW, WALL, run, 0, lay(8), 0, lay(8), 0));
      if (lengthOf(batch(slots, 10, run), 2) !== 10) throw new Error("the core called more or fewer than ten");
    },
    replay(slots) {
      const journal = journalOf(slots);
      const calls = callBytes(slots);
      const at = lay(journal.byteLength + calls.byteLength);
      const bytes = new Uint8Array(memory().buffer);
      bytes.set(journal, at);
      bytes.set(calls, at + journal.byteLength);
      opened(core.open(NOW, WALL, RUN, 0, at, journal.byteLength / ENTRY, at + journal.byteLength, slots));
      const reaction = batch(slots, 0);
      const counted = {
        calls: lengthOf(reaction, 2),
        entries: lengthOf(reaction, 1),
        resolutions: lengthOf(reaction, 3),
      };
      close();
      return counted;
    },
  };
}
