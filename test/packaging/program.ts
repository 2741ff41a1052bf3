// The ten lines that a user of the packed tarball runs first: compiled by their TypeScript, run by their
// Node. Handed to the tests as text, since it lives in a project of its own.

export const PROGRAM = `\
import { openRuntime, tool } from "holdfast";

const runtime = await openRuntime({
  journal: process.argv[2]!,
  tools: { double: tool({ effect: "idempotent", run: ({ n }: { n: number }) => ({ twice: 2 * n }) }) },
});
const answer = await runtime.run("first", async (run) => {
  const outcomes = await run.batch([1, 2, 3].map((n) => ({ tool: "double" as const, input: { n } })));
  return outcomes.map((outcome) => (outcome.kind === "ok" ? outcome.value.twice : outcome.kind));
});
console.log(JSON.stringify(answer));
await runtime.close();
`;

/** What it prints, however often it is run on one journal. */
export const PRINTED = "[2,4,6]\n";
