// What the conductor tells a process of the demo, by its environment, so that worker threads see it too.
import { join } from "node:path";
import { HoldfastError } from "../../../../bindings/js/src/errors.ts";

export const ASSIGNMENT = "HOLDFAST_DEMO";

export interface Assignment {
  /** The demo's own folder, absolute. */
  readonly folder: string;
  readonly seed: number;
  readonly calls: number;
  /** Which process this is, 1-based. */
  readonly life: number;
}

/** Reads it. Throws `invalid-option` in a process that no conductor started. */
export function readAssignment(env: Readonly<Record<string, string | undefined>>): Assignment {
  const text = env[ASSIGNMENT];
  if (text === undefined)
    throw new HoldfastError(
      "invalid-option",
      "this is the inner half of the demo, which nothing has started",
      "Run `holdfast demo`.",
    );
  return JSON.parse(text) as Assignment;
}

/** Where things lie in the demo's folder. */
export const placesIn = (folder: string) => ({
  journal: join(folder, "agent.db"),
  ledger: join(folder, "ledger.jsonl"),
  files: join(folder, "files"),
});
