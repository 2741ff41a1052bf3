// The part of the contract that is about more than one journal on the same ground: what one wrote another
// finds, and what one holds another respects.
import { strict as assert } from "node:assert";
import { EntryKind } from "../../bindings/js/src/entry.ts";
import { type ContractCase, refusal } from "./contract-case.ts";
import { entry, group, groupsOf } from "./entries.ts";

export const CASES_OF_TWO: readonly ContractCase[] = [
  {
    name: "rules 65 and 70: everything that was acknowledged is found, to the real end",
    shared: true,
    async run(ground) {
      const first = await ground.open();
      const { fence } = await first.open("a");
      for (let i = 0; i < 10; i++) await first.append("a", fence, group(`g${i}`, 700));
      await first.append("a", fence, group("end", 1));
      await first.close();
      const second = await ground.open();
      const opened = await second.open("a");
      assert.ok(opened.fence > fence);
      assert.equal(groupsOf(opened.entries), `${Array.from({ length: 10 }, (_, i) => `g${i}×700`).join(" ")} end×1`);
    },
  },
  {
    name: "what another journal holds is busy until it is given back",
    shared: true,
    async run(ground) {
      const [first, second] = [await ground.open(), await ground.open()];
      const { fence } = await first.open("a");
      const error = await refusal(second.open("a"), "run-busy");
      assert.ok(Number(error.details.leaseEndsAt) > Date.now());
      await first.append("a", fence, group("mine", 1));
      await first.release("a", fence);
      const taken = await second.open("a");
      assert.ok(taken.fence > fence);
      assert.equal(groupsOf(taken.entries), "mine×1");
      await refusal(first.open("a"), "run-busy");
    },
  },
  {
    name: "closing gives back all leases",
    shared: true,
    async run(ground) {
      const [first, second] = [await ground.open(), await ground.open()];
      for (const run of ["a", "b", "c"]) await first.open(run);
      await first.close();
      for (const run of ["a", "b", "c"]) assert.equal((await second.open(run)).fence, 2);
    },
  },
  {
    name: "of two journals that open a run at once, one has it",
    shared: true,
    async run(ground) {
      const journals = [await ground.open(), await ground.open(), await ground.open()];
      for (let round = 0; round < 10; round++) {
        const opened = await Promise.allSettled(journals.map((journal) => journal.open(`run ${round}`)));
        assert.equal(opened.filter(({ status }) => status === "fulfilled").length, 1, `round ${round}`);
      }
    },
  },
  {
    name: "rule 69: journals write different runs at once, and find each other's whole",
    shared: true,
    async run(ground) {
      const journals = [await ground.open(), await ground.open()];
      await Promise.all(
        journals.map(async (journal, i) => {
          const { fence } = await journal.open(`run ${i}`);
          for (let n = 0; n < 30; n++) await journal.append(`run ${i}`, fence, group(`${i}.${n}`, 3));
        }),
      );
      for (const i of [0, 1]) {
        const entries = (await journals[1 - i]!.read(`run ${i}`))!;
        assert.equal(groupsOf(entries), Array.from({ length: 30 }, (_, n) => `${i}.${n}×3`).join(" "));
      }
    },
  },
  {
    name: "another journal sees who is held, and does not prune it",
    shared: true,
    async run(ground) {
      const [first, second] = [await ground.open(), await ground.open()];
      const { fence } = await first.open("a");
      await first.append("a", fence, [entry({ kind: EntryKind.runClosed, at: 1 })]);
      assert.equal((await second.runs())[0]?.leased, true);
      assert.deepEqual(await second.prune({ closedBefore: 10 }), []);
      await first.release("a", fence);
      assert.equal((await second.runs())[0]?.leased, false);
      assert.deepEqual(await second.prune({ closedBefore: 10 }), ["a"]);
      assert.equal(await first.read("a"), undefined);
    },
  },
  {
    name: "a run that was pruned and made anew is another run",
    shared: true,
    async run(ground) {
      const [first, second] = [await ground.open(), await ground.open()];
      const { fence } = await first.open("a");
      await first.append("a", fence, [entry({ kind: EntryKind.runClosed, at: 1 })]);
      await first.release("a", fence);
      await second.prune({ closedBefore: 10 });
      const anew = await second.open("a");
      await refusal(first.append("a", fence, group("ghost", 1)), "fenced");
      await second.append("a", anew.fence, group("new", 1));
      assert.equal(groupsOf((await first.read("a"))!), "new×1");
    },
  },
];
