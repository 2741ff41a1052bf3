// What the calls above a child run hold while they wait for it: a call of the child that wants the same would
// wait for its own parent, for ever.
import { refusal } from "./call-error.ts";
import type { CallError } from "./outcome.ts";
import type { StartTerms } from "./start-terms.ts";
import { showName } from "./undeclared.ts";

/** Names that the waiting calls above a run read or write. */
export interface HeldNames {
  readonly reads: ReadonlySet<string>;
  readonly writes: ReadonlySet<string>;
}

/** With what one more call holds. */
export function alsoHeld(held: HeldNames | undefined, terms: StartTerms | undefined): HeldNames | undefined {
  if (terms === undefined || (terms.reads.length === 0 && terms.writes.length === 0)) return held;
  return {
    reads: new Set([...(held?.reads ?? []), ...terms.reads]),
    writes: new Set([...(held?.writes ?? []), ...terms.writes]),
  };
}

/** The error of a call that would wait for its own parent, or undefined. */
export function wouldDeadlock(held: HeldNames | undefined, terms: StartTerms | undefined): CallError | undefined {
  if (held === undefined || terms === undefined) return undefined;
  const name =
    terms.writes.find((one) => held.writes.has(one) || held.reads.has(one)) ??
    terms.reads.find((one) => held.writes.has(one));
  if (name === undefined) return undefined;
  return refusal(
    "would-deadlock",
    `a call above this run holds ${showName(name)} until the run is over; do what needs it in that call, or before it`,
  );
}

/** Without what a waiting call above the run reads for it: behind a writer that waits for that one, it would wait for its own parent. */
export function withoutHeld(held: HeldNames | undefined, terms: StartTerms | undefined): StartTerms | undefined {
  if (held === undefined || terms === undefined || !terms.reads.some((name) => held.reads.has(name))) return terms;
  return { ...terms, reads: terms.reads.filter((name) => !held.reads.has(name)) };
}
