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

describe("h5.producer_slows by a stream", () => {
  const AHEAD = 500;
  const STREAMED = 100_000;

  /** A producer faster than any tool, and how far it was ahead: of the tools, and of whoever takes the outcomes. */
  async function streamed(
    take: (runtime: Runtime, calls: AsyncIterable<any>, seen: (one: Outcome) => void) => unknown,
  ) {
    const inside = new Inside();
    const runtime = await open(
      { work: tool({ effect: "read", run: (n: number) => inside.count(() => n) }) },
      { limits: { concurrency: 32, queue: { max: MAX } } },
    );
    let given = 0;
    let taken = 0;
    let queuedPeak = 0;
    let leadPeak = 0;
    const kinds: Record<string, number> = {};
    async function* producer() {
      for (; given < STREAMED; given++) {
        queuedPeak = Math.max(queuedPeak, given - inside.began);
        leadPeak = Math.max(leadPeak, given - taken);
        yield { id: `c${given}`, tool: "work", input: given };
      }
    }
    await take(runtime, producer(), ({ kind }) => {
      taken++;
      kinds[kind] = (kinds[kind] ?? 0) + 1;
    });
    return { kinds, queuedPeak, leadPeak };
  }

  test("100 000 calls from an async iterable: the queue stays below its bound, the producer waits, nothing is lost", async () => {
    const { kinds, queuedPeak, leadPeak } = await streamed((runtime, calls, seen) =>
      runtime.run("stream", async (run: any) => {
        let next = 0;
        for await (const outcome of run.stream(calls, { ahead: AHEAD })) {
          if (outcome.id !== `c${next++}`) throw new Error(`${outcome.id} came out of its order`);
          if (next % 1_000 === 0) await delay(1);
          seen(outcome);
        }
      }),
    );
    expect(kinds).toEqual({ ok: STREAMED });
    expect(queuedPeak).toBeLessThanOrEqual(MAX);
    expect(leadPeak).toBeLessThanOrEqual(AHEAD + 1); // one is in the producer's hands
    measured("h5.producer_slows by a stream", { "queued at most": queuedPeak, "ahead at most": leadPeak });
  });

  test("control: taken without looking, as one batch, all but what there is room for is refused", async () => {
    const { kinds, queuedPeak } = await streamed((runtime, calls, seen) =>
      runtime.run("batch", async (run: any) => {
        const all: unknown[] = [];
        for await (const call of calls) all.push(call);
        for (const outcome of await run.batch(all)) seen(outcome);
      }),
    );
    expect(queuedPeak).toBeGreaterThan(MAX);
    expect(kinds["not-started"]).toBeGreaterThan(STREAMED / 2);
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
