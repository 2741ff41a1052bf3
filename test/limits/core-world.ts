// The core alone under a clock that stands until it is moved: calls with names, who was started in which
// order, what each came to. Every world is checked: a call is started for a reason and ends exactly once.
import { readFileSync } from "node:fs";
import { expect } from "vitest";
import {
  type Call,
  type Charge,
  type Event,
  instantiate,
  type Key,
  type Limit,
  type Notice,
  type Policy,
  type Reaction,
  type Reading,
  type Root,
  type Terms,
} from "../../core/dist/glue.js";
import { BLANK, NONE, POLICY, WALL } from "../../core/test/worlds.ts";
import { type Asked, type BatchOf, type Ended, SECOND } from "./asked.ts";

export { type Asked, limit, many, noRamp, SECOND } from "./asked.ts";

const module = new WebAssembly.Module(readFileSync(new URL("../../core/dist/core.wasm", import.meta.url)));
const SCOPES = ["runtime", "tool", "group", "key", "tenant", "batch", "lock"] as const;

interface Known {
  readonly name: string;
  readonly run: number;
  readonly slot: number;
  attempt: number;
  running: boolean;
}

export interface WorldOptions {
  readonly concurrency?: number;
  readonly tools?: readonly Partial<Policy>[];
  readonly limits?: readonly Limit[];
  readonly seed?: number;
  readonly core?: WebAssembly.Module; // another than the one that ships
}

export class CoreWorld {
  readonly core: Root;
  now = 10 * SECOND;
  wakeAt = 0;
  pressure = 0;
  /** Every start: the call and when. */
  readonly starts: { name: string; at: number }[] = [];
  readonly running = new Set<string>();
  readonly ended = new Map<string, Ended>();
  readonly aborted: string[] = [];
  readonly carriedOn: string[] = [];
  /** Calls whose reconcilers are asked, and which ask it is. */
  readonly asked = new Map<string, number>();
  readonly refused: string[] = [];
  notices: Notice[] = [];
  last: Reaction | undefined;
  startsOfStep = 0;
  readonly #byName = new Map<string, Known>();
  readonly #bySlot = new Map<string, Known>();
  readonly #runs = new Set<number>();
  #nextId = 1n;

  constructor({ concurrency = 16, tools = [{}], limits = [], seed = 7, core = module }: WorldOptions = {}) {
    this.core = instantiate(() => core, {});
    const policies = tools.map((tool) => ({ ...POLICY, attempts: 1, throttles: 20, ...tool }));
    this.core.configure(BigInt(seed), concurrency, policies, [...limits]);
  }

  get wall(): number {
    return Number(WALL) + Math.floor(this.now / 1000);
  }

  /** Names of those that were started, in order. */
  get order(): string[] {
    return this.starts.map(({ name }) => name);
  }

  #digest(name: string): { nameHigh: bigint; nameLow: bigint } {
    let hash = 0xcbf29ce484222325n;
    for (const letter of name) hash = BigInt.asUintN(64, (hash ^ BigInt(letter.codePointAt(0)!)) * 0x100000001b3n);
    return { nameHigh: 1n, nameLow: hash };
  }

  handle(events: readonly Event[], lists: { calls?: Call[]; terms?: Terms[]; keys?: Key[]; charges?: Charge[] } = {}) {
    const { calls = [], terms = [], keys = [], charges = [] } = lists;
    const names = this.#pending;
    this.#pending = [];
    const reaction = this.core.handle(BigInt(this.now), BigInt(this.wall), [...events], calls, terms, keys, charges);
    for (const { run, call, slot, count } of reaction.placements) {
      for (let i = 0; i < count; i++) {
        const known = { name: names[call + i] as string, run, slot: slot + i, attempt: 0, running: false };
        this.#byName.set(known.name, known);
        this.#bySlot.set(`${run}/${slot + i}`, known);
      }
    }
    this.#read(reaction);
    return reaction;
  }

  #pending: string[] = [];

  #read(reaction: Reaction): void {
    this.last = reaction;
    this.startsOfStep = 0;
    for (const entry of reaction.entries) {
      const known = this.#bySlot.get(`${entry.run}/${entry.slot}`);
      if (entry.kind !== "settled" || known === undefined) continue;
      expect(this.ended.has(known.name), `${known.name} ends twice`).toBe(false);
      this.ended.set(known.name, { outcome: entry.outcome, reason: entry.reason, until: Number(entry.until) });
    }
    for (const action of reaction.actions) {
      const known = this.#bySlot.get(`${action.run}/${action.slot}`);
      if (action.kind === "refuse") this.refused.push(String(action.code));
      if (known === undefined) continue;
      if (action.kind === "call") {
        expect(known.running, `${known.name} is started while it runs`).toBe(false);
        expect(this.ended.has(known.name), `${known.name} is started after its end`).toBe(false);
        known.running = true;
        known.attempt = action.attempt;
        this.running.add(known.name);
        this.starts.push({ name: known.name, at: this.now });
        this.startsOfStep++;
      } else if (action.kind === "reconcile") this.asked.set(known.name, action.code);
      else if (action.kind === "abort" && action.code === 3) this.asked.delete(known.name);
      else if (action.kind === "abort") this.aborted.push(known.name);
      else if (action.kind === "carry-on") this.carriedOn.push(known.name);
    }
    this.notices.push(...reaction.notices);
    this.wakeAt = Number(reaction.wakeAt);
    this.pressure = reaction.pressure;
  }

  #open(run: number): void {
    if (this.#runs.has(run)) return;
    this.#runs.add(run);
    const opened = this.core.open(BigInt(this.now), BigInt(this.wall), run, false, [], []);
    this.wakeAt = Number(opened.wakeAt);
  }

  /** Asks for these calls together. */
  batch(asked: readonly Asked[], of: BatchOf = {}, mode = 0): void {
    const { run = 0, concurrency = 0, tenant, weight = 0, deadline, buffered = 0 } = of;
    this.#open(run);
    const terms: Terms[] = [];
    const keys: Key[] = [];
    const charges: Charge[] = [];
    const addKey = (name: string, write: boolean): number => keys.push({ ...this.#digest(name), write });
    const calls = asked.map((one): Call => {
      const said = this.#terms(one, keys, charges, addKey);
      return {
        idHigh: 9n,
        idLow: this.#nextId++,
        inputHigh: 1n,
        inputLow: 1n,
        runFor: BigInt(one.runFor ?? 0),
        deadline: one.deadline === undefined ? 0n : BigInt(this.wall + one.deadline),
        tool: one.tool ?? 0,
        ready: 0,
        effect: one.effect ?? "read",
        reconciles: one.reconciles ?? false,
        readyOutcome: "ok",
        terms: said === undefined ? 0 : terms.push(said),
      };
    });
    this.#pending = asked.map(({ name }) => name);
    const event: Event = {
      ...BLANK,
      kind: "batch",
      run,
      count: calls.length,
      slot: tenant === undefined ? 0 : addKey(tenant, false),
      attempt: weight,
      mode,
      payload: buffered,
      a: BigInt(concurrency),
      b: deadline === undefined ? 0n : BigInt(this.wall + deadline),
    };
    this.handle([event], { calls, terms, keys, charges });
  }

  /** Plans these calls as one batch; each is asked for by `claim`. */
  announce(asked: readonly Asked[], of: BatchOf = {}): void {
    this.batch(asked, of, 1);
  }

  readonly claim = (name: string): void => this.event("claim", this.#known(name));

  #terms(
    one: Asked,
    keys: Key[],
    charges: Charge[],
    addKey: (name: string, write: boolean) => number,
  ): Terms | undefined {
    const plain = { tool: 0, effect: 0, reconciles: 0, runFor: 0, deadline: 0, name: 0 };
    if (Object.keys(one).every((key) => key in plain)) return undefined;
    const key = one.key === undefined ? 0 : addKey(one.key, false);
    const firstLock = keys.length;
    for (const name of one.reads ?? []) addKey(name, false);
    for (const name of one.writes ?? []) addKey(name, true);
    const firstCharge = charges.length;
    for (const [meter, cost] of Object.entries(one.cost ?? {})) charges.push({ meter: Number(meter), cost });
    return {
      startWithin: BigInt(one.startWithin ?? 0),
      budget: BigInt(one.budget ?? 0),
      priority: one.priority ?? 0,
      weight: one.weight ?? 0,
      key,
      firstLock,
      locks: keys.length - firstLock,
      firstCharge,
      charges: charges.length - firstCharge,
      sheddable: one.sheddable ?? false,
      background: one.background ?? false,
      preempts: one.preempts ?? false,
      preemptible: one.preemptible ?? false,
    };
  }

  #known(name: string): Known {
    const known = this.#byName.get(name);
    if (known === undefined) throw new Error(`no call ${name}`);
    return known;
  }

  /** Which attempt of it was started last. */
  readonly attempt = (name: string): number => this.#known(name).attempt;

  #report(name: string, fields: Partial<Event>, charges: Charge[] = []): void {
    const known = this.#known(name);
    const { run, slot, attempt } = known;
    known.running = false;
    this.running.delete(name);
    this.handle([{ ...BLANK, kind: "settled", run, slot, attempt, payload: 1, ...fields }], { charges });
  }

  /** It returned. `cost` by meter. */
  ok(name: string, cost: Readonly<Record<number, number>> = {}, bytes = 0): void {
    const charges = Object.entries(cost).map(([meter, spent]) => ({ meter: Number(meter), cost: spent }));
    this.#report(name, { outcome: "ok", first: 0, count: charges.length, a: BigInt(bytes) }, charges);
  }

  /** All of these returned, in one step. */
  allOk(names: readonly string[]): void {
    const events = names.map((name): Event => {
      const known = this.#known(name);
      known.running = false;
      this.running.delete(name);
      return { ...BLANK, kind: "settled", run: known.run, slot: known.slot, attempt: known.attempt, payload: 1 };
    });
    this.handle(events);
  }

  /** It threw. `silent`: that says nothing of the outside. */
  fail(name: string, silent = false): void {
    this.#report(name, { outcome: "error", mode: silent ? 4 : 0 });
  }

  /** The outside said "slow down", for so many µs (0 = it did not say), of this scope. */
  overloaded(name: string, afterUs = 0, scope: (typeof SCOPES)[number] = "tool", number = 0): void {
    const b = (BigInt(SCOPES.indexOf(scope)) << 32n) | BigInt(number);
    this.#report(name, { outcome: "error", mode: 2, a: BigInt(afterUs), b });
  }

  /** It stopped, having been told to. */
  stopped(name: string): void {
    this.#report(name, { kind: "stopped" });
  }

  /** Whoever made it is gone: nobody knows whether it was done. */
  lost(name: string): void {
    this.#report(name, { kind: "lost" });
  }

  /** Its reconciler, which was asked, says what became of it. */
  verdict(name: string, verdict: Event["verdict"]): void {
    const { run, slot } = this.#known(name);
    const mode = this.asked.get(name) ?? 0;
    this.asked.delete(name);
    this.event("reconciled", { run, slot, mode, verdict, payload: 1 });
  }

  cancel(name: string): void {
    const { run, slot } = this.#known(name);
    this.handle([{ ...BLANK, kind: "cancel", run, slot }]);
  }

  /** It waits for a run that it has opened, in which these calls are made; with `waits` false, not yet. */
  nest(name: string, run: number, asked: readonly Asked[], of: BatchOf = {}, waits = true): void {
    const { run: above, slot, attempt } = this.#known(name);
    if (waits) this.event("suspend", this.#known(name));
    this.#open(run);
    this.event("nested", { run, slot, attempt, a: BigInt(above) });
    this.batch(asked, { ...of, run });
  }

  readonly resume = (name: string): void => this.event("resume", this.#known(name));

  event(kind: Event["kind"], fields: Partial<Event> = {}): void {
    this.handle([{ ...BLANK, kind, attempt: 0, ...fields }]);
  }

  setLimit(scope: (typeof SCOPES)[number], number: number, size: number): void {
    this.event("limit", { mode: SCOPES.indexOf(scope), slot: scope === "runtime" ? NONE : number, a: BigInt(size) });
  }

  reprioritise(name: string, priority: number): void {
    const { run, slot } = this.#known(name);
    this.event("reprioritise", { run, slot, a: BigInt.asUintN(64, BigInt(priority)) });
  }

  explain(name: string): Notice {
    const { run, slot } = this.#known(name);
    return this.core.explain(BigInt(this.now), BigInt(this.wall), run, slot);
  }

  readonly gauge = (scope: "runtime" | "tool" | "group", number = 0): Reading =>
    this.core.gauge(BigInt(this.now), BigInt(this.wall), scope, number);

  /** Lets time pass, waking the core when it wants to be woken. */
  pass(us: number): void {
    const end = this.now + us;
    while (this.wakeAt !== 0 && this.wakeAt <= end) {
      this.now = Math.max(this.now, this.wakeAt);
      const before = this.wakeAt;
      this.handle([]);
      // A wake-up starts or settles something, or moves strictly forward: else it would spin for ever.
      const { entries, actions } = this.last!;
      if (entries.length + actions.length === 0 && this.wakeAt !== 0) expect(this.wakeAt).toBeGreaterThan(before);
    }
    this.now = end;
    this.handle([]);
  }

  /** What is due at once, at most 64 starts a step. */
  drain(): void {
    while (this.wakeAt !== 0 && this.wakeAt <= this.now) this.handle([]);
  }

  get standing() {
    return this.core.inspect(0);
  }

  /** The global check: everything that was asked for has ended exactly once, and nothing is held any more. */
  finish(): void {
    for (const name of this.#byName.keys()) expect(this.ended.has(name), `${name} has no outcome`).toBe(true);
    const { inUse, queued, locks } = this.standing;
    expect({ inUse, queued, locks }).toEqual({ inUse: 0, queued: 0, locks: 0 });
  }

  /** Ends all that runs, and what starts then, until nothing is left; `each` says how. */
  runDown(each: (name: string) => void = (name) => this.ok(name)): void {
    for (let steps = 0; steps < 100_000; steps++) {
      this.drain();
      const next = this.running.values().next();
      if (!next.done) each(next.value);
      else if (this.wakeAt !== 0) this.pass(this.wakeAt - this.now);
      else break;
    }
    this.finish();
  }
}
