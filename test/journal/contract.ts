// What every journal must do, whatever it is made of: the cases that each implementation runs. They know
// nothing of a test runner, so a bare program under another Node can run them too.
import { strict as assert } from "node:assert";
import { type Entry, EntryKind } from "../../bindings/js/src/entry.ts";
import { PAYLOAD_BYTES_MAX } from "../../bindings/js/src/journal-errors.ts";
import { type ContractCase, refusal } from "./contract-case.ts";
import { CASES_OF_TWO } from "./contract-of-two.ts";
import { bytes, comparable, entry, group, groupsOf } from "./entries.ts";

/** Keys that no store may mix up or take for something else. */
const ODD_KEYS = [
  ..."1|01| 1|1 |a/b|a%2Fb|a~b|é|e\u0301|💥|__proto__|constructor|toString|%|_|*|A|a|NULL|0x31|1e0".split("|"),
  "'); DROP TABLE entries; --",
  '"',
  "a\u00a0b",
  "\uffff",
  "x".repeat(8_192),
];

const OWN_CASES: readonly ContractCase[] = [
  {
    name: "a new run is empty, and its lease has a fence",
    async run(ground) {
      const journal = await ground.open();
      const { fence, entries } = await journal.open("a");
      assert.ok(Number.isSafeInteger(fence) && fence > 0);
      assert.deepEqual(entries, []);
    },
  },
  {
    name: "each lease has a higher fence than the one before",
    async run(ground) {
      const journal = await ground.open();
      let last = 0;
      for (let i = 0; i < 5; i++) {
        const { fence } = await journal.open("a");
        assert.ok(fence > last);
        last = fence;
        await journal.release("a", fence);
      }
    },
  },
  {
    name: "entries come back as they were written, to the edges of their numbers",
    async run(ground) {
      const journal = await ground.open();
      const { fence } = await journal.open("a");
      const u32 = 2 ** 32 - 1;
      const written: Entry[] = [
        entry({ kind: EntryKind.runOpened, at: 0, attempt: 0 }),
        entry({ kind: EntryKind.planned, slot: u32, count: u32, until: Number.MAX_SAFE_INTEGER }),
        entry({ attempt: u32, outcome: u32, source: u32, at: Number.MAX_SAFE_INTEGER }),
        entry({ at: 2 ** 32, until: 2 ** 52 + 1 }),
        entry({ kind: 17 as EntryKind }), // of a later version: not for a store to judge
        entry({ payload: new Uint8Array() }),
        entry({ payload: bytes("null") }),
        entry({ payload: Uint8Array.of(0, 255, 254, 0, 0xc3, 0x28, 0xed, 0xa0, 0x80, 0) }),
        entry({ payload: bytes("ünïcode \u0000 💥") }),
      ];
      await journal.append("a", fence, written);
      assert.deepEqual(comparable((await journal.read("a"))!), comparable(written));
      await journal.release("a", fence);
      assert.deepEqual(comparable((await journal.open("a")).entries), comparable(written));
    },
  },
  {
    name: "whoever reads may scribble on what was read",
    async run(ground) {
      const journal = await ground.open();
      const { fence } = await journal.open("a");
      await journal.append("a", fence, group("mine", 3));
      for (const { payload } of (await journal.read("a"))!) payload!.fill(0);
      assert.equal(groupsOf((await journal.read("a"))!), "mine×3");
    },
  },
  {
    name: "groups are there in the order of their appends, without waiting for one another",
    async run(ground) {
      const journal = await ground.open();
      const { fence } = await journal.open("a");
      const names = Array.from({ length: 40 }, (_, i) => `g${i}`);
      await Promise.all(names.map((name, i) => journal.append("a", fence, group(name, 1 + (i % 3)))));
      const read = groupsOf((await journal.read("a"))!);
      assert.equal(read, names.map((name, i) => `${name}×${1 + (i % 3)}`).join(" "));
    },
  },
  {
    name: "an append resolves in the order in which it was made",
    async run(ground) {
      const journal = await ground.open();
      const { fence } = await journal.open("a");
      const order: number[] = [];
      const appends = Array.from({ length: 20 }, (_, i) =>
        journal.append("a", fence, group("g", i === 3 ? 500 : 1)).then(() => order.push(i)),
      );
      await Promise.all(appends);
      assert.deepEqual(
        order,
        [...order].sort((a, b) => a - b),
      );
    },
  },
  {
    name: "an empty group is nothing",
    async run(ground) {
      const journal = await ground.open();
      const { fence } = await journal.open("a");
      await journal.append("a", fence, []);
      assert.deepEqual(await journal.read("a"), []);
      await refusal(journal.append("a", fence + 1, []), "fenced");
    },
  },
  {
    name: "a number that not every store holds exactly is refused, and nothing of its group is written",
    async run(ground) {
      const journal = await ground.open();
      for (const bad of [
        { slot: -1 },
        { slot: 2 ** 32 },
        { attempt: 1.5 },
        { count: Number.NaN },
        { at: 2 ** 53 },
        { at: -1 },
        { until: Number.POSITIVE_INFINITY },
        { outcome: "0" as unknown as number },
      ]) {
        const { fence } = await journal.open("a");
        const before = (await journal.read("a"))!.length;
        const error = await refusal(
          journal.append("a", fence, [entry(), entry(bad as Partial<Entry>)]),
          "journal-append",
        );
        assert.equal(error.details.entry, 1);
        assert.equal(error.details.field, Object.keys(bad)[0]);
        assert.equal((await journal.read("a"))!.length, before);
        await journal.release("a", fence);
      }
    },
  },
  {
    name: "a group that was refused takes those after it along, until the run is opened again",
    async run(ground) {
      const journal = await ground.open();
      const [a, b] = [await journal.open("a"), await journal.open("b")];
      const appends = [
        journal.append("a", a.fence, group("before", 1)),
        journal.append("a", a.fence, [entry({ at: -1 })]),
        journal.append("a", a.fence, group("after", 1)),
        journal.append("b", b.fence, group("other", 2)),
      ];
      assert.deepEqual(
        (await Promise.allSettled(appends)).map(({ status }) => status),
        ["fulfilled", "rejected", "rejected", "fulfilled"],
      );
      await refusal(journal.append("a", a.fence, group("later", 1)), "journal-append");
      await journal.release("a", a.fence);
      const again = await journal.open("a");
      await journal.append("a", again.fence, group("again", 1));
      assert.equal(groupsOf((await journal.read("a"))!), "before×1 again×1");
      assert.equal(groupsOf((await journal.read("b"))!), "other×2");
    },
  },
  {
    name: "a payload is large or too large, and never cut",
    async run(ground) {
      const journal = await ground.open();
      const { fence } = await journal.open("a");
      const large = new Uint8Array(5 * 1024 * 1024).map((_, i) => i % 251);
      // Among small ones: whatever way large ones take, the order is theirs as well.
      await Promise.all([
        journal.append("a", fence, group("small", 1)),
        journal.append("a", fence, [entry({ payload: large })]),
        journal.append("a", fence, group("small", 1)),
        journal.append("a", fence, [entry({ payload: large.subarray(1) })]),
      ]);
      const read = (await journal.read("a"))!;
      assert.equal(groupsOf([read[0]!, read[2]!]), "small×2");
      assert.ok(Buffer.from(large).equals(read[1]!.payload!));
      assert.ok(Buffer.from(large.subarray(1)).equals(read[3]!.payload!));
      const tooLarge = entry({ payload: new Uint8Array(PAYLOAD_BYTES_MAX + 1) });
      const error = await refusal(journal.append("a", fence, [entry(), tooLarge]), "journal-append");
      assert.deepEqual(error.details, {
        run: "a",
        entry: 1,
        bytes: PAYLOAD_BYTES_MAX + 1,
        bytesMax: PAYLOAD_BYTES_MAX,
      });
      assert.equal((await journal.read("a"))!.length, 4);
    },
  },
  {
    name: "rule 74: a run that is held is busy, and it says who holds it",
    async run(ground) {
      const journal = await ground.open();
      const { fence } = await journal.open("a");
      const error = await refusal(journal.open("a"), "run-busy");
      assert.equal(error.details.run, "a");
      assert.match(String(error.details.holder), /process/);
      await journal.release("a", fence);
      assert.ok((await journal.open("a")).fence > fence);
    },
  },
  {
    name: "rule 74: of many who open a run at once, one has it",
    async run(ground) {
      const journal = await ground.open();
      const opened = await Promise.allSettled(Array.from({ length: 10 }, () => journal.open("a")));
      assert.equal(opened.filter(({ status }) => status === "fulfilled").length, 1);
    },
  },
  {
    name: "rule 71: only the newest fence writes, and only while it is held",
    async run(ground) {
      const journal = await ground.open();
      const first = await journal.open("a");
      await journal.release("a", first.fence);
      await refusal(journal.append("a", first.fence, group("given back", 1)), "fenced");
      const second = await journal.open("a");
      const error = await refusal(journal.append("a", first.fence, group("old", 1)), "fenced");
      assert.deepEqual(error.details, { run: "a", fence: first.fence, newest: second.fence });
      assert.equal(error.name, "FencedError");
      await refusal(journal.append("a", second.fence + 1, group("future", 1)), "fenced");
      await refusal(journal.append("never opened", 1, group("stray", 1)), "fenced");
      await journal.append("a", second.fence, group("new", 1));
      assert.equal(groupsOf((await journal.read("a"))!), "new×1");
      assert.equal(await journal.read("never opened"), undefined);
    },
  },
  {
    name: "giving back what one does not hold is nothing",
    async run(ground) {
      const journal = await ground.open();
      await journal.release("unknown", 1);
      const first = await journal.open("a");
      await journal.release("a", first.fence);
      await journal.release("a", first.fence);
      await journal.open("a");
      await journal.release("a", first.fence);
      await refusal(journal.open("a"), "run-busy");
    },
  },
  {
    name: "rule 68: no two keys are one run, whatever is in them",
    async run(ground) {
      const journal = await ground.open();
      const fences = await Promise.all(ODD_KEYS.map(async (key) => (await journal.open(key)).fence));
      await Promise.all(ODD_KEYS.map((key, i) => journal.append(key, fences[i]!, group(`of ${key}`, 1))));
      for (const key of ODD_KEYS) assert.equal(groupsOf((await journal.read(key))!), `of ${key}×1`);
      const listed = (await journal.runs()).map(({ run }) => run);
      assert.deepEqual([...listed].sort(), [...ODD_KEYS].sort());
    },
  },
  {
    name: "rule 67: two runs of equal content have journals of their own",
    async run(ground) {
      const journal = await ground.open();
      for (const run of ["a", "b"]) {
        const { fence, entries } = await journal.open(run);
        assert.deepEqual(entries, []);
        await journal.append(run, fence, group("same", 2));
        await journal.release(run, fence);
      }
      const again = await journal.open("a");
      await journal.append("a", again.fence, group("more", 1));
      assert.equal(groupsOf((await journal.read("a"))!), "same×2 more×1");
      assert.equal(groupsOf((await journal.read("b"))!), "same×2");
    },
  },
  {
    name: "many runs write at once, and one that is refused does not fail the others",
    async run(ground) {
      const journal = await ground.open();
      const runs = Array.from({ length: 30 }, (_, i) => `run ${i}`);
      const fences = await Promise.all(runs.map(async (run) => (await journal.open(run)).fence));
      const stale = fences[7]!;
      await journal.release(runs[7]!, stale);
      const results = await Promise.allSettled(
        runs.flatMap((run, i) => [0, 1, 2].map((n) => journal.append(run, fences[i]!, group(`${run} ${n}`, 2)))),
      );
      const failed = results.flatMap(({ status }, i) => (status === "rejected" ? [Math.floor(i / 3)] : []));
      assert.deepEqual(failed, [7, 7, 7]);
      for (const [i, run] of runs.entries()) {
        const expected = i === 7 ? "" : [0, 1, 2].map((n) => `${run} ${n}×2`).join(" ");
        assert.equal(groupsOf((await journal.read(run))!), expected);
      }
    },
  },
  {
    name: "a run is read while it is held, and there is none before it is opened",
    async run(ground) {
      const journal = await ground.open();
      assert.equal(await journal.read("a"), undefined);
      const { fence } = await journal.open("a");
      assert.deepEqual(await journal.read("a"), []);
      await journal.append("a", fence, group("x", 1));
      assert.equal(groupsOf((await journal.read("a"))!), "x×1");
    },
  },
  {
    name: "runs are listed by their first entry, those without one last",
    async run(ground) {
      const journal = await ground.open();
      assert.deepEqual(await journal.runs(), []);
      const summaries = { late: [30, 40], early: [10, 50], middle: [20, 20] } as const;
      await journal.open("empty");
      for (const [run, [openedAt, updatedAt]] of Object.entries(summaries)) {
        const { fence } = await journal.open(run);
        await journal.append(run, fence, [entry({ kind: EntryKind.runOpened, at: openedAt })]);
        await journal.append(run, fence, [entry({ at: 5 }), entry({ kind: EntryKind.runClosed, at: updatedAt })]);
        if (run !== "middle") await journal.release(run, fence);
      }
      const common = { entries: 3, closed: true };
      assert.deepEqual(await journal.runs(), [
        { run: "early", openedAt: 10, updatedAt: 50, leased: false, ...common },
        { run: "middle", openedAt: 20, updatedAt: 20, leased: true, ...common },
        { run: "late", openedAt: 30, updatedAt: 40, leased: false, ...common },
        { run: "empty", openedAt: 0, updatedAt: 0, leased: true, entries: 0, closed: false },
      ]);
    },
  },
  {
    name: "prune deletes trees of closed runs, and nothing that is open, held or younger",
    async run(ground) {
      const journal = await ground.open();
      const make = async (run: string, at: number, state: "closed" | "open" | "held"): Promise<void> => {
        const { fence } = await journal.open(run);
        await journal.append(run, fence, [entry({ kind: EntryKind.runOpened, at })]);
        if (state !== "open") await journal.append(run, fence, [entry({ kind: EntryKind.runClosed, at })]);
        if (state !== "held") await journal.release(run, fence);
      };
      await make("old", 10, "closed");
      await make("old/child", 9, "closed");
      await make("old/child/grandchild", 8, "closed");
      await make("older", 5, "closed"); // "old" is no tree of it
      await make("interrupted", 10, "open");
      await make("interrupted/child", 9, "closed"); // gone, it would run again
      await make("busy", 10, "held");
      await make("parent", 10, "closed");
      await make("parent/young", 100, "closed");
      await make("young", 50, "closed");
      const pruned = await journal.prune({ closedBefore: 50 });
      assert.deepEqual([...pruned].sort(), ["old", "old/child", "old/child/grandchild", "older"]);
      assert.deepEqual((await journal.runs()).map(({ run }) => run).sort(), [
        "busy",
        "interrupted",
        "interrupted/child",
        "parent",
        "parent/young",
        "young",
      ]);
      assert.equal(await journal.read("old"), undefined);
      assert.deepEqual((await journal.open("old")).entries, []);
      assert.equal((await journal.read("interrupted/child"))!.length, 2);
      assert.deepEqual(await journal.prune({ closedBefore: 0 }), []);
    },
  },
  {
    name: "close waits for what was appended, is the same twice, and refuses what comes later",
    async run(ground) {
      const journal = await ground.open();
      const { fence } = await journal.open("a");
      let durable = false;
      const appended = journal.append("a", fence, group("last", 100)).then(() => {
        durable = true;
      });
      await Promise.all([journal.close(), journal.close()]);
      assert.ok(durable, "it closed before the append was durable");
      await appended;
      await journal.close();
      for (const late of [
        () => journal.open("a"),
        () => journal.append("a", fence, group("late", 1)),
        () => journal.read("a"),
        () => journal.runs(),
        () => journal.prune({ closedBefore: 1 }),
      ])
        await refusal(late(), "journal-unavailable");
    },
  },
];

/** Every case, in order. */
export const CONTRACT: readonly ContractCase[] = [...OWN_CASES, ...CASES_OF_TWO];
