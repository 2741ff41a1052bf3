// What a world of the core is told: rows of limits, and what calls and batches say.
import type { Call, Limit, Reason } from "../../core/dist/glue.js";

export const SECOND = 1_000_000;
const LIMIT: Limit = { kind: "window", scope: "tool", mode: 0, number: 0, meter: 0, size: 0n, per: 0n, a: 0n, b: 0n };

/** A row of limits; numbers may be given as numbers. */
export function limit(kind: Limit["kind"], fields: Record<string, unknown> = {}): Limit {
  const wide = Object.entries(fields).map(([key, value]) =>
    ["size", "per", "a", "b"].includes(key) ? [key, BigInt(value as number)] : [key, value],
  );
  return { ...LIMIT, kind, ...Object.fromEntries(wide) };
}

/** Rows by which these scopes start at full size at once, whatever shut them. */
export function noRamp(...scopes: readonly Partial<Limit>[]): Limit[] {
  return scopes.map((scope) => limit("ramp", scope));
}

/** What a call of a world says. */
export interface Asked {
  readonly name: string;
  readonly tool?: number;
  readonly priority?: number;
  readonly weight?: number;
  readonly key?: string;
  readonly reads?: readonly string[];
  readonly writes?: readonly string[];
  readonly startWithin?: number;
  readonly budget?: number;
  readonly sheddable?: boolean;
  readonly background?: boolean;
  readonly preempts?: boolean;
  readonly preemptible?: boolean;
  /** By meter. */
  readonly cost?: Readonly<Record<number, number>>;
  readonly effect?: Call["effect"];
  readonly reconciles?: boolean;
  readonly runFor?: number;
  readonly deadline?: number;
}

export interface BatchOf {
  readonly run?: number;
  readonly concurrency?: number;
  readonly tenant?: string;
  readonly weight?: number;
  /** ms from now. */
  readonly deadline?: number;
  /** Bytes of outcomes that may be held back. */
  readonly buffered?: number;
}

export interface Ended {
  readonly outcome: string;
  readonly reason: Reason;
  readonly until: number;
}

/** Calls called `prefix0`, `prefix1` … that say all the same. */
export function many(prefix: string, count: number, said: Omit<Asked, "name"> = {}): Asked[] {
  return Array.from({ length: count }, (_, i) => ({ name: `${prefix}${i}`, ...said }));
}
