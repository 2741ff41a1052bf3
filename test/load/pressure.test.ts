// H5: back-pressure. A producer that looks at the pressure loses nothing; one that does not is told so, call by
// call. Tools in threads are started no faster than there are threads, where their limit says so.
import { setTimeout as delay } from "node:timers/promises";
import { type Outcome, type Runtime, tool } from "holdfast";
import { describe, expect, test } from "vitest";
import { batch, callsOf, counts, oneOutcomeEach, open } from "./accounted.ts";
import { Inside, measured } from "./inside.ts";

const MAX = 1_000;
const CHUNK = 50;
const CALLS = 10_000;

interface Produced {
  readonly outcomes: readonly Outcome[];
  readonly queuedPeak: number;
  /** How often the producer had to wait. */
  readonly pauses: number;
}

/** Submits chunks of calls as fast as it can; with `looks`, only while there is no pressure. */
async function produce(runtime: Runtime, inside: Inside, looks: boolean): Promise<Produced> {
  const chunks: Promise<Outcome[]>[] = [];
  let submitted = 0;
  let queuedPeak = 0;
  let pauses = 0;
  for (let chunk = 0; submitted < CALLS; chunk++) {
    while (looks && runtime.pressure > 0) {
      pauses++;
      await delay(1);
    }
    const calls = callsOf("work", CHUNK, (n) => ({ id: `${chunk}/${n}` }));
    submitted += CHUNK;
    chunks.push(
      runtime
        .run(`chunk-${chunk}`, (run: any) => run.batch(calls))
        .then((outcomes) => {
          oneOutcomeEach(calls, outcomes as Outcome[]);
          return outcomes as Outcome[];
        }),
    );
    await delay(0); // its plan is made, and the pressure says what it did
    queuedPeak = Math.max(queuedPeak, submitted - inside.began);
  }
  return { outcomes: (await Promise.all(chunks)).flat(), queuedPeak, pauses };
}

describe("h5.producer_slows", () => {
  const opened = async (inside: Inside) =>
    open(
      { work: tool({ effect: "read", run: inside.taking(1) }) },
      { limits: { concurrency: 32, queue: { max: MAX } } },
    );

  test("a producer that waits while there is pressure never fills the queue and loses nothing", async () => {
    const inside = new Inside();
    const runtime = await opened(inside);
    const { outcomes, queuedPeak, pauses } = await produce(runtime, inside, true);
    expect(counts(outcomes)).toEqual({ ok: CALLS });
    expect(queuedPeak).toBeLessThanOrEqual(MAX);
    expect(pauses).toBeGreaterThan(0);
    expect(runtime.pressure).toBe(0);
    measured("h5.producer_slows", { "queued at most": queuedPeak, pauses });
  });

  test("control: one that does not look is refused, call by call, with what was full and when to come again", async () => {
    const inside = new Inside();
    const runtime = await opened(inside);
    const { outcomes, queuedPeak } = await produce(runtime, inside, false);
    const refused = outcomes.filter((one) => one.kind === "not-started");
    expect(refused.length).toBeGreaterThan(CALLS / 10);
    expect(refused.length + inside.began).toBe(CALLS);
    expect(queuedPeak).toBeGreaterThan(MAX);
    for (const one of refused) expect(one).toMatchObject({ reason: "overloaded", attempts: 0 });
    const dated = refused.filter((one) => one.kind === "not-started" && one.retryAt !== undefined);
    expect(dated.length).toBeGreaterThan(0);
    measured("h5.producer_slows control", { refused: refused.length, "with retryAt": dated.length });
  });
});

describe("h5.worker_saturated", () => {
  const THREADS = 2;
  const module = new URL("./threads.mjs", import.meta.url);
  const takes = tool<any, any>({ effect: "read", worker: module, export: "takes" });
  type Took = { readonly thread: number; readonly from: number; readonly to: number };

  async function saturate(limit: number | undefined) {
    const limits = { concurrency: 16, ...(limit === undefined ? {} : { tools: { takes: { concurrency: limit } } }) };
    const runtime = await open({ takes }, { limits, workers: { size: THREADS } });
    let startedPeak = 0;
    const sample = setInterval(() => {
      startedPeak = Math.max(startedPeak, runtime.limit("tools.takes").inUse);
    }, 1);
    const outcomes = await batch(
      runtime,
      "busy",
      callsOf("takes", 40, () => ({ input: { ms: 10 } })),
    );
    clearInterval(sample);
    const took = outcomes.map((one) => (one.kind === "ok" ? (one.value as unknown as Took) : undefined));
    return { startedPeak, took: took as Took[] };
  }

  test("with a limit of as many as there are threads no call is started that no thread takes", async () => {
    const { startedPeak, took } = await saturate(THREADS);
    expect(startedPeak).toBe(THREADS);
    expect(new Set(took.map(({ thread }) => thread)).size).toBeLessThanOrEqual(THREADS);
    // One call at a time in each thread: no message waits in it.
    for (const thread of new Set(took.map((one) => one.thread))) {
      const mine = took.filter((one) => one.thread === thread).sort((a, b) => a.from - b.from);
      for (const [i, one] of mine.entries()) if (i > 0) expect(one.from).toBeGreaterThanOrEqual(mine[i - 1]!.to);
    }
  });

  test("control: without it 16 are started, of which 14 wait for a thread; still one at a time in each", async () => {
    const { startedPeak, took } = await saturate(undefined);
    expect(startedPeak).toBe(16);
    expect(new Set(took.map(({ thread }) => thread)).size).toBeLessThanOrEqual(THREADS);
  });
});
