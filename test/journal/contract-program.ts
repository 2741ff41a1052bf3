// The contract as a bare program, for a Node that no test runner runs under. Prints a line of JSON per case.
//
//   node contract-program.js <URL of the built package>
import type { Journal } from "../../bindings/js/src/ports.ts";
import { CONTRACT } from "./contract.ts";
import { sqliteGround, withGround } from "./grounds.ts";

const { openSqliteJournal } = (await import(process.argv[2]!)) as {
  openSqliteJournal(path: string): Promise<Journal>;
};
for (const one of CONTRACT) {
  const failure = await withGround(sqliteGround(openSqliteJournal), one).then(
    () => undefined,
    (error: unknown) => (error instanceof Error ? (error.stack ?? error.message) : String(error)),
  );
  process.stdout.write(`${JSON.stringify({ name: one.name, failure })}\n`);
}
