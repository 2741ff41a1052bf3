// What somebody else's code gave: a value, or one that is still to come.

/** Does it say when it is there? It may be anybody's, not a Promise of this realm. */
export function isThenable(value: unknown): value is PromiseLike<unknown> {
  return typeof value === "object" && value !== null && typeof (value as { then?: unknown }).then === "function";
}
