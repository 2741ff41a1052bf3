// How a provider's outage ends: requests granted per 100 ms around it, under limits and with loops that
// each retry for themselves.
import { openRuntime, overloaded, tool } from "holdfast";
import { type Asked, startProvider } from "../../../runtime-node/src/cli/demo-limits/provider.ts";
import type { Curve } from "./index.ts";

const CALLS = 800;
const RATE = 200;
const FROM_MS = 1_000;
const UNTIL_MS = 3_000;
const BIN_MS = 100;
/** Over so many bins the rate is looked at: a second. */
const SPAN = 10;

const PROVIDER = {
  requests: { limit: RATE, perMs: 1_000 },
  outages: [{ fromMs: FROM_MS, untilMs: UNTIL_MS }],
  retryAfter: "milliseconds",
} as const;

const ask = (url: string, n: number): Promise<Response> =>
  fetch(url, { method: "POST", body: JSON.stringify({ id: `${n}` }) });

async function limited(url: string): Promise<void> {
  const call = tool({
    effect: "read",
    async run(n: number) {
      const answer = await ask(url, n);
      await answer.text();
      if (!answer.ok) throw overloaded({ retryAfterMs: Number(answer.headers.get("retry-after-ms")) });
    },
  });
  const limits = { concurrency: 32, rate: { limit: RATE, perMs: 1_000 } } as const;
  const runtime = await openRuntime({ journal: "memory", tools: { call }, limits });
  const calls = Array.from({ length: CALLS }, (_, n) => ({ tool: "call" as const, input: n }));
  const outcomes = await runtime.run("outage", (run) => run.batch(calls));
  await runtime.close();
  if (outcomes.some(({ kind }) => kind !== "ok")) throw new Error("a call failed under limits");
}

/** As is usual: exponential backoff, from 100 ms to 10 s, each for itself. */
async function unlimited(url: string): Promise<void> {
  async function loop(n: number): Promise<void> {
    for (let waitMs = 100; ; waitMs = Math.min(waitMs * 2, 10_000)) {
      const answer = await ask(url, n);
      await answer.text();
      if (answer.ok) return;
      await new Promise((done) => setTimeout(done, waitMs));
    }
  }
  await Promise.all(Array.from({ length: CALLS }, (_, n) => loop(n)));
}

async function around(drive: (url: string) => Promise<void>) {
  const provider = await startProvider(PROVIDER);
  await drive(provider.url);
  const { asked } = provider;
  await provider.close();
  const bins = new Array<number>(Math.ceil((asked.at(-1)!.at + 1) / BIN_MS)).fill(0);
  for (const { at } of asked.filter(({ status }: Asked) => status === 200)) bins[Math.floor(at / BIN_MS)]! += 1;
  return {
    requests: asked.length,
    refused: asked.length - CALLS,
    tookMs: Math.round(asked.at(-1)!.at),
    recoveredAfterMs: recoveredAfter(bins),
    grantedPer100Ms: bins,
  };
}

/** Ms from the outage's end to the first second in which 90 % of the rate are granted; null when none follows. */
function recoveredAfter(bins: readonly number[]): number | null {
  for (let first = UNTIL_MS / BIN_MS; first + SPAN <= bins.length; first++) {
    const sum = bins.slice(first, first + SPAN).reduce((total, count) => total + count, 0);
    if (sum >= RATE * 0.9) return first * BIN_MS - UNTIL_MS;
  }
  return null;
}

export async function recovery(): Promise<Curve> {
  const withLimits = await around(limited);
  const without = await around(unlimited);
  const line = (name: string, bins: readonly number[]) => ({
    name,
    points: bins.map((count, i): [number, number] => [(i * BIN_MS) / 1000, count]),
  });
  return {
    numbers: { withLimits, without },
    charts: {
      recovery: {
        title: "An outage of two seconds, and after",
        x: "seconds",
        y: "granted per 100 ms",
        logarithmic: false,
        marks: [
          { x: FROM_MS / 1000, name: "outage" },
          { x: UNTIL_MS / 1000, name: "over" },
        ],
        lines: [line("Holdfast", withLimits.grantedPer100Ms), line("each retries for itself", without.grantedPer100Ms)],
      },
    },
  };
}
