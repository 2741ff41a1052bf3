// Who can never move again, found by trying: from a small picture of all calls every order of ends, starts and resumptions
// is walked, as limits and tickets would allow them to the best of schedulers. It knows nothing of how the core finds it.

export type Phase = "queued" | "running" | "suspended" | "resuming" | "ended";
const PHASES: readonly Phase[] = ["queued", "running", "suspended", "resuming", "ended"];
const [QUEUED, RUNNING, SUSPENDED, RESUMING, ENDED] = [0, 1, 2, 3, 4] as const;

/** A call that was asked for. Their order in a list is that of their tickets. */
export interface CallView {
  readonly name: string;
  readonly run: number;
  /** The call that opened its run and waits for it. */
  readonly parent: string | undefined;
  readonly units: number;
  /** Names of the limits that it needs units of. */
  readonly scopes: readonly string[];
  /** Suspended, it keeps its permits. */
  readonly keeps: boolean;
  readonly reads: readonly string[];
  readonly writes: readonly string[];
  phase: Phase;
  /** It was told to stop while it waited, having given its permits back. */
  lent: boolean;
  /** It waits for a run that waits for nothing: that one's program is to move. */
  isFree: boolean;
}

/** By name of limit; none: no bound; 0: its owner's pause, which nobody waits for in vain. */
export type Sizes = ReadonlyMap<string, number>;

const overlaps = (a: readonly string[], b: readonly string[]): boolean => a.some((name) => b.includes(name));

export function conflict(a: CallView, b: CallView): boolean {
  return overlaps(a.writes, b.writes) || overlaps(a.writes, b.reads) || overlaps(a.reads, b.writes);
}

/** Of a circle: who waits in it, what its calls lack, and how it lies. */
export interface Circle {
  readonly waiting: ReadonlySet<string>;
  /** What keeps the calls of its runs: names of limits, `lock` for keys. */
  readonly lacks: ReadonlyMap<string, ReadonlySet<string>>;
  /** Calls that wait for one another downwards, at most. */
  readonly depth: number;
  /** It falls into two that have nobody in common. */
  readonly isTwo: boolean;
}

export class Oracle {
  readonly calls: readonly CallView[];
  readonly #sizes: Sizes;
  readonly #before: readonly (readonly number[])[];
  readonly #children: readonly (readonly number[])[];

  constructor(calls: readonly CallView[], sizes: Sizes) {
    this.calls = calls.filter(({ phase }) => phase !== "ended");
    this.#sizes = sizes;
    this.#before = this.calls.map((one, i) =>
      this.calls.flatMap((other, j) => (j < i && conflict(one, other) ? [j] : [])),
    );
    this.#children = this.calls.map(({ name }) => this.calls.flatMap(({ parent }, j) => (parent === name ? [j] : [])));
  }

  #held(state: readonly number[], i: number): number {
    const { units, keeps, lent } = this.calls[i]!;
    if (state[i] === RUNNING) return lent ? 0 : units;
    return state[i] === SUSPENDED && keeps ? units : 0;
  }

  /** Names of the limits that have too few units for it. */
  #refusing(state: readonly number[], i: number): string[] {
    const { scopes, units } = this.calls[i]!;
    return scopes.filter((scope) => {
      const size = this.#sizes.get(scope) ?? Number.POSITIVE_INFINITY;
      const used = state.reduce<number>(
        (sum, _, j) => (this.calls[j]!.scopes.includes(scope) ? sum + this.#held(state, j) : sum),
        0,
      );
      return size !== 0 && used + units > size;
    });
  }

  #isBehind(state: readonly number[], i: number): boolean {
    return this.#before[i]!.some((j) => state[j] !== ENDED);
  }

  /** What may come of a call now, or undefined. `frozen` wait for ever; `trusting`: whoever else waits goes on some day. */
  #next(state: readonly number[], i: number, frozen: ReadonlySet<number>, trusting: boolean): number | undefined {
    switch (state[i]) {
      case RUNNING:
        return ENDED;
      case QUEUED:
        return this.#isBehind(state, i) || this.#refusing(state, i).length > 0 ? undefined : RUNNING;
      case SUSPENDED:
        if (frozen.has(i)) return undefined;
        if (trusting) return ENDED;
        if (this.#children[i]!.some((j) => state[j] !== ENDED)) return undefined;
        return this.calls[i]!.keeps ? RUNNING : RESUMING;
      case RESUMING:
        return this.#refusing(state, i).length > 0 ? undefined : RUNNING;
      default:
        return undefined;
    }
  }

  /** Visits every state that can be reached until `visit` says false. True: it never did. */
  #search(visit: (state: readonly number[]) => boolean, frozen: ReadonlySet<number>, trusting: boolean): boolean {
    const start = this.calls.map(({ phase }) => PHASES.indexOf(phase));
    const seen = new Set<string>();
    const stack = [start];
    for (let state = stack.pop(); state !== undefined; state = stack.pop()) {
      const key = state.join("");
      if (seen.has(key)) continue;
      seen.add(key);
      if (!visit(state)) return false;
      for (let i = 0; i < state.length; i++) {
        const next = this.#next(state, i, frozen, trusting);
        if (next !== undefined) stack.push(state.with(i, next));
      }
    }
    return true;
  }

  /** Has some limit too few units for it now? */
  lacksNow(name: string): boolean {
    const state = this.calls.map(({ phase }) => PHASES.indexOf(phase));
    return (
      this.#refusing(
        state,
        this.calls.findIndex((one) => one.name === name),
      ).length > 0
    );
  }

  /** Names of the calls that in no future start, or go on. */
  stuck(): Set<string> {
    const start = this.calls.map(({ phase }) => PHASES.indexOf(phase));
    const stuck = new Set(this.calls.keys());
    this.#search(
      (state) => {
        for (const i of stuck) if (start[i] === RUNNING || state[i] !== start[i]) stuck.delete(i);
        return stuck.size > 0;
      },
      new Set(),
      false,
    );
    return new Set([...stuck].map((i) => this.calls[i]!.name));
  }

  /** Can no call of their runs move before one of these goes on, whatever anybody else does? */
  #isCircle(waiting: ReadonlySet<number>): boolean {
    const start = this.calls.map(({ phase }) => PHASES.indexOf(phase));
    const theirs = [...waiting].flatMap((i) => this.#children[i]!);
    const moves = (state: readonly number[], i: number): boolean => start[i] === RUNNING || state[i] !== start[i];
    return this.#search((state) => !theirs.some((i) => moves(state, i)), waiting, true);
  }

  /** All circles in one, or undefined. Every set of waiting calls is tried. */
  circle(): Circle | undefined {
    const candidates = [...this.calls.keys()].filter((i) => {
      const children = this.#children[i]!;
      const { phase, isFree } = this.calls[i]!;
      const waits = phase === "suspended" && !isFree && children.length > 0;
      return waits && children.every((j) => this.calls[j]!.phase !== "running");
    });
    const circles: Set<number>[] = [];
    for (let bits = 1; bits < 2 ** candidates.length; bits++) {
      const waiting = new Set(candidates.filter((_, n) => (bits >> n) % 2 === 1));
      if (this.#isCircle(waiting)) circles.push(waiting);
    }
    if (circles.length === 0) return undefined;
    const all = new Set(circles.flatMap((one) => [...one]));
    return {
      waiting: new Set([...all].map((i) => this.calls[i]!.name)),
      lacks: this.#lacks(all),
      depth: Math.max(...[...all].map((i) => this.#depth(i, all))),
      isTwo: circles.some((one) => circles.some((other) => ![...one].some((i) => other.has(i)))),
    };
  }

  /** What keeps those of their runs who do not wait themselves, when all has happened that can. */
  #lacks(waiting: ReadonlySet<number>): Map<string, Set<string>> {
    const lacks = new Map<string, Set<string>>();
    const theirs = [...waiting].flatMap((i) => this.#children[i]!).filter((i) => !waiting.has(i));
    this.#search(
      (state) => {
        for (const i of theirs) {
          const names = this.#refusing(state, i);
          if (state[i] === QUEUED && this.#isBehind(state, i)) names.push("lock");
          const { name } = this.calls[i]!;
          const before = lacks.get(name);
          lacks.set(name, new Set(names.filter((scope) => before === undefined || before.has(scope))));
        }
        return true;
      },
      waiting,
      true,
    );
    return lacks;
  }

  #depth(i: number, among: ReadonlySet<number>): number {
    const below = this.#children[i]!.filter((j) => among.has(j)).map((j) => this.#depth(j, among));
    return 1 + Math.max(0, ...below);
  }
}
