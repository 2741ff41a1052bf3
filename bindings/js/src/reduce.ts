// What the calls of a batch say of things that they share, put together once all of them are over. A tool
// never writes a shared value: it returns what it has to say, and a reducer folds it in, in an order that does
// not depend on who was faster. Pure over outcomes, which are journaled: so replay and recovery fold the same.
import { HoldfastError } from "./errors.ts";
import { refuseOption } from "./options.ts";
import type { Json, Outcome } from "./outcome.ts";

type Ok = Extract<Outcome, { readonly kind: "ok" }>;

/** A value of `cas`: what it is to be, if its version is still the one that it was made from. */
export interface Versioned {
  readonly value: Json;
  /** As it was read from `SharedState`; 0 for a key that was never written. */
  readonly version: number;
}

/** Shared values by key, and how often each was written. Plain JSON: a program may keep it from batch to batch. */
export type SharedState = { readonly [key: string]: Versioned };

/** A write of `cas` that came too late: somebody had written since the version it was made from. */
export interface WriteConflict {
  readonly key: string;
  /** The call whose write was refused, and the one that was before it in this batch, if any. */
  readonly id: string;
  readonly winner?: string;
  readonly expected: number;
  readonly found: number;
}

interface Write {
  readonly key: string;
  readonly id: string;
  readonly value: Json;
}

interface Slot extends Versioned {
  /** Who wrote it last in this fold. */
  readonly writer: string | undefined;
}

type Fold = (before: Slot | undefined, write: Write, conflicts: WriteConflict[]) => Json | undefined;

function invalid({ key, id, value }: Write, expected: string): never {
  throw new HoldfastError(
    "invalid-output",
    `the call ${id} says ${JSON.stringify(value)?.slice(0, 100)} of ${JSON.stringify(key)}, which is no ${expected}`,
    "Return what the key's reducer takes, or give the key another reducer.",
    { details: { key, id } },
  );
}

function numberOf(write: Write): number {
  return typeof write.value === "number" ? write.value : invalid(write, "number");
}

type Fields = { readonly [key: string]: Json };

function fieldsOf(write: Write, value: Json): Fields {
  return typeof value === "object" && value !== null && !Array.isArray(value)
    ? (value as Fields)
    : invalid(write, "object");
}

function versionedOf(write: Write): Versioned {
  const { value, version } = fieldsOf(write, write.value);
  if (value === undefined || typeof version !== "number") return invalid(write, "{ value, version }");
  return { value, version };
}

/** What each reducer makes of one more write; undefined leaves the key as it is. */
const REDUCERS = {
  last: (_, { value }) => value,
  first: (before, { value }) => (before === undefined ? value : undefined),
  append: (before, write) => {
    if (before === undefined) return [write.value];
    return Array.isArray(before.value)
      ? [...before.value, write.value]
      : invalid({ ...write, value: before.value }, "list");
  },
  sum: (before, write) => {
    const sum = numberOf(write) + (before === undefined ? 0 : numberOf({ ...write, value: before.value }));
    return Number.isFinite(sum) ? sum : invalid(write, "number that the sum has room for");
  },
  max: (before, write) => {
    const value = numberOf(write);
    return before === undefined || value > numberOf({ ...write, value: before.value }) ? value : undefined;
  },
  merge: (before, write) => ({
    ...(before === undefined ? {} : fieldsOf(write, before.value)),
    ...fieldsOf(write, write.value),
  }),
  cas: (before, write, conflicts) => {
    const { value, version } = versionedOf(write);
    const found = before?.version ?? 0;
    if (version === found) return value;
    const { key, id } = write;
    const winner = before?.writer;
    conflicts.push({ key, id, ...(winner === undefined ? {} : { winner }), expected: version, found });
    return undefined;
  },
  "reject-conflict": (before, { key, id, value }) => {
    if (before?.writer === undefined) return value;
    throw new HoldfastError(
      "write-conflict",
      `the calls ${before.writer} and ${id} both write ${JSON.stringify(key)}`,
      "Ask the model for one of them, or give the key a reducer that can put them together.",
      { details: { key, ids: [before.writer, id] } },
    );
  },
} satisfies Readonly<Record<string, Fold>>;

/**
 * How several writes of one key become one value. `last` and `first` keep one of them, `append` all in a list,
 * `sum` and `max` of numbers, `merge` the fields of objects, a later one's before an earlier one's; `cas` takes
 * a write only from the version it was made from and reports the others; `reject-conflict` refuses a second writer.
 */
export type Reducer = keyof typeof REDUCERS;

export interface ReduceOptions {
  /** How each key that calls may write is put together. */
  readonly keys: Readonly<Record<string, Reducer>>;
  /** What a call that succeeded says of which keys. Default: the field `outputs` of its value. */
  readonly outputs?: (outcome: Ok) => Readonly<Record<string, Json | Versioned>> | undefined;
  /** What the keys hold before. Default: nothing. */
  readonly state?: SharedState;
  /** `request` (default): as the calls stand in the batch. `completion`: as they ended, by the journal's times; ties as they stand. */
  readonly order?: "request" | "completion";
}

export interface Reduced {
  readonly state: SharedState;
  /** Writes of `cas` that were refused, in order. */
  readonly conflicts: readonly WriteConflict[];
}

function declaredOutputs({ value }: Ok): Readonly<Record<string, Json>> | undefined {
  const outputs = (value as { readonly outputs?: unknown } | null | undefined)?.outputs;
  return typeof outputs === "object" && outputs !== null ? (outputs as Readonly<Record<string, Json>>) : undefined;
}

/**
 * Folds what the successful calls of a batch say of shared keys, in request order: twenty calls that add one
 * make twenty, whoever was faster, in every replay. Throws `write-conflict` where two calls write a key that
 * allows one, `invalid-output` for what a reducer cannot take and for keys without one.
 */
export function reduceOutcomes(outcomes: readonly Outcome[], options: ReduceOptions): Reduced {
  const { keys, outputs = declaredOutputs, state = {}, order = "request" } = options;
  for (const [key, reducer] of Object.entries(keys)) {
    if (!Object.hasOwn(REDUCERS, reducer))
      refuseOption(`keys.${key}`, reducer, `one of ${Object.keys(REDUCERS).join(", ")}`);
  }
  const slots = new Map<string, Slot>(
    Object.entries(state).map(([key, kept]) => [key, { ...kept, writer: undefined }]),
  );
  const conflicts: WriteConflict[] = [];
  const succeeded = outcomes.filter((outcome): outcome is Ok => outcome.kind === "ok");
  if (order === "completion") succeeded.sort((a, b) => a.endedAt - b.endedAt);
  for (const outcome of succeeded) {
    for (const [key, value] of Object.entries(outputs(outcome) ?? {})) {
      const write: Write = { key, id: outcome.id, value: value as Json };
      const reducer = Object.hasOwn(keys, key) ? keys[key] : undefined;
      if (reducer === undefined)
        return invalid(write, `output: known keys are ${Object.keys(keys).join(", ") || "none"}`);
      const before = slots.get(key);
      const fold: Fold = REDUCERS[reducer];
      const after = fold(before, write, conflicts);
      if (after !== undefined)
        slots.set(key, { value: after, version: (before?.version ?? 0) + 1, writer: outcome.id });
    }
  }
  const kept = [...slots].map(([key, { value, version }]) => [key, { value, version }] as const);
  return { state: Object.fromEntries(kept), conflicts };
}
