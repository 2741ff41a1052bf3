// Calls that say nothing of what they read or write. Where those are exclusive, they lock everything: an effect
// `read` as a reader, any other alone; and whoever does say what it reads or writes is a reader of everything too.
import type { HeldNames } from "./held-names.ts";
import type { Effect } from "./outcome.ts";
import { NAME_LENGTH_MAX, PLAIN_TERMS, type StartTerms, UNSAID } from "./start-terms.ts";

/** No program can give this name. */
const EVERYTHING = "";

/** Its locks with that of everything. */
export function lockEverything(
  terms: StartTerms = PLAIN_TERMS,
  effect: Effect,
  held: HeldNames | undefined,
): StartTerms {
  const name = everythingIn(held);
  const declares = terms.reads !== UNSAID || terms.writes !== UNSAID;
  if (declares || effect === "read") return { ...terms, reads: [...terms.reads, name] };
  return { ...terms, writes: [name] };
}

/** In a run whose parent has everything to itself, everything is what its own calls share: a name that is longer than any given one. */
function everythingIn(held: HeldNames | undefined): string {
  let name = EVERYTHING;
  for (let depth = 1; held?.writes.has(name); depth++) name = "*".repeat(NAME_LENGTH_MAX + depth);
  return name;
}

/** The name as a person reads it. */
export function showName(name: string): string {
  return name === EVERYTHING || name.length > NAME_LENGTH_MAX ? "everything (limits.locks)" : JSON.stringify(name);
}
