// The loop: events go to the core, its entries are made durable, then what it decided is carried out,
// and what happens becomes events. It carries and decides nothing.
//
// One turn: what happened since the last one goes in as one list; placements are read first, then each
// run's entries pass the write gate, and what the program sees next becomes the next turn's events.
import { actAtOnce, place, reportLeftBehind } from "./at-once.ts";
import type { CheckedBatch } from "./batch-options.ts";
import { Calendars } from "./calendars.ts";
import { describeError } from "./call-error.ts";
import { CallReports } from "./call-reports.ts";
import { type Action, type Call, type Core, type CoreEntry, NONE, openCore, type Reaction } from "./core.ts";
import { batchEvent, cancelEvent, coreCall, coreEvent } from "./core-event.ts";
import { type Digest, idDigest } from "./digest.ts";
import { stepOf } from "./emit.ts";
import { type Entry, JOURNAL_FORMAT } from "./entry.ts";
import { entryRow } from "./entry-row.ts";
import { HoldfastError } from "./errors.ts";
import type { EventHub } from "./event-hub.ts";
import { FallbackCalls, type StandIn } from "./fallback-calls.ts";
import { type Happened, Inbox, NOTHING } from "./inbox.ts";
import { LimitControl, waitingOf } from "./limit-control.ts";
import type { LimitTable } from "./limit-table.ts";
import { type BatchWait, keepPayload, type LiveRun, type LiveSlot } from "./live-run.ts";
import { isMismatch, MismatchError } from "./mismatch.ts";
import { OpenRuns } from "./open-runs.ts";
import type { Outcome } from "./outcome.ts";
import { inRequestOrder } from "./outcome-order.ts";
import { openingPayload, type Payload } from "./payload.ts";
import { type PerformWith, performAsk, performCall, performForget } from "./perform.ts";
import type { Ports } from "./ports.ts";
import type { PreparedCall, PrepareWith } from "./prepared-call.ts";
import { QueueRoom } from "./queue-room.ts";
import { readPast } from "./recall.ts";
import { recordedCore } from "./recording.ts";
import { forever, runEnded } from "./run-end.ts";
import { addKey, addTerms } from "./start-terms.ts";
import type { ToolTable } from "./tool-table.ts";
import { TurnWork } from "./turn-work.ts";
import { WakeTimer } from "./wake-timer.ts";
import { WriteGate } from "./write-gate.ts";

/** Steps that share a commit and a turn of the loop: more, and the loop halts for long; fewer, and a thousand calls at once wait for the disk too often. */
const STEPS_PER_TURN_MAX = 4;

export class Driver {
  readonly #ports: Ports;
  readonly #tools: ToolTable;
  readonly #limits: LimitTable;
  readonly #digest: (name: string) => Digest;
  readonly #hub: EventHub;
  readonly #inbox = new Inbox(() => this.#turn());
  readonly #timer: WakeTimer;
  readonly #gate: WriteGate;
  readonly #fallbacks: FallbackCalls;
  readonly runs = new OpenRuns();
  readonly reports: CallReports;
  readonly control: LimitControl;
  readonly room: QueueRoom;
  readonly #calendars: Calendars;
  #performWith: PerformWith | undefined;
  #core: Core;
  /** Whether this core knows what the journal says of the recent past; undefined: it has not been told. */
  #recalled: Promise<void> | undefined;
  /** Until it has: the runs that were opened meanwhile, which need not be read again. */
  #taken: Map<string, readonly Entry[]> | undefined;
  #watched = false;
  pressure: 0 | 1 | 2 = 0;

  constructor(ports: Ports, limits: LimitTable, prepare: PrepareWith, hub: EventHub) {
    const { tools, sha256 } = prepare;
    this.#ports = ports;
    this.#tools = tools;
    this.#limits = limits;
    this.#digest = (name) => idDigest(name, sha256);
    this.#hub = hub;
    this.#calendars = new Calendars(limits.rows, limits.zones);
    this.#core = this.#newCore();
    this.control = new LimitControl({
      limits,
      inbox: this.#inbox,
      sha256,
      core: () => this.#core,
      now: () => this.#now(),
      wall: () => this.#wall(),
    });
    const queued = (): number => this.#core.inspect(NONE).queued + this.#inbox.nextCall;
    this.room = new QueueRoom(limits, { queued, pressure: () => this.pressure });
    this.#timer = new WakeTimer(ports.clock, () => this.#turn());
    const { clock, warn } = ports;
    this.reports = new CallReports({ inbox: this.#inbox, limits, control: this.control, hub, clock, warn });
    this.#fallbacks = new FallbackCalls({ prepare, hub, clock, batch: (...asked) => this.batch(...asked) });
    this.#gate = new WriteGate(ports, hub, limits, {
      insteadOf: (run, slot, outcome, payload) => this.#fallbacks.insteadOf(run, slot, outcome, payload),
      call: (run, slot, action) => this.#call(run, slot, action),
      stop: (run, error) => this.stop(run, error),
      released: (number) => this.runs.release(number),
    });
  }

  /** What performing needs; given once, before the first run. */
  performWith(withThese: PerformWith): void {
    this.#performWith = withThese;
  }

  #newCore(): Core {
    const opened = openCore(this.#ports.core);
    const { record } = this.#ports;
    const core = record === undefined ? opened : recordedCore(opened, this.#draw().toString(16), record);
    const seed = this.#draw();
    const rows = this.#calendars.rows(this.#ports.clock.wallMs());
    core.configure(seed, this.#limits.concurrency, this.#tools.policies, rows);
    return core;
  }

  /** 64 bits of entropy. */
  #draw(): bigint {
    return new DataView(this.#ports.random(8).slice().buffer).getBigUint64(0);
  }

  #now(): bigint {
    return BigInt(this.#ports.clock.nowUs());
  }

  #wall(): bigint {
    return BigInt(this.#ports.clock.wallMs());
  }

  /** Tells the core, once, what the journal says of the recent past. `entries`: those of a run whose lease was just taken. */
  recall(key: string, entries: readonly Entry[]): Promise<void> {
    const known = this.#recalled;
    if (known === undefined) this.#taken = new Map();
    this.#taken?.set(key, entries);
    if (known !== undefined) return known;
    const recalled = this.#readPast(this.#taken!).catch((thrown: unknown) => {
      if (this.#recalled === recalled) this.#recalled = undefined; // the next run asks again
      throw thrown;
    });
    this.#recalled = recalled;
    return recalled;
  }

  async #readPast(taken: ReadonlyMap<string, readonly Entry[]>): Promise<void> {
    const { journal, clock, warn } = this.#ports;
    const core = this.#core;
    const [tools, limits] = [this.#tools, this.#limits];
    const past = await readPast({ journal, tools, limits, digest: this.#digest, wallMs: clock.wallMs(), taken });
    if (this.#taken === taken) this.#taken = undefined;
    if (past.left > 0)
      warn(
        `${past.left} runs of the time that rates look back are too many to be read: what they used is not counted.`,
      );
    if (core === this.#core && past.entries.length > 0)
      core.recall(this.#now(), this.#wall(), past.entries, past.asked);
  }

  // ── what a run asks for ───────────────────────────────────────────────────────────────────────

  /** Hands a run's journal to the core. Throws Refused, and the run is not open. */
  open(run: LiveRun, entries: CoreEntry[], calls: Call[], version: string | undefined): void {
    const reaction = this.#guarded(() =>
      this.#core.open(this.#now(), this.#wall(), run.number, run.adapt, entries, calls),
    );
    if (reaction === undefined)
      throw run.stopped ?? new HoldfastError("core-trap", "the core stopped", "Open the run again.");
    this.runs.add(run);
    for (const entry of reaction.entries) {
      const opening = { format: JOURNAL_FORMAT, fence: run.fence, ...(version === undefined ? {} : { version }) };
      run.stash.push(entryRow(entry, openingPayload(opening)));
    }
    this.#timer.set(reaction.wakeAt);
  }

  /** Plans and starts a batch; `announced`: plans it only. `standIns`: what the journal has that stands in for some of them. Resolves with one outcome per call, in order. */
  batch(
    run: LiveRun,
    calls: readonly PreparedCall[],
    options: CheckedBatch,
    announced: boolean,
    standIns: readonly StandIn[] = [],
  ): Promise<Outcome[]> {
    if (run.stopped !== undefined) return forever();
    if (!this.runs.has(run)) return Promise.reject(runEnded(run));
    return new Promise((resolve, reject) => {
      const deadline = options.deadlineMs === 0 ? 0 : this.#ports.clock.wallMs() + options.deadlineMs;
      const { onOutcome, inOrder } = options;
      const tenant = options.tenant ?? run.tenant;
      const wait: BatchWait = {
        outcomes: new Array(calls.length),
        left: calls.length,
        announced,
        tenant,
        deadline,
        onOutcome: onOutcome !== undefined && inOrder ? inRequestOrder(onOutcome) : onOutcome,
        resolve,
        reject,
      };
      const first = this.#inbox.nextCall;
      for (const [position, call] of calls.entries())
        this.#inbox.addCall(this.#asked(run, call), { call, wait, position });
      this.#inbox.send(
        batchEvent(run, options, {
          announced,
          first,
          count: calls.length,
          tenant: tenant === undefined ? 0 : addKey(this.#inbox.asked, this.#digest(tenant.id), false),
          weight: tenant?.weight ?? 0,
          deadline,
        }),
      );
      for (const standIn of standIns) this.#fallbacks.take(run, standIn, tenant);
    });
  }

  /** A call as the core is told of it; what is said of its start goes in beside it. */
  #asked(run: LiveRun, call: PreparedCall): Call {
    if (call.ready !== undefined) return coreCall(call, keepPayload(run, call.ready), 0);
    if (call.terms === undefined) return coreCall(call, 0, 0);
    return coreCall(call, 0, addTerms(this.#inbox.asked, call.terms, this.#limits.meters, this.#digest));
  }

  /** Starts an announced call. Claimed again, it comes to the same. */
  claim(run: LiveRun, slot: LiveSlot): Promise<Outcome> {
    if (run.stopped !== undefined) return forever();
    if (!this.runs.has(run)) return slot.claimed ?? Promise.reject(runEnded(run));
    slot.claimed ??= new Promise((resolve, reject) => {
      slot.wait = {
        outcomes: new Array(1),
        left: 1,
        announced: false,
        tenant: undefined,
        deadline: 0,
        onOutcome: undefined,
        resolve: ([outcome]) => resolve(outcome!),
        reject,
      };
      slot.position = 0;
      this.#inbox.send(coreEvent("claim", { run: run.number, slot: slot.ordinal }));
    });
    return slot.claimed;
  }

  /** The program has ended. Resolves when run-closed is durable. */
  close(run: LiveRun, payload: Payload): Promise<void> {
    if (run.stopped !== undefined) return forever();
    return new Promise((resolve) => {
      run.onClosed = resolve;
      const outcome = payload.kind === "error" ? "error" : "ok";
      this.#inbox.send(coreEvent("close", { run: run.number, outcome, payload: keepPayload(run, payload) }));
    });
  }

  /** Cancels one slot, or all. */
  cancel(run: LiveRun, slot: number = NONE): void {
    if (run.stopped === undefined && this.runs.has(run)) this.#inbox.send(cancelEvent(run, slot));
  }

  /** Nothing more starts, in any run. */
  pause(): void {
    this.#inbox.send(coreEvent("pause", { slot: NONE }));
  }

  /** Ends a run that cannot go on here: its journal stays as it is, what is in flight is told to stop. */
  stop(run: LiveRun, error: HoldfastError): void {
    if (run.stopped !== undefined) return;
    run.stopped = error;
    run.stash = [];
    // A run that the core has left by itself may have given its number to another.
    if (this.runs.has(run)) this.#inbox.send(coreEvent("forget", { run: run.number }));
    run.controller.abort(error);
    if (this.#hub.listening) {
      this.#hub.emit({
        kind: "run-stopped",
        at: this.#ports.clock.wallMs(),
        runId: run.id,
        error: describeError(error),
      });
    }
    run.onStop(error);
  }

  /** No timer of its own is left behind. */
  end(): void {
    this.#timer.clear();
  }

  // ── turns ─────────────────────────────────────────────────────────────────────────────────────

  #turn(): void {
    const happened = this.#inbox.take();
    if (this.#hub.listening !== this.#watched) {
      this.#watched = this.#hub.listening;
      happened.events.unshift(coreEvent("watch", { mode: this.#watched ? 1 : 0 }));
    }
    happened.events.unshift(...this.#calendars.changes(this.#ports.clock.wallMs()));
    const work = new TurnWork(happened, this.runs);
    let reaction = this.#step(happened);
    this.runs.turned();
    for (let steps = 1; reaction !== undefined; steps++) {
      this.#carryOut(reaction, work);
      const more: boolean = reaction.wakeAt !== 0n && reaction.wakeAt <= this.#now();
      if (!more) this.#timer.set(reaction.wakeAt);
      if (!more || steps === STEPS_PER_TURN_MAX) {
        this.#pass(work);
        this.room.turned();
        if (more) this.#goOn(work);
        return;
      }
      reaction = this.#step(NOTHING);
    }
  }

  #step({ events, asked }: Pick<Happened, "events" | "asked">): Reaction | undefined {
    return this.#guarded(() => this.#core.handle(this.#now(), this.#wall(), events, asked));
  }

  /** A trap costs the instance, never the truth: every open run stops at its journal, and a new core takes over. */
  #guarded(call: () => Reaction): Reaction | undefined {
    try {
      return call();
    } catch (thrown) {
      if (!(thrown instanceof HoldfastError)) throw thrown;
      this.#core = this.#newCore();
      this.#recalled = undefined;
      this.#watched = false;
      const lost = this.runs.takeAll();
      for (const run of lost) {
        for (const slot of run.slots) if (slot !== undefined) performForget(slot);
        this.stop(run, thrown);
      }
      this.#inbox.discard();
      if (lost.length === 0) throw thrown;
      return undefined;
    }
  }

  #carryOut(reaction: Reaction, work: TurnWork): void {
    const { clock } = this.#ports;
    const { happened, differences } = work;
    for (const row of reaction.placements) {
      const run = this.runs.get(row.run);
      if (run !== undefined) place(run, row, happened, this.#hub, clock);
    }
    for (const entry of reaction.entries) work.of(entry.run)?.entries.push(entry);
    for (const resolution of reaction.resolutions) work.of(resolution.run)?.resolutions.push(resolution);
    const ask = (run: LiveRun, slot: LiveSlot, action: Action): void =>
      performAsk(run, slot, action, this.#performWith!);
    const atOnce = { happened, hub: this.#hub, clock, ask, differences };
    for (const action of reaction.actions) {
      const run = this.runs.get(action.run);
      if (run === undefined) continue;
      if (action.gate === "written") work.of(action.run)?.gated.push(action);
      else actAtOnce(run, action, atOnce);
    }
    this.#tell(reaction);
  }

  /** What the steps of a turn brought each run goes to its journal, as one group. */
  #pass(work: TurnWork): void {
    for (const turn of work.turns.values()) this.#gate.pass(turn);
    for (const [run, found] of work.differences) {
      if (isMismatch(run, found)) this.stop(run, new MismatchError(run.id, found, run.thrown));
      else reportLeftBehind(run, found, this.#hub, this.#ports);
    }
    work.answerAnnouncements();
  }

  /** There is more to start than one turn may: the next follows what this one has made durable, so that neither the disk nor the loop is flooded. */
  #goOn({ turns }: TurnWork): void {
    const appends = [...turns.values()].map(({ run }) => run.lastAppend);
    void Promise.allSettled(appends).then(() => this.#inbox.wake());
  }

  /** For whoever watches: what did not start at once and why, what was abandoned, and how full the queue is. */
  #tell({ notices, pressure }: Reaction): void {
    const at = this.#ports.clock.wallMs();
    for (const notice of notices) {
      const run = this.runs.get(notice.run);
      const slot = run?.slots[notice.slot];
      if (run === undefined || slot === undefined) continue;
      const step = stepOf(run, slot, at);
      if (notice.kind === "abandoned") {
        const attempt = slot.inFlight?.attempt ?? slot.heldBack;
        this.#hub.emit({ ...step, kind: "abandoned", attempt, abandoned: Number(notice.inUse) });
      } else this.#hub.emit({ ...step, kind: "waiting", ...waitingOf(notice, this.#limits) });
    }
    const level = pressure as 0 | 1 | 2;
    if (level !== this.pressure && this.#hub.listening) this.#hub.emit({ kind: "pressure", at, level });
    this.pressure = level;
  }

  #call(run: LiveRun, slot: LiveSlot, action: Action): void {
    this.reports.inFlight++;
    run.inFlight++;
    performCall(run, slot, action, this.#performWith!);
  }
}
