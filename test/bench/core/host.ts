// What the core is driven through in the bench: a batch run to its end, and the same batch replayed from
// its journal. The hosts differ in how they cross the boundary, not in what they say.

export interface CoreHost {
  readonly name: string;
  /** Takes a run, plans a batch of `slots`, calls what it is told to, settles each call as ok, closes the run. */
  carryOut(slots: number, limit: number): Counted;
  /** Opens a run from the journal of such a batch, makes the batch again and is given every outcome; closes. */
  replay(slots: number): Counted;
}

/** What was seen to come out: a host that did less than the others would be the fastest. */
export interface Counted {
  readonly calls: number;
  readonly entries: number;
  readonly resolutions: number;
}

/** The monotonic clock of the bench stands still: time is an input. Microseconds and wall ms. */
export const NOW = 1_000_000n;
export const WALL = 1_700_000_000_000n;

/** Numbers as in core.wit. */
export const Kind = {
  event: { batch: 0, settled: 2, close: 9 },
  entry: { opened: 0, planned: 1, started: 2, settled: 4 },
  action: { call: 0 },
};

/** Digests that look like digests: the same for the same slot, spread over 64 bits. */
export function digest(slot: number, salt: bigint): bigint {
  return BigInt.asUintN(64, (BigInt(slot) + 1n) * 0x9e3779b97f4a7c15n + salt * 0xc2b2ae3d27d4eb4fn);
}
