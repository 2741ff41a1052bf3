// What a journal takes of an entry, whatever it is made of: numbers that every language and every store holds
// exactly, and payloads that fit into memory. Pure.
import type { Entry } from "./entry.ts";
import type { JournalError } from "./errors.ts";
import { entryOutOfRange, GROUP_BYTES_MAX, PAYLOAD_BYTES_MAX, payloadTooLarge } from "./journal-errors.ts";

const U32_FIELDS = ["slot", "count", "attempt", "outcome", "source", "kind"] as const;
const TIME_FIELDS = ["at", "until"] as const;
const U32_MAX = 0xffff_ffff;

/** The first of an entry's numbers that is out of range, and the most it may be; undefined if none is. */
export function outOfRange(entry: Entry): { readonly field: keyof Entry; readonly most: number } | undefined {
  for (const field of U32_FIELDS) {
    const value = entry[field];
    if (!(value >= 0 && value <= U32_MAX && Number.isInteger(value))) return { field, most: U32_MAX };
  }
  for (const field of TIME_FIELDS) {
    const value = entry[field];
    if (!(value >= 0 && Number.isSafeInteger(value))) return { field, most: Number.MAX_SAFE_INTEGER };
  }
  return undefined;
}

/** Why a journal does not take a group of entries, if so: code `journal-append`. */
export function checkGroup(run: string, entries: readonly Entry[]): JournalError | undefined {
  let bytes = 0;
  for (const [i, entry] of entries.entries()) {
    const wrong = outOfRange(entry);
    if (wrong !== undefined) return entryOutOfRange(run, i, wrong.field, entry[wrong.field], wrong.most);
    const length = entry.payload?.length ?? 0;
    bytes += length;
    if (length > PAYLOAD_BYTES_MAX) return payloadTooLarge(run, i, length, PAYLOAD_BYTES_MAX);
    if (bytes > GROUP_BYTES_MAX) return payloadTooLarge(run, i, bytes, GROUP_BYTES_MAX);
  }
  return undefined;
}
