// What multiplies a scenario: the same program on a host that dies after each entry, whose disk is slow, that
// has no threads, whose tools end in another order. Only data; run-scenario.ts plays them.
import type { Capability } from "../protocol/capabilities.ts";

/** How calls that no script mentions are answered. */
export type Answering = "at-once" | "reversed" | "shuffled" | "twice";

export interface Environment {
  readonly name: string;
  readonly what: string;
  readonly answering: Answering;
  /** Each append is held this long, ms. */
  readonly appendMs: number;
  /** The host dies at each append in turn; or at two, one after the other. */
  readonly deaths: 0 | 1 | 2;
  /** Calls at once over all runs, instead of the scenario's. */
  readonly concurrency?: number;
  /** May the host use threads? */
  readonly threads: boolean;
  /** Does all of a scenario hold, its script, attempts and journal too? Else only what its runs come to does. */
  readonly asWritten: boolean;
  /** Capabilities that it needs besides the scenario's. */
  readonly needs: readonly Capability[];
}

const calm = { answering: "at-once", appendMs: 0, deaths: 0, threads: true, asWritten: false, needs: [] } as const;

export const ENVIRONMENTS: readonly Environment[] = [
  {
    ...calm,
    name: "crash-each",
    what: "killed at each append in turn, before and after it is durable",
    deaths: 1,
    needs: ["points"],
  },
  {
    ...calm,
    name: "crash-twice",
    what: "killed at an append, and again while it recovers",
    deaths: 2,
    needs: ["points"],
  },
  { ...calm, name: "one-at-a-time", what: "one call at once over all runs", concurrency: 1, needs: ["limits"] },
  { ...calm, name: "reversed", what: "the call that started last ends first", answering: "reversed" },
  { ...calm, name: "shuffled", what: "calls end in an order drawn from the seed", answering: "shuffled" },
  { ...calm, name: "slow-journal", what: "every append takes its time", appendMs: 8, needs: ["points"] },
  { ...calm, name: "duplicates", what: "every answer comes twice", answering: "twice" },
  {
    ...calm,
    name: "no-threads",
    what: "the host does without threads",
    threads: false,
    asWritten: true,
    needs: ["no-threads"],
  },
];

/** Nothing special. */
export const PLAIN: Environment = { ...calm, name: "", what: "as it stands", asWritten: true };

export const ENVIRONMENT_NAMES: readonly string[] = ENVIRONMENTS.map(({ name }) => name);
