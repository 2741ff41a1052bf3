// One of several hosts that ask the same provider and know nothing of its quota, nor of one another: makes its calls,
// rests when it is told to, and says what each came to. rates.test.ts starts them together.
import { openRuntime, overloaded, tool } from "holdfast";

const [url, name, count] = process.argv.slice(2);
const say = (word, facts) => process.stdout.write(`${JSON.stringify({ word, at: Date.now(), ...facts })}\n`);

const ask = tool({
  run: async (n, ctx) => {
    const response = await fetch(url, { method: "POST", body: JSON.stringify({ id: `${name}/${ctx.callId}` }) });
    await response.text();
    if (response.status === 200) return n;
    throw overloaded({ retryAfterMs: Number(response.headers.get("retry-after-ms")) });
  },
});
const runtime = await openRuntime({ journal: "memory", tools: { ask } });
say("ready", {});
await new Promise((go) => process.stdin.once("data", go));
const calls = Array.from({ length: Number(count) }, (_, n) => ({ id: `c${n}`, tool: "ask", input: n }));
const outcomes = await runtime.run(name, (run) => run.batch(calls));
say("over", { kinds: outcomes.map(({ kind }) => kind), attempts: outcomes.map(({ attempts }) => attempts) });
await runtime.close();
process.stdin.destroy();
