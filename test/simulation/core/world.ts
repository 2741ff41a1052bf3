// One world of the core alone: a batch, its calls, a reconciler that tells the truth, crashes before and
// after what is written, all chosen by a seed. The model is a few numbers per slot; a broken promise throws.
import { Broken } from "../ledger.ts";
import { ACTION, type BareHost, type CoreCall, type CorePolicy, ENTRY, ENTRY_BYTES, RESOLUTION } from "./host.ts";

/** Numbers as in core.wit. */
const EVENT = { batch: 0, settled: 2, reconciled: 3, stopped: 4, cancel: 8, close: 9, forget: 10 };
const ENTRY_KIND = { opened: 0, planned: 1, started: 2, attemptFailed: 3, settled: 4, closed: 6 };
const ACTION_KIND = { call: 0, reconcile: 1, abort: 2, mismatch: 4, refuse: 5 };
const [OK, ERROR] = [0, 1];
const [DONE, , NOT_DONE, UNKNOWN] = [0, 1, 2, 3] as const;
const ONCE = 2;
const ALL = 0xffffffff;
const SLOTS_MOST = 6;
const STEPS_MOST = 1_000;

/** Tools by number: one that retries, one that does not, one of two at a time. */
export const POLICIES: readonly CorePolicy[] = [
  { attempts: 3, concurrency: ALL },
  { attempts: 1, concurrency: ALL },
  { attempts: 2, concurrency: 2 },
];
export const CONCURRENCY = 4;

/** A mistake put in on purpose. */
export type CoreFault = "started is forgotten" | "settled is forgotten" | "permit at the timeout" | "unknown is done";

class Random {
  #state: number;
  constructor(seed: number) {
    this.#state = seed | 0;
  }
  /** SplitMix32: 0…count-1. */
  below(count: number): number {
    this.#state = (this.#state + 0x9e3779b9) | 0;
    let z = this.#state;
    z = Math.imul(z ^ (z >>> 16), 0x21f0aaad);
    z = Math.imul(z ^ (z >>> 15), 0x735a2d97);
    return ((z ^ (z >>> 15)) >>> 0) % count;
  }
}

/** What is known of a slot, on disk and outside. */
interface Slot {
  readonly call: CoreCall;
  started: number;
  settled: number;
  payload: number;
  flight: number;
  told: boolean;
  ask: number;
  began: number;
  happened: number;
  notDone: number;
}

export class CoreWorld {
  readonly #host: BareHost;
  readonly #random: Random;
  readonly #fault: CoreFault | undefined;
  readonly #calls: CoreCall[] = [];
  #slots: Slot[] = [];
  #journal: Uint8Array[] = [];
  #planned = false;
  #closed = false;
  #crashes = 0;
  #cancelled = false;
  #wakeAt = 0;
  readonly #limit: number;
  readonly #deadline: number;
  crossings = 0;

  constructor(host: BareHost, seed: number, fault?: CoreFault) {
    this.#host = host;
    this.#random = new Random(seed);
    this.#fault = fault;
    const count = 1 + this.#random.below(SLOTS_MOST);
    for (let i = 0; i < count; i++) {
      const kind = this.#random.below(4);
      this.#calls.push({
        id: i + 1,
        tool: this.#random.below(POLICIES.length),
        effect: kind === 3 ? ONCE : kind,
        reconciles: kind === 3,
        runForUs: this.#random.below(4) === 0 ? 5_000 : 0,
      });
    }
    this.#slots = this.#calls.map((call) => ({
      call,
      started: 0,
      settled: -1,
      payload: 0,
      flight: 0,
      told: false,
      ask: 0,
      began: 0,
      happened: 0,
      notDone: 0,
    }));
    this.#limit = this.#random.below(3);
    this.#deadline = this.#random.below(4) === 0 ? host.wall + 20 : 0;
  }

  live(): void {
    this.#open();
    for (let step = 0; !this.#closed; step++) {
      if (step > STEPS_MOST) throw new Broken("finishes", "the run never ends");
      this.#step();
    }
    this.#replays();
  }

  // ── the disk ────────────────────────────────────────────────────────────────────────────────

  #bytes(): Uint8Array {
    const groups = this.#fault === undefined ? this.#journal : this.#journal.filter((entry) => !this.#forgets(entry));
    const all = new Uint8Array(groups.length * ENTRY_BYTES);
    for (let i = 0; i < groups.length; i++) all.set(groups[i]!, i * ENTRY_BYTES);
    return all;
  }

  #forgets(entry: Uint8Array): boolean {
    const slot = this.#slots[entry[ENTRY.slot!]!]!;
    if (this.#fault === "started is forgotten")
      return entry[0] === ENTRY_KIND.started && slot.settled < 0 && slot.call.effect === ONCE;
    return this.#fault === "settled is forgotten" && entry[0] === ENTRY_KIND.settled;
  }

  #write(reaction: number): void {
    const { at, count } = this.#host.entries(reaction);
    const { view } = this.#host;
    for (let i = 0; i < count; i++) {
      const row = at + i * ENTRY_BYTES;
      this.#journal.push(new Uint8Array(view.buffer, row, ENTRY_BYTES).slice());
      const kind = view.getUint8(row + ENTRY.kind!);
      if (kind === ENTRY_KIND.planned) this.#planned = true;
      if (kind === ENTRY_KIND.closed) this.#closed = true;
      if (kind !== ENTRY_KIND.started && kind !== ENTRY_KIND.attemptFailed && kind !== ENTRY_KIND.settled) continue;
      const slot = this.#slots[view.getUint32(row + ENTRY.slot!, true)]!;
      if (slot.settled >= 0) throw new Broken("settled-once", `an entry of slot ${slot.call.id} after it had settled`);
      if (kind === ENTRY_KIND.started) slot.started = view.getUint32(row + ENTRY.attempt!, true);
      if (kind !== ENTRY_KIND.settled) continue;
      slot.settled = view.getUint8(row + ENTRY.outcome!);
      slot.payload = view.getUint32(row + ENTRY.payload!, true);
    }
  }

  // ── what happens ────────────────────────────────────────────────────────────────────────────

  #open(): void {
    this.#host.open(this.#bytes(), this.#planned ? this.#calls : []);
    const start = [EVENT.batch, 0, 0, 0, 0, 0, 0];
    this.#cross([start], this.#calls);
  }

  #cross(events: readonly (readonly number[])[], calls: readonly CoreCall[] = []): void {
    this.crossings++;
    const reaction = this.#host.handle(events, calls, this.#limit, this.#deadline);
    this.#wakeAt = this.#host.wakeAt(reaction);
    const fate = this.#crashes < 3 ? this.#random.below(24) : 9;
    if (fate === 0) {
      this.#crash(); // before it is written
      return;
    }
    this.#write(reaction);
    if (fate === 1)
      this.#crash(); // written, and nothing carried out
    else this.#carryOut(reaction);
  }

  #carryOut(reaction: number): void {
    const { view } = this.#host;
    const actions = this.#host.actions(reaction);
    for (let i = 0; i < actions.count; i++) {
      const row = actions.at + i * actions.bytes;
      const kind = view.getUint8(row + ACTION.kind!);
      if (kind === ACTION_KIND.mismatch || kind === ACTION_KIND.refuse)
        throw new Broken("finishes", "the batch was refused");
      const slot = this.#slots[view.getUint32(row + ACTION.slot!, true)];
      if (slot === undefined) continue;
      if (kind === ACTION_KIND.call) this.#begin(slot, view.getUint32(row + ACTION.attempt!, true));
      else if (kind === ACTION_KIND.reconcile) this.#asked(slot, view.getUint8(row + ACTION.code!));
      else if (kind === ACTION_KIND.abort) this.#tell(slot, view.getUint8(row + ACTION.code!));
    }
    const given = this.#host.resolutions(reaction);
    for (let i = 0; i < given.count; i++) {
      const row = given.at + i * given.bytes;
      const slot = this.#slots[view.getUint32(row + RESOLUTION.slot!, true)]!;
      const outcome = view.getUint8(row + RESOLUTION.outcome!);
      if (slot.settled !== outcome || slot.payload !== view.getUint32(row + RESOLUTION.payload!, true))
        throw new Broken(
          "never-changes",
          `slot ${slot.call.id} is on disk as ${slot.settled} and was given as ${outcome}`,
        );
      if (outcome === OK && slot.happened === 0)
        throw new Broken("true", `slot ${slot.call.id} is ok and never happened`);
    }
  }

  #begin(slot: Slot, attempt: number): void {
    if (slot.started < attempt)
      throw new Broken("entries-first", `slot ${slot.call.id} began and the disk does not know`);
    if (slot.settled >= 0) {
      if (slot.began >= slot.started)
        throw new Broken("settled-is-settled", `slot ${slot.call.id} was called after it had settled`);
    }
    slot.began++;
    if (slot.call.effect === ONCE && slot.began > 1 + slot.notDone)
      throw new Broken("once", `slot ${slot.call.id} may not run twice and began ${slot.began} times`);
    slot.flight = attempt;
    slot.told = false;
    const running = this.#slots.filter(({ flight }) => flight > 0);
    const ofTool = running.filter(({ call }) => call.tool === slot.call.tool).length;
    const most = Math.min(CONCURRENCY, this.#limit === 0 ? CONCURRENCY : this.#limit);
    if (running.length > most || ofTool > POLICIES[slot.call.tool]!.concurrency)
      throw new Broken("permits", `${running.length} calls run at once where ${most} may`);
  }

  #asked(slot: Slot, ask: number): void {
    if (slot.settled >= 0)
      throw new Broken("settled-is-settled", `slot ${slot.call.id} was asked about after it had settled`);
    slot.ask = ask;
  }

  #tell(slot: Slot, reason: number): void {
    if (reason === 3) slot.ask = 0;
    else slot.told = true;
    if (this.#fault === "permit at the timeout" && reason === 0 && slot.flight > 0)
      this.#cross([[EVENT.stopped, 0, 0, 0, slot.call.id - 1, slot.flight, 0]]);
  }

  #step(): void {
    const flying = this.#slots.filter(({ flight }) => flight > 0);
    const asked = this.#slots.filter(({ ask }) => ask > 0);
    const choice = this.#random.below(20);
    if (this.#slots.every(({ settled }) => settled >= 0) && choice > 8) this.#cross([[EVENT.close, OK, 0, 0, 0, 0, 1]]);
    else if (choice === 0 && this.#crashes < 3) this.#crash();
    else if (choice === 1 && !this.#cancelled) {
      this.#cancelled = true;
      this.#cross([[EVENT.cancel, 0, 0, 0, ALL, 0, 0]]);
    } else if (choice < 6 && this.#wakeAt > 0) this.#pass();
    else if (asked.length > 0 && (choice < 10 || flying.length === 0))
      this.#answer(asked[this.#random.below(asked.length)]!);
    else if (flying.length > 0) this.#end(flying[this.#random.below(flying.length)]!);
    else if (this.#wakeAt > 0) this.#pass();
    else this.#cross([[EVENT.close, OK, 0, 0, 0, 0, 1]]);
  }

  #pass(): void {
    this.#host.now = Math.max(this.#host.now, this.#wakeAt);
    this.#cross([]);
  }

  #end(slot: Slot): void {
    const attempt = slot.flight;
    const how = this.#random.below(slot.told ? 4 : 3);
    slot.flight = 0;
    const at = slot.call.id - 1;
    if (how === 3) {
      if (this.#random.below(2) === 0) this.#happen(slot);
      this.#cross([[EVENT.stopped, 0, 0, 0, at, attempt, 0]]);
      return;
    }
    if (how > 0) this.#happen(slot);
    this.#cross([[EVENT.settled, how === 0 ? ERROR : OK, 0, 0, at, attempt, slot.call.id * 100 + attempt]]);
  }

  #happen(slot: Slot): void {
    slot.happened++;
    if (slot.call.effect === ONCE && slot.happened > 1)
      throw new Broken("once", `the effect of slot ${slot.call.id} came about twice`);
  }

  #answer(slot: Slot): void {
    const { ask } = slot;
    slot.ask = 0;
    const knows = this.#random.below(4) > 0;
    const verdict = !knows ? (this.#fault === "unknown is done" ? DONE : UNKNOWN) : slot.happened > 0 ? DONE : NOT_DONE;
    if (verdict === NOT_DONE) slot.notDone++;
    this.#cross([[EVENT.reconciled, 0, verdict, ask, slot.call.id - 1, 0, verdict === DONE ? slot.call.id * 100 : 0]]);
  }

  /** The process is gone; to the core that is used again it is a run that was forgotten, whose calls have ended. */
  #crash(): void {
    this.#crashes++;
    const events: number[][] = [[EVENT.forget, 0, 0, 0, 0, 0, 0]];
    for (const slot of this.#slots) {
      // Every attempt the core may hold to be under way: the one that runs, and one whose start was never heard.
      for (let attempt = slot.flight > 0 ? slot.flight : slot.started; attempt <= slot.started + 1; attempt++)
        events.push([EVENT.stopped, 0, 0, 0, slot.call.id - 1, attempt, 0]);
      if (slot.flight > 0 && this.#random.below(2) === 0) this.#happen(slot);
      slot.flight = 0;
      slot.ask = 0;
    }
    this.#host.handle(events);
    if (!this.#closed) this.#open();
  }

  /** Once more, from a journal whose last entry is gone: every outcome as it was, and nothing is called. */
  #replays(): void {
    const events: number[][] = [[EVENT.forget, 0, 0, 0, 0, 0, 0]];
    for (const { call, started, flight } of this.#slots)
      for (let attempt = flight > 0 ? flight : started; attempt <= started + 1; attempt++)
        events.push([EVENT.stopped, 0, 0, 0, call.id - 1, attempt, 0]);
    this.#host.handle(events);
    for (const slot of this.#slots) {
      slot.flight = 0;
      const most = POLICIES[slot.call.tool]!.attempts + this.#crashes;
      if (slot.began > most) throw new Broken("calls", `slot ${slot.call.id} began ${slot.began} times`);
    }
    this.#journal = this.#journal.filter((entry) => entry[0] !== ENTRY_KIND.closed);
    this.#host.open(this.#bytes(), this.#calls);
    const reaction = this.#host.handle([[EVENT.batch, 0, 0, 0, 0, 0, 0]], this.#calls, this.#limit, this.#deadline);
    const [actions, given] = [this.#host.actions(reaction).count, this.#host.resolutions(reaction).count];
    if (actions !== 0 || given !== this.#slots.length || this.#host.entries(reaction).count !== 0)
      throw new Broken("replay", `a replay gave ${given} of ${this.#slots.length} outcomes and did ${actions} things`);
    this.#carryOut(reaction);
    if (this.#host.inUse() !== 0) throw new Broken("permits", `${this.#host.inUse()} permits never came back`);
    this.#host.handle([[EVENT.forget, 0, 0, 0, 0, 0, 0]]);
  }
}
