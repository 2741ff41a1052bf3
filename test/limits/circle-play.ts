// Trees of calls that wait for runs of their own, made by fast-check, and their play on a core: who ends, waits, goes on
// or is cancelled next is what the scene picks.
import * as fc from "fast-check";
import { CircleWorld, KEEPERS_FROM, type Other, type Sizes } from "./circle-world.ts";
import type { Asked } from "./core-world.ts";

/** Calls that are asked for together. */
interface Batch {
  readonly calls: readonly Node[];
  /** At once; 0: as many as else may. */
  readonly limit: number;
}

/** A call with the runs that it opens, all at once. */
interface Node {
  readonly tool: number;
  readonly weight: number;
  readonly reads: readonly string[];
  readonly writes: readonly string[];
  readonly runs: readonly Batch[];
}

export interface Scene extends Sizes {
  readonly roots: readonly Batch[];
  /** Of all that can happen next, which: the first where nothing more is picked. */
  readonly picks: readonly number[];
  /** Sizes that the runtime is given in turn. */
  readonly resizes: readonly number[];
  readonly cancels: number;
}

const keys = fc.subarray(["x", "y", "z"], { maxLength: 1 });

const { batch } = fc.letrec<{ node: Node; batch: Batch }>((tie) => ({
  node: fc.record({
    tool: fc.constantFrom(0, KEEPERS_FROM, KEEPERS_FROM, 1, KEEPERS_FROM + 1),
    weight: fc.constantFrom(1, 1, 1, 2),
    reads: fc.oneof({ weight: 3, arbitrary: fc.constant([]) }, { weight: 1, arbitrary: keys }),
    writes: fc.oneof({ weight: 1, arbitrary: fc.constant([]) }, { weight: 1, arbitrary: keys }),
    runs: fc.oneof(
      { maxDepth: 3, withCrossShrink: true },
      fc.constant([]),
      fc.oneof(
        { weight: 5, arbitrary: fc.tuple(tie("batch")) },
        { weight: 1, arbitrary: fc.tuple(tie("batch"), tie("batch")) },
      ),
    ),
  }),
  batch: fc.record({
    calls: fc.array(tie("node"), { minLength: 1, maxLength: 2 }),
    limit: fc.constantFrom(0, 0, 0, 1, 2),
  }),
}));

const anyScene: fc.Arbitrary<Scene> = fc.record({
  runtime: fc.integer({ min: 1, max: 4 }),
  tool: fc.integer({ min: 1, max: 3 }),
  roots: fc.array(batch, { minLength: 1, maxLength: 3 }),
  picks: fc.array(fc.nat(11), { maxLength: 24 }),
  resizes: fc.array(fc.constantFrom(0, 2, 3), { maxLength: 2 }),
  cancels: fc.constantFrom(0, 0, 1),
});

const twin = (key: string): fc.Arbitrary<Node> =>
  fc.record({
    tool: fc.constantFrom(0, KEEPERS_FROM),
    weight: fc.constant(1),
    reads: fc.constant([]),
    writes: fc.constant([key]),
    runs: fc.tuple(
      fc.record({
        calls: fc.array(
          fc.record({
            tool: fc.constantFrom(0, KEEPERS_FROM),
            weight: fc.constant(1),
            reads: fc.constant([]),
            writes: fc.constant([key]),
            runs: fc.constant([]),
          }),
          { minLength: 1, maxLength: 2 },
        ),
        limit: fc.constant(0),
      }),
    ),
  });

/** Two that have nothing to do with one another close a circle each, in one step where the picks say so. */
const twins: fc.Arbitrary<Scene> = fc
  .record({ x: twin("x"), y: twin("y"), runtime: fc.integer({ min: 2, max: 4 }), picks: fc.array(fc.nat(3)) })
  .map(({ x, y, runtime, picks }) => ({
    ...{ runtime, tool: 1, roots: [{ calls: [x, y], limit: 0 }], picks: [0, ...picks], resizes: [], cancels: 0 },
  }));

export const scene = fc.oneof({ weight: 15, arbitrary: anyScene }, { weight: 1, arbitrary: twins });

interface Named extends Asked {
  readonly runs: readonly Batch[];
}

class Play {
  readonly world: CircleWorld;
  readonly #scene: Scene;
  readonly #calls = new Map<string, Named>();
  readonly #opened = new Set<string>();
  #asked = 0;
  #resized = 0;
  #cancelled = 0;
  #runs = 0;

  constructor(scene: Scene, other: Other) {
    this.#scene = scene;
    this.world = new CircleWorld(scene, other);
  }

  run(): CircleWorld {
    for (let step = 0; ; step++) {
      const next = this.#next();
      if (next.length === 0) return this.world;
      next[(this.#scene.picks[step] ?? 0) % next.length]?.();
    }
  }

  /** A program does at once what is its own to do; all else may happen in any order. */
  #next(): (() => void)[] {
    const { world } = this;
    const [run] = world.done;
    if (run !== undefined) return [() => world.event("close", { run })];
    const [free] = world.waitsForNone;
    if (free !== undefined) return [() => world.resume(free)];
    const next: (() => void)[] = [];
    const opening: string[] = [];
    const ending: string[] = [];
    if (this.#asked < this.#scene.roots.length) next.push(() => this.#ask());
    for (const name of world.running) {
      const { runs } = this.#calls.get(name)!;
      if (world.aborted.includes(name)) next.push(() => world.stopped(name));
      else if (runs.length > 0 && !this.#opened.has(name)) opening.push(name);
      else if (world.phase(name) === "running") ending.push(name);
    }
    next.unshift(...opening.map((name) => () => this.#open([name])));
    if (opening.length > 1) next.push(() => this.#open(opening));
    next.push(...ending.map((name) => () => world.ok(name)));
    if (ending.length > 1) next.push(() => world.allOk(ending));
    if (this.#resized < this.#scene.resizes.length)
      next.push(() => this.#resize(this.#scene.resizes[this.#resized++]!));
    else if (next.length === 0 && world.isShut) next.push(() => this.#resize(2));
    const [victim] = world.hanging;
    if (this.#cancelled < this.#scene.cancels && victim !== undefined && next.length > 0)
      next.push(() => this.#cancel(victim));
    return next;
  }

  #ask(): void {
    this.#together(this.#scene.roots[this.#asked]!, `${this.#asked}`, (calls, run, concurrency) =>
      this.world.batch(calls, { run, concurrency }),
    );
    this.#asked++;
  }

  /** They open their runs, and wait for them in one step. */
  #open(names: readonly string[]): void {
    for (const name of names) {
      this.#opened.add(name);
      for (const [i, batch] of this.#calls.get(name)!.runs.entries())
        this.#together(batch, `${name}.${i}`, (calls, run, concurrency) =>
          this.world.nest(name, run, calls, { concurrency }, false),
        );
    }
    this.world.suspend(names);
  }

  #together({ calls, limit }: Batch, prefix: string, ask: (calls: Asked[], run: number, limit: number) => void): void {
    const named = calls.map((one, i): Named => ({ ...one, name: `${prefix}/${i}` }));
    for (const one of named) this.#calls.set(one.name, one);
    ask(
      named.map(({ name, tool, weight, reads, writes }) => ({ name, tool, weight, reads, writes }) as Asked),
      this.#runs++,
      limit,
    );
  }

  #resize(size: number): void {
    this.world.setLimit("runtime", 0, size);
  }

  #cancel(name: string): void {
    this.#cancelled++;
    this.world.cancel(name);
  }
}

/** Plays it to the end. */
export function play(scene: Scene, other: Other = {}): CircleWorld {
  return new Play(scene, other).run();
}
