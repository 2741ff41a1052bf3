// The time of this turn, as the host gave it. Only ever forward: a clock that steps back stands still.

/** µs on the host's monotonic clock, and some more (`PAST`). */
export let now: u64 = 0;
/** Wall-clock ms. */
export let wall: u64 = 0;

/** What is added to the host's clock, so that there is a past even when it has just begun: about 35 years. */
const PAST: u64 = 1 << 50;

export function begin(nowUs: u64, wallMs: u64): void {
  if (nowUs + PAST > now) now = nowUs + PAST;
  wall = wallMs;
}

/** A moment as the host's clock has it; 0 stays 0: never. */
export function onHostClock(at: u64): u64 {
  return at == 0 ? 0 : at > PAST ? at - PAST : 1;
}

/** A wall-clock moment on the clock of `now`; one that has passed is now. 0 stays 0: never. */
export function onClock(wallMs: u64): u64 {
  if (wallMs == 0) return 0;
  return wallMs > wall ? now + (wallMs - wall) * 1000 : now;
}

/** A span in whole ms, rounded up. */
export function toMs(us: u64): u64 {
  return (us + 999) / 1000;
}
