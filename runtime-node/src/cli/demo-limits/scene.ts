// What both runs of the demo of limits have in common: the calls, and a provider that is the same for both,
// made from a seed. Pure.
import { diceOf } from "../demo/dice.ts";
import type { ProviderOptions } from "./provider.ts";
import type { Outage } from "./quota.ts";

export const CALLS_DEFAULT = 200;
/** Fewer would hardly meet the provider's limits, on a slow machine above all. */
export const CALLS_MIN = 100;
/** More would take longer than anybody likes to watch. */
export const CALLS_MAX = 400;

/** What the provider grants. */
export const QUOTA = { limit: 60, perMs: 2_000, concurrency: 16 } as const;
/**
 * What Holdfast is told to keep to: a little fewer in a span a little longer, since a provider counts when
 * requests arrive, and the first ones, which have yet to connect, arrive later after their start than the rest.
 */
export const OWN_LIMITS = { limit: 55, perMs: 2_100, concurrency: 12 } as const;
/** How often, and how far apart, the run without limits tries. */
export const NAIVE = { attempts: 5, backoffMs: 700 } as const;

const OUTAGE_MS = 800;
const LATENCY_MS = [50, 130] as const;

export interface Scene {
  readonly seed: number;
  /** The ids of the calls. */
  readonly calls: readonly string[];
  readonly outage: Outage;
}

/** The scene of a seed. */
export function sceneOf(seed: number, calls: number): Scene {
  const fromMs = diceOf(seed).between(2_200, 2_500);
  return {
    seed,
    calls: Array.from({ length: calls }, (_, i) => `call-${String(i + 1).padStart(3, "0")}`),
    outage: { fromMs, untilMs: fromMs + OUTAGE_MS, status: 503 },
  };
}

/** The provider of a scene, new for each run. */
export function providerOf(scene: Scene): ProviderOptions {
  const dice = diceOf(scene.seed);
  return {
    requests: { limit: QUOTA.limit, perMs: QUOTA.perMs },
    concurrency: QUOTA.concurrency,
    outages: [scene.outage],
    latencyMs: () => dice.between(...LATENCY_MS),
    retryAfter: "seconds",
  };
}
