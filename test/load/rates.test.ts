// H8: rates and refusals, against a real clock and a provider over real HTTP that refuses what is too much.
import { type Limits, overloaded, tool } from "holdfast";
import { describe, expect, onTestFinished, test } from "vitest";
import { type Provider, type ProviderOptions, startProvider } from "../../runtime-node/src/cli/demo-limits/provider.ts";
import { batch, callsOf, counts, open } from "./accounted.ts";
import { Inside, measured, mostIn, until } from "./inside.ts";
import { Life } from "./lives.ts";

describe("h8.50_at_10_per_s", () => {
  const rate = { limit: 10, perMs: 1_000 };

  /** When calls were started, as the journal has it: wall ms, in order. */
  async function starts(limits: object): Promise<{ readonly at: number[]; readonly refused: number }> {
    const inside = new Inside();
    const runtime = await open({ ask: tool({ effect: "read", run: inside.taking(1) }) }, { limits });
    const outcomes = await batch(runtime, "fifty", callsOf("ask", 50));
    const at = outcomes.flatMap(({ startedAt }) => startedAt ?? []).sort((a, b) => a - b);
    return { at, refused: outcomes.filter(({ kind }) => kind !== "ok").length };
  }

  test("50 calls at 10 a second: never more than 10 in any second, none refused, and no slower than it must be", async () => {
    const { at, refused } = await starts({ rate });
    expect([at.length, refused]).toEqual([50, 0]);
    expect(mostIn(at, 999)).toBeLessThanOrEqual(10); // wall-clock ms, rounded
    expect(at.at(-1)! - at[0]!).toBeGreaterThanOrEqual(3_999);
    measured("h8.50_at_10_per_s", { ms: at.at(-1)! - at[0]! });
  });

  test("control: without the rate all 50 start in the first second", async () => {
    const { at } = await starts({});
    expect(mostIn(at, 1_000)).toBe(50);
  });
});

/** A provider that ends with its test. */
async function provider(options: ProviderOptions): Promise<Provider> {
  const started = await startProvider(options);
  onTestFinished(() => started.close());
  return started;
}

/** Asks it once; a refusal is thrown as `overloaded`, with what the provider said of when. */
async function ask(url: string, id: string): Promise<string> {
  const response = await fetch(url, { method: "POST", body: JSON.stringify({ id }) });
  const body = (await response.json()) as { id?: string };
  if (response.status === 200) return body.id!;
  const ms = response.headers.get("retry-after-ms");
  throw overloaded({
    ...(ms === null ? {} : { retryAfterMs: Number(ms) }),
    retryAfter: response.headers.get("retry-after"),
    message: `${response.status}`,
  });
}

const refusals = ({ asked }: Provider): number => asked.filter(({ status }) => status !== 200).length;

describe("h8.429_storm", () => {
  const QUOTA = { requests: { limit: 60, perMs: 800 }, latencyMs: 5, retryAfter: "milliseconds" } as const;
  const HOSTS = 4;
  const EACH = 50;
  /** The first wave of the control: all ask, and only the quota is granted. On a quiet machine 80 and 20 follow. */
  const FIRST_WAVE = HOSTS * EACH - QUOTA.requests.limit;

  const runtimeFor = (url: string, limits: Limits<any>) =>
    open({ ask: tool({ run: (_: number, ctx) => ask(url, `${ctx.runId}/${ctx.callId}`) }) }, { limits });

  test("200 calls of 4 hosts on 60 per window, of which no host knows: all succeed, few are refused, none often", async () => {
    const storm = await provider(QUOTA);
    const runtimes = await Promise.all(Array.from({ length: HOSTS }, () => runtimeFor(storm.url, {})));
    const all = await Promise.all(runtimes.map((runtime, i) => batch(runtime, `host-${i}`, callsOf("ask", EACH))));
    const outcomes = all.flat();
    expect(counts(outcomes)).toEqual({ ok: HOSTS * EACH });
    expect(storm.asked.filter(({ status }) => status === 200).length).toBe(HOSTS * EACH);
    // At most 16 of each host are out when they hear of it; then each asks with one call, then two, four … How many that
    // come to depends on the machine; attempts are counted exactly in test/limits, with a clock that is moved.
    expect(refusals(storm)).toBeLessThan(HOSTS * EACH);
    measured("h8.429_storm", {
      refused: refusals(storm),
      "attempts of a call at most": Math.max(...outcomes.map(({ attempts }) => attempts)),
    });
  });

  test("the same from 4 processes: each call is granted once, and for each fewer than one is refused", async () => {
    const storm = await provider(QUOTA);
    const hosts = Array.from({ length: HOSTS }, (_, i) => new Life("storm.mjs", [storm.url, `host-${i}`, `${EACH}`]));
    await Promise.all(hosts.map((host) => host.said("ready")));
    for (const host of hosts) host.tell("go");
    const overs = await Promise.all(hosts.map((host) => host.said("over")));
    expect(overs.flatMap(({ kinds }) => kinds)).toEqual(Array(HOSTS * EACH).fill("ok"));
    const granted = storm.asked.filter(({ status }) => status === 200).map(({ id }) => id);
    expect([granted.length, new Set(granted).size]).toEqual([HOSTS * EACH, HOSTS * EACH]);
    const attempts = Math.max(...overs.flatMap((over) => over.attempts as number[]));
    expect(refusals(storm)).toBeLessThan(HOSTS * EACH);
    measured("h8.429_storm of processes", { refused: refusals(storm), "attempts of a call at most": attempts });
  });

  test("one host that knows the quota, and that the road has its ups and downs: next to none is refused", async () => {
    const storm = await provider(QUOTA);
    const { limit, perMs } = QUOTA.requests;
    const runtime = await runtimeFor(storm.url, { concurrency: 50, rate: { limit, perMs: perMs + 100 } });
    expect(counts(await batch(runtime, "knowing", callsOf("ask", 200)))).toEqual({ ok: 200 });
    expect(refusals(storm)).toBeLessThan(FIRST_WAVE);
    measured("h8.429_storm knowing", { refused: refusals(storm) });
  });

  test("control: 200 loops that each do as they are told, alone, are refused again and again", async () => {
    const storm = await provider(QUOTA);
    let succeeded = 0;
    await Promise.all(
      Array.from({ length: HOSTS * EACH }, async (_, n) => {
        for (;;) {
          const error = await ask(storm.url, `loop-${n}`).catch((thrown: unknown) => thrown as { data: any });
          if (typeof error === "string") break;
          await new Promise((done) => setTimeout(done, error.data.retryAfterMs));
        }
        succeeded++;
      }),
    );
    expect(succeeded).toBe(HOSTS * EACH);
    expect(refusals(storm)).toBeGreaterThan(FIRST_WAVE);
    measured("h8.429_storm control", { refused: refusals(storm) });
  });
});

describe("h10.ramp", () => {
  /** Calls that began before the first of them ended, after a rest; the rest is over when the first begins. */
  async function afterRest(ramp: boolean) {
    const inside = new Inside();
    let refuse = true;
    let firstWave = 0;
    const ask = tool({
      run: (n: number) => {
        if (refuse) throw overloaded({ retryAfterMs: 100 });
        return inside.count(async () => {
          await new Promise((done) => setTimeout(done, 5));
          if (inside.ended === 0) firstWave = Math.max(firstWave, inside.began);
          return n;
        });
      },
    });
    const runtime = await open({ ask }, { limits: { concurrency: 64, tools: { ask: { ramp } } } });
    const run = batch(runtime, "rest", callsOf("ask", 200));
    await until(() => runtime.limit("tools.ask").pausedUntil !== undefined, "it rests");
    refuse = false;
    expect(counts(await run)).toEqual({ ok: 200 });
    return { firstWave, peak: inside.peak };
  }

  test("after a 429 it starts with one, and reaches its size only by successes", async () => {
    const { firstWave, peak } = await afterRest(true);
    expect(firstWave).toBe(1);
    expect(peak).toBeGreaterThan(8);
    measured("h10.ramp", { "first wave": firstWave, peak });
  });

  test("control: without the ramp all that may start at once do", async () => {
    expect((await afterRest(false)).firstWave).toBe(64);
  });
});
