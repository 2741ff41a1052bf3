// How long to wait before the next attempt, or the next ask: exponential, with half of it jitter
// ("equal jitter", M. Brooker, Exponential Backoff And Jitter, AWS 2015), from a seeded generator.

let state: u64 = 0;

export function seed(value: u64): void {
  state = value;
}

/** SplitMix64 (Steele, Lea, Flood, OOPSLA 2014). */
function next(): u64 {
  state += 0x9e3779b97f4a7c15;
  let z = state;
  z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9;
  z = (z ^ (z >> 27)) * 0x94d049bb133111eb;
  return z ^ (z >> 31);
}

/** From 0 to below `bound`, which is not 0. */
export function randomBelow(bound: u64): u64 {
  return next() % bound;
}

/** µs to wait after the `failures`-th failure (1-based): at least half of min(most, base × 2^(failures-1)), at most all of it. */
export function backOff(base: u64, most: u64, failures: u32): u64 {
  let delay = base;
  for (let i: u32 = 1; i < failures && delay < most; i++) delay *= 2;
  if (delay > most) delay = most;
  const half = delay >> 1;
  return delay - (half == 0 ? 0 : randomBelow(half + 1));
}
