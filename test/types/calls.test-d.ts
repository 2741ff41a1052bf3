// What compiles and what must not: the tools' types flow to the calls, their outcomes and the runtime. Checked
// by the compiler; a line below `@ts-expect-error` that compiles is an error itself.
import { z } from "zod";
import type { Context, Run, Runtime } from "../../bindings/js/src/api.ts";
import { callsFrom } from "../../bindings/js/src/model-calls.ts";
import type { Json, Outcome } from "../../bindings/js/src/outcome.ts";
import { done, failed, notDone, unknown } from "../../bindings/js/src/outcome.ts";
import { type InputOf, type OutputOf, tool } from "../../bindings/js/src/tool.ts";

type Same<A, B> = (<T>() => T extends A ? 1 : 2) extends <T>() => T extends B ? 1 : 2 ? true : false;
/** Compiles only for `true`. */
function same<_ extends true>(): void {}

const tools = {
  search: tool({
    effect: "read",
    input: z.object({ url: z.url(), tries: z.number().default(3) }),
    run: async ({ url, tries }) => ({ url, tries, hits: 7 }),
  }),
  wait: tool({ run: (input: { ms: number }) => Promise.resolve(input.ms > 0) }),
  nothing: tool({ run: () => undefined }),
  when: tool({ input: z.string().transform((day) => new Date(day)), run: (day) => day.getTime() }),
  resize: tool<{ width: number }, { bytes: number }>({ worker: "file:///resize.js" }),
  untyped: tool({ worker: "file:///untyped.js" }),
};
type T = typeof tools;
declare const run: Run<T>;

// ── tools ────────────────────────────────────────────────────────────────────────────────────────
// A schema's input is what a call gives; what it parses is what the tool gets.
same<Same<InputOf<T["search"]>, { url: string; tries?: number | undefined }>>();
same<Same<OutputOf<T["search"]>, { url: string; tries: number; hits: number }>>();
same<Same<InputOf<T["wait"]>, { ms: number }>>();
same<Same<OutputOf<T["wait"]>, boolean>>();
same<Same<InputOf<T["when"]>, string>>();
same<Same<OutputOf<T["when"]>, number>>();
same<Same<InputOf<T["resize"]>, { width: number }>>();
same<Same<OutputOf<T["resize"]>, { bytes: number }>>();

// @ts-expect-error an effect that does not exist
tool({ effect: "write", run: () => 1 });
// @ts-expect-error either run or worker
tool({ run: () => 1, worker: "file:///x.js" });
// @ts-expect-error neither
tool({ effect: "read" });
// @ts-expect-error an option that does not exist
tool({ run: () => 1, timeout: 5 });
// @ts-expect-error the run function does not take what the schema parses
tool({ input: z.object({ url: z.string() }), run: (input: { url: number }) => input.url });
tool({ run: (_: { id: string }) => 5, reconcile: () => done(6) });
tool({ run: (_: { id: string }) => 5, reconcile: async () => (Math.random() < 2 ? notDone() : unknown()) });
tool({ run: (_: { id: string }) => 5, reconcile: () => failed(new Error("no")) });
// @ts-expect-error a reconciler answers with a verdict
tool({ run: () => 5, reconcile: () => true });
tool({
  run: (_: number, ctx: Context) => {
    same<Same<typeof ctx.signal, AbortSignal>>();
    same<Same<typeof ctx.idempotencyKey, string>>();
    // @ts-expect-error what is reported is JSON
    ctx.progress(() => 1);
    return ctx.run(async (child) => child.id);
  },
});

// ── run.call ─────────────────────────────────────────────────────────────────────────────────────
export async function calls(): Promise<void> {
  const found = await run.call("search", { url: "https://a.example" });
  same<Same<typeof found, { url: string; tries: number; hits: number }>>();
  const waited = await run.call("wait", { ms: 5 }, { id: "w", timeoutMs: 10, deadlineMs: 20 });
  same<Same<typeof waited, boolean>>();
  const none = await run.call("nothing", null);
  same<Same<typeof none, undefined>>();
  // @ts-expect-error no such tool
  await run.call("serach", { url: "https://a.example" });
  // @ts-expect-error no such property of the input
  await run.call("wait", { sec: 5 });
  // @ts-expect-error of another type
  await run.call("wait", { ms: "5" });
  // @ts-expect-error the parsed type is not what a call gives
  await run.call("when", new Date());
  // @ts-expect-error the input is missing
  await run.call("wait");
  // @ts-expect-error no such option
  await run.call("wait", { ms: 5 }, { timeout: 1 });
}

// ── run.batch ────────────────────────────────────────────────────────────────────────────────────
export async function batches(): Promise<void> {
  const [a, b] = await run.batch([
    { id: "a", tool: "search", input: { url: "https://a.example" } },
    { id: "b", tool: "wait", input: { ms: 1 } },
  ]);
  same<Same<typeof a, Outcome<{ url: string; tries: number; hits: number }>>>();
  same<Same<typeof b, Outcome<boolean>>>();
  if (a.kind === "ok") same<Same<typeof a.value, { url: string; tries: number; hits: number }>>();
  if (a.kind === "error") same<Same<typeof a.error.message, string>>();
  // @ts-expect-error only an ok outcome has a value
  a.value;
  if (b.kind === "not-started")
    same<Same<typeof b.reason, "deadline" | "start-within" | "overloaded" | "limit" | "budget">>();
  same<Same<typeof b.source, "executed" | "re-executed" | "reconciled" | "surfaced">>();

  const many = await run.batch([1, 2, 3].map((ms) => ({ tool: "wait" as const, input: { ms } })));
  same<Same<(typeof many)[number], Outcome<boolean>>>();
  const fromModel = await run.batch(callsFrom.openai({}), { concurrency: 2, deadlineMs: 5 });
  same<Same<typeof fromModel, Outcome<Json | undefined>[]>>();
  // @ts-expect-error no such tool in a batch
  await run.batch([{ tool: "serach", input: { url: "" } }]);
  // @ts-expect-error another tool's input
  await run.batch([{ tool: "wait", input: { url: "" } }]);
  // @ts-expect-error no such option
  await run.batch([], { concurency: 1 });
  // @ts-expect-error a call that has no tool
  await run.batch([{ input: 1 }]);
  await run.announce([{ id: "x", tool: "wait", input: { ms: 1 } }]);
  // @ts-expect-error an announced call is a call
  await run.announce([{ id: "x", tool: "wait" }]);
  same<Same<ReturnType<typeof run.claim>, Promise<Outcome>>>();
}

// ── run.stream ───────────────────────────────────────────────────────────────────────────────────
export async function streams(): Promise<void> {
  async function* producer() {
    yield { id: "a", tool: "search" as const, input: { url: "https://a.example" } };
    yield { id: "b", tool: "wait" as const, input: { ms: 1 } };
  }
  for await (const outcome of run.stream(producer(), { ahead: 10, order: "completion" }))
    same<Same<typeof outcome, Outcome<{ url: string; tries: number; hits: number }> | Outcome<boolean>>>();
  for await (const outcome of run.stream([{ tool: "wait", input: { ms: 1 } }]))
    same<Same<typeof outcome, Outcome<boolean>>>();
  for await (const outcome of run.stream(callsFrom.openai({}))) same<Same<typeof outcome, Outcome<Json | undefined>>>();
  // @ts-expect-error another tool's input
  run.stream([{ tool: "wait", input: { url: "" } }]);
  // @ts-expect-error no such option
  run.stream(producer(), { deadlineMs: 1 });
  // @ts-expect-error one call is no producer of calls
  run.stream({ tool: "wait", input: { ms: 1 } });
}

// An outcome is handled to its end: a kind that is forgotten does not compile.
export function every(outcome: Outcome<number>): number {
  switch (outcome.kind) {
    case "ok":
      return outcome.value;
    case "error":
    case "unknown":
    case "timed-out":
    case "not-started":
    case "cancelled":
      return 0;
    default: {
      const never: never = outcome;
      return never;
    }
  }
}
export function forgetful(outcome: Outcome<number>): number {
  switch (outcome.kind) {
    case "ok":
      return outcome.value;
    case "error":
      return 0;
    default: {
      // @ts-expect-error four kinds are left
      const never: never = outcome;
      return never;
    }
  }
}

// ── the runtime ──────────────────────────────────────────────────────────────────────────────────
declare const durable: Runtime<T, true>;
declare const memory: Runtime<T, false>;
same<Same<typeof durable.durable, true>>();
same<Same<typeof memory.durable, false>>();
export function needsDurable(_: Runtime<T, true>): void {}
needsDurable(durable);
// @ts-expect-error a journal in memory says so in its type
needsDurable(memory);

export async function runs(): Promise<void> {
  const answer = await durable.run("ticket", async (inner) => {
    same<Same<typeof inner, Run<T>>>();
    return { hits: (await inner.call("search", { url: "" })).hits };
  });
  same<Same<typeof answer, { hits: number }>>();
  // @ts-expect-error no such option of a run
  await durable.run("ticket", async () => 1, { onMissmatch: "adapt" });
  // @ts-expect-error no such policy
  await durable.run("ticket", async () => 1, { onMismatch: "ignore" });
  // @ts-expect-error an id is a string
  await durable.run(5, async () => 1);
  await using disposed = durable;
  for await (const event of disposed.events()) {
    if (event.kind === "settled") same<Same<typeof event.outcome, Outcome>>();
    // @ts-expect-error not every event is of a call
    event.callId;
  }
}
