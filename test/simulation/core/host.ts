// The bare core as the simulation drives it: one event in, the reaction read where it lies, a journal kept as
// the very bytes of its entries. Offsets come from core.wit, so that a field that is added moves them here, too.
import { readFileSync } from "node:fs";
import { type Layout, layoutOf } from "../../../core/test/wit.ts";

interface Exports {
  readonly memory: WebAssembly.Memory;
  reserve(bytes: number): number;
  configure(seed: bigint, concurrency: number, tools: number, count: number): number;
  open(now: bigint, wall: bigint, run: number, adapt: number, e: number, n: number, c: number, m: number): number;
  handle(now: bigint, wall: bigint, events: number, n: number, calls: number, m: number): number;
  inspect(run: number): number;
}

const module = new WebAssembly.Module(readFileSync(new URL("../../../core/dist/core.wasm", import.meta.url)));

const offsets = ({ fields }: Layout): Readonly<Record<string, number>> =>
  Object.fromEntries(fields.map(({ name, offset }) => [name, offset]));
const layouts = {
  call: layoutOf("call"),
  event: layoutOf("event"),
  entry: layoutOf("entry"),
  action: layoutOf("action"),
  resolution: layoutOf("resolution"),
  policy: layoutOf("policy"),
};
const CALL = offsets(layouts.call);
const EVENT = offsets(layouts.event);
const POLICY = offsets(layouts.policy);
export const ENTRY = offsets(layouts.entry);
export const ACTION = offsets(layouts.action);
export const RESOLUTION = offsets(layouts.resolution);
export const ENTRY_BYTES = layouts.entry.size;

export interface CoreCall {
  readonly id: number;
  readonly tool: number;
  readonly effect: number;
  readonly reconciles: boolean;
  readonly runForUs: number;
}

export interface CorePolicy {
  readonly attempts: number;
  readonly concurrency: number;
}

/** A list of a reaction: where its records lie, how many, how long each is. */
export interface Rows {
  readonly at: number;
  readonly count: number;
  readonly bytes: number;
}

export class BareHost {
  readonly #core: Exports;
  #view: DataView;
  now = 1_000_000;
  /** Milliseconds inside the core, when `timed`. */
  coreMs = 0;
  timed = false;

  constructor(seed: number, concurrency: number, policies: readonly CorePolicy[]) {
    this.#core = new WebAssembly.Instance(module, {}).exports as unknown as Exports;
    this.#view = new DataView(this.#core.memory.buffer);
    const at = this.#core.reserve(policies.length * layouts.policy.size);
    const view = this.view;
    for (const [i, policy] of policies.entries()) {
      const row = at + i * layouts.policy.size;
      for (let byte = 0; byte < layouts.policy.size; byte++) view.setUint8(row + byte, 0);
      const us = { backoff: 1_000, backoffMost: 8_000, askBackoff: 1_000, askFor: 5_000, grace: 2_000 };
      for (const [name, value] of Object.entries(us)) view.setBigUint64(row + POLICY[name]!, BigInt(value), true);
      view.setUint32(row + POLICY.attempts!, policy.attempts, true);
      view.setUint32(row + POLICY.asks!, 3, true);
      view.setUint32(row + POLICY.concurrency!, policy.concurrency, true);
    }
    if (this.view.getUint8(this.#core.configure(BigInt(seed), concurrency, at, policies.length)) !== 0)
      throw new Error("the core refused its configuration");
  }

  /** Its memory may have grown in any call. */
  get view(): DataView {
    if (this.#view.buffer !== this.#core.memory.buffer) this.#view = new DataView(this.#core.memory.buffer);
    return this.#view;
  }

  get wall(): number {
    return 1_700_000_000_000 + Math.floor(this.now / 1_000);
  }

  #layCalls(view: DataView, at: number, calls: readonly CoreCall[]): void {
    for (let i = 0; i < calls.length; i++) {
      const call = calls[i]!;
      const row = at + i * layouts.call.size;
      new Uint8Array(view.buffer, row, layouts.call.size).fill(0);
      view.setUint32(row + CALL.idLow!, call.id, true);
      view.setUint32(row + CALL.inputLow!, call.id, true);
      view.setUint32(row + CALL.runFor!, call.runForUs, true);
      view.setUint32(row + CALL.tool!, call.tool, true);
      view.setUint8(row + CALL.effect!, call.effect);
      view.setUint8(row + CALL.reconciles!, call.reconciles ? 1 : 0);
    }
  }

  /** Opens run 0 from the bytes of its entries. */
  open(journal: Uint8Array, calls: readonly CoreCall[]): void {
    const at = this.#core.reserve(journal.length + calls.length * layouts.call.size);
    const view = this.view;
    new Uint8Array(view.buffer, at, journal.length).set(journal);
    this.#layCalls(view, at + journal.length, calls);
    const entries = journal.length / ENTRY_BYTES;
    const wall = BigInt(this.wall);
    const result = this.#core.open(BigInt(this.now), wall, 0, 0, at, entries, at + journal.length, calls.length);
    if (this.view.getUint8(result) !== 0)
      throw new Error(`the core refused a journal of its own at entry ${this.view.getUint32(result + 12, true)}`);
  }

  /** One crossing. Events are `[kind, outcome, verdict, mode, slot, attempt, payload]`, of run 0; a batch takes all calls. */
  handle(events: readonly (readonly number[])[], calls: readonly CoreCall[] = [], a = 0, b = 0): number {
    const { size } = layouts.event;
    const at = this.#core.reserve(events.length * size + calls.length * layouts.call.size);
    const view = this.view;
    new Uint8Array(view.buffer, at, events.length * size).fill(0);
    for (let i = 0; i < events.length; i++) {
      const event = events[i]!;
      const row = at + i * size;
      view.setUint8(row + EVENT.kind!, event[0]!);
      view.setUint8(row + EVENT.outcome!, event[1]!);
      view.setUint8(row + EVENT.verdict!, event[2]!);
      view.setUint8(row + EVENT.mode!, event[3]!);
      view.setUint32(row + EVENT.slot!, event[4]!, true);
      view.setUint32(row + EVENT.attempt!, event[5]!, true);
      view.setUint32(row + EVENT.payload!, event[6]!, true);
      view.setUint32(row + EVENT.count!, calls.length, true);
      view.setUint32(row + EVENT.a!, a, true);
      view.setBigUint64(row + EVENT.b!, BigInt(b), true);
    }
    const callsAt = at + events.length * size;
    this.#layCalls(view, callsAt, calls);
    const [now, wall] = [BigInt(this.now), BigInt(this.wall)];
    if (!this.timed) return this.#core.handle(now, wall, at, events.length, callsAt, calls.length);
    const before = performance.now();
    const reaction = this.#core.handle(now, wall, at, events.length, callsAt, calls.length);
    this.coreMs += performance.now() - before;
    return reaction;
  }

  /** Permits of the whole runtime that are in use; run 0 must be open. */
  inUse(): number {
    return this.view.getUint32(this.#core.inspect(0) + IN_USE, true);
  }

  entries(reaction: number): Rows {
    return this.#rows(reaction, 1, ENTRY_BYTES);
  }
  actions(reaction: number): Rows {
    return this.#rows(reaction, 2, layouts.action.size);
  }
  resolutions(reaction: number): Rows {
    return this.#rows(reaction, 3, layouts.resolution.size);
  }

  #rows(reaction: number, list: number, bytes: number): Rows {
    const { view } = this;
    return {
      at: view.getUint32(reaction + list * 8, true),
      count: view.getUint32(reaction + list * 8 + 4, true),
      bytes,
    };
  }

  /** When the core wants to be called, µs; 0 = never. It is the last field of a reaction. */
  wakeAt(reaction: number): number {
    return Number(this.view.getBigUint64(reaction + WAKE_AT, true));
  }
}

const IN_USE = offsets(layoutOf("standing")).inUse!;
const WAKE_AT = layoutOf("reaction").fields.find(({ name }) => name === "wakeAt")!.offset;
