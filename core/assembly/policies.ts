// What each tool declares, by the host's number for it. A tool this host does not have gets the
// strictest: one attempt, nothing to ask.
import { make } from "./memory";
import { Policy, stride } from "./records";
import { now } from "./turn";

/** After its grace a call gets this long for the news of its end to arrive, µs. */
const NEWS: u64 = 1_000_000;

let policies: usize = 0;
let count: u32 = 0;
const none: Policy = changetype<Policy>(make(offsetof<Policy>()));

export function setPolicies(at: usize, length: u32): void {
  const bytes = stride<Policy>(8) * length;
  policies = make(bytes + 1);
  memory.copy(policies, at, bytes);
  count = length;
  none.attempts = 1;
}

export function policyOf(tool: u32): Policy {
  return tool < count ? changetype<Policy>(policies + stride<Policy>(8) * tool) : none;
}

/** A call that is told to stop now is given up then, if nothing is heard of it. */
export function patienceOf(tool: u32): u64 {
  return now + policyOf(tool).grace + NEWS;
}
