// What is said of the start of a call, by its tool, its batch and itself: checked, put together, and made
// rows for the core. The call's word counts, then the batch's, then the tool's.
import type { Asked, Terms } from "./core.ts";
import type { Digest } from "./digest.ts";
import type { Meters } from "./limit-rows.ts";
import type { Cost } from "./limits.ts";
import { checkChoice, checkInteger, refuseOption, SPAN_MS_MAX } from "./options.ts";

const COST_MOST = 0x7fffffff;
const LOCKS_MOST = 1_000;
/** Longest name of a key or a lock. */
export const NAME_LENGTH_MAX = 1_000;
/** The names of a call that says nothing of them; one that says `[]` says that there are none. */
export const UNSAID: readonly string[] = [];

/** What a call says, whole. Names are not digested yet. */
export interface StartTerms {
  readonly priority: number;
  readonly weight: number;
  readonly startWithinMs: number;
  readonly minBudgetMs: number;
  readonly sheddable: boolean;
  readonly background: boolean;
  readonly preempt: "cancel" | undefined;
  readonly preemptible: boolean;
  readonly key: string | undefined;
  readonly reads: readonly string[];
  readonly writes: readonly string[];
  readonly cost: Cost | undefined;
}

export const PLAIN_TERMS: StartTerms = {
  priority: 0,
  weight: 1,
  startWithinMs: 0,
  minBudgetMs: 0,
  sheddable: false,
  background: false,
  preempt: undefined,
  preemptible: false,
  key: undefined,
  reads: UNSAID,
  writes: UNSAID,
  cost: undefined,
};

/** The same from a call, a batch or a tool: what it does not say is absent. */
export type SaidOfStart = { readonly [Name in keyof StartTerms]?: StartTerms[Name] };

/** What a tool says: names and costs may be worked out from the input. */
export interface ToolStart extends SaidOfStart {
  readonly from?: (input: unknown) => SaidOfStart;
}

const PREEMPT = ["cancel"] as const;
const START_KEYS = [
  "priority",
  "startWithinMs",
  "minBudgetMs",
  "sheddable",
  "background",
  "preempt",
  "preemptible",
] as const;
/** What a call may say. A batch says nothing of what one call touches, weighs or costs. */
export const CALL_START_KEYS = [...START_KEYS, "key", "weight", "reads", "writes", "cost"] as const;
export const BATCH_START_KEYS = [...START_KEYS, "key"] as const;

function checkBoolean(path: string, value: unknown): boolean {
  return typeof value === "boolean" ? value : refuseOption(path, value, "true or false");
}

function checkName(path: string, value: unknown): string {
  if (typeof value !== "string" || value === "" || value.length > NAME_LENGTH_MAX)
    return refuseOption(path, value, `a string of 1 to ${NAME_LENGTH_MAX} characters`);
  return value;
}

function checkNames(path: string, value: unknown): readonly string[] {
  if (typeof value === "string") return [checkName(path, value)];
  if (!Array.isArray(value) || value.length > LOCKS_MOST)
    return refuseOption(path, value, `a name or a list of at most ${LOCKS_MOST}`);
  return value.map((name, i) => checkName(`${path}[${i}]`, name));
}

/** What something costs: whole numbers, 0 or more. Throws `invalid-option`. */
export function checkCost(path: string, value: unknown): Cost {
  if (typeof value !== "object" || value === null || Array.isArray(value))
    return refuseOption(path, value, "numbers by what rates count, such as { tokens: 1200 }");
  for (const [meter, cost] of Object.entries(value)) checkInteger(`${path}.${meter}`, cost, 0, COST_MOST, 0);
  return value as Cost;
}

/** Checks what is said; undefined when nothing is. Throws `invalid-option` by path. */
export function checkStart(path: string, given: Readonly<Record<string, unknown>>): SaidOfStart | undefined {
  const said: { -readonly [Name in keyof SaidOfStart]: SaidOfStart[Name] } = {};
  if (given.priority !== undefined) said.priority = checkInteger(`${path}.priority`, given.priority, -1000, 1000, 0);
  if (given.weight !== undefined) said.weight = checkInteger(`${path}.weight`, given.weight, 1, 1_000_000, 1);
  if (given.startWithinMs !== undefined)
    said.startWithinMs = checkInteger(`${path}.startWithinMs`, given.startWithinMs, 1, SPAN_MS_MAX, 0);
  if (given.minBudgetMs !== undefined)
    said.minBudgetMs = checkInteger(`${path}.minBudgetMs`, given.minBudgetMs, 1, SPAN_MS_MAX, 0);
  if (given.sheddable !== undefined) said.sheddable = checkBoolean(`${path}.sheddable`, given.sheddable);
  if (given.background !== undefined) said.background = checkBoolean(`${path}.background`, given.background);
  if (given.preempt !== undefined) said.preempt = checkChoice(`${path}.preempt`, given.preempt, PREEMPT, PREEMPT[0]);
  if (given.preemptible !== undefined) said.preemptible = checkBoolean(`${path}.preemptible`, given.preemptible);
  if (given.key !== undefined) said.key = checkName(`${path}.key`, given.key);
  if (given.reads !== undefined) said.reads = checkNames(`${path}.reads`, given.reads);
  if (given.writes !== undefined) said.writes = checkNames(`${path}.writes`, given.writes);
  if (given.cost !== undefined) said.cost = checkCost(`${path}.cost`, given.cost);
  for (const _ in said) return said;
  return undefined;
}

/** A tool's: `key`, `reads`, `writes` and `cost` may be functions of the input. */
export function checkToolStart(path: string, options: Readonly<Record<string, unknown>>): ToolStart {
  const fixed: Record<string, unknown> = {};
  const worked: [string, (input: unknown) => unknown][] = [];
  for (const key of CALL_START_KEYS) {
    const value = options[key];
    if (typeof value !== "function") fixed[key] = value;
    else if (key === "key" || key === "reads" || key === "writes" || key === "cost")
      worked.push([key, value as (input: unknown) => unknown]);
    else refuseOption(`${path}.${key}`, value, "a value");
  }
  const said = checkStart(path, fixed) ?? {};
  if (worked.length === 0) return said;
  const from = (input: unknown): SaidOfStart =>
    checkStart(path, Object.fromEntries(worked.map(([key, of]) => [key, of(input)]))) ?? {};
  return { ...said, from };
}

/** Puts together what tool, batch and call say; undefined when it is all plain. */
export function startTerms(
  tool: ToolStart | undefined,
  input: unknown,
  batch: SaidOfStart | undefined,
  call: SaidOfStart | undefined,
): StartTerms | undefined {
  const worked = tool?.from?.(input);
  if (worked === undefined && batch === undefined && call === undefined) {
    let plain = true;
    for (const _ in tool) plain = false;
    if (plain) return undefined;
  }
  const { from: _, ...fixed } = tool ?? {};
  return {
    ...PLAIN_TERMS,
    ...fixed,
    ...worked,
    ...batch,
    ...call,
  };
}

/** What holds as well for a call that stands in: whose it is and how urgent. What it takes is its own tool's. */
export function passedOn(terms: StartTerms | undefined): SaidOfStart | undefined {
  if (terms === undefined) return undefined;
  const { priority, sheddable, background, key } = terms;
  return {
    ...(priority === 0 ? {} : { priority }),
    ...(sheddable ? { sheddable } : {}),
    ...(background ? { background } : {}),
    ...(key === undefined ? {} : { key }),
  };
}

/** Makes rows of them: 1 + the row of `asked.terms`. `digest` is of a name. */
export function addTerms(asked: Asked, terms: StartTerms, meters: Meters, digest: (name: string) => Digest): number {
  const row: Terms = {
    startWithin: BigInt(terms.startWithinMs) * 1000n,
    budget: BigInt(terms.minBudgetMs) * 1000n,
    priority: terms.priority,
    weight: terms.weight,
    key: terms.key === undefined ? 0 : addKey(asked, digest(terms.key), false),
    firstLock: asked.keys.length,
    locks: 0,
    firstCharge: asked.charges.length,
    charges: 0,
    sheddable: terms.sheddable,
    background: terms.background,
    preempts: terms.preempt === "cancel",
    preemptible: terms.preemptible,
  };
  row.firstLock = asked.keys.length;
  for (const name of terms.reads) addKey(asked, digest(name), false);
  for (const name of terms.writes) addKey(asked, digest(name), true);
  row.locks = asked.keys.length - row.firstLock;
  row.charges = addCharges(asked, terms.cost, meters);
  return asked.terms.push(row);
}

/** 1 + the row of a name. */
export function addKey(asked: Pick<Asked, "keys">, { high, low }: Digest, write: boolean): number {
  return asked.keys.push({ nameHigh: high, nameLow: low, write });
}

/** Rows of what something costs, of what any rate counts; how many. */
export function addCharges(asked: Pick<Asked, "charges">, cost: Cost | undefined, meters: Meters): number {
  let added = 0;
  for (const [name, units] of Object.entries(cost ?? {})) {
    const meter = meters.of(name);
    if (meter === undefined) continue; // nothing counts it: it is for other hosts, or for later
    asked.charges.push({ meter, cost: units });
    added++;
  }
  return added;
}
