// A host whose death is wanted: opens the journal that it is given under limits, does what it is told and says so
// line by line. restart.test.ts kills it.
import { openRuntime, overloaded, tool } from "holdfast";

const [what, journal, runId, limitsText = "{}", count = "1"] = process.argv.slice(2);
const say = (word, facts = {}) => process.stdout.write(`${JSON.stringify({ word, at: Date.now(), ...facts })}\n`);

/** What the tool does: refuses once and for long, fails, or works. */
const deeds = {
  overloaded: () => {
    throw overloaded({ retryAfterMs: 4_000 });
  },
  fails: () => {
    throw new Error("unwell");
  },
  works: (n) => n,
};

const ask = tool({
  effect: "read",
  run: (n, ctx) => {
    say("called", { callId: ctx.callId, attempt: ctx.attempt });
    return deeds[what](n);
  },
});
const runtime = await openRuntime({ journal, tools: { ask }, limits: JSON.parse(limitsText) });
void (async () => {
  for await (const event of runtime.events())
    if (event.kind === "waiting" || event.kind === "attempt-failed") say(event.kind, event);
})();
const calls = Array.from({ length: Number(count) }, (_, n) => ({ id: `${runId}-${n}`, tool: "ask", input: n }));
const outcomes = await runtime.run(runId, (run) => run.batch(calls));
say("over", { outcomes, gauge: runtime.limit("tools.ask") });
await runtime.close();
