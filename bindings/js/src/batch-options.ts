// What `run.batch` may be given, checked.
import type { BatchOptions } from "./api.ts";
import type { Tenant } from "./live-run.ts";
import { checkChoice, checkFunction, checkInteger, checkKeys, SPAN_MS_MAX } from "./options.ts";
import type { Outcome } from "./outcome.ts";
import { checkTenant } from "./run-options.ts";
import { BATCH_START_KEYS, checkStart, type SaidOfStart } from "./start-terms.ts";

/** A batch's options; 0 is no bound. */
export interface CheckedBatch {
  readonly concurrency: number;
  readonly deadlineMs: number;
  readonly tenant: Tenant | undefined;
  readonly start: SaidOfStart | undefined;
  readonly onOutcome: ((outcome: Outcome, index: number) => void) | undefined;
  readonly inOrder: boolean;
  /** Bytes of outcomes that an earlier call may hold back; 0: none are held back. */
  readonly bufferedBytesMax: number;
  /** The run's number for the stream whose next calls these are; 0 = none. */
  readonly stream: number;
}

export const PLAIN_BATCH: CheckedBatch = {
  concurrency: 0,
  deadlineMs: 0,
  tenant: undefined,
  start: undefined,
  onOutcome: undefined,
  inOrder: true,
  bufferedBytesMax: 0,
  stream: 0,
};

const BUFFERED_BYTES_MAX = 64 * 1024 * 1024;
const KNOWN = ["concurrency", "deadlineMs", "tenant", "onOutcome", "order", "bufferedBytesMax", ...BATCH_START_KEYS];

/** Throws `invalid-option` naming what is wrong. */
export function checkBatchOptions(options: unknown): CheckedBatch {
  if (options === undefined) return PLAIN_BATCH;
  const given = checkKeys("options", options, KNOWN);
  checkFunction("options.onOutcome", given.onOutcome);
  const inOrder = checkChoice("options.order", given.order, ["request", "completion"], "request") === "request";
  const bytesMax = checkInteger("options.bufferedBytesMax", given.bufferedBytesMax, 1, 0xffffffff, BUFFERED_BYTES_MAX);
  return {
    concurrency: checkInteger("options.concurrency", given.concurrency, 1, 1_000_000, 0),
    deadlineMs: checkInteger("options.deadlineMs", given.deadlineMs, 1, SPAN_MS_MAX, 0),
    tenant: checkTenant("options.tenant", given.tenant),
    start: checkStart("options", Object.fromEntries(BATCH_START_KEYS.map((key) => [key, given[key]]))),
    onOutcome: given.onOutcome as BatchOptions["onOutcome"],
    inOrder,
    bufferedBytesMax: inOrder && given.onOutcome !== undefined ? bytesMax : 0,
    stream: 0,
  };
}
