// What a tool may report of its progress: plain JSON, and little of it, since it is for eyes only.
import { HoldfastError } from "./errors.ts";
import { copyJson, NotJson } from "./json.ts";
import type { Json } from "./outcome.ts";

/** Characters of JSON. */
const PROGRESS_MAX = 64 * 1024;

/** A copy of it. Throws `invalid-call` when it is no JSON or too much. */
export function checkedProgress(value: unknown): Json {
  try {
    return copyJson(value, "progress", PROGRESS_MAX);
  } catch (problem) {
    const what =
      problem instanceof NotJson ? problem.message : `progress is more than ${PROGRESS_MAX} characters of JSON`;
    throw new HoldfastError("invalid-call", what, "Report plain JSON, and little of it.", { cause: problem });
  }
}
