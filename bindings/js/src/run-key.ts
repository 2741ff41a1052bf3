// Under what key a journal holds a run: the ids from the outermost run inwards, escaped and joined by
// "/". So no two runs collide whatever their ids contain, and a child's key says whose it is.
import { HoldfastError } from "./errors.ts";
import { refuseOption } from "./options.ts";

/** Longest id of a run or a call, in UTF-16 units. */
export const ID_LENGTH_MAX = 512;
const KEY_LENGTH_MAX = 8_192;

function escapePart(part: string): string {
  return part.replace(/[%/~]/g, (found) => `%${found.charCodeAt(0).toString(16).toUpperCase()}`);
}

function unescapePart(part: string): string {
  return part.replace(/%(25|2F|7E)/g, (_, code: string) => String.fromCharCode(Number.parseInt(code, 16)));
}

/** Why an id cannot be one, or undefined. */
export function idProblem(id: unknown): string | undefined {
  if (typeof id !== "string") return `is ${id === null ? "null" : `a ${typeof id}`}, not a string`;
  if (id === "") return "is empty";
  if (id.length > ID_LENGTH_MAX) return `is ${id.length} long; ${ID_LENGTH_MAX} is the most`;
  // biome-ignore lint/suspicious/noControlCharactersInRegex: these are what it looks for
  if (/[\u0000-\u001f\u007f]/.test(id)) return "contains a control character";
  if (!/^(?:[^\ud800-\udfff]|[\ud800-\udbff][\udc00-\udfff])*$/.test(id)) return "contains a lone surrogate";
  return undefined;
}

/** The key of a run of its own. Throws `invalid-run-id`. */
export function runKey(id: unknown): string {
  const problem = idProblem(id);
  if (problem !== undefined) {
    throw new HoldfastError(
      "invalid-run-id",
      `the run id ${problem}`,
      `Give a string of 1 to ${ID_LENGTH_MAX} characters.`,
    );
  }
  return escapePart(id as string);
}

/** The key of the run that a call opens. Several of one call are told apart by name. */
export function childKey(parent: string, callId: string, name: string | undefined): string {
  const key = `${parent}/${escapePart(callId)}${name === undefined ? "" : `~${escapePart(name)}`}`;
  if (key.length > KEY_LENGTH_MAX) {
    throw new HoldfastError(
      "invalid-run-id",
      `runs are nested so deep that their key is ${key.length} long`,
      "Nest fewer runs, or give shorter ids.",
    );
  }
  return key;
}

/**
 * The ids that a key is made of, outermost first; the last is the run's own. A child's is its call's id, and
 * its name after "~"; a "%" or "~" within either stays escaped, so that no two children share an id.
 */
export function keyPath(key: string): string[] {
  const [outermost, ...inner] = key.split("/") as [string, ...string[]];
  return [unescapePart(outermost), ...inner.map((part) => part.replaceAll("%2F", "/"))];
}

/** The key of a run by its id and its parents' ids, as `keyPath` gives them. */
export function keyOfPath(id: string, path: readonly string[]): string {
  if (!Array.isArray(path) || path.some((part) => typeof part !== "string"))
    refuseOption("path", path, "an array of the ids of its parents, outermost first");
  if (path.length === 0) return runKey(id);
  if (typeof id !== "string" || id === "") runKey(id);
  const inner = [...path.slice(1), id].map((part) => part.replaceAll("/", "%2F"));
  return [runKey(path[0]), ...inner].join("/");
}
