// A runtime over the ports that an environment gives it: opens runs, runs programs, closes. Which
// environment it is in, it does not know.
import type { Program, Run, RunListing, RunOptions, Runtime, RunView } from "./api.ts";
import { describeError } from "./call-error.ts";
import { type ChildWith, runChild } from "./child-runs.ts";
import { Refused } from "./core.ts";
import { portableSha256 } from "./digest.ts";
import { Driver } from "./driver.ts";
import { HoldfastError } from "./errors.ts";
import { EventHub } from "./event-hub.ts";
import type { CallEvent } from "./events.ts";
import { HeldRuns } from "./held-runs.ts";
import { type JournaledRun, readJournal, refusedJournal } from "./journaled-run.ts";
import { callOf } from "./limit-control.ts";
import type { LimitTable } from "./limit-table.ts";
import type { Explanation, Gauge, LimitName } from "./limits.ts";
import { type LiveRun, makeLiveRun } from "./live-run.ts";
import { checkInteger, checkKeys, refuseOption, SPAN_MS_MAX, TIMER_MS_MAX } from "./options.ts";
import { errorPayload, resultPayload } from "./payload.ts";
import type { Ports } from "./ports.ts";
import type { PrepareWith } from "./prepared-call.ts";
import { ProgramRun } from "./run.ts";
import { closedError, finishedResult, isOfTheHost } from "./run-end.ts";
import { keyOfPath, keyPath, runKey } from "./run-key.ts";
import { checkRunOptions, type OpenWith } from "./run-options.ts";
import { viewRun } from "./run-view.ts";
import { takeLease } from "./take-lease.ts";
import type { ToolTable } from "./tool-table.ts";
import type { WorkerPool } from "./worker-pool.ts";

/** What a runtime is made of, checked. */
export interface RuntimeParts {
  readonly ports: Ports;
  readonly tools: ToolTable;
  readonly limits: LimitTable;
  readonly inputBytesMax: number;
  readonly resultBytesMax: number;
  readonly workers: WorkerPool | undefined;
}

export class HoldfastRuntime implements Runtime<any, any> {
  readonly durable: boolean;
  readonly #parts: RuntimeParts;
  readonly #driver: Driver;
  readonly #hub = new EventHub();
  readonly #prepare: PrepareWith;
  readonly #held = new HeldRuns();
  #closing: Promise<void> | undefined;

  constructor(parts: RuntimeParts) {
    const { ports } = parts;
    this.#parts = parts;
    this.durable = ports.journal.durable;
    const sha256 = ports.sha256 ?? portableSha256;
    this.#prepare = {
      tools: parts.tools,
      sha256,
      inputBytesMax: parts.inputBytesMax,
      wallMs: () => ports.clock.wallMs(),
      exclusive: parts.limits.exclusive,
    };
    this.#driver = new Driver(ports, parts.limits, this.#prepare, this.#hub);
    const children: ChildWith = {
      reports: this.#driver.reports,
      held: this.#held,
      runHeld: async (key, id, program, options) => this.#hold(key, id, () => this.#runOnce(key, id, program, options)),
    };
    this.#driver.performWith({
      reports: this.#driver.reports,
      workers: parts.workers,
      sha256,
      resultBytesMax: parts.resultBytesMax,
      stop: (run, error) => this.#driver.stop(run, error),
      runChild: (parent, slot, inFlight, program, name) => runChild(children, parent, slot, inFlight, program, name),
    });
  }

  async run<Result>(id: string, program: Program<any, Result>, options?: RunOptions): Promise<Result> {
    const key = runKey(id);
    if (typeof program !== "function") refuseOption("program", program, "a function of the run");
    const checked = checkRunOptions(options);
    return this.#hold(key, id, () => this.#runThroughTrap(key, id, program, checked)) as Promise<Result>;
  }

  #hold(key: string, id: string, work: () => Promise<unknown>): Promise<unknown> {
    this.#refuseClosed();
    return this.#held.hold(key, id, work);
  }

  /** A core that broke costs a run its memory: it goes on from its journal, once. */
  async #runThroughTrap(key: string, id: string, program: Program<any, unknown>, options: OpenWith): Promise<unknown> {
    try {
      return await this.#runOnce(key, id, program, options);
    } catch (thrown) {
      if (!(thrown instanceof HoldfastError) || thrown.code !== "core-trap" || this.#closing !== undefined)
        throw thrown;
      this.#parts.ports.warn(`${thrown.message} Run ${JSON.stringify(id)} goes on from its journal.`);
      return await this.#runOnce(key, id, program, options);
    }
  }

  #refuseClosed(): void {
    if (this.#closing !== undefined) throw closedError();
  }

  async #runOnce(key: string, id: string, program: Program<any, unknown>, options: OpenWith): Promise<unknown> {
    const { journal } = this.#parts.ports;
    const { fence, entries } = await takeLease(this.#parts.ports, key, options.waitMs, () => this.#refuseClosed());
    try {
      await this.#driver.recall(key, entries);
      const journaled = readJournal(id, entries, this.#parts.tools, this.#prepare.sha256, this.#parts.limits);
      if (journaled.closed !== undefined) return finishedResult(id, journaled.closed, entries.length - 1);
      this.#checkVersion(journaled, options);
      return await this.#carryThrough(key, id, fence, journaled, program, options);
    } finally {
      await journal.release(key, fence);
    }
  }

  #checkVersion(journaled: JournaledRun, options: OpenWith): void {
    if (journaled.versions.length === 0) return;
    const before = journaled.versions.at(-1);
    if (before !== options.version) options.onVersionChange?.({ journal: before, program: options.version });
  }

  async #carryThrough(
    key: string,
    id: string,
    fence: number,
    journaled: JournaledRun,
    program: Program<any, unknown>,
    options: OpenWith,
  ): Promise<unknown> {
    let onStop: (error: HoldfastError) => void = () => undefined;
    const stopped = new Promise<never>((_, reject) => {
      onStop = reject;
    });
    stopped.catch(() => undefined);
    const live = makeLiveRun({
      key,
      id,
      fence,
      adapt: options.adapt,
      tenant: options.tenant,
      deadline: options.deadline,
      held: options.held,
      number: this.#driver.runs.takeNumber(),
      journaled,
      onStop,
    });
    try {
      this.#driver.open(live, journaled.entries, journaled.calls, options.version);
      if (options.parent !== undefined) this.#driver.reports.nested(live, options.parent);
    } catch (thrown) {
      this.#driver.runs.giveBackNumber(live.number);
      throw thrown instanceof Refused ? refusedJournal(id, thrown) : thrown;
    }
    this.#held.setLive(key, live);
    if (this.#hub.listening) {
      this.#hub.emit({
        kind: "run-opened",
        at: this.#parts.ports.clock.wallMs(),
        runId: id,
        fence,
        recovered: journaled.versions.length > 0,
      });
    }
    const unlisten = this.#cancelWith(live, options.signal);
    try {
      return await Promise.race([stopped, this.#toTheEnd(live, program)]);
    } finally {
      unlisten();
      await this.#left(live);
    }
  }

  /**
   * A stopped run is given back only when its calls have ended, or had their grace: whoever goes on with it
   * decides what is in doubt, and a call that still runs here is not in doubt yet.
   */
  async #left(live: LiveRun): Promise<void> {
    if (live.stopped === undefined || live.stopped.code === "fenced") return;
    if (live.inFlight === 0 || this.#closing !== undefined) return;
    let graceMs = 0;
    for (const slot of live.slots) {
      if (slot?.inFlight === undefined) continue;
      graceMs = Math.max(graceMs, Number(slot.call.declared?.policy.grace ?? 0n) / 1_000);
    }
    await new Promise<void>((resolve) => {
      const cancel = this.#parts.ports.clock.timer(Math.min(graceMs, TIMER_MS_MAX), resolve);
      live.onLeft = () => {
        cancel();
        resolve();
      };
    });
    live.onLeft = undefined;
    if (live.inFlight > 0)
      this.#parts.ports.warn(
        `run ${JSON.stringify(live.id)} has stopped while ${live.inFlight} of its calls ignored their abort and are left running; what they do is in doubt.`,
      );
  }

  #cancelWith(live: LiveRun, signal: AbortSignal | undefined): () => void {
    if (signal === undefined) return () => undefined;
    const cancel = (): void => this.#cancelRun(live);
    if (signal.aborted) cancel();
    else signal.addEventListener("abort", cancel, { once: true });
    return () => signal.removeEventListener("abort", cancel);
  }

  #cancelRun(live: LiveRun): void {
    this.#driver.cancel(live);
    live.controller.abort(
      new HoldfastError(
        "run-cancelled",
        `run ${JSON.stringify(live.id)} was cancelled`,
        "What had settled is in its journal.",
      ),
    );
  }

  /** The program, then its end on disk. An error of Holdfast's own never closes a run: it can be opened again. */
  async #toTheEnd(live: LiveRun, program: Program<any, unknown>): Promise<unknown> {
    const run: Run<any> = new ProgramRun(live, {
      driver: this.#driver,
      prepare: this.#prepare,
      random: this.#parts.ports.random,
    });
    let payload: ReturnType<typeof errorPayload>;
    let threw = false;
    try {
      payload = resultPayload(await program(run), this.#parts.resultBytesMax);
    } catch (error) {
      if (isOfTheHost(error)) {
        this.#driver.stop(live, error);
        throw error;
      }
      threw = true;
      live.thrown = error;
      payload = errorPayload(describeError(error));
    }
    await this.#driver.close(live, payload);
    this.#reportUnawaited(live);
    if (payload.kind === "value") return payload.value;
    if (threw) throw live.thrown;
    throw new HoldfastError(
      "result-not-json",
      `the program of run ${JSON.stringify(live.id)} returned what a journal cannot hold: ${payload.error.message}`,
      "Return plain JSON. The run is closed with this error.",
    );
  }

  #reportUnawaited(live: LiveRun): void {
    if (live.unawaited.length === 0) return;
    const ids = live.unawaited.slice(0, 10).join(", ");
    this.#parts.ports.warn(
      `run ${JSON.stringify(live.id)} ended while ${live.unawaited.length} of its calls were not awaited (${ids}); those that had started were waited for.`,
    );
  }

  events(options?: { readonly bufferMax?: number }): AsyncIterableIterator<CallEvent> {
    return this.#hub.listen(options);
  }

  async runs(): Promise<readonly RunListing[]> {
    this.#refuseClosed();
    const rows = await this.#parts.ports.journal.runs();
    return rows.map((row) => {
      const path = keyPath(row.run);
      const { leased, entries, openedAt, updatedAt } = row;
      return {
        id: path.at(-1) as string,
        path: path.slice(0, -1),
        state: row.closed ? "closed" : "open",
        leased,
        entries,
        openedAt,
        updatedAt,
      };
    });
  }

  async read(id: string, path: readonly string[] = []): Promise<RunView> {
    this.#refuseClosed();
    const key = keyOfPath(id, path);
    const entries = await this.#parts.ports.journal.read(key);
    if (entries === undefined) {
      throw new HoldfastError(
        "run-not-found",
        `the journal has no run ${JSON.stringify(id)}`,
        "runtime.runs() lists those it has.",
        { details: { runId: id } },
      );
    }
    return viewRun(key, entries);
  }

  cancel(id: string): boolean {
    const live = this.#held.live(runKey(id));
    if (live === undefined) return false;
    this.#cancelRun(live);
    return true;
  }

  setLimit(limit: LimitName, to: { readonly concurrency: number }): void {
    this.#refuseClosed();
    this.#driver.control.setLimit(limit, to);
  }

  pause(limit: LimitName = "runtime", options?: { readonly forMs?: number; readonly key?: string }): void {
    this.#refuseClosed();
    this.#driver.control.pause(limit, options);
  }

  resume(limit: LimitName = "runtime", options?: { readonly key?: string }): void {
    this.#refuseClosed();
    this.#driver.control.resume(limit, options);
  }

  setPriority(runId: string, callId: string, priority: number): boolean {
    const run = this.#held.live(runKey(runId));
    const slot = run?.byId.get(callId);
    if (run === undefined || slot === undefined) return false;
    this.#driver.control.setPriority(run, slot, priority);
    return true;
  }

  explain(runId: string, callId: string): Explanation {
    const [run, slot] = callOf(this.#held.live(runKey(runId)), runId, callId);
    return this.#driver.control.explain(run, slot);
  }

  limit(limit: LimitName): Gauge {
    return this.#driver.control.limit(limit);
  }

  get pressure(): 0 | 1 | 2 {
    return this.#driver.pressure;
  }

  async prune(options: { readonly olderThanMs: number }): Promise<readonly string[]> {
    this.#refuseClosed();
    const given = checkKeys("options", options, ["olderThanMs"]);
    if (given.olderThanMs === undefined) refuseOption("options.olderThanMs", undefined, "a number of milliseconds");
    const olderThanMs = checkInteger("options.olderThanMs", given.olderThanMs, 0, SPAN_MS_MAX, 0);
    const { clock, journal } = this.#parts.ports;
    const pruned = await journal.prune({ closedBefore: clock.wallMs() - olderThanMs });
    return pruned.map((key) => keyPath(key).join("/"));
  }

  close(options?: { readonly graceMs?: number }): Promise<void> {
    const given = checkKeys("options", options, ["graceMs"]);
    const graceMs = checkInteger("options.graceMs", given.graceMs, 0, TIMER_MS_MAX, 5_000);
    this.#closing ??= this.#close(graceMs);
    return this.#closing;
  }

  async #close(graceMs: number): Promise<void> {
    const { clock, journal, warn } = this.#parts.ports;
    this.#driver.pause();
    await this.#quiet(graceMs);
    for (const live of this.#driver.runs.all()) this.#driver.stop(live, closedError());
    await this.#parts.workers?.close(graceMs);
    await this.#quiet(Math.min(graceMs, 1_000));
    if (this.#driver.reports.inFlight > 0) {
      warn(
        `${this.#driver.reports.inFlight} calls ignored their abort and are left running; what they do is in doubt until their runs are opened again.`,
      );
    }
    while (this.#held.size > 0) await new Promise<void>((resolve) => void clock.timer(1, resolve));
    this.#driver.end();
    await journal.close();
    this.#hub.close();
  }

  /** Until nothing is in flight and what has ended is in the journal, or for so long. */
  async #quiet(graceMs: number): Promise<void> {
    const { clock } = this.#parts.ports;
    if (this.#driver.reports.inFlight > 0 && graceMs > 0) {
      await new Promise<void>((resolve) => {
        const cancel = clock.timer(graceMs, resolve);
        this.#driver.reports.onQuiet = () => {
          cancel();
          resolve();
        };
      });
      this.#driver.reports.onQuiet = undefined;
    }
    for (const live of this.#driver.runs.all()) await live.lastAppend?.catch(() => undefined); // a failed append stops its run by itself
    await new Promise<void>((resolve) => void clock.timer(0, resolve));
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }
}
