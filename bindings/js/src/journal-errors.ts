// What every journal refuses, in the same words whatever it is made of.
import { FencedError, HoldfastError, JournalError } from "./errors.ts";

/** Longest payload of one entry, bytes: 64 MiB. */
export const PAYLOAD_BYTES_MAX = 64 * 1024 * 1024;
/** All payloads of one group, bytes: 512 MiB. */
export const GROUP_BYTES_MAX = 512 * 1024 * 1024;

/** Code `run-busy`. `holder` says who has it ("process 4711"), `ends` when the lease ends, wall ms, if it does by itself. */
export function runBusy(run: string, holder: string, ends?: number): HoldfastError {
  const until = ends === undefined ? "" : `; its lease ends ${new Date(ends).toISOString()} unless it is renewed`;
  return new HoldfastError(
    "run-busy",
    `run ${JSON.stringify(run)} is open in ${holder}${until}`,
    "Wait for it to end there, or give `waitMs` to wait for the lease.",
    { details: { run, holder, leaseEndsAt: ends } },
  );
}

/** Code `fenced`: the fence is not the run's newest, or its lease was given back. */
export function fenced(run: string, fence: number, newest: number | undefined): FencedError {
  const why = newest === undefined ? "the run is not there any more" : `its fence is ${newest} by now`;
  return new FencedError(
    "fenced",
    `fence ${fence} may not write run ${JSON.stringify(run)} any more: ${newest === fence ? "its lease was given back" : why}`,
    "Nothing was written. Open the run again to go on from its journal.",
    { details: { run, fence, newest } },
  );
}

/** Code `journal-append`: one entry, or with it the whole group, is larger than a journal takes. */
export function payloadTooLarge(run: string, entry: number, bytes: number, bytesMax: number): JournalError {
  const of = bytesMax === PAYLOAD_BYTES_MAX ? "has a payload" : "and those before it have payloads";
  return new JournalError(
    "journal-append",
    `entry ${entry} of the group for run ${JSON.stringify(run)} ${of} of ${bytes} bytes; ${bytesMax} is the most`,
    "Nothing of the group was written. Keep large results elsewhere and journal where they are.",
    { details: { run, entry, bytes, bytesMax } },
  );
}

/** Code `journal-unavailable`: used after it was closed. */
export function journalClosed(name: string): JournalError {
  return new JournalError(
    "journal-unavailable",
    `the journal ${JSON.stringify(name)} is closed`,
    "Open it again to go on from what is in it.",
    { details: { path: name } },
  );
}

/** Code `journal-append`: a number that not every store and language holds exactly. */
export function entryOutOfRange(run: string, entry: number, field: string, value: unknown, most: number): JournalError {
  return new JournalError(
    "journal-append",
    `entry ${entry} of the group for run ${JSON.stringify(run)} has ${field} ${String(value)}, which is no integer from 0 to ${most}`,
    "Nothing of the group was written. This is a fault of Holdfast, or of who drives its journal; please report it.",
    { details: { run, entry, field, value } },
  );
}

/** Code `journal-corrupt`: the journal of this run cannot be right. `ordinal` is the slot's, `row` counts its entries from 0. */
export function corrupt(
  runId: string,
  ordinal: number | undefined,
  row: number,
  why: string,
  cause?: unknown,
): JournalError {
  const where = ordinal === undefined ? `entry ${row}` : `slot ${ordinal} (entry ${row})`;
  return new JournalError(
    "journal-corrupt",
    `the journal of run ${JSON.stringify(runId)} is corrupt at ${where}: ${why}`,
    "Nothing was called. Look at it with `holdfast verify <journal>`, and restore it from a copy.",
    { details: { runId, slot: ordinal, entry: row }, ...(cause === undefined ? {} : { cause }) },
  );
}
