// The contract, on every journal that is here: the one in memory, and SQLite of the Node that runs, on a thread of
// its own and without.

import { openSqliteJournal } from "holdfast";
import { describe, test } from "vitest";
import { MemoryJournal } from "../../bindings/js/src/memory-journal.ts";
import { openLoopJournal } from "../../runtime-node/src/conformance-host/loop-journal.ts";
import { CONTRACT } from "./contract.ts";
import { memoryGround, sqliteGround, withGround } from "./grounds.ts";

describe("memory", () => {
  for (const one of CONTRACT.filter(({ shared }) => shared !== true))
    test(one.name, () =>
      withGround(
        memoryGround(() => new MemoryJournal()),
        one,
      ),
    );
});

describe("SQLite", () => {
  for (const one of CONTRACT) test(one.name, () => withGround(sqliteGround(openSqliteJournal), one));
});

describe("SQLite without a thread", () => {
  const open = async (path: string) => openLoopJournal(path);
  for (const one of CONTRACT) test(one.name, () => withGround(sqliteGround(open), one));
});
