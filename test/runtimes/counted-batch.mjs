// A process whose system calls are counted: it runs one batch to warm up and one between two marks on
// stderr, on the journal, with the size and the limit that it is given.
import { writeSync } from "node:fs";
import { openRuntime, tool } from "holdfast";

const [journal, size, limit] = process.argv.slice(2);
const options = limit === "all" ? {} : { concurrency: Number(limit) };
const calls = (prefix, count) =>
  Array.from({ length: count }, (_, n) => ({ id: `${prefix}-${n}`, tool: "work", input: { n } }));

const runtime = await openRuntime({
  journal,
  limits: { concurrency: 100_000 },
  tools: { work: tool({ effect: "idempotent", run: ({ n }) => n }) },
});
await runtime.run("counted", async (run) => {
  await run.batch(calls("warm", 10), options);
  writeSync(2, "<batch\n");
  const outcomes = await run.batch(calls("counted", Number(size)), options);
  writeSync(2, "batch>\n");
  if (outcomes.some(({ kind }) => kind !== "ok")) throw new Error("a call of the batch failed");
});
await runtime.close();
