// One simulated world: the real core and the real driver over simulated ports, a program, and choices about
// what happens next: a write reaches the disk, a tool returns or fails, a reconciler answers, time passes, the
// host dies, another takes its run. The ledger judges; the world only makes things happen.
import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import type { Runtime } from "../../bindings/js/src/api.ts";
import { EntryKind } from "../../bindings/js/src/entry.ts";
import { checkOptions, makeRuntime } from "../../bindings/js/src/open-runtime.ts";
import type { Verdict } from "../../bindings/js/src/outcome.ts";
import { done, notDone, unknown } from "../../bindings/js/src/outcome.ts";
import type { Ports } from "../../bindings/js/src/ports.ts";
import { Decisions } from "./decisions.ts";
import { Broken, Ledger } from "./ledger.ts";
import type { WorldPlan } from "./plan.ts";
import { programOf } from "./program.ts";
import { clockOf, drain, SimulatedClock, SimulatedDisk, SimulatedJournal } from "./surroundings.ts";
import { toolsOf } from "./tools.ts";

const core = new WebAssembly.Module(readFileSync(new URL("../../core/dist/core.wasm", import.meta.url)));
const RUN = "r";
const ATTEMPTS_MOST = 3;
const STEPS_MOST = 2_000;

/** A call under way, in whichever host. */
export interface Flight {
  readonly host: number;
  readonly run: string;
  readonly id: string;
  readonly attempt: number;
  readonly signal: AbortSignal;
  readonly resolve: (value: unknown) => void;
  readonly reject: (error: unknown) => void;
}

/** A question to a reconciler that has not been answered. */
export interface Ask {
  readonly host: number;
  readonly run: string;
  readonly id: string;
  readonly answer: (verdict: Verdict) => void;
  readonly fail: (error: Error) => void;
}

/** What a test breaks on purpose, to see that it is caught. */
export interface Fault {
  readonly name: string;
  readonly ports?: (ports: Ports, host: number, world: World) => Ports;
  readonly noFences?: boolean;
  /** Changes a tool's function or its reconciler. */
  readonly tool?: (options: any) => any;
  /** The program hands over its calls without their ids. */
  readonly withoutIds?: boolean;
}

interface Host {
  readonly number: number;
  readonly runtime: Runtime<any, any>;
  readonly journal: SimulatedJournal;
  dead: boolean;
  ended: { readonly result: unknown } | { readonly error: any } | undefined;
}

export class World {
  readonly plan: WorldPlan;
  readonly ledger = new Ledger();
  readonly clock = new SimulatedClock();
  readonly disk: SimulatedDisk;
  readonly fault: Fault | undefined;
  flights: Flight[] = [];
  asks: Ask[] = [];
  broken: Broken | undefined;
  readonly #decisions: Decisions;
  readonly #hosts: Host[] = [];
  #returned: { readonly run: string; readonly id: string }[] = [];
  #takeOvers = 0;
  #cancels = 0;

  constructor(plan: WorldPlan, fault?: Fault) {
    this.plan = plan;
    this.fault = fault;
    this.#decisions = new Decisions(plan.decisions);
    this.disk = new SimulatedDisk(this.ledger, fault?.noFences !== true);
  }

  /** Keeps the first promise that was broken: inside a program or a tool an error would be taken for theirs. */
  guarded<Value>(work: () => Value): Value {
    try {
      return work();
    } catch (error) {
      if (error instanceof Broken) this.broken ??= error;
      throw error;
    }
  }

  isCurrent(host: number): boolean {
    return this.#hosts.at(-1)?.number === host;
  }

  #startHost(): Host {
    const number = this.#hosts.length;
    const journal = new SimulatedJournal(this.disk, number);
    let drawn = 0;
    const ports: Ports = {
      core,
      journal,
      clock: clockOf(this.clock, () => host.dead),
      random: (bytes) => new Uint8Array(bytes).fill(++drawn + number * 7),
      sha256: (text) => createHash("sha256").update(text).digest(),
      warn: () => undefined,
    };
    const options = { tools: toolsOf(this, number), limits: { concurrency: this.plan.concurrency } };
    const runtime = makeRuntime(checkOptions(options, []), this.fault?.ports?.(ports, number, this) ?? ports);
    const host: Host = { number, runtime, journal, dead: false, ended: undefined };
    this.#hosts.push(host);
    this.#returned = [];
    runtime.run(RUN, programOf(this, number)).then(
      (result) => {
        host.ended = { result };
      },
      (error: unknown) => {
        host.ended = { error };
      },
    );
    return host;
  }

  /** Lives the world to its end. Throws `Broken` when a promise was. */
  async live(): Promise<void> {
    let host = this.#startHost();
    for (let step = 0; host.ended === undefined; step++) {
      if (step > STEPS_MOST) throw new Broken("finishes", "the run never ends");
      await drain();
      this.#check();
      if (host.ended !== undefined) break;
      this.#step(host);
      host = this.#hosts.at(-1)!;
    }
    await drain();
    this.#check();
    if ("error" in host.ended) throw new Broken("finishes", `the run ended with ${host.ended.error}`);
    this.ledger.end(ATTEMPTS_MOST);
    await this.#replays(JSON.stringify(host.ended.result));
  }

  #check(): void {
    if (this.broken !== undefined) throw this.broken;
    if (this.disk.writes.length > 0) return;
    for (const { run, id } of this.#returned) this.ledger.mustBeSettled(run, id);
    this.#returned = [];
  }

  /** The run once more, as if its last entry had not made it: the same result, and nothing is called. */
  async #replays(result: string): Promise<void> {
    for (const host of this.#hosts) this.#kill(host, 0);
    const { entries } = this.disk.runs.get(RUN)!;
    if (entries.at(-1)?.kind !== EntryKind.runClosed) throw new Broken("closed", "the run is over and not closed");
    entries.pop();
    const host = this.#startHost();
    for (let i = 0; i < 50 && host.ended === undefined; i++) {
      await drain();
      if (this.flights.length + this.asks.length > 0) throw new Broken("replay", "a replay called or asked");
      this.disk.flush(true);
    }
    this.#check();
    if (host.ended === undefined || !("result" in host.ended)) throw new Broken("replay", "a replay did not end");
    if (JSON.stringify(host.ended.result) !== result) throw new Broken("replay", "a replay came to another result");
  }

  // ── what happens next ───────────────────────────────────────────────────────────────────────

  #step(host: Host): void {
    const { clock, disk } = this;
    const moves: (() => void)[] = [
      ...Array<() => void>(6).fill(() => this.#goOn()),
      () => this.#endSomeCall(),
      () => this.#endSomeCall(),
      () => this.#answerSome(),
      () => void clock.advance(50),
      () => void disk.flush(true),
      () => void clock.advance(1_000),
      () => this.#crash(host),
      () => this.#takeOver(),
      () => this.#cancel(host),
      () => this.#stepWall(),
    ];
    moves[this.#decisions.choose(moves.length)]!();
  }

  #cancel(host: Host): void {
    if (this.#cancels++ === 0) host.runtime.cancel(RUN);
  }

  #stepWall(): void {
    this.ledger.stepped = true;
    this.clock.stepWall(this.#decisions.choose(2) === 0 ? -5_000 : 500);
  }

  /** What a calm world does: writes reach the disk, tools return, reconcilers tell the truth, time passes. */
  #goOn(): void {
    if (this.disk.flush(true)) return;
    const flight = this.flights.find((one) => this.isCurrent(one.host)) ?? this.flights[0];
    const ask = this.asks[0];
    if (flight !== undefined) this.#end(flight, "ok");
    else if (ask !== undefined) this.#answer(ask, "truth");
    else if (!this.clock.advance(60_000))
      throw new Broken("finishes", "nothing is left to happen and the run has not ended");
  }

  #endSomeCall(): void {
    if (this.flights.length === 0) {
      this.#goOn();
      return;
    }
    const flight = this.flights[this.#decisions.choose(this.flights.length)]!;
    const how = this.#decisions.choose(flight.signal.aborted ? 3 : 2);
    this.#end(flight, how === 0 ? "ok" : how === 1 ? "error" : "stopped");
  }

  #end(flight: Flight, how: "ok" | "error" | "stopped"): void {
    const { host, run, id, attempt } = flight;
    this.flights = this.flights.filter((one) => one !== flight);
    this.ledger.ended(host);
    if (how === "ok") {
      this.guarded(() => this.ledger.happened(run, id));
      if (this.isCurrent(host)) this.#returned.push({ run, id });
      flight.resolve(`${id} by ${attempt}`);
    } else if (how === "error") flight.reject(new Error(`${id} failed`));
    else {
      if (this.#decisions.rarely(2)) this.guarded(() => this.ledger.happened(run, id));
      flight.reject(flight.signal.reason);
    }
  }

  #answerSome(): void {
    if (this.asks.length === 0) {
      this.#goOn();
      return;
    }
    const ask = this.asks[this.#decisions.choose(this.asks.length)]!;
    this.#answer(ask, (["truth", "unknown", "throw"] as const)[this.#decisions.choose(3)]!);
  }

  /** A reconciler never says what may still change: a call that runs somewhere is unknown to it. */
  #answer(ask: Ask, how: "truth" | "unknown" | "throw"): void {
    const { host, run, id } = ask;
    this.asks = this.asks.filter((one) => one !== ask);
    if (how === "throw") {
      ask.fail(new Error("503"));
      return;
    }
    const runs = this.flights.some((flight) => flight.run === run && flight.id === id);
    const verdict: Verdict =
      how === "unknown" || runs
        ? unknown()
        : this.ledger.facts(run, id).happened > 0
          ? done(`${id} was found`)
          : notDone();
    if (!this.#hosts[host]!.dead) this.ledger.answered(run, id, verdict.kind);
    ask.answer(verdict);
  }

  #crash(host: Host): void {
    if (this.ledger.crashes >= 3) return;
    this.ledger.crashes++;
    this.#kill(host, this.#decisions.choose(3));
    this.#startHost();
  }

  #kill(host: Host, kept: number): void {
    if (host.dead) return;
    host.dead = true;
    host.journal.die();
    this.disk.lose(host.number, kept);
    for (const { run, id } of this.flights.filter((flight) => flight.host === host.number))
      if (this.#decisions.rarely(2)) this.guarded(() => this.ledger.happened(run, id)); // it happened, and nobody heard
    this.flights = this.flights.filter((flight) => flight.host !== host.number);
    this.asks = this.asks.filter((ask) => ask.host !== host.number);
  }

  /** Another host takes the run while this one lives on and does not know. */
  #takeOver(): void {
    if (this.#takeOvers++ > 0) return;
    this.ledger.crashes++; // to the calls it is one
    this.disk.release();
    this.#startHost();
  }
}
