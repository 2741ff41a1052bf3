// The process that is killed: a turn of twenty calls with every effect, reconcilers, a retry, a time-out,
// a fallback and a run inside the run. Kills itself with SIGKILL at the append that it is told to.
//
//   node turn.mjs <journal> <ledger> <append> <before|during|after>     append 0: nobody dies
//
// Prints one line of JSON: how the journal was found, and what the run came to.
import { appendFileSync, existsSync, readFileSync } from "node:fs";
import { done, notDone, openRuntime, openSqliteJournal, tool } from "holdfast";

const [journalPath, ledgerPath, killAt, moment] = process.argv.slice(2);
const pause = (ms, signal) =>
  new Promise((resolve, reject) => {
    const timer = setTimeout(resolve, ms);
    const stop = () => {
      clearTimeout(timer);
      reject(signal.reason);
    };
    signal?.addEventListener("abort", stop, { once: true });
  });

// ── the outside ───────────────────────────────────────────────────────────────────────────────
// One write per line with O_APPEND: what a tool did stays when its process dies.

function note(what, ctx, more = "") {
  appendFileSync(ledgerPath, `${what} ${ctx.callId} ${ctx.attempt} ${ctx.idempotencyKey} ${process.pid} ${more}\n`);
}

/** Was the effect of this key applied? */
function happened(key) {
  if (!existsSync(ledgerPath)) return false;
  return readFileSync(ledgerPath, "utf8")
    .split("\n")
    .some((line) => line.startsWith("effect ") && line.includes(` ${key} `));
}

async function act(input, ctx) {
  note("begin", ctx);
  await pause(input.ms ?? 1, ctx.signal);
  note("effect", ctx);
  await pause(1, ctx.signal);
  note("end", ctx);
  return { did: ctx.callId };
}

const reconcile = (_input, ctx) => (happened(ctx.idempotencyKey) ? done({ did: ctx.callId }) : notDone());

const tools = {
  look: tool({ effect: "read", run: act }),
  put: tool({ effect: "idempotent", run: act }),
  pay: tool({ run: act, reconcile }),
  send: tool({ run: act }),
  fail: tool({
    effect: "read",
    run: async (_input, ctx) => {
      note("begin", ctx);
      throw Object.assign(new Error("it always fails"), { code: "E_ALWAYS" });
    },
  }),
  mend: tool({
    effect: "read",
    fallback: { tool: "look", when: ["error"] },
    run: async (_input, ctx) => {
      note("begin", ctx);
      throw new Error("another tool mends it");
    },
  }),
  flaky: tool({
    effect: "idempotent",
    retry: { attempts: 20, backoffMs: 2 },
    run: async (input, ctx) => {
      if (!happened(`${ctx.idempotencyKey}`)) {
        note("begin", ctx);
        note("effect", ctx);
        throw new Error("the first time fails");
      }
      return act(input, ctx);
    },
  }),
  hang: tool({
    effect: "read",
    timeoutMs: 15,
    run: async (_input, ctx) => {
      note("begin", ctx);
      await pause(60_000, ctx.signal);
    },
  }),
  nest: tool({
    effect: "idempotent",
    run: async (_input, ctx) => {
      note("begin", ctx);
      return ctx.run(async (run) => {
        const outcomes = await run.batch([
          { id: "inner-look", tool: "look", input: {} },
          { id: "inner-pay", tool: "pay", input: {} },
          { id: "inner-send", tool: "send", input: {} },
        ]);
        return outcomes.map(({ id, kind }) => `${id}:${kind}`);
      });
    },
  }),
};

const first = [
  ["look-1", "look"],
  ["put-1", "put", { ms: 3 }],
  ["pay-1", "pay"],
  ["send-1", "send"],
  ["flaky-1", "flaky"],
  ["hang-1", "hang"],
  ["nest-1", "nest"],
  ["fail-1", "fail"],
  ["pay-2", "pay", { ms: 4 }],
  ["send-2", "send", { ms: 2 }],
  ["put-2", "put"],
  ["look-2", "look", { ms: 6 }],
];
const second = [
  ["look-3", "look"],
  ["put-3", "put"],
  ["pay-3", "pay"],
  ["send-3", "send", { ms: 3 }],
  ["flaky-2", "flaky"],
  ["hang-2", "hang"],
  ["mend-1", "mend"],
];
const callsOf = (rows) => rows.map(([id, tool, input = {}]) => ({ id, tool, input }));

async function program(run) {
  const at = await run.now();
  const one = await run.batch(callsOf(first), { concurrency: 4 });
  const token = await run.uuid();
  const two = await run.batch(callsOf(second));
  const [last] = await run.batch([{ id: "pay-last", tool: "pay", input: { token, at } }]);
  return {
    at,
    token,
    outcomes: [...one, ...two, last].map(({ id, tool, kind, value, error }) => ({
      id,
      tool,
      kind,
      value,
      code: error?.code,
    })),
  };
}

// ── the death ─────────────────────────────────────────────────────────────────────────────────

let appends = 0;
const sqlite = await openSqliteJournal(journalPath);
const journal = {
  durable: true,
  name: sqlite.name,
  open: (run) => sqlite.open(run),
  release: (run, fence) => sqlite.release(run, fence),
  read: (run) => sqlite.read(run),
  runs: () => sqlite.runs(),
  prune: (options) => sqlite.prune(options),
  close: () => sqlite.close(),
  append(run, fence, entries) {
    appends += 1;
    if (appends !== Number(killAt)) return sqlite.append(run, fence, entries);
    if (moment === "before") process.kill(process.pid, "SIGKILL");
    const appended = sqlite.append(run, fence, entries);
    if (moment === "during") process.kill(process.pid, "SIGKILL");
    return appended.then(() => {
      process.kill(process.pid, "SIGKILL");
      return new Promise(() => undefined); // it takes a moment to die: nobody may see the acknowledgement
    });
  },
};

const runtime = await openRuntime({ journal, tools, limits: { concurrency: 6 } });
const found = (await runtime.runs()).length === 0 ? [] : (await runtime.read("turn")).slots;
const result = await runtime.run("turn", program);
const again = await runtime.run("turn", program);
const { slots } = await runtime.read("turn");
await runtime.close();
process.stdout.write(`${JSON.stringify({ appends, found, result, again, slots })}\n`);
