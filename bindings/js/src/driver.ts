// The loop: events go to the core, its entries are made durable, then what it decided is carried out,
// and what happens becomes events. It carries and decides nothing.
//
// One turn: what happened since the last one goes in as one list; placements are read first, then the
// entries of each run are appended as one group, and only when a group is durable are the actions and
// resolutions done that are gated on it. What the program sees next becomes the next turn's events.
import type { BatchOptions } from "./api.ts";
import { describeError } from "./call-error.ts";
import { type Action, type Call, type Core, type CoreEntry, type CoreEvent, NONE, type Reaction, type Resolution, openCore } from "./core.ts";
import { cancelEvent, coreCall, coreEvent } from "./core-event.ts";
import { type Entry, ENTRY_KINDS, type EntryKind, JOURNAL_FORMAT, OUTCOMES, SOURCES } from "./entry.ts";
import { HoldfastError, JournalError } from "./errors.ts";
import type { EventHub } from "./event-hub.ts";
import { emitQueued, emitTurn } from "./emit.ts";
import type { BatchWait, LiveRun, LiveSlot, RunTurn } from "./live-run.ts";
import { difference, type Difference, MISMATCH_KINDS, MismatchError } from "./mismatch.ts";
import { outcomeOf } from "./outcome-of.ts";
import type { Json, Outcome, Verdict } from "./outcome.ts";
import { openingPayload, type Payload, planPayload } from "./payload.ts";
import { performAbort, performAsk, performCall, type PerformWith, type Reports } from "./perform.ts";
import type { Ports } from "./ports.ts";
import { duplicateId, type PreparedCall } from "./prepared-call.ts";
import type { ToolTable } from "./tool-table.ts";

const TIMER_MS_MAX = 2_147_483_647;
const kindNumbers = new Map(ENTRY_KINDS.map((name, number) => [name, number as EntryKind]));
const outcomeNumbers = new Map(OUTCOMES.map((name, number) => [name, number]));
const sourceNumbers = new Map(SOURCES.map((name, number) => [name, number]));

interface WaitingCall {
  readonly call: PreparedCall;
  readonly wait: BatchWait;
  readonly position: number;
}

export class Driver implements Reports {
  readonly #ports: Ports;
  readonly #tools: ToolTable;
  readonly #concurrency: number;
  readonly #hub: EventHub;
  readonly runs = new Map<number, LiveRun>();
  #performWith: PerformWith | undefined;
  #core: Core;
  #events: CoreEvent[] = [];
  #calls: Call[] = [];
  #waiting: WaitingCall[] = [];
  #scheduled = false;
  #cancelTimer: (() => void) | undefined;
  #wakeAt = 0n;
  #freeNumbers: number[] = [];
  #nextNumber = 0;
  /** Attempts whose tool has not returned. */
  inFlight = 0;
  onQuiet: (() => void) | undefined;

  constructor(ports: Ports, tools: ToolTable, concurrency: number, hub: EventHub) {
    this.#ports = ports;
    this.#tools = tools;
    this.#concurrency = concurrency;
    this.#hub = hub;
    this.#core = this.#newCore();
  }

  /** What performing needs; given once, before the first run. */
  performWith(withThese: PerformWith): void {
    this.#performWith = withThese;
  }

  #newCore(): Core {
    const core = openCore(this.#ports.core);
    const seed = new DataView(this.#ports.random(8).buffer.slice(0)).getBigUint64(0);
    core.configure(seed, this.#concurrency, this.#tools.policies);
    return core;
  }

  #now(): bigint {
    return BigInt(this.#ports.clock.nowUs());
  }

  #wall(): bigint {
    return BigInt(this.#ports.clock.wallMs());
  }

  // ── runs ──────────────────────────────────────────────────────────────────────────────────────

  takeNumber(): number {
    return this.#freeNumbers.pop() ?? this.#nextNumber++;
  }

  giveBackNumber(number: number): void {
    this.#freeNumbers.push(number);
  }

  /** Hands a run's journal to the core. Throws Refused, and the run is not open. */
  open(run: LiveRun, entries: CoreEntry[], calls: Call[], version: string | undefined): void {
    const reaction = this.#guarded(() => this.#core.open(this.#now(), this.#wall(), run.number, run.adapt, entries, calls));
    if (reaction === undefined) throw run.stopped ?? new HoldfastError("core-trap", "the core stopped", "Open the run again.");
    this.runs.set(run.number, run);
    for (const entry of reaction.entries) {
      const opening = { format: JOURNAL_FORMAT, fence: run.fence, ...(version === undefined ? {} : { version }) };
      run.stash.push({ ...this.#entryRow(entry), payload: openingPayload(opening) });
    }
    this.#wake(reaction.wakeAt);
  }

  /** Plans and starts a batch; `announced`: plans it only. Resolves with one outcome per call, in order. */
  batch(run: LiveRun, calls: readonly PreparedCall[], options: BatchOptions & { readonly announced?: boolean }): Promise<Outcome[]> {
    if (run.stopped !== undefined) return forever();
    return new Promise((resolve, reject) => {
      const announced = options.announced === true;
      const wait: BatchWait = { outcomes: new Array(calls.length), left: calls.length, announced, resolve, reject };
      const first = this.#calls.length;
      for (let position = 0; position < calls.length; position++) {
        const call = calls[position]!;
        this.#calls.push(coreCall(call, call.ready === undefined ? 0 : this.#keep(run, call.ready)));
        this.#waiting.push({ call, wait, position });
      }
      this.#send(
        coreEvent("batch", {
          run: run.number,
          mode: announced ? 1 : 0,
          first,
          count: calls.length,
          a: BigInt(options.concurrency ?? 0),
          b: options.deadlineMs === undefined ? 0n : this.#wall() + BigInt(options.deadlineMs),
        }),
      );
    });
  }

  /** Starts an announced call. */
  claim(run: LiveRun, slot: LiveSlot): Promise<Outcome> {
    if (run.stopped !== undefined) return forever();
    return new Promise((resolve, reject) => {
      slot.wait = { outcomes: new Array(1), left: 1, announced: false, resolve: ([outcome]) => resolve(outcome!), reject };
      slot.position = 0;
      this.#send(coreEvent("claim", { run: run.number, slot: slot.ordinal }));
    });
  }

  /** The program has ended. Resolves when run-closed is durable. */
  close(run: LiveRun, payload: Payload): Promise<void> {
    if (run.stopped !== undefined) return forever();
    return new Promise((resolve) => {
      run.onClosed = resolve;
      this.#send(coreEvent("close", { run: run.number, outcome: payload.kind === "error" ? "error" : "ok", payload: this.#keep(run, payload) }));
    });
  }

  cancel(run: LiveRun): void {
    if (run.stopped === undefined) this.#send(cancelEvent(run));
  }

  /** Nothing more starts, in any run. */
  pause(): void {
    this.#send(coreEvent("limit", { slot: NONE, a: 0n }));
  }

  /** Ends a run that cannot go on here: its journal stays as it is, what is in flight is told to stop. */
  stop(run: LiveRun, error: HoldfastError): void {
    if (run.stopped !== undefined) return;
    run.stopped = error;
    run.stash = [];
    this.#send(coreEvent("forget", { run: run.number }));
    run.controller.abort(error);
    if (this.#hub.listening) {
      this.#hub.emit({ kind: "run-stopped", at: this.#ports.clock.wallMs(), runId: run.id, error: describeError(error) });
    }
    run.onStop(error);
  }

  // ── what happens ──────────────────────────────────────────────────────────────────────────────

  #keep(run: LiveRun, payload: Payload): number {
    run.payloads.set(run.nextPayload, payload);
    return run.nextPayload++;
  }

  #ended(slot: LiveSlot, attempt: number): void {
    if (slot.inFlight?.attempt === attempt) slot.inFlight = undefined;
    this.inFlight--;
    if (this.inFlight === 0) this.onQuiet?.();
  }

  settled(run: LiveRun, slot: LiveSlot, attempt: number, payload: Payload, final: boolean): void {
    this.#ended(slot, attempt);
    const fields = { run: run.number, slot: slot.ordinal, attempt, payload: this.#keep(run, payload) };
    this.#send(coreEvent("settled", { ...fields, outcome: payload.kind === "error" ? "error" : "ok", mode: final ? 1 : 0 }));
  }

  stopped(run: LiveRun, slot: LiveSlot, attempt: number): void {
    this.#ended(slot, attempt);
    this.#send(coreEvent("stopped", { run: run.number, slot: slot.ordinal, attempt }));
  }

  lost(run: LiveRun, slot: LiveSlot, attempt: number, payload: Payload): void {
    this.#ended(slot, attempt);
    this.#send(coreEvent("lost", { run: run.number, slot: slot.ordinal, attempt, payload: this.#keep(run, payload) }));
  }

  reconciled(run: LiveRun, slot: LiveSlot, ask: number, verdict: Verdict["kind"], payload: Payload | undefined): void {
    const number = payload === undefined ? 0 : this.#keep(run, payload);
    this.#send(coreEvent("reconciled", { run: run.number, slot: slot.ordinal, mode: ask, verdict, payload: number }));
  }

  noVerdict(run: LiveRun, slot: LiveSlot, attempt: number, why: unknown): void {
    if (!this.#hub.listening) return;
    this.#hub.emit({ ...this.#step(run, slot), kind: "no-verdict", attempt, error: describeError(why) });
  }

  progress(run: LiveRun, slot: LiveSlot, attempt: number, value: Json): void {
    if (this.#hub.listening) this.#hub.emit({ ...this.#step(run, slot), kind: "progress", attempt, value });
  }

  suspend(run: LiveRun, slot: LiveSlot, attempt: number): void {
    this.#send(coreEvent("suspend", { run: run.number, slot: slot.ordinal, attempt }));
  }

  resume(run: LiveRun, slot: LiveSlot, attempt: number): void {
    this.#send(coreEvent("resume", { run: run.number, slot: slot.ordinal, attempt }));
  }

  #step(run: LiveRun, slot: LiveSlot) {
    return { at: this.#ports.clock.wallMs(), runId: run.id, callId: slot.call.id, tool: slot.call.tool, slot: slot.ordinal };
  }

  // ── turns ─────────────────────────────────────────────────────────────────────────────────────

  #send(event: CoreEvent): void {
    this.#events.push(event);
    if (this.#scheduled) return;
    this.#scheduled = true;
    // A few microtasks later: calls that return in the same breath share a turn, and so a commit.
    void Promise.resolve().then(() => Promise.resolve().then(() => Promise.resolve().then(this.#turn)));
  }

  readonly #turn = (): void => {
    this.#scheduled = false;
    const events = this.#events;
    const calls = this.#calls;
    const waiting = this.#waiting;
    this.#events = [];
    this.#calls = [];
    this.#waiting = [];
    const reaction = this.#guarded(() => this.#core.handle(this.#now(), this.#wall(), events, calls));
    if (reaction !== undefined) this.#carryOut(reaction, events, waiting);
  };

  /** A trap costs the instance, never the truth: every open run stops at its journal, and a new core takes over. */
  #guarded(call: () => Reaction): Reaction | undefined {
    try {
      return call();
    } catch (thrown) {
      if (!(thrown instanceof HoldfastError)) throw thrown;
      this.#core = this.#newCore();
      this.#events = [];
      const lost = [...this.runs.values()];
      this.runs.clear();
      for (const run of lost) {
        for (const slot of run.slots) if (slot?.inFlight !== undefined) performAbort(slot, forgottenAction(slot));
        this.stop(run, thrown);
      }
      if (lost.length === 0) throw thrown;
      return undefined;
    }
  }

  #carryOut(reaction: Reaction, events: readonly CoreEvent[], waiting: readonly WaitingCall[]): void {
    for (const row of reaction.placements) this.#place(row, waiting);
    const turns = new Map<number, RunTurn>();
    const turnOf = (number: number): RunTurn | undefined => {
      const known = turns.get(number);
      if (known !== undefined) return known;
      const run = this.runs.get(number);
      if (run === undefined) return undefined;
      const made: RunTurn = { run, entries: [], gated: [], resolutions: [] };
      turns.set(number, made);
      return made;
    };
    for (const entry of reaction.entries) turnOf(entry.run)?.entries.push(entry);
    for (const resolution of reaction.resolutions) turnOf(resolution.run)?.resolutions.push(resolution);
    const differences = new Map<LiveRun, Difference[]>();
    for (const action of reaction.actions) {
      if (action.gate === "written") {
        turnOf(action.run)?.gated.push(action);
        continue;
      }
      this.#actNow(action, waiting, events, differences);
    }
    for (const turn of turns.values()) this.#finishTurn(turn);
    for (const [run, found] of differences) this.#mismatched(run, found);
    for (const event of events) if (event.kind === "batch") this.#announced(event, waiting);
    this.#wake(reaction.wakeAt);
  }

  #place(row: Reaction["placements"][number], waiting: readonly WaitingCall[]): void {
    const run = this.runs.get(row.run);
    if (run === undefined) return;
    for (let i = 0; i < row.count; i++) {
      const { call, wait, position } = waiting[row.call + i]!;
      const before = run.byId.get(call.id);
      const slot: LiveSlot = {
        ordinal: row.slot + i,
        call,
        generation: (row.fresh ? run.idUses.get(call.id) : run.generations.get(row.slot + i)) ?? 0,
        wait: wait.announced ? undefined : wait,
        position,
        inFlight: undefined,
        ask: undefined,
        outcome: undefined,
      };
      run.slots[slot.ordinal] = slot;
      if (before === undefined || before.ordinal < slot.ordinal) run.byId.set(call.id, slot);
      if (this.#hub.listening && !wait.announced) emitQueued(this.#hub, run, slot, this.#ports.clock.wallMs());
    }
  }

  /** An announcement is answered when its plan is durable; one that changed nothing is answered at once. */
  #announced(event: CoreEvent, waiting: readonly WaitingCall[]): void {
    const wait = waiting[event.first]?.wait;
    const run = this.runs.get(event.run);
    if (wait === undefined || !wait.announced || run === undefined) return;
    if (run.lastAppend === undefined) wait.resolve([]);
    else void run.lastAppend.then(() => run.stopped === undefined && wait.resolve([]), () => undefined);
  }

  #actNow(action: Action, waiting: readonly WaitingCall[], events: readonly CoreEvent[], differences: Map<LiveRun, Difference[]>): void {
    const run = this.runs.get(action.run);
    if (run === undefined) return;
    const slot = action.slot === NONE ? undefined : run.slots[action.slot];
    switch (action.kind) {
      case "abort":
        if (slot !== undefined) performAbort(slot, action);
        return;
      case "reconcile":
        if (slot !== undefined && run.stopped === undefined) this.#ask(run, slot, action);
        return;
      case "carry-on":
        slot?.inFlight?.carryOn?.();
        return;
      case "mismatch": {
        const kind = MISMATCH_KINDS[action.code] ?? "unused-slot";
        const ordinal = action.slot === NONE ? undefined : action.slot;
        const found = difference(kind, ordinal, ordinal === undefined ? undefined : run.journaled[ordinal], waiting[action.call]?.call);
        differences.set(run, [...(differences.get(run) ?? []), found]);
        return;
      }
      case "unawaited":
        if (slot !== undefined) run.unawaited.push(slot.call.id);
        if (slot !== undefined && this.#hub.listening) this.#hub.emit({ ...this.#step(run, slot), kind: "unawaited" });
        return;
      case "refuse":
        this.#refused(run, action, waiting, events);
        return;
      case "call":
      case "released":
        throw new Error(`the core gave an ungated ${action.kind}`);
    }
  }

  #ask(run: LiveRun, slot: LiveSlot, action: Action): void {
    if (this.#hub.listening) this.#hub.emit({ ...this.#step(run, slot), kind: "reconciling", attempt: action.attempt });
    performAsk(run, slot, action, this.#performWith!);
  }

  #refused(run: LiveRun, action: Action, waiting: readonly WaitingCall[], events: readonly CoreEvent[]): void {
    const call = waiting[action.call];
    if (call !== undefined) {
      call.wait.reject(refusalError(action.code, run, call.call.id));
      return;
    }
    for (const event of events) {
      if (event.kind !== "claim" || event.run !== run.number) continue;
      const slot = run.slots[event.slot];
      if (slot?.outcome === undefined) slot?.wait?.reject(refusalError(action.code, run, slot.call.id));
    }
  }

  #mismatched(run: LiveRun, differences: readonly Difference[]): void {
    if (!run.adapt) {
      this.stop(run, new MismatchError(run.id, differences));
      return;
    }
    if (!this.#hub.listening) return;
    for (const one of differences) {
      if (one.journal === undefined || one.slot === undefined) continue;
      const step = { at: this.#ports.clock.wallMs(), runId: run.id, callId: one.journal.id, tool: one.journal.tool, slot: one.slot };
      this.#hub.emit({ ...step, kind: "left-behind", state: one.journal.state });
    }
  }

  /** Entries leave first: a call whose start is not on disk could run twice. */
  #finishTurn(turn: RunTurn): void {
    const { run } = turn;
    if (run.stopped !== undefined) {
      this.#released(turn);
      return;
    }
    for (const row of turn.resolutions) if (row.replayed) this.#resolve(run, row);
    if (turn.entries.length > 0) this.#append(turn);
    const durable = run.lastAppend;
    if (durable === undefined) this.#perform(turn);
    else
      durable.then(
        () => this.#perform(turn),
        (error: unknown) => this.#appendFailed(turn, error),
      );
  }

  #append(turn: RunTurn): void {
    const { run } = turn;
    const entries = run.stash;
    run.stash = [];
    for (const row of turn.entries) entries.push(this.#entryOf(run, row));
    const appended = this.#ports.journal.append(run.key, run.fence, entries);
    run.lastAppend = appended;
    const forget = (): void => {
      if (run.lastAppend === appended) run.lastAppend = undefined;
    };
    appended.then(forget, () => undefined);
  }

  #appendFailed(turn: RunTurn, error: unknown): void {
    const failure =
      error instanceof HoldfastError
        ? error
        : new JournalError("journal-append", `the journal took no entry of run ${JSON.stringify(turn.run.id)}`, "Mend the journal, then open the run again: it goes on from what is on disk.", { cause: error });
    this.stop(turn.run, failure);
    this.#released(turn);
  }

  #entryRow(row: CoreEntry): Omit<Entry, "payload"> {
    return {
      kind: kindNumbers.get(row.kind)!,
      slot: row.slot,
      count: row.count,
      attempt: row.attempt,
      outcome: outcomeNumbers.get(row.outcome)!,
      source: sourceNumbers.get(row.source)!,
      at: Number(row.at),
      until: Number(row.until),
    };
  }

  #entryOf(run: LiveRun, row: CoreEntry): Entry {
    const base = this.#entryRow(row);
    if (row.kind !== "planned") return { ...base, payload: row.payload === 0 ? null : (run.payloads.get(row.payload)?.bytes ?? null) };
    const calls: PreparedCall[] = [];
    for (let i = 0; i < row.count; i++) calls.push(run.slots[row.slot + i]!.call);
    return { ...base, payload: planPayload(calls) };
  }

  #perform(turn: RunTurn): void {
    const { run } = turn;
    if (run.stopped !== undefined) {
      this.#released(turn);
      return;
    }
    if (this.#hub.listening) emitTurn(this.#hub, turn);
    for (const row of turn.resolutions) if (!row.replayed) this.#resolve(run, row);
    for (const action of turn.gated) {
      if (action.kind !== "call") continue;
      this.inFlight++;
      performCall(run, run.slots[action.slot]!, action, this.#performWith!);
    }
    if (turn.entries.some((entry) => entry.kind === "run-closed")) run.onClosed?.();
    this.#released(turn);
  }

  #released(turn: RunTurn): void {
    for (const action of turn.gated) {
      if (action.kind !== "released") continue;
      this.runs.delete(action.run);
      this.#freeNumbers.push(action.run);
    }
  }

  #resolve(run: LiveRun, row: Resolution): void {
    const slot = run.slots[row.slot]!;
    const outcome = outcomeOf(slot.call.id, slot.call.tool, row, row.payload === 0 ? undefined : run.payloads.get(row.payload));
    run.payloads.delete(row.payload);
    slot.outcome = outcome;
    if (this.#hub.listening) {
      const kind = row.replayed ? "replayed" : "settled";
      this.#hub.emit({ ...this.#step(run, slot), kind, attempt: row.attempts, outcome });
    }
    const { wait } = slot;
    if (wait === undefined) return;
    slot.wait = undefined;
    wait.outcomes[slot.position] = outcome;
    if (--wait.left === 0) wait.resolve(wait.outcomes);
  }

  // ── time ──────────────────────────────────────────────────────────────────────────────────────

  #wake(wakeAt: bigint): void {
    if (wakeAt === this.#wakeAt && (wakeAt === 0n || this.#cancelTimer !== undefined)) return;
    this.#cancelTimer?.();
    this.#cancelTimer = undefined;
    this.#wakeAt = wakeAt;
    if (wakeAt === 0n) return;
    const delayMs = Math.min(Math.max(0, Math.ceil((Number(wakeAt) - this.#ports.clock.nowUs()) / 1000)), TIMER_MS_MAX);
    this.#cancelTimer = this.#ports.clock.timer(delayMs, () => {
      this.#cancelTimer = undefined;
      this.#turn();
    });
  }

  /** No timer of its own is left behind. */
  end(): void {
    this.#cancelTimer?.();
    this.#cancelTimer = undefined;
    this.#wakeAt = 0n;
  }
}

function forever<Value>(): Promise<Value> {
  return new Promise(() => undefined); // the run has stopped: its program sees neither success nor failure
}

function forgottenAction(slot: LiveSlot): Action {
  return { kind: "abort", gate: "none", code: 2, run: 0, slot: slot.ordinal, attempt: slot.inFlight?.attempt ?? 0, call: NONE, until: 0n };
}

function refusalError(code: number, run: LiveRun, callId: string): HoldfastError {
  if (code === 0) return duplicateId(callId, `run ${JSON.stringify(run.id)} has already made a call of that id`);
  return new HoldfastError("run-stopped", `run ${JSON.stringify(run.id)} takes no more calls: its program has ended`, "Await every call before the program returns.");
}
