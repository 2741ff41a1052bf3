// The journal that stops at each append for the runner's word keeps what a journal promises: groups of a run are on
// disk in their order, whichever the runner lets go first, and none after one that failed.
import { expect, test } from "vitest";
import { type Entry, EntryKind } from "../../bindings/js/src/entry.ts";
import { MemoryJournal } from "../../bindings/js/src/memory-journal.ts";
import { PointJournal } from "../../runtime-node/src/conformance-host/point-journal.ts";
import type { SessionWire } from "../../runtime-node/src/conformance-host/wire.ts";
import { settle } from "../rules/fakes.ts";

const started = (slot: number): Entry => ({
  ...{ kind: EntryKind.started, slot, count: 0, attempt: 1, outcome: 0, source: 0, at: 1, until: 0 },
  payload: null,
});

/** The moments that wait for a word, oldest first, and a journal that stops at them. */
async function stopping() {
  const waiting: { readonly when: string; readonly go: (fail?: boolean) => void }[] = [];
  const ask = ({ when }: { readonly when: string }) => ({
    n: 1,
    answer: new Promise((resolve) => waiting.push({ when, go: (fail = false) => resolve({ fail }) })),
  });
  const inner = new MemoryJournal();
  const journal = new PointJournal(inner, { ask } as unknown as SessionWire);
  const { fence } = await journal.open("r");
  const done: string[] = [];
  for (const slot of [0, 1])
    journal.append("r", fence, [started(slot)]).then(
      () => done.push(`${slot} written`),
      ({ message }: Error) => done.push(`${slot} ${message}`),
    );
  const written = async () => (await inner.read("r"))?.map(({ slot }) => slot);
  return { waiting, written, done };
}

test("a group is not on disk before the one before it, whichever may be written first", async () => {
  const { waiting, written, done } = await stopping();
  expect(waiting.map(({ when }) => when)).toEqual(["before", "before"]);
  waiting[1]!.go();
  await settle();
  expect(await written()).toEqual([]);
  waiting[0]!.go();
  await settle();
  expect(await written()).toEqual([0]);
  waiting[2]!.go(); // after the first
  await settle();
  expect(await written()).toEqual([0, 1]);
  waiting[3]!.go();
  await settle();
  expect(done).toEqual(["0 written", "1 written"]);
});

test("a group that fails takes the one after it along", async () => {
  const { waiting, written, done } = await stopping();
  waiting[1]!.go();
  waiting[0]!.go(true);
  await settle();
  expect(await written()).toEqual([]);
  expect(done).toEqual(["0 the scenario lets this append fail", "1 the scenario lets this append fail"]);
});
