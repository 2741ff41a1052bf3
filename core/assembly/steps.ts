// How much one step may start: an event must not set off a hundred thousand calls in one breath.

/** Starts in one step, at most. */
export let startsMost: u32 = 64;

export function boundSteps(most: u32): void {
  startsMost = most;
}
