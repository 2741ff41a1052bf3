// Tools for worker threads, as the load tests need them: they die, hang, count in a file and overlap.
import { appendFileSync, readFileSync, writeFileSync } from "node:fs";
import { setTimeout as delay } from "node:timers/promises";
import { threadId } from "node:worker_threads";

export const dies = () => process.exit(3);
export const hangs = () => new Promise(() => setInterval(() => undefined, 1_000));
/** Says when it ran, and in which thread: wall ms. */
export const takes = async ({ ms }) => {
  const from = Date.now();
  await delay(ms);
  return { thread: threadId, from, to: Date.now() };
};
/** Reads, waits and writes: as careless as can be. */
export const increments = async ({ file }) => {
  const before = Number(readFileSync(file, "utf8"));
  await delay(1);
  writeFileSync(file, String(before + 1));
  return before + 1;
};
/** Notes each begin of an attempt before anything else, then takes its time. */
export const notes = async ({ file, ms }, ctx) => {
  appendFileSync(file, `${ctx.callId} ${ctx.attempt}\n`);
  await delay(ms);
  return ctx.callId;
};
/** Its thread dies under its first so many attempts. */
export const frail = async ({ dies: times }, ctx) => {
  await delay(1);
  if (ctx.attempt <= times) process.exit(9);
  return ctx.attempt;
};
