// What may go into a journal: plain JSON, bounded. Checked once at the edge and copied as it is
// checked, so that nobody's later change reaches what was recorded. Refuses, never repairs; only an
// object's undefined properties are left out, as JSON itself does.
import type { Json } from "./outcome.ts";

/** Deepest nesting, in arrays and objects. */
export const DEPTH_MAX = 64;

/** Why a value is not JSON: where, and what stands there. */
export class NotJson extends Error {
  readonly path: string;
  readonly found: string;
  constructor(path: string, found: string) {
    super(`${path} is ${found}`);
    this.path = path;
    this.found = found;
  }
}

/** A value has more JSON than it may have. Found while it is copied: what is shared many times over may never end. */
export class TooLarge extends Error {}

/** Characters of JSON that are left for the copy under way; every node takes at least one. */
let left = 0;

function spend(characters: number): void {
  left -= characters;
  if (left < 0) throw new TooLarge();
}

function step(path: string, key: string | number): string {
  if (typeof key === "number") return `${path}[${key}]`;
  return /^[A-Za-z_$][\w$]{0,63}$/.test(key) ? `${path}.${key}` : `${path}[${JSON.stringify(key.slice(0, 64))}]`;
}

function isWellFormed(text: string): boolean {
  // A lone surrogate has no UTF-8: two different strings would be written alike.
  return !/[\ud800-\udfff]/.test(text) || /^(?:[^\ud800-\udfff]|[\ud800-\udbff][\udc00-\udfff])*$/.test(text);
}

function className(value: object): string {
  const made = (value as { constructor?: { name?: unknown } }).constructor;
  const name = typeof made === "function" ? made.name : undefined;
  return typeof name === "string" && name !== "" ? `a ${name}` : "an object of a class";
}

function copyArray(value: readonly unknown[], path: string, depth: number): Json[] {
  spend(value.length); // before so many places are made
  const copy: Json[] = new Array(value.length);
  for (let i = 0; i < value.length; i++) {
    if (!(i in value)) throw new NotJson(step(path, i), "a hole in an array");
    copy[i] = copyValue(value[i], path, i, depth);
  }
  return copy;
}

function copyObject(value: object, path: string, depth: number): Json {
  const prototype: unknown = Object.getPrototypeOf(value);
  // Another realm's Object.prototype has no prototype of its own either.
  if (prototype !== null && prototype !== Object.prototype && Object.getPrototypeOf(prototype) !== null) {
    throw new NotJson(path, className(value));
  }
  if (Object.getOwnPropertySymbols(value).length > 0) throw new NotJson(path, "an object with a symbol for a key");
  const copy: Record<string, Json> = {};
  for (const key of Object.keys(value)) {
    if (key === "__proto__") throw new NotJson(step(path, key), "a key that would change a prototype");
    if (!isWellFormed(key)) throw new NotJson(step(path, key), "a key with a lone surrogate");
    const item = (value as Record<string, unknown>)[key];
    if (item === undefined) continue;
    spend(key.length + 3);
    copy[key] = copyValue(item, path, key, depth);
  }
  return copy;
}

function copyValue(value: unknown, parent: string, key: string | number | undefined, depth: number): Json {
  switch (typeof value) {
    case "string":
      spend(value.length);
      if (isWellFormed(value)) return value;
      throw new NotJson(at(parent, key), "a string with a lone surrogate");
    case "boolean":
      spend(4);
      return value;
    case "number":
      spend(1);
      if (Number.isFinite(value)) return value === 0 ? 0 : value;
      throw new NotJson(at(parent, key), String(value));
    case "object":
      break;
    default:
      throw new NotJson(at(parent, key), value === undefined ? "undefined" : `a ${typeof value}`);
  }
  spend(2);
  if (value === null) return null;
  const path = at(parent, key);
  if (depth >= DEPTH_MAX) throw new NotJson(path, `nested more than ${DEPTH_MAX} deep, or in a cycle`);
  return Array.isArray(value) ? copyArray(value, path, depth + 1) : copyObject(value, path, depth + 1);
}

function at(parent: string, key: string | number | undefined): string {
  return key === undefined ? parent : step(parent, key);
}

/**
 * A copy of a value that is plain JSON. Throws `NotJson` naming the first place that is not; `name` is what
 * the root is called. Throws `TooLarge` soon after it has become certain that its JSON has more than
 * `charactersMax` characters; a little above it may still get through.
 */
export function copyJson(value: unknown, name: string, charactersMax: number): Json {
  left = charactersMax;
  return copyValue(value, name, undefined, 0);
}

const encoder = new TextEncoder();
const decoder = new TextDecoder("utf-8", { fatal: true });

export function encodeText(text: string): Uint8Array {
  return encoder.encode(text);
}

/** Parses bytes that this or another host wrote. Throws on anything but UTF-8 JSON. */
export function decodeJson(bytes: Uint8Array): Json {
  const text = decoder.decode(bytes);
  // A reviver costs five times the parse: it only looks where the key could stand, spelled out or escaped.
  const suspect = text.includes("__proto__") || text.includes("\\u");
  return JSON.parse(text, suspect ? refusePrototype : undefined) as Json;
}

function refusePrototype(key: string, value: unknown): unknown {
  if (key === "__proto__") throw new SyntaxError("a key that would change a prototype");
  return value;
}
