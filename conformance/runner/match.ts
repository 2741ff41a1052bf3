// Compares JSON with what is expected of it: "_" is anything, "$name" is anything that is the same wherever
// the name stands again, and an object with the field "_" may have other fields besides.
import type { Json } from "../protocol/messages.ts";

/** Values of names, bound as they are met. One per scenario and host. */
export type Bindings = Map<string, Json>;

const isObject = (value: Json | undefined): value is { readonly [key: string]: Json } =>
  typeof value === "object" && value !== null && !Array.isArray(value);

/** A short text of a value. */
export function shown(value: Json | undefined): string {
  const text = value === undefined ? "nothing" : JSON.stringify(value);
  return text.length > 300 ? `${text.slice(0, 300)}…` : text;
}

/** Is it what is expected? Everything, in arrays and objects too. */
export function same(expected: Json, got: Json | undefined, bindings: Bindings): boolean {
  if (expected === "_") return got !== undefined;
  if (typeof expected === "string" && /^\$\w+$/.test(expected)) return bound(expected, got, bindings);
  if (got === undefined) return false;
  if (Array.isArray(expected)) {
    return (
      Array.isArray(got) && got.length === expected.length && expected.every((one, i) => same(one, got[i], bindings))
    );
  }
  if (isObject(expected)) {
    if (!isObject(got)) return false;
    const { _: others, ...named } = expected;
    if (others === undefined && Object.keys(got).length !== Object.keys(named).length) return false;
    return has(named, got, bindings);
  }
  return Object.is(expected, got);
}

/** Has the object at least these fields? */
export function has(expected: { readonly [key: string]: Json }, got: object, bindings: Bindings): boolean {
  return Object.entries(expected).every(
    ([key, value]) => Object.hasOwn(got, key) && same(value, (got as { readonly [key: string]: Json })[key], bindings),
  );
}

function bound(name: string, got: Json | undefined, bindings: Bindings): boolean {
  if (got === undefined) return false;
  const before = bindings.get(name);
  if (before === undefined) bindings.set(name, got);
  return before === undefined || same(before, got, new Map());
}
