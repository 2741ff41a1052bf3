// In which order a batch's outcomes are told: as they come, or as they were asked for, holding back what is
// early. Each is told once.
import type { Outcome } from "./outcome.ts";

type Tell = (outcome: Outcome, index: number) => void;

/** Tells outcomes in request order: always the longest prefix that is known. */
export function inRequestOrder(tell: Tell): Tell {
  const early = new Map<number, Outcome>();
  let next = 0;
  return (outcome, index) => {
    early.set(index, outcome);
    for (let known = early.get(next); known !== undefined; known = early.get(next)) {
      early.delete(next);
      tell(known, next++);
    }
  };
}
