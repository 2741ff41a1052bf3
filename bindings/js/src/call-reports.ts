// What becomes of an attempt or an ask, told to the core as events. Decides nothing.
import { describeError } from "./call-error.ts";
import type { CoreEvent } from "./core.ts";
import { coreEvent } from "./core-event.ts";
import { stepOf } from "./emit.ts";
import { HoldfastError } from "./errors.ts";
import type { EventHub } from "./event-hub.ts";
import type { Inbox } from "./inbox.ts";
import type { LimitControl } from "./limit-control.ts";
import type { ScopeRef } from "./limit-rows.ts";
import type { LimitTable } from "./limit-table.ts";
import type { Cost, LimitName } from "./limits.ts";
import { keepPayload, type LiveRun, type LiveSlot } from "./live-run.ts";
import type { CallError, Json, Verdict } from "./outcome.ts";
import { retryAfterMs } from "./overloaded.ts";
import { errorPayload, type Payload } from "./payload.ts";
import type { Reports } from "./perform.ts";
import type { Clock } from "./ports.ts";
import { type Headers, type Observed, readHeaders } from "./provider-headers.ts";
import type { ParentCall } from "./run-options.ts";
import { addCharges, checkCost } from "./start-terms.ts";
import type { WorkerReport } from "./worker-report.ts";

/** Bits of `mode`, as in core.wit. */
const FINAL = 1;
const OVERLOADED = 2;
const NO_SAMPLE = 4;
const SCOPES = ["runtime", "tool", "group", "key", "tenant", "batch", "lock"] as const;

export class CallReports implements Reports {
  readonly #inbox: Inbox;
  readonly #limits: LimitTable;
  readonly #control: LimitControl;
  readonly #hub: EventHub;
  readonly #clock: Clock;
  readonly #warn: (message: string) => void;
  /** Attempts whose tool has not returned. */
  inFlight = 0;
  /** Called when there are none any more. */
  onQuiet: (() => void) | undefined;

  constructor(withThese: {
    readonly inbox: Inbox;
    readonly limits: LimitTable;
    readonly control: LimitControl;
    readonly hub: EventHub;
    readonly clock: Clock;
    readonly warn: (message: string) => void;
  }) {
    this.#inbox = withThese.inbox;
    this.#limits = withThese.limits;
    this.#control = withThese.control;
    this.#hub = withThese.hub;
    this.#clock = withThese.clock;
    this.#warn = withThese.warn;
  }

  #send(event: CoreEvent): void {
    this.#inbox.send(event);
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
    const failed = payload.kind === "error";
    // What Holdfast itself refuses says nothing of the tool's health; of the rest its breakers are asked.
    const silent = failed && (final || !this.#limits.isFailure(slot.call.number, payload.error));
    const mode = (final ? FINAL : 0) | (silent ? NO_SAMPLE : 0);
    const a = bytesOf(payload);
    this.#send(coreEvent("settled", { ...fields, outcome: failed ? "error" : "ok", mode, a }));
  }

  overloaded(run: LiveRun, slot: LiveSlot, attempt: number, error: CallError): void {
    if (!this.#ended(run, slot, attempt)) return;
    const scope = this.#overloadedScope(slot, error);
    const limit = this.#limits.nameOf(scope.kind, scope.number);
    const after = retryAfterMs(error.data, this.#clock.wallMs());
    // In the journal by name: the next host rests as well, whatever its numbers.
    const data = { limit, ...(after === 0 ? {} : { retryAfterMs: after }) };
    this.#send(
      coreEvent("settled", {
        run: run.number,
        slot: slot.ordinal,
        attempt,
        outcome: "error",
        mode: OVERLOADED,
        payload: keepPayload(run, errorPayload({ ...error, data })),
        a: BigInt(after) * 1000n,
        b: (BigInt(SCOPES.indexOf(scope.kind)) << 32n) | BigInt(scope.number),
      }),
    );
  }

  #overloadedScope(slot: LiveSlot, error: CallError): ScopeRef {
    const said = (error.data as { readonly scope?: unknown } | undefined)?.scope;
    const name = said === "key" ? "keys" : said;
    const known = typeof name === "string" ? this.#limits.find(name) : undefined;
    if (known?.kind === "key" && slot.call.terms?.key === undefined) return { kind: "tool", number: slot.call.number };
    return known ?? { kind: "tool", number: slot.call.number };
  }

  spent(run: LiveRun, slot: LiveSlot, attempt: number, actual: Cost): void {
    const { asked } = this.#inbox;
    const first = asked.charges.length;
    const count = addCharges(asked, checkCost("cost", actual), this.#limits.meters);
    if (count > 0) this.#send(coreEvent("spent", { run: run.number, slot: slot.ordinal, attempt, first, count }));
  }

  observed(slot: LiveSlot, limit: LimitName | undefined, observed: Headers | readonly Observed[]): void {
    const rows = Array.isArray(observed) ? observed : readHeaders(observed as Headers, this.#clock.wallMs());
    const name = limit ?? this.#limits.nameOf("tool", slot.call.number);
    this.#control.observe(name as LimitName, rows, slot.call.terms?.key);
  }

  reported(run: LiveRun, slot: LiveSlot, attempt: number, report: WorkerReport): void {
    if (slot.inFlight?.attempt !== attempt) return;
    try {
      if (report.of === "cost") this.spent(run, slot, attempt, report.actual);
      else {
        const [first] = report.observed;
        const said = Array.isArray(first) ? new Map(report.observed as [string, string][]) : report.observed;
        this.observed(slot, report.limit as LimitName | undefined, said as Headers | readonly Observed[]);
      }
    } catch (thrown) {
      // The tool is elsewhere and has gone on: whoever runs it is told.
      if (!(thrown instanceof HoldfastError)) throw thrown;
      this.#warn(`the call ${slot.call.id} of ${slot.call.tool} said what cannot be counted: ${thrown.message}`);
    }
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
    const fields = { run: run.number, slot: slot.ordinal, mode: ask, verdict, payload: number, a: bytesOf(payload) };
    this.#send(coreEvent("reconciled", fields));
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

  /** The run was opened by a call that waits for it. */
  nested(run: LiveRun, { run: above, slot, attempt }: ParentCall): void {
    if (above.stopped !== undefined || slot.inFlight?.attempt !== attempt) return;
    this.#send(coreEvent("nested", { run: run.number, slot: slot.ordinal, attempt, a: BigInt(above.number) }));
  }

  resume(run: LiveRun, slot: LiveSlot, attempt: number): void {
    if (slot.inFlight?.attempt !== attempt) return;
    this.#send(coreEvent("resume", { run: run.number, slot: slot.ordinal, attempt }));
  }
}

function bytesOf(payload: Payload | undefined): bigint {
  return BigInt(payload?.bytes?.length ?? 0);
}
