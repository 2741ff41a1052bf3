// A process that opens a journal, appends groups of 100 entries to one run, and says how it went as a line of
// JSON; as another user or under another bound than the test's own process.
//
//   node opener.mjs <journal> <groups>
import { openSqliteJournal } from "holdfast";

const [path, groups] = process.argv.slice(2);
const entry = { kind: 0, slot: 0, count: 0, attempt: 1, outcome: 0, source: 0, at: 1, until: 0, payload: null };
const said = { appended: 0 };
try {
  const journal = await openSqliteJournal(path);
  try {
    const { fence } = await journal.open("a");
    while (said.appended < Number(groups)) {
      await journal.append(
        "a",
        fence,
        new Array(100).fill({ ...entry, payload: Buffer.from(JSON.stringify("x".repeat(500))) }),
      );
      said.appended += 1;
    }
  } finally {
    await journal.close();
  }
} catch ({ name, code, message, next }) {
  Object.assign(said, { name, code, message, next });
}
process.stdout.write(`${JSON.stringify(said)}\n`);
