// What a batch costs in syncs, which is what it costs in time, counted by the kernel: one before its first
// calls, one per wave of outcomes, since the starts of a wave share the commit of the one before. All at once is four
// waves of 256, since a turn of the loop starts no more.
import { expect, test } from "vitest";
import { type NodeMajor, nodeBinary } from "./nodes.ts";
import { countSyncs, needStrace, syncsOfBatch } from "./syncs.ts";

/** With libsql, and with node:sqlite. */
const MAJORS: readonly NodeMajor[] = [20, 24];

test.for(
  MAJORS.flatMap((major) => [
    { major, size: 1, limit: 10, syncs: 2 },
    { major, size: 10, limit: 10, syncs: 2 },
    { major, size: 100, limit: 10, syncs: 11 },
    { major, size: 1000, limit: "all" as const, syncs: 5 },
  ]),
)("Node $major: a batch of $size, limit $limit, syncs $syncs times", async ({ major, size, limit, syncs }, context) => {
  const skip = (note: string): never => context.skip(note);
  needStrace(skip);
  expect(await syncsOfBatch(await nodeBinary(major, skip), size, limit)).toBe(syncs);
});

test("only what lies between the marks is counted, whichever thread it is of", () => {
  const trace = [
    "7 fdatasync(21) = 0",
    '5 write(2, "<batch\\n", 7) = 7',
    "7 fdatasync(21 <unfinished ...>",
    '5 write(2, "a line", 6) = 6',
    "7 <... fdatasync resumed>) = 0",
    "7 fsync(22) = 0",
    '5 write(2, "batch>\\n", 7) = 7',
    "7 fdatasync(21) = 0",
  ].join("\n");
  expect(countSyncs(trace)).toBe(2);
  expect(() => countSyncs("7 fdatasync(21) = 0")).toThrow("no batch");
});
