// `holdfast demo limits`: the same calls against the same provider, first without limits, then through
// Holdfast, and both side by side. It never leaves the loopback and leaves nothing behind.
import { setMaxListeners } from "node:events";
import type { CommandResult } from "../commands.ts";
import { Exit } from "../failure.ts";
import { type Look, painter } from "../paint.ts";
import { plainJson } from "../plain-text.ts";
import { accountOf, brokenIn, bucketsOf, type RunFacts } from "./account.ts";
import { BUCKET_MS } from "./chart.ts";
import { endLine, type Report, reportLines } from "./report.ts";
import { runThrough, type Way } from "./run-through.ts";
import { NAIVE, OWN_LIMITS, QUOTA, type Scene, sceneOf } from "./scene.ts";
import { openScreen, type Screen } from "./screen.ts";
import { withHoldfast } from "./with-holdfast.ts";
import { withoutLimits } from "./without-limits.ts";

export interface LimitsOptions {
  readonly seed: number;
  readonly calls: number;
  readonly json?: boolean;
}

const ENDING_SIGNALS = ["SIGINT", "SIGTERM", "SIGHUP"] as const;

function openingLines({ seed, calls, outage }: Scene, look: Look): string[] {
  const paint = painter(look);
  const span = `${QUOTA.perMs / 1_000} s`;
  const lasts = ((outage.untilMs - outage.fromMs) / 1_000).toFixed(1);
  return [
    `${paint("bold", "holdfast demo limits")}  ${paint("dim", `seed ${seed}`)}`,
    `${calls.length} calls to a provider that grants ${QUOTA.limit} requests in any ${span}, ${QUOTA.concurrency} at once,`,
    `says 429 and Retry-After to the rest, and is down (503) for ${lasts} s after ${(outage.fromMs / 1_000).toFixed(1)} s.`,
    "",
  ];
}

async function watched(scene: Scene, way: Way, signal: AbortSignal, screen: Screen, look: Look): Promise<RunFacts> {
  let unfollow = (): void => undefined;
  try {
    const facts = await runThrough(scene, way, signal, (progress) => {
      unfollow = screen.follow(progress);
    });
    unfollow();
    screen.say(endLine(facts, look), "");
    return facts;
  } finally {
    unfollow();
  }
}

async function compare(scene: Scene, signal: AbortSignal, screen: Screen, look: Look): Promise<Report> {
  const bold = (text: string): string => painter(look)("bold", text);
  screen.say(...openingLines(scene, look));
  screen.say(
    `${bold("Without limits")}  all at once, each call tries ${NAIVE.attempts} times, ${NAIVE.backoffMs} ms apart`,
  );
  const without = await watched(scene, withoutLimits, signal, screen, look);
  const { limit, perMs, concurrency } = OWN_LIMITS;
  screen.say(
    `${bold("Through Holdfast")}  one batch, ${limit} per ${perMs / 1_000} s, ${concurrency} at once, overloaded() when refused`,
  );
  const holdfast = await watched(scene, withHoldfast, signal, screen, look);
  return { scene, without, holdfast, broken: brokenIn(without, holdfast) };
}

function jsonOf({ scene, without, holdfast, broken }: Report): unknown {
  const run = (facts: RunFacts): unknown => ({
    ...accountOf(facts),
    buckets: bucketsOf(facts.asked, BUCKET_MS, facts.tookMs),
  });
  return {
    seed: scene.seed,
    provider: { ...QUOTA, outage: scene.outage },
    limits: OWN_LIMITS,
    bucketMs: BUCKET_MS,
    without: run(without),
    holdfast: run(holdfast),
    broken,
    kept: broken.length === 0,
  };
}

/** Runs the demo of limits. Exit 1 if Holdfast lost a call or was refused more often than the run without it. */
export async function limitsCommand(options: LimitsOptions, look: Look): Promise<CommandResult> {
  const scene = sceneOf(options.seed, options.calls);
  const json = options.json === true;
  const stop = new AbortController();
  // Every call without limits listens by itself.
  setMaxListeners(0, stop.signal);
  const interrupt = (): void => stop.abort();
  for (const signal of ENDING_SIGNALS) process.on(signal, interrupt);
  try {
    const report = await compare(scene, stop.signal, openScreen(scene.outage, look, json), look);
    const exit = report.broken.length === 0 ? Exit.ok : Exit.problems;
    return { text: json ? plainJson(jsonOf(report)) : reportLines(report, look).join("\n"), exit };
  } catch (thrown) {
    if (stop.signal.aborted) return { text: "", exit: Exit.interrupted };
    throw thrown;
  } finally {
    for (const signal of ENDING_SIGNALS) process.removeListener(signal, interrupt);
  }
}
