// The simulated ports: a disk whose writes wait to be let through, a clock that is moved. Both are shared
// by the hosts of a world and outlive them.
import type { Entry } from "../../bindings/js/src/entry.ts";
import { FencedError, HoldfastError } from "../../bindings/js/src/errors.ts";
import type { Clock, Journal, OpenedRun, RunSummary } from "../../bindings/js/src/ports.ts";
import type { Ledger } from "./ledger.ts";

/** Lets everything happen that needs no time and no disk. */
export function drain(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}

export class SimulatedClock {
  #us = 1_000_000;
  #wallOffsetMs = 999_000;
  #timers: { readonly at: number; readonly call: () => void }[] = [];

  nowUs = (): number => this.#us;
  wallMs = (): number => Math.floor(this.#us / 1000) + this.#wallOffsetMs;

  timer(delayMs: number, call: () => void): () => void {
    const timer = { at: this.#us + delayMs * 1000, call };
    this.#timers.push(timer);
    return () => {
      this.#timers = this.#timers.filter((other) => other !== timer);
    };
  }

  stepWall(ms: number): void {
    this.#wallOffsetMs += ms;
  }

  /** Moves on by so much, or to the next timer if that is earlier. False: there is nothing to wait for. */
  advance(mostMs: number): boolean {
    const next = this.#timers.reduce<number | undefined>((at, timer) => Math.min(at ?? timer.at, timer.at), undefined);
    if (next === undefined) return false;
    this.#us = Math.max(this.#us, Math.min(next, this.#us + mostMs * 1000));
    const due = this.#timers.filter((timer) => timer.at <= this.#us);
    this.#timers = this.#timers.filter((timer) => timer.at > this.#us);
    for (const { call } of due) call();
    return true;
  }
}

interface Stored {
  fence: number;
  leased: boolean;
  readonly entries: Entry[];
}

/** A write that has been asked for and has not reached the disk. */
interface Write {
  readonly host: number;
  readonly run: string;
  readonly fence: number;
  readonly entries: readonly Entry[];
  readonly answer: (error: Error | undefined) => void;
}

export class SimulatedDisk {
  readonly runs = new Map<string, Stored>();
  readonly #ledger: Ledger;
  writes: Write[] = [];
  /** Does it refuse what an older host writes? Only a seeded fault says no. */
  readonly #fences: boolean;

  constructor(ledger: Ledger, fences = true) {
    this.#ledger = ledger;
    this.#fences = fences;
  }

  /** Lets the oldest write through; `heard`: its host is told. False: there is none. */
  flush(heard: boolean): boolean {
    const write = this.writes.shift();
    if (write === undefined) return false;
    const stored = this.runs.get(write.run);
    if (stored === undefined || (this.#fences && stored.fence !== write.fence)) {
      if (heard) write.answer(new FencedError("fenced", `run ${write.run} was taken over`, "Stop."));
      return true;
    }
    stored.entries.push(...write.entries);
    this.#ledger.appended(write.run, write.fence, write.entries);
    if (heard) write.answer(undefined);
    return true;
  }

  /** The host is gone: the first `kept` of its writes reached the disk, the others are lost as a whole. */
  lose(host: number, kept: number): void {
    const all = this.writes;
    const own = all.filter((write) => write.host === host);
    this.writes = own.slice(0, kept);
    while (this.flush(false));
    this.writes = all.filter((write) => write.host !== host);
    this.release();
  }

  release(): void {
    for (const stored of this.runs.values()) stored.leased = false;
  }
}

export class SimulatedJournal implements Journal {
  readonly durable = true;
  readonly name = "simulated";
  readonly #disk: SimulatedDisk;
  readonly #host: number;
  #dead = false;

  constructor(disk: SimulatedDisk, host: number) {
    this.#disk = disk;
    this.#host = host;
  }

  die(): void {
    this.#dead = true;
  }

  async open(run: string): Promise<OpenedRun> {
    if (this.#dead) return new Promise(() => undefined);
    const stored = this.#disk.runs.get(run) ?? { fence: 0, leased: false, entries: [] };
    if (stored.leased) throw new HoldfastError("run-busy", `run ${run} is leased`, "Wait.");
    this.#disk.runs.set(run, stored);
    stored.leased = true;
    stored.fence++;
    return { fence: stored.fence, entries: [...stored.entries] };
  }

  append(run: string, fence: number, entries: readonly Entry[]): Promise<void> {
    return new Promise((resolve, reject) => {
      if (this.#dead) return;
      const answer = (error: Error | undefined): void => (error === undefined ? resolve() : reject(error));
      this.#disk.writes.push({ host: this.#host, run, fence, entries, answer });
    });
  }

  async release(run: string, fence: number): Promise<void> {
    const stored = this.#disk.runs.get(run);
    if (!this.#dead && stored?.fence === fence) stored.leased = false;
  }

  async read(run: string): Promise<readonly Entry[] | undefined> {
    return this.#disk.runs.get(run)?.entries;
  }
  async runs(): Promise<readonly RunSummary[]> {
    return [];
  }
  async prune(): Promise<readonly string[]> {
    return [];
  }
  async close(): Promise<void> {}
}

/** The clock as one host has it: when the host is dead its timers are, too. */
export function clockOf(shared: SimulatedClock, isDead: () => boolean): Clock {
  return {
    nowUs: shared.nowUs,
    wallMs: shared.wallMs,
    timer: (delayMs, call) => shared.timer(delayMs, () => isDead() || call()),
  };
}
