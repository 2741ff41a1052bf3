// Entries leave first: a call whose start is not on disk could run twice, an outcome that is not on disk
// could change. So each run's entries are appended as one group, and its calls and outcomes wait for it.
import type { Action, Resolution } from "./core.ts";
import { emitTurn, stepOf } from "./emit.ts";
import { entryOf } from "./entry-row.ts";
import { HoldfastError, JournalError } from "./errors.ts";
import type { EventHub } from "./event-hub.ts";
import type { BatchWait, LiveRun, LiveSlot, RunTurn } from "./live-run.ts";
import type { Outcome } from "./outcome.ts";
import { outcomeOf } from "./outcome-of.ts";
import type { Payload } from "./payload.ts";
import type { Ports } from "./ports.ts";
import type { LimitNames } from "./reasons.ts";

/** What is done once a turn is durable, by others. */
export interface GatedWork {
  call(run: LiveRun, slot: LiveSlot, action: Action): void;
  /** What another tool comes to instead; undefined: there is none. Never rejects. */
  insteadOf(run: LiveRun, slot: LiveSlot, outcome: Outcome, payload: Payload | undefined): Promise<Outcome> | undefined;
  stop(run: LiveRun, error: HoldfastError): void;
  released(number: number): void;
}

export class WriteGate {
  readonly #ports: Ports;
  readonly #hub: EventHub;
  readonly #names: LimitNames;
  readonly #work: GatedWork;

  constructor(ports: Ports, hub: EventHub, names: LimitNames, work: GatedWork) {
    this.#ports = ports;
    this.#names = names;
    this.#hub = hub;
    this.#work = work;
  }

  /** Appends what the turn brings to its run, and does the rest once that, and all before it, is durable. */
  pass(turn: RunTurn): void {
    const { run } = turn;
    if (run.stopped !== undefined) {
      this.#released(turn);
      return;
    }
    for (const row of turn.resolutions) if (row.replayed) this.#resolve(run, row); // on disk since before the crash
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
    for (const row of turn.entries) entries.push(entryOf(run, row, this.#names));
    const appended = this.#ports.journal.append(run.key, run.fence, entries);
    run.lastAppend = appended;
    const forget = (): void => {
      if (run.lastAppend === appended) run.lastAppend = undefined;
    };
    appended.then(forget, () => undefined);
  }

  #appendFailed(turn: RunTurn, error: unknown): void {
    this.#released(turn);
    this.#work.stop(turn.run, error instanceof HoldfastError ? error : appendError(turn.run, error));
  }

  #perform(turn: RunTurn): void {
    const { run } = turn;
    if (run.stopped !== undefined) {
      this.#released(turn);
      return;
    }
    if (this.#hub.listening) emitTurn(this.#hub, turn);
    for (const row of turn.resolutions) if (!row.replayed) this.#resolve(run, row);
    for (const action of turn.gated) if (action.kind === "call") this.#work.call(run, run.slots[action.slot]!, action);
    if (turn.entries.some((entry) => entry.kind === "run-closed")) run.onClosed?.();
    this.#released(turn);
  }

  #released(turn: RunTurn): void {
    for (const action of turn.gated) if (action.kind === "released") this.#work.released(action.run);
  }

  /** Gives an outcome to whoever waits for it. */
  #resolve(run: LiveRun, row: Resolution): void {
    const slot = run.slots[row.slot]!;
    const payload = slot.reason ?? (row.payload === 0 ? undefined : run.payloads.get(row.payload));
    const outcome = outcomeOf(slot.call.id, slot.call.tool, row, payload);
    slot.reason = undefined;
    run.payloads.delete(row.payload);
    slot.outcome = outcome;
    if (this.#hub.listening) {
      const kind = row.replayed ? "replayed" : "settled";
      this.#hub.emit({ ...stepOf(run, slot, this.#ports.clock.wallMs()), kind, attempt: row.attempts, outcome });
    }
    const instead = this.#work.insteadOf(run, slot, outcome, payload);
    if (instead === undefined) give(slot, outcome);
    else void instead.then((other) => give(slot, other));
  }
}

function give(slot: LiveSlot, outcome: Outcome): void {
  const { wait } = slot;
  if (wait === undefined) return;
  slot.wait = undefined;
  wait.outcomes[slot.position] = outcome;
  tell(wait, outcome, slot.position);
  if (--wait.left === 0) wait.resolve(wait.outcomes);
}

/** Tells whoever wants each outcome as it comes; what they throw is their batch's. */
function tell(wait: BatchWait, outcome: Outcome, position: number): void {
  try {
    wait.onOutcome?.(outcome, position);
  } catch (thrown) {
    wait.reject(thrown);
  }
}

function appendError(run: LiveRun, cause: unknown): JournalError {
  return new JournalError(
    "journal-append",
    `the journal took no entry of run ${JSON.stringify(run.id)}`,
    "Mend the journal, then open the run again: it goes on from what is on disk.",
    { cause },
  );
}
