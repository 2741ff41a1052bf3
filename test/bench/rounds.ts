// Measures contenders in interleaved rounds (A B C, B C A, …), so that whatever else the machine does hits
// all of them, and compares each to the floor within its round.

/** One contender's part of a round: does the work and gives what it took, in whatever unit. */
export interface Lane {
  readonly name: string;
  measure(): Promise<number>;
}

export interface Measured {
  readonly name: string;
  readonly median: number;
  /** Median over the rounds of value / the floor's value in that round. */
  readonly ratio: number;
  /** Of those ratios, the lower and upper quartile. */
  readonly quartiles: readonly [number, number];
}

/** Runs one round to warm up and `rounds` that count. The first lane is the floor. */
export async function interleave(lanes: readonly Lane[], rounds: number): Promise<readonly Measured[]> {
  const values = lanes.map((): number[] => []);
  for (let round = -1; round < rounds; round++) {
    for (let i = 0; i < lanes.length; i++) {
      const lane = (i + round + 1) % lanes.length;
      collectGarbage();
      const value = await lanes[lane]!.measure();
      if (round >= 0) values[lane]!.push(value);
    }
  }
  return lanes.map(({ name }, lane) => {
    const ratios = values[lane]!.map((value, round) => value / values[0]![round]!);
    return {
      name,
      median: quantile(values[lane]!, 0.5),
      ratio: quantile(ratios, 0.5),
      quartiles: [quantile(ratios, 0.25), quantile(ratios, 0.75)],
    };
  });
}

/** Linear between the two nearest. Of nothing it is NaN. */
export function quantile(values: readonly number[], q: number): number {
  const sorted = [...values].sort((a, b) => a - b);
  const at = (sorted.length - 1) * q;
  const below = sorted[Math.floor(at)] ?? Number.NaN;
  const above = sorted[Math.ceil(at)] ?? Number.NaN;
  return below + (above - below) * (at - Math.floor(at));
}

/** With --expose-gc, nobody pays for the garbage of the one before. */
function collectGarbage(): void {
  (globalThis as { gc?: () => void }).gc?.();
}

/** Microseconds that something takes. */
export async function microseconds(work: () => Promise<unknown>): Promise<number> {
  const begun = process.hrtime.bigint();
  await work();
  return Number(process.hrtime.bigint() - begun) / 1000;
}
