// A host that kills itself at a given append of its journal, before it is on disk or after, or at none. Its tools
// note every call in a ledger before anything else, so that whoever comes after can count.
import { appendFileSync } from "node:fs";
import { openRuntime, openSqliteJournal, tool } from "holdfast";

const [path, ledger, killAt, when, count] = process.argv.slice(2);
const sqlite = await openSqliteJournal(path);
const sigkill = () => process.kill(process.pid, "SIGKILL");
let appends = 0;
const journal = {
  durable: true,
  name: sqlite.name,
  open: (run) => sqlite.open(run),
  append: async (run, fence, entries) => {
    const last = ++appends === Number(killAt);
    if (last && when === "before") sigkill();
    await sqlite.append(run, fence, entries);
    if (last) sigkill();
  },
  release: (run, fence) => sqlite.release(run, fence),
  read: (run) => sqlite.read(run),
  runs: () => sqlite.runs(),
  prune: (options) => sqlite.prune(options),
  close: () => sqlite.close(),
};

let now = 0;
let peak = 0;
const work = async (n, ctx) => {
  appendFileSync(ledger, `${ctx.callId} ${ctx.attempt} ${ctx.idempotencyKey}\n`);
  peak = Math.max(peak, ++now);
  await new Promise((done) => setTimeout(done, n % 3));
  now--;
  return n;
};
const tools = {
  read: tool({ effect: "read", run: work }),
  add: tool({ effect: "idempotent", run: work }),
  send: tool({ effect: "once", run: work }),
};
const runtime = await openRuntime({ journal, tools, limits: { concurrency: 8 } });
const names = Object.keys(tools);
const calls = Array.from({ length: Number(count) }, (_, n) => ({ id: `call-${n}`, tool: names[n % 3], input: n }));
const outcomes = await runtime.run("crashes", (run) => run.batch(calls));
const inUse = runtime.limit("runtime").inUse;
await runtime.close();
process.stdout.write(`${JSON.stringify({ word: "over", at: Date.now(), outcomes, appends, peak, inUse })}\n`);
