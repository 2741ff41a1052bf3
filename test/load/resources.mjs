// The processes of resources.test.ts: what tools hold and what the process takes; how many timers wait. Each
// ends by itself when nothing is left to do, or its test fails.
import { openRuntime, tool } from "holdfast";

const [what, number] = process.argv.slice(2);
const MB = 1024 * 1024;
const callsOf = (count, more) =>
  Array.from({ length: count }, (_, n) => ({ id: `c${n}`, tool: "work", input: n, ...more }));
const countOf = (outcomes, kind) => outcomes.filter((one) => one.kind === kind).length;
const print = (facts) => process.stdout.write(JSON.stringify(facts));
const timers = () => process.getActiveResourcesInfo().filter((name) => name === "Timeout").length;

async function memory(cap) {
  let held = 0;
  let heldPeak = 0;
  let rssPeak = 0;
  const work = tool({
    run: async () => {
      const bytes = Buffer.alloc(2 * MB, 1);
      held += bytes.length;
      heldPeak = Math.max(heldPeak, held);
      rssPeak = Math.max(rssPeak, process.memoryUsage.rss());
      await new Promise((done) => setTimeout(done, 20));
      held -= bytes.length;
      return bytes[0];
    },
  });
  const limits = { concurrency: cap, startsPerStepMax: 1_000_000 };
  const runtime = await openRuntime({ journal: "memory", limits, tools: { work } });
  const before = process.memoryUsage.rss();
  const outcomes = await runtime.run("memory", (run) => run.batch(callsOf(200)));
  await runtime.close();
  print({ ok: countOf(outcomes, "ok"), heldPeak, rssGrowth: rssPeak - before });
}

async function countTimers(many) {
  const each = Array.from({ length: 1_000 }, () => setTimeout(() => undefined, 100_000));
  const control = timers();
  for (const one of each) clearTimeout(one);
  const run = (_, ctx) => new Promise((done) => ctx.signal.addEventListener("abort", () => done(true)));
  const work = tool({ effect: "read", run });
  const runtime = await openRuntime({ journal: "memory", limits: { concurrency: 1 }, tools: { work } });
  const timersBefore = timers();
  let waiting = 0;
  let timersWhileWaiting = 0;
  const outcomes = [];
  await runtime.run("timers", async (run) => {
    const batch = run.batch(callsOf(many, { startWithinMs: 600_000 }));
    while (waiting === 0) {
      await new Promise((done) => setTimeout(done, 50));
      if (runtime.explain("timers", `c${many - 1}`).state === "waiting") waiting = many;
    }
    timersWhileWaiting = timers();
    runtime.cancel("timers");
    outcomes.push(...(await batch));
  });
  print({
    control,
    waiting,
    timersBefore,
    timersWhileWaiting,
    timersAfter: timers(),
    ok: countOf(outcomes, "ok"),
    cancelled: countOf(outcomes, "cancelled"),
  });
  await runtime.close();
}

if (what === "memory") await memory(Number(number));
else await countTimers(Number(number));
