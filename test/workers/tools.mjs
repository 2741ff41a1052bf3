// Tools for worker threads, good and bad ones. The bad ones do what real ones have done.
import { appendFileSync, existsSync } from "node:fs";
import { setTimeout as delay } from "node:timers/promises";
import { parentPort, threadId } from "node:worker_threads";

export default (input) => input;
export const thread = () => threadId;

export const facts = (input, ctx) => ({
  input,
  runId: ctx.runId,
  callId: ctx.callId,
  attempt: ctx.attempt,
  key: ctx.idempotencyKey,
  deadline: ctx.deadline ?? null,
  aborted: ctx.signal.aborted,
});

export const waits = async ({ ms }) => {
  await delay(ms);
  return threadId;
};

/** Stops when it is told to, and says why. */
export const listens = ({ file }, ctx) =>
  new Promise((_resolve, reject) => {
    const stayAlive = setInterval(() => undefined, 1_000);
    ctx.signal.addEventListener("abort", () => {
      clearInterval(stayAlive);
      appendFileSync(file, String(ctx.signal.reason));
      reject(ctx.signal.reason);
    });
  });

/** Finishes all the same. */
export const finishesAnyway = (_, ctx) =>
  new Promise((resolve) => {
    const stayAlive = setInterval(() => undefined, 1_000);
    ctx.signal.addEventListener("abort", () => {
      clearInterval(stayAlive);
      resolve("done, late");
    });
  });

export const exits = () => process.exit(3);
export const throwsBehind = () =>
  new Promise(() => {
    setTimeout(() => {
      throw new Error("behind your back");
    });
  });
export const rejectsBehind = () =>
  new Promise(() => {
    void Promise.reject(new Error("rejected behind your back"));
  });
export const eatsMemory = () => {
  const eaten = [];
  for (;;) eaten.push(new Array(100_000).fill(eaten.length));
};
export const computesForEver = () => {
  for (;;);
};
/** As long as it runs there is one more dot in the file. */
export const dotsForEver = ({ file }) => {
  for (;;) {
    appendFileSync(file, ".");
    for (let n = 0; n < 100_000; n++);
  }
};
export const says = ({ file, text }) => appendFileSync(file, text);
export const neverReturns = () =>
  new Promise(() => {
    setInterval(() => undefined, 1_000);
  });
export const closesItsPort = () =>
  new Promise(() => {
    parentPort.close();
  });
export const tearsDownItsPort = () =>
  new Promise(() => {
    parentPort.removeAllListeners();
    parentPort.unref();
  });

/** Dies in its first attempt. */
export const diesOnce = async (_, ctx) => {
  if (ctx.attempt === 1) process.exit(1);
  return ctx.attempt;
};

export const throwsData = () => {
  throw Object.assign(new RangeError("out of range"), { code: "E_RANGE", data: { most: 5 } });
};
export const returnsMap = () => new Map([[1, 2]]);
export const returnsLots = ({ bytes }) => "x".repeat(bytes);

/** Computes without ever letting its event loop turn, and says how far it is. */
export const computes = ({ rounds }, ctx) => {
  let sum = 0;
  for (let round = 1; round <= rounds; round++) {
    for (let n = 0; n < 100_000; n++) sum = (sum * 31 + n) % 1_000_003;
    ctx.progress(round);
  }
  return sum;
};

export const postsGarbage = () => {
  const call = (value) => ({ id: "1", type: "APPLY", path: ["tell"], argumentList: [{ type: "RAW", value }] });
  const garbage = [
    undefined,
    null,
    "text",
    {},
    { id: "1", type: "APPLY", argumentList: 5 },
    {
      id: "1",
      type: "APPLY",
      path: ["constructor", "constructor"],
      argumentList: [{ type: "RAW", value: "return process" }],
    },
    { id: "1", type: "HANDLER", name: "proxy" },
    { id: "1", type: "RELEASE" },
    call({ kind: "progress", job: 1, value: new Map() }),
    call({ kind: "returned", value: "forged" }),
    call(new Error("forged")),
  ];
  for (const message of garbage) parentPort.postMessage(message);
  return "the true result";
};

export const settlesTwice = () =>
  new Promise((resolve, reject) => {
    resolve("first");
    reject(new Error("second"));
    resolve("third");
  });

export const sums = ({ bytes }) => ({ sum: new Uint8Array(bytes).reduce((sum, byte) => sum + byte, 0) });
export const notAFunction = 7;

/** Says what it has cost, or what its provider's headers say, and goes on until somebody has written the file. */
export const reports = async ({ cost, headers, rows, limit, until }, ctx) => {
  if (cost !== undefined) ctx.cost(cost);
  if (headers !== undefined) ctx.observe(new Map(headers), limit);
  if (rows !== undefined) ctx.observe(rows, limit);
  while (until !== undefined && !existsSync(until) && !ctx.signal.aborted) await delay(5);
};

export const writes = ({ file }) => appendFileSync(file, "here");
