// What becomes of an attempt or an ask, told to the core as events. Decides nothing.
import { describeError } from "./call-error.ts";
import type { CoreEvent } from "./core.ts";
import { coreEvent } from "./core-event.ts";
import { stepOf } from "./emit.ts";
import type { EventHub } from "./event-hub.ts";
import { keepPayload, type LiveRun, type LiveSlot } from "./live-run.ts";
import type { Json, Verdict } from "./outcome.ts";
import type { Payload } from "./payload.ts";
import type { Reports } from "./perform.ts";
import type { Clock } from "./ports.ts";

export class CallReports implements Reports {
  readonly #send: (event: CoreEvent) => void;
  readonly #hub: EventHub;
  readonly #clock: Clock;
  /** Attempts whose tool has not returned. */
  inFlight = 0;
  /** Called when there are none any more. */
  onQuiet: (() => void) | undefined;

  constructor(send: (event: CoreEvent) => void, hub: EventHub, clock: Clock) {
    this.#send = send;
    this.#hub = hub;
    this.#clock = clock;
  }

  /** False: it has ended already, and its run's number may be another's by now. */
  #ended(run: LiveRun, slot: LiveSlot, attempt: number): boolean {
    if (slot.inFlight?.attempt !== attempt) return false;
    slot.inFlight = undefined;
    if (--run.inFlight === 0) run.onLeft?.();
    if (--this.inFlight === 0) this.onQuiet?.();
    return true;
  }

  settled(run: LiveRun, slot: LiveSlot, attempt: number, payload: Payload, final: boolean): void {
    if (!this.#ended(run, slot, attempt)) return;
    const fields = { run: run.number, slot: slot.ordinal, attempt, payload: keepPayload(run, payload) };
    this.#send(
      coreEvent("settled", { ...fields, outcome: payload.kind === "error" ? "error" : "ok", mode: final ? 1 : 0 }),
    );
  }

  stopped(run: LiveRun, slot: LiveSlot, attempt: number, began: boolean): void {
    if (!this.#ended(run, slot, attempt)) return;
    this.#send(coreEvent("stopped", { run: run.number, slot: slot.ordinal, attempt, mode: began ? 0 : 1 }));
  }

  lost(run: LiveRun, slot: LiveSlot, attempt: number, payload: Payload): void {
    if (!this.#ended(run, slot, attempt)) return;
    this.#send(coreEvent("lost", { run: run.number, slot: slot.ordinal, attempt, payload: keepPayload(run, payload) }));
  }

  reconciled(run: LiveRun, slot: LiveSlot, ask: number, verdict: Verdict["kind"], payload: Payload | undefined): void {
    const number = payload === undefined ? 0 : keepPayload(run, payload);
    this.#send(coreEvent("reconciled", { run: run.number, slot: slot.ordinal, mode: ask, verdict, payload: number }));
  }

  noVerdict(run: LiveRun, slot: LiveSlot, attempt: number, why: unknown): void {
    if (this.#hub.listening)
      this.#hub.emit({
        ...stepOf(run, slot, this.#clock.wallMs()),
        kind: "no-verdict",
        attempt,
        error: describeError(why),
      });
  }

  progress(run: LiveRun, slot: LiveSlot, attempt: number, value: Json): void {
    if (this.#hub.listening)
      this.#hub.emit({ ...stepOf(run, slot, this.#clock.wallMs()), kind: "progress", attempt, value });
  }

  suspend(run: LiveRun, slot: LiveSlot, attempt: number): void {
    if (slot.inFlight?.attempt !== attempt) return;
    this.#send(coreEvent("suspend", { run: run.number, slot: slot.ordinal, attempt }));
  }

  resume(run: LiveRun, slot: LiveSlot, attempt: number): void {
    if (slot.inFlight?.attempt !== attempt) return;
    this.#send(coreEvent("resume", { run: run.number, slot: slot.ordinal, attempt }));
  }
}
