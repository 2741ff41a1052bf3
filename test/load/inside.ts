// Counts what really runs, from the inside of the tools: what a limiter says of itself proves nothing.
import { setTimeout as delay } from "node:timers/promises";

export class Inside {
  now = 0;
  peak = 0;
  began = 0;
  ended = 0;
  /** `performance.now()` of each begin, ms. */
  readonly beginnings: number[] = [];
  /** Units in flight where calls have weights, and the most there were. */
  units = 0;
  unitsPeak = 0;

  enter(units = 1): void {
    this.began++;
    this.beginnings.push(performance.now());
    this.peak = Math.max(this.peak, ++this.now);
    this.units += units;
    this.unitsPeak = Math.max(this.unitsPeak, this.units);
  }

  leave(units = 1): void {
    this.ended++;
    this.now--;
    this.units -= units;
  }

  /** Runs this inside, and counts it. */
  async count<Value>(work: () => Promise<Value> | Value, units = 1): Promise<Value> {
    this.enter(units);
    try {
      return await work();
    } finally {
      this.leave(units);
    }
  }

  /** A tool's code that takes so long, whatever its signal says, and gives back its input. */
  readonly taking =
    (ms: number) =>
    (input: any): Promise<any> =>
      this.count(() => delay(ms, input));
}

/** Opens once so many have come; whoever comes waits until then. For controls: all are inside at once. */
export class Gate {
  #here = 0;
  #open: () => void = () => undefined;
  readonly opened = new Promise<void>((resolve) => {
    this.#open = resolve;
  });
  readonly #count: number;

  constructor(count: number) {
    this.#count = count;
  }

  pass(): Promise<void> {
    if (++this.#here >= this.#count) this.#open();
    return this.opened;
  }

  release(): void {
    this.#open();
  }
}

/** Waits until it is so; a wait that takes longer than a minute is a hang. */
export async function until(isSo: () => boolean, what: string): Promise<void> {
  for (const end = Date.now() + 60_000; !isSo(); await delay(2))
    if (Date.now() > end) throw new Error(`after a minute still not so: ${what}`);
}

/** The most of these moments in any span of so many ms, begin counted, end not. Moments in their order. */
export function mostIn(moments: readonly number[], spanMs: number): number {
  let most = 0;
  for (let first = 0, last = 0; last < moments.length; last++) {
    while (moments[last]! - moments[first]! >= spanMs) first++;
    most = Math.max(most, last - first + 1);
  }
  return most;
}

/** Prints what was measured, beside the test: for people, never asserted. */
export function measured(test: string, facts: Readonly<Record<string, number | string>>): void {
  const said = Object.entries(facts).map(
    ([what, value]) => `${what} ${typeof value === "number" ? Math.round(value * 100) / 100 : value}`,
  );
  process.stdout.write(`  ${test}: ${said.join(" · ")}\n`);
}
