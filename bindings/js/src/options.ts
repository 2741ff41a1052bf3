// Checking what a user configures, at the edge, once: each wrong option is refused by its path with
// what it was and what it may be.
import { HoldfastError } from "./errors.ts";

function show(value: unknown): string {
  if (typeof value === "function") return "a function";
  if (typeof value === "bigint") return `${value}n`;
  try {
    return (JSON.stringify(value) ?? String(value)).slice(0, 100);
  } catch {
    return Object.prototype.toString.call(value);
  }
}

/** Throws `invalid-option` for the option at this path. */
export function refuseOption(path: string, value: unknown, expected: string): never {
  throw new HoldfastError("invalid-option", `${path} is ${show(value)}`, `It must be ${expected}.`, {
    details: { path, expected },
  });
}

/** Is it an object of named values, and not an array, a map, a date or another thing that has none? */
export function isNamed(value: unknown): value is Readonly<Record<string, unknown>> {
  if (typeof value !== "object" || value === null) return false;
  const prototype: unknown = Object.getPrototypeOf(value);
  // Another realm's Object.prototype has no prototype of its own either.
  return prototype === null || Object.getPrototypeOf(prototype) === null;
}

/** A plain object whose keys are all known. Undefined is an empty one. */
export function checkKeys(path: string, value: unknown, known: readonly string[]): Readonly<Record<string, unknown>> {
  if (value === undefined) return {};
  if (!isNamed(value)) return refuseOption(path, value, "an object");
  for (const key of Object.keys(value)) {
    if (known.includes(key)) continue;
    const near = known.find(
      (name) => name.toLowerCase() === key.toLowerCase() || name.startsWith(key) || key.startsWith(name),
    );
    refuseOption(
      `${path}.${key}`,
      value[key],
      `absent: there is no such option${near === undefined ? `; known are ${known.join(", ")}` : `; did you mean ${near}?`}`,
    );
  }
  return value;
}

/** An integer in a range, or the default when it is undefined. */
export function checkInteger(path: string, value: unknown, least: number, most: number, otherwise: number): number {
  if (value === undefined) return otherwise;
  if (typeof value !== "number" || !Number.isInteger(value) || value < least || value > most) {
    return refuseOption(path, value, `an integer from ${least} to ${most}`);
  }
  return value;
}

/** A finite number in a range, or the default when it is undefined. */
export function checkNumber(path: string, value: unknown, least: number, most: number, otherwise: number): number {
  if (value === undefined) return otherwise;
  if (typeof value !== "number" || !(value >= least && value <= most))
    return refuseOption(path, value, `a number from ${least} to ${most}`);
  return value;
}

export function checkChoice<Choice extends string>(
  path: string,
  value: unknown,
  choices: readonly Choice[],
  otherwise: Choice,
): Choice {
  if (value === undefined) return otherwise;
  const found = choices.find((choice) => choice === value);
  return found ?? refuseOption(path, value, `one of ${choices.map((choice) => JSON.stringify(choice)).join(", ")}`);
}

export function checkFunction(path: string, value: unknown): void {
  if (value !== undefined && typeof value !== "function") refuseOption(path, value, "a function");
}

export function checkString(path: string, value: unknown, lengthMax: number): string | undefined {
  if (value === undefined) return undefined;
  if (typeof value !== "string" || value === "" || value.length > lengthMax)
    return refuseOption(path, value, `a string of 1 to ${lengthMax} characters`);
  return value;
}

/** The longest span that is taken, ms: about 30 years, well inside every clock. */
export const SPAN_MS_MAX = 1_000_000_000_000;
/** The longest that one timer of a host can be set to, ms. */
export const TIMER_MS_MAX = 2_147_483_647;
