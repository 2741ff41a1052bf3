// Priority without starvation: a static head start. A call of priority p that queues at t goes before every
// call of priority q that queues after t + (q − p) × step. One key per call, given once: no ageing, no timers.
// With lanes, priority goes before fairness, and only whoever has waited too long goes before that.

/** So that a key is never below zero. */
const BIAS: u64 = 1 << 60;
/** A key before all others. */
export const FIRST: u64 = 0;
const PRIORITY_MOST: i32 = 1000;

/** Whoever has waited too long; then the lanes of the priorities; then what goes in the background. */
export const LANE_OVERDUE: u32 = 0;
export const LANE_ONLY: u32 = 1;
export const LANE_BACKGROUND: u32 = 4_000;

/** µs of waiting that one step of priority is worth. */
let step: u64 = 1_000_000;
export let hasLanes: bool = false;
/** µs after which a call goes before all lanes. */
export let waitMost: u64 = 60_000_000;

export function configureOrder(stepUs: u64, lanes: bool, waitMostUs: u64): void {
  step = stepUs;
  hasLanes = lanes;
  waitMost = waitMostUs;
}

/** Where a call stands among those of its flow: smaller is sooner. */
export function waitKey(queuedAt: u64, priority: i32): u64 {
  return BIAS + queuedAt - <u64>(<i64>priority * <i64>step);
}

/** The same, when it queued at another priority. */
export function rekeyed(key: u64, from: i32, to: i32): u64 {
  return key - <u64>((<i64>to - <i64>from) * <i64>step);
}

export function laneOf(priority: i32): u32 {
  return hasLanes ? <u32>(LANE_ONLY + PRIORITY_MOST - priority) : LANE_ONLY;
}

export function isPriority(value: i64): bool {
  return value >= -PRIORITY_MOST && value <= PRIORITY_MOST;
}
