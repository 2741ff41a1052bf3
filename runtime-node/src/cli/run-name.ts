// What a run is called on the command line: its own id after those of the runs it is inside of, joined by
// "/"; and which run of a journal a person means by a name. Pure.
import type { RunListing } from "../../../bindings/js/src/api.ts";
import { HoldfastError } from "../../../bindings/js/src/errors.ts";
import { plain } from "./plain-text.ts";

/** The name as it is shown. */
export function runName(id: string, path: readonly string[]): string {
  return plain([...path, id].join("/"));
}

/** How many names a refusal lists. */
const NAMES_MAX = 8;

/** The run of that name: as it is shown, as it is, or the id alone where that is enough. Throws `run-not-found`. */
export function findRun(name: string, runs: readonly RunListing[]): RunListing {
  const whole = runs.filter(({ id, path }) => [...path, id].join("/") === name || runName(id, path) === name);
  const found = whole.length > 0 ? whole : runs.filter(({ id }) => id === name);
  if (found.length === 1) return found[0]!;
  const list = (of: readonly RunListing[]): string => {
    const names = of.slice(0, NAMES_MAX).map(({ id, path }) => runName(id, path));
    return names.join(", ") + (of.length > NAMES_MAX ? `, and ${of.length - NAMES_MAX} more` : "");
  };
  const shown = JSON.stringify(plain(name));
  if (found.length > 1) {
    throw new HoldfastError(
      "run-not-found",
      `${found.length} runs are called ${shown}`,
      `Name one of them in full: ${list(found)}.`,
    );
  }
  const next = runs.length === 0 ? "It holds no runs at all; is it the right file?" : `It has: ${list(runs)}.`;
  throw new HoldfastError("run-not-found", `the journal has no run ${shown}`, next);
}
