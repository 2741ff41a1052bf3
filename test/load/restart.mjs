// A host whose death is wanted: opens the journal that it is given under limits, does what it is told and says so
// line by line. restart.test.ts kills it.
import { setTimeout } from "node:timers/promises";
import { openRuntime, overloaded, tool } from "holdfast";

const [what, journal, runId, limitsText = "{}", count = "1", termsText = "{}"] = process.argv.slice(2);
/** What the batch says, and each of its calls. */
const { batch = {}, call = {} } = JSON.parse(termsText);
const say = (word, facts = {}) => process.stdout.write(`${JSON.stringify({ word, at: Date.now(), ...facts })}\n`);

/** What the tool does: refuses once and for long, fails, works, hangs, or works and counts who was there before the first left. */
const deeds = {
  overloaded: () => {
    throw overloaded({ retryAfterMs: 4_000 });
  },
  fails: () => {
    throw new Error("unwell");
  },
  works: (n) => n,
  hangs: () => new Promise(() => undefined),
  counts: async (n) => {
    if (over === 0) firstWave++;
    await setTimeout(5);
    over++;
    return n;
  },
};
let over = 0;
let firstWave = 0;

const ask = tool({
  effect: "read",
  run: (n, ctx) => {
    if (what !== "counts") say("called", { callId: ctx.callId, attempt: ctx.attempt, deadline: ctx.deadline });
    return deeds[what](n);
  },
});
const runtime = await openRuntime({ journal, tools: { ask }, limits: JSON.parse(limitsText) });
void (async () => {
  for await (const event of runtime.events())
    if (event.kind === "waiting" || event.kind === "attempt-failed") say(event.kind, event);
})();
const calls = Array.from({ length: Number(count) }, (_, n) => ({
  id: `${runId}-${n}`,
  tool: "ask",
  input: n,
  ...call,
}));
const outcomes = await runtime.run(runId, (run) => run.batch(calls, batch));
say("over", {
  outcomes: outcomes.slice(0, 10),
  ok: outcomes.filter(({ kind }) => kind === "ok").length,
  firstWave,
  gauge: runtime.limit("tools.ask"),
});
await runtime.close();
