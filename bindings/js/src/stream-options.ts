// What `run.stream` may be given, checked.
import { type CheckedBatch, checkBatchOptions } from "./batch-options.ts";
import { checkInteger, checkKeys, refuseOption } from "./options.ts";
import { BATCH_START_KEYS } from "./start-terms.ts";

/** Calls ahead of what was taken, where nothing is said. */
const AHEAD = 1_000;
const AHEAD_MOST = 100_000;
const KNOWN = ["ahead", "concurrency", "tenant", "order", ...BATCH_START_KEYS];

export interface CheckedStream {
  readonly batch: CheckedBatch;
  readonly ahead: number;
}

/** Throws `invalid-option` naming what is wrong. */
export function checkStreamOptions(options: unknown): CheckedStream {
  const { ahead, ...batch } = checkKeys("options", options, KNOWN);
  return { batch: checkBatchOptions(batch), ahead: checkInteger("options.ahead", ahead, 1, AHEAD_MOST, AHEAD) };
}

/** Something that gives calls one after the other. */
export function checkCalls(calls: unknown): Iterable<unknown> | AsyncIterable<unknown> {
  const given = Object(calls) as Partial<Iterable<unknown> & AsyncIterable<unknown>>;
  const isRight = typeof given[Symbol.asyncIterator] === "function" || typeof given[Symbol.iterator] === "function";
  if (!isRight || typeof calls === "string") refuseOption("calls", calls, "an iterable or async iterable of calls");
  return calls as Iterable<unknown>;
}
