// Latency and throughput by how many calls run at once, against a provider over HTTP with eight places
// that gets slower the more wait for one; and the Universal Scalability curve through what was measured.
import { openRuntime, tool } from "holdfast";
import { startProvider } from "../../../runtime-node/src/cli/demo-limits/provider.ts";
import { quantile } from "../rounds.ts";
import type { Curve } from "./index.ts";
import { scalability, type Throughput } from "./scalability.ts";

const SIZES = [1, 2, 4, 8, 16, 32, 64, 128];
const CALLS_MAX = 256;
const PLACES = 8;
const SERVICE_MS = 50;

interface Point extends Throughput {
  readonly p50Ms: number;
  readonly p95Ms: number;
}

async function measure(concurrency: number): Promise<Point> {
  let inside = 0;
  const queueing = (): number => Math.max(1, inside / PLACES) * (1 + 0.01 * Math.max(0, inside - PLACES));
  const provider = await startProvider({ latencyMs: () => SERVICE_MS * queueing() });
  const took: number[] = [];
  const ask = tool({
    effect: "read",
    async run(n: number) {
      inside += 1;
      const begun = performance.now();
      const answer = await fetch(provider.url, { method: "POST", body: JSON.stringify({ id: `${n}` }) });
      await answer.text();
      took.push(performance.now() - begun);
      inside -= 1;
      if (!answer.ok) throw new Error(`the provider said ${answer.status}`);
    },
  });
  const runtime = await openRuntime({ journal: "memory", tools: { ask }, limits: { concurrency } });
  const calls = Array.from({ length: Math.min(32 * concurrency, CALLS_MAX) }, (_, n) => ({
    tool: "ask" as const,
    input: n,
  }));
  const begun = performance.now();
  const outcomes = await runtime.run("curve", (run) => run.batch(calls));
  const seconds = (performance.now() - begun) / 1000;
  await runtime.close();
  await provider.close();
  const failed = outcomes.find(({ kind }) => kind !== "ok");
  if (failed !== undefined) throw new Error(`a call came to ${failed.kind}`);
  return {
    concurrency,
    perSecond: calls.length / seconds,
    p50Ms: quantile(took, 0.5),
    p95Ms: quantile(took, 0.95),
  };
}

export async function concurrency(): Promise<Curve> {
  await measure(16); // warms up
  const points: Point[] = [];
  for (const size of SIZES) points.push(await measure(size));
  const fit = scalability(points);
  const fitted = (n: number): number => (fit.lambda * n) / (1 + fit.sigma * (n - 1) + fit.kappa * n * (n - 1));
  const marks = [{ x: fit.knee, name: `most at ${Math.round(fit.knee)}` }];
  return {
    numbers: { points, fit },
    charts: {
      latency: {
        title: "What a call takes, by how many run at once",
        x: "calls at once",
        y: "ms",
        logarithmic: true,
        lines: [
          { name: "median", points: points.map((point) => [point.concurrency, point.p50Ms]) },
          { name: "95th percentile", points: points.map((point) => [point.concurrency, point.p95Ms]) },
        ],
      },
      throughput: {
        title: "What gets done, by how many run at once",
        x: "calls at once",
        y: "calls per second",
        logarithmic: true,
        marks,
        lines: [
          { name: "measured", points: points.map((point) => [point.concurrency, point.perSecond]) },
          { name: "Universal Scalability fit", points: SIZES.map((n) => [n, fitted(n)]) },
        ],
      },
    },
  };
}
