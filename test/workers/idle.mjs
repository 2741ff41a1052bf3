// A process that uses a worker tool, closes nothing and has nothing left to do: it must end by itself.
import { openRuntime, tool } from "holdfast";

const runtime = await openRuntime({
  journal: "memory",
  tools: { thread: tool({ effect: "read", worker: new URL("./tools.mjs", import.meta.url), export: "thread" }) },
  workers: { idleMs: 2_000_000_000 },
});
const id = await runtime.run("idle", (run) => run.call("thread", null));
process.stdout.write(`thread ${id}\n`);
