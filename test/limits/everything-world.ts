// Worlds in which all mechanisms are at work at once, and whatever can happen does: a careless outside, an owner who
// changes his mind, calls inside calls. Each is made of a list of numbers, so that one that goes wrong gets shorter.
import type { Limit } from "../../core/dist/glue.js";
import { NONE } from "../../core/test/worlds.ts";
import { type Asked, type BatchOf, limit, SECOND } from "./asked.ts";
import { CoreWorld } from "./core-world.ts";

const TOOLS = [
  { attempts: 2, concurrency: 3 },
  { attempts: 3, throttles: 2, backoff: 20_000n, backoffMost: 100_000n },
  { asks: 2, grace: 50_000n },
  { keeps: true, abandons: true, grace: 20_000n },
];
const EFFECTS = ["read", "idempotent", "once", "once"] as const;
const VERDICTS = ["done", "failed", "not-done", "unknown"] as const;
/** The whole runtime, and two tools. */
const PLACES = [NONE, 0, 1];
const SCOPES = ["runtime", "tool", "key", "tenant"] as const;

/** Of which each world has some. */
const LIMITS: readonly Limit[][] = [
  [limit("window", { number: 0, size: 4, per: SECOND })],
  [limit("pace", { scope: "runtime", size: 20, per: SECOND, a: 4 })],
  [limit("window", { number: 1, meter: 1, size: 30, per: SECOND })],
  [limit("breaker", { number: 0, size: 2, per: SECOND, a: 500, b: SECOND, meter: 1 })],
  [limit("breaker", { number: 1, size: 3, per: SECOND, a: 500, b: SECOND, meter: 2, mode: 1 })],
  [limit("adaptive", { number: 1, size: 4, a: 1 })],
  [limit("member", { number: 0 }), limit("member", { number: 3 }), limit("concurrency", { scope: "group", size: 3 })],
  [limit("concurrency", { scope: "key", size: 2 })],
  [limit("pace", { scope: "key", size: 10, per: SECOND, a: 2 })],
  [limit("concurrency", { scope: "tenant", size: 2 })],
  [limit("queue", { scope: "runtime", size: 4, mode: 1 })],
  [limit("queue", { scope: "tenant", size: 3 })],
  [limit("queue", { scope: "batch", size: 3 })],
  [limit("delay", { scope: "runtime", a: SECOND / 10, per: SECOND / 2 })],
  [limit("order", { scope: "runtime", a: SECOND, b: 2 * SECOND, mode: 1 })],
  [limit("share", { scope: "runtime", mode: 1 })],
  [limit("steps", { scope: "runtime", size: 2 })],
  [limit("ramp", { scope: "runtime" }), limit("ramp", { number: 0 })],
];

/** A world that takes more has come into a circle. */
const STEPS_MOST = 20_000;

/** Numbers that decide, one after the other; when they are used up, zeros, which stand for the plainest. */
class Choices {
  #at = 0;
  constructor(private readonly numbers: readonly number[]) {}

  get left(): boolean {
    return this.#at < this.numbers.length;
  }

  below(bound: number): number {
    return (this.numbers[this.#at++] ?? 0) % bound;
  }

  /** True once in so many times, never by zero. */
  once(inSoMany: number): boolean {
    return this.below(inSoMany) === inSoMany - 1;
  }

  of<T>(all: readonly T[]): T {
    return all[this.below(all.length)] as T;
  }
}

/** Another core than the one that ships. */
export interface Other {
  readonly core?: WebAssembly.Module;
  readonly seed?: number;
}

/** What a world came to, to be compared and counted. */
export interface Told {
  readonly world: CoreWorld;
  readonly limits: readonly Limit[];
  readonly starts: readonly string[];
  readonly outcomes: readonly string[];
}

/** A run that an attempt of a call has opened, and whether it waits for it. */
interface Below {
  readonly attempt: number;
  readonly run: number;
  readonly calls: readonly string[];
  waits: boolean;
}

class Everything {
  readonly #choices: Choices;
  readonly #world: CoreWorld;
  readonly #limits: readonly Limit[];
  /** Of each call in a run inside others, how deep. */
  readonly #depths = new Map<string, number>();
  /** Of each call the run that it has opened last. */
  readonly #below = new Map<string, Below>();
  #runs = 0;
  #calls = 0;

  constructor(numbers: readonly number[], other: Other) {
    this.#choices = new Choices(numbers);
    this.#limits = LIMITS.filter(() => this.#choices.once(2)).flat();
    const concurrency = 1 + this.#choices.below(4);
    this.#world = new CoreWorld({
      concurrency,
      tools: TOOLS,
      limits: this.#limits,
      ...other,
    });
  }

  play(): Told {
    const world = this.#world;
    world.event("watch", { mode: 1 });
    while (this.#choices.left) this.#step();
    this.#restore();
    this.#runDown();
    return {
      world,
      limits: this.#limits,
      starts: world.starts.map(({ name, at }) => `${name} ${at}`),
      outcomes: [...world.ended].map(([name, { outcome, reason }]) => `${name} ${outcome} ${reason}`),
    };
  }

  // ── what happens ──────────────────────────────────────────────────────────────────────────────

  #step(): void {
    const below = (bound: number): number => this.#choices.below(bound);
    const of = <T>(all: readonly T[]): T => this.#choices.of(all);
    const world = this.#world;
    const running = [...world.running];
    const named = (deed: (name: string) => void) => (): void => {
      if (running.length > 0) deed(of(running));
    };
    const ofAny = (deed: (name: string) => void) => (): void => {
      if (this.#calls > 0) deed(`c${below(this.#calls)}`);
    };
    const batch = (): void => world.batch(this.#some(1 + below(5)), this.#terms(below(3)));
    const end = named((name) => this.#end(name));
    const deeds: readonly (() => void)[] = [
      batch,
      batch,
      end,
      end,
      end,
      named((name) => world.fail(name, this.#choices.once(3))),
      named((name) => world.fail(name, this.#choices.once(3))),
      named((name) => world.overloaded(name, below(3) * (SECOND / 5), of(SCOPES))),
      named((name) => world.lost(name)),
      named((name) => this.#nest(name)),
      named((name) => this.#nest(name)),
      ofAny((name) => world.cancel(name)),
      () => {
        const run = below(3);
        if (this.#calls > 0 && this.#choices.once(4)) world.event("cancel", { run, slot: NONE });
      },
      // A host that repeats itself, and one that says what cannot be.
      ofAny((name) => {
        if (!world.running.has(name)) world.ok(name);
      }),
      ofAny((name) => {
        if (this.#belowOf(name) === undefined) world.resume(name);
      }),
      () =>
        world.event("observed", {
          mode: 1,
          slot: below(2),
          attempt: below(2),
          a: BigInt(below(3)),
          b: BigInt(below(2) * SECOND),
        }),
      () => world.event("pause", { mode: below(2), slot: of(PLACES), a: BigInt(below(3) * (SECOND / 4)) }),
      () => world.event("unpause", { mode: below(2), slot: of(PLACES) }),
      () => world.setLimit(of(SCOPES), below(4), below(5)),
      ofAny((name) => world.reprioritise(name, below(7) - 3)),
      () => {
        for (const name of [...world.asked.keys()].slice(0, 1)) world.verdict(name, of(VERDICTS));
      },
      () => world.pass(of([1, 1_000, SECOND / 20, SECOND / 4, 2 * SECOND])),
    ];
    of(deeds)();
  }

  #some(count: number): Asked[] {
    return Array.from({ length: count }, () => {
      const once = (inSoMany: number): boolean => this.#choices.once(inSoMany);
      const below = (bound: number): number => this.#choices.below(bound);
      const tool = below(TOOLS.length);
      return {
        name: `c${this.#calls++}`,
        tool,
        effect: EFFECTS[tool]!,
        reconciles: tool === 2,
        ...(once(4) ? { weight: 1 + below(3) } : {}),
        ...(once(2) ? { priority: below(5) - 2 } : {}),
        ...(once(3) ? { key: `k${below(2)}` } : {}),
        ...(once(3) ? { writes: [`w${below(2)}`] } : {}),
        ...(once(4) ? { reads: [`w${below(3)}`, "r"] } : {}),
        ...(once(3) ? { preempts: true } : {}),
        ...(once(2) ? { preemptible: true } : {}),
        ...(once(6) ? { sheddable: true } : {}),
        ...(once(6) ? { background: true } : {}),
        ...(once(6) ? { startWithin: SECOND / 2 } : {}),
        ...(once(6) ? { budget: SECOND / 10 } : {}),
        ...(once(6) ? { deadline: 400 + below(3) * 400 } : {}),
        ...(once(5) ? { runFor: SECOND / 4 } : {}),
        ...(once(4) ? { cost: { 1: 1 + below(9) } } : {}),
        ...(once(6) ? { writes: ["w0"], preemptible: true, priority: -2 } : {}),
        ...(once(6) ? { writes: ["w0"], preempts: true, priority: 2 } : {}),
      };
    });
  }

  #terms(run: number): BatchOf {
    const once = (inSoMany: number): boolean => this.#choices.once(inSoMany);
    const below = (bound: number): number => this.#choices.below(bound);
    return {
      run,
      ...(once(3) ? { concurrency: 1 + below(3) } : {}),
      ...(once(2) ? { tenant: `t${below(3)}`, weight: 500 + below(3) * 500 } : {}),
      ...(once(5) ? { deadline: 1_000 } : {}),
      ...(once(4) ? { buffered: 1 + below(20) } : {}),
    };
  }

  /** It opens a run of its own, three deep at most, and waits for it. */
  #nest(name: string): void {
    const depth = (this.#depths.get(name) ?? 0) + 1;
    if (this.#belowOf(name) !== undefined || depth > 3 || this.#world.aborted.includes(name)) return;
    const run = 10 + this.#runs++;
    const calls = this.#some(1 + this.#choices.below(2));
    for (const call of calls) this.#depths.set(call.name, depth);
    this.#below.set(name, {
      attempt: this.#world.attempt(name),
      run,
      calls: calls.map((call) => call.name),
      waits: true,
    });
    this.#world.nest(name, run, calls);
  }

  /** What this attempt of it has opened. */
  #belowOf(name: string): Below | undefined {
    const below = this.#below.get(name);
    return below?.attempt === this.#world.attempt(name) ? below : undefined;
  }

  /** It ends as its host would have it: told to stop it stops, with all below it; waiting for a run, it waits until that is done. */
  #end(name: string): void {
    const world = this.#world;
    const below = this.#belowOf(name);
    const done = below === undefined || below.calls.every((call) => world.ended.has(call));
    if (world.aborted.includes(name)) {
      if (!done) world.event("cancel", { run: below.run, slot: NONE });
      world.stopped(name);
    } else if (!done) return;
    else if (below?.waits) {
      below.waits = false;
      world.resume(name);
    } else if (below === undefined || world.carriedOn.includes(name)) world.ok(name, {}, this.#choices.below(12));
  }

  // ── how it ends ───────────────────────────────────────────────────────────────────────────────

  /** The owner lets everything go. */
  #restore(): void {
    const world = this.#world;
    for (const scope of [0, 1])
      for (const slot of scope === 0 ? [NONE] : [0, 1]) world.event("unpause", { mode: scope, slot });
    for (const scope of SCOPES) for (let number = 0; number < TOOLS.length; number++) world.setLimit(scope, number, 8);
  }

  #runDown(): void {
    const world = this.#world;
    for (let still = 0, steps = 0; still < 3; still++, steps++) {
      if (steps > STEPS_MOST) throw new Error("it never ends");
      for (const name of [...world.running]) {
        if (world.running.has(name)) this.#end(name);
        if (!world.running.has(name)) still = -1;
      }
      for (const name of [...world.asked.keys()]) {
        still = -1;
        world.verdict(name, "done");
      }
      world.drain();
      if (world.wakeAt === 0) continue;
      still = -1;
      world.pass(Math.max(world.wakeAt - world.now, 1));
    }
    world.finish();
  }
}

/** Plays a world to its end; throws when a call is left without an outcome, or something is held in the end. */
export function playEverything(numbers: readonly number[], other: Other = {}): Told {
  return new Everything(numbers, other).play();
}
