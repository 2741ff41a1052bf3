// Entries for tests of journals: made short, compared whole.
import { type Entry, EntryKind } from "../../bindings/js/src/entry.ts";

/** An entry; what is not given means nothing for its kind. */
export function entry(given: Partial<Entry> = {}): Entry {
  return {
    kind: EntryKind.settled,
    slot: 0,
    count: 0,
    attempt: 1,
    outcome: 0,
    source: 0,
    at: 1_764_034_266_000,
    until: 0,
    payload: null,
    ...given,
  };
}

export const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);

/** A group of `count` entries whose payloads say which group they are of. They can follow one another. */
export function group(name: string, count: number): readonly Entry[] {
  const payload = bytes(JSON.stringify(name));
  return Array.from({ length: count }, (_, i) => entry({ kind: EntryKind.runOpened, slot: i, count, payload }));
}

/** Which groups the entries are of, in order, each with how many of it there are: `a×3 b×1`. */
export function groupsOf(entries: readonly Entry[]): string {
  const runs: { name: string; count: number }[] = [];
  for (const { payload } of entries) {
    const name = String(JSON.parse(new TextDecoder().decode(payload ?? bytes('""'))));
    const last = runs.at(-1);
    if (last?.name === name) last.count += 1;
    else runs.push({ name, count: 1 });
  }
  return runs.map(({ name, count }) => `${name}×${count}`).join(" ");
}

/** Plain values, for a comparison that does not care what class of bytes a payload is. */
export function comparable(entries: readonly Entry[]): readonly unknown[] {
  return entries.map(({ payload, ...numbers }) => ({ ...numbers, payload: payload === null ? null : [...payload] }));
}
