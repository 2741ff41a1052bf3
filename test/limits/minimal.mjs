// A first limited batch, in ten lines.
import { openRuntime, tool } from "holdfast";

const runtime = await openRuntime({
  journal: "memory",
  tools: { search: tool({ effect: "read", run: (word) => `${word}.md` }) },
  limits: { tools: { search: { concurrency: 2, rate: { limit: 60, perMs: 60_000 } } } },
});
const calls = ["hold", "fast", "anchor"].map((word) => ({ tool: "search", input: word }));
export const outcomes = await runtime.run("turn", (run) => run.batch(calls));
await runtime.close();
