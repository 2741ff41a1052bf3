// The surroundings of the rule tests: a journal that outlives its hosts, a clock that stands until it
// is moved, tools that end when the test says so. One host after another opens the same world; a crash
// cuts a host off: whatever it does afterwards reaches nobody.
import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import type { RunOptions, Runtime } from "../../bindings/js/src/api.ts";
import type { Entry } from "../../bindings/js/src/entry.ts";
import { ENTRY_KINDS } from "../../bindings/js/src/entry.ts";
import { FencedError, HoldfastError } from "../../bindings/js/src/errors.ts";
import type { CallEvent } from "../../bindings/js/src/events.ts";
import { checkOptions, makeRuntime } from "../../bindings/js/src/open-runtime.ts";
import type { Clock, Journal, OpenedRun, PruneOptions, RunSummary } from "../../bindings/js/src/ports.ts";
import type { Tools } from "../../bindings/js/src/tool.ts";

/** The core, compiled once for all hosts of a file. */
export const compiledCore = new WebAssembly.Module(readFileSync(new URL("../../core/dist/core.wasm", import.meta.url)));

/** A clock that only the test moves. Starts at 1 s monotonic, wall 1 000 000 ms. */
export class FakeClock implements Clock {
  #us = 1_000_000;
  #wallOffsetMs = 999_000;
  #timers: { at: number; call: () => void }[] = [];
  nowUs = (): number => this.#us;
  wallMs = (): number => Math.floor(this.#us / 1000) + this.#wallOffsetMs;
  timer(delayMs: number, call: () => void): () => void {
    const timer = { at: this.#us + delayMs * 1000, call };
    this.#timers.push(timer);
    return () => {
      this.#timers = this.#timers.filter((other) => other !== timer);
    };
  }
  /** Steps the wall clock alone, as an administrator would. */
  stepWall(ms: number): void {
    this.#wallOffsetMs += ms;
  }
  /** Lets time pass, timer by timer, letting everything happen in between. */
  async pass(ms: number): Promise<void> {
    const end = this.#us + ms * 1000;
    for (;;) {
      await settle();
      const next = this.#timers.filter((timer) => timer.at <= end).sort((a, b) => a.at - b.at)[0];
      if (next === undefined) break;
      this.#timers = this.#timers.filter((timer) => timer !== next);
      this.#us = Math.max(this.#us, next.at);
      next.call();
    }
    this.#us = end;
    await settle();
  }
}

/** Lets everything that can happen without time passing happen. */
export async function settle(): Promise<void> {
  for (let i = 0; i < 5; i++) await new Promise((resolve) => setImmediate(resolve));
}

interface StoredRun {
  fence: number;
  leased: boolean;
  entries: Entry[];
}

/** What is on the disk of a world. */
export class Disk {
  readonly runs = new Map<string, StoredRun>();
  /** Entries of a run as `kind slot/attempt`, for assertions. */
  entries(run: string): string[] {
    return (this.runs.get(run)?.entries ?? []).map(
      (entry) => `${ENTRY_KINDS[entry.kind]} ${entry.slot}/${entry.attempt}`,
    );
  }
  of(run: string): Entry[] {
    return this.runs.get(run)?.entries ?? [];
  }
}

/** One host's view of the disk. `cut` is the crash: nothing passes any more, in either direction. */
export class FakeJournal implements Journal {
  readonly durable = true;
  readonly name = "fake";
  readonly #disk: Disk;
  #isCut = false;
  /** Called before an append reaches the disk; may throw, wait, or crash the host. */
  beforeAppend: ((run: string, entries: readonly Entry[]) => void | Promise<void>) | undefined;
  /** Called when an append is on disk and not yet acknowledged. */
  afterAppend: ((run: string, entries: readonly Entry[]) => void | Promise<void>) | undefined;
  appends = 0;
  constructor(disk: Disk) {
    this.#disk = disk;
  }
  cut(): void {
    this.#isCut = true;
    for (const run of this.#disk.runs.values()) run.leased = false;
  }
  #pass<Value>(value: Value): Promise<Value> {
    return this.#isCut ? new Promise(() => undefined) : Promise.resolve(value);
  }
  async open(run: string): Promise<OpenedRun> {
    await this.#pass(undefined);
    const stored = this.#disk.runs.get(run) ?? { fence: 0, leased: false, entries: [] };
    if (stored.leased) throw new HoldfastError("run-busy", `run ${run} is leased`, "Wait.");
    this.#disk.runs.set(run, stored);
    stored.leased = true;
    stored.fence++;
    return { fence: stored.fence, entries: [...stored.entries] };
  }
  async append(run: string, fence: number, entries: readonly Entry[]): Promise<void> {
    await this.#pass(undefined);
    await this.beforeAppend?.(run, entries);
    await this.#pass(undefined);
    const stored = this.#disk.runs.get(run);
    if (stored === undefined || stored.fence !== fence)
      throw new FencedError("fenced", `run ${run} was taken over`, "Stop.");
    this.appends++;
    stored.entries.push(...entries);
    await this.afterAppend?.(run, entries);
    await this.#pass(undefined);
  }
  async release(run: string, fence: number): Promise<void> {
    const stored = this.#disk.runs.get(run);
    if (!this.#isCut && stored?.fence === fence) stored.leased = false;
  }
  async read(run: string): Promise<readonly Entry[] | undefined> {
    return this.#pass(this.#disk.runs.get(run)?.entries);
  }
  async runs(): Promise<readonly RunSummary[]> {
    return [...this.#disk.runs].map(([run, { entries, leased }]) => ({
      run,
      leased,
      entries: entries.length,
      openedAt: entries[0]?.at ?? 0,
      updatedAt: entries.at(-1)?.at ?? 0,
      closed: entries.at(-1)?.kind === 6,
    }));
  }
  async prune(_: PruneOptions): Promise<readonly string[]> {
    return [];
  }
  async close(): Promise<void> {}
}

/** A host in a world: a runtime that can be cut off. */
export interface Host<T extends Tools> {
  readonly runtime: Runtime<T, true>;
  readonly journal: FakeJournal;
  readonly events: CallEvent[];
  readonly warnings: string[];
  /** SIGKILL: nothing it does from now on is seen by anyone. */
  crash(): void;
}

/** What outlives the hosts. */
export class World {
  readonly disk = new Disk();
  readonly clock = new FakeClock();
  readonly hosts: { crash(): void }[] = [];
  #drawn = 0;

  /** Never twice the same in a world, and the same in every run of a test. */
  #random(bytes: number): Uint8Array {
    return new Uint8Array(
      createHash("shake256", { outputLength: bytes })
        .update(String(this.#drawn++))
        .digest(),
    );
  }

  host<T extends Tools>(tools: T, options: Record<string, unknown> = {}, core = compiledCore): Host<T> {
    const journal = new FakeJournal(this.disk);
    const events: CallEvent[] = [];
    const warnings: string[] = [];
    const shared = this.clock;
    let dead = false;
    const clock: Clock = {
      nowUs: shared.nowUs,
      wallMs: shared.wallMs,
      timer: (delayMs, call) => shared.timer(delayMs, () => dead || call()),
    };
    const runtime = makeRuntime(checkOptions({ tools, ...options }, []), {
      core,
      journal,
      clock,
      random: (bytes) => this.#random(bytes),
      sha256: (text) => createHash("sha256").update(text).digest(),
      warn: (message) => warnings.push(message),
    }) as Runtime<T, true>;
    void (async () => {
      for await (const event of runtime.events()) if (!dead) events.push(event);
    })();
    const host = {
      runtime,
      journal,
      events,
      warnings,
      crash: () => {
        dead = true;
        journal.cut();
      },
    };
    this.hosts.push(host);
    return host;
  }
}

/** A call that a test ends when it wants to. */
export interface Pending {
  readonly input: any;
  readonly attempt: number;
  readonly key: string;
  readonly signal: AbortSignal;
  resolve(value?: unknown): void;
  reject(error: unknown): void;
}

/** The ledger and the strings of the tools: who was called, in order, and how to end it. */
export class Puppets {
  /** `name:attempt`, in the order in which the calls really began. */
  readonly began: string[] = [];
  readonly pending = new Map<string, Pending>();
  /** A `run` function that waits for the test. Named, so that `began` tells which. */
  readonly tool =
    (name: string) =>
    (
      input: any,
      ctx: { attempt: number; idempotencyKey: string; signal: AbortSignal; callId: string },
    ): Promise<any> => {
      this.began.push(`${name}:${ctx.attempt}`);
      return new Promise((resolve, reject) => {
        this.pending.set(ctx.callId, {
          input,
          attempt: ctx.attempt,
          key: ctx.idempotencyKey,
          signal: ctx.signal,
          resolve,
          reject,
        });
      });
    };
  /** Ends the call with this id. */
  end(callId: string, value?: unknown): void {
    this.pending.get(callId)?.resolve(value);
  }
  fail(callId: string, error: unknown): void {
    this.pending.get(callId)?.reject(error);
  }
}

/** Runs, and gives the outcome or the error, whichever comes; never rejects. */
export function start<T extends Tools, Result>(
  host: Host<T>,
  id: string,
  program: (run: any) => Promise<Result> | Result,
  options?: RunOptions,
) {
  const state: { result?: Result; error?: any; done: boolean } = { done: false };
  host.runtime.run(id, program, options).then(
    (result) => Object.assign(state, { result, done: true }),
    (error: unknown) => Object.assign(state, { error, done: true }),
  );
  return state;
}
