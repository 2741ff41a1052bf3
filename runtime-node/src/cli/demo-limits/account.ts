// What a run came to, counted from what the provider wrote down and what the callers were told, and what of
// it must not be. Pure: facts in, counts and findings out.
import type { Asked } from "./provider.ts";

/** What is known of a run that is over. */
export interface RunFacts {
  readonly calls: readonly string[];
  /** The provider's own account. */
  readonly asked: readonly Asked[];
  /** What each caller was told: did it get through? A call that ended twice is in it twice. */
  readonly told: readonly (readonly [id: string, ok: boolean])[];
  /** Most requests at once without an answer. */
  readonly mostAtOnce: number;
  readonly tookMs: number;
}

export interface Account {
  readonly calls: number;
  /** Calls that got through. */
  readonly succeeded: number;
  /** Calls that did not, whatever was tried. */
  readonly failed: number;
  readonly requests: number;
  readonly granted: number;
  readonly refused: number;
  /** Refusals by what was exceeded: `requests`, `concurrency`, `outage`. */
  readonly refusedFor: Readonly<Record<string, number>>;
  /** Requests beyond the first of their call. */
  readonly retried: number;
  readonly mostAtOnce: number;
  readonly tookMs: number;
}

/** Requests of one span of time. */
export interface Bucket {
  readonly granted: number;
  readonly refused: number;
}

export const isGranted = ({ status }: Asked): boolean => status === 200;

function countBy<Item>(items: readonly Item[], name: (item: Item) => string): ReadonlyMap<string, number> {
  const counts = new Map<string, number>();
  for (const item of items) counts.set(name(item), (counts.get(name(item)) ?? 0) + 1);
  return counts;
}

/** Counts a run. */
export function accountOf({ calls, asked, told, mostAtOnce, tookMs }: RunFacts): Account {
  const succeeded = new Set(told.filter(([, ok]) => ok).map(([id]) => id));
  const refused = asked.filter((one) => !isGranted(one));
  return {
    calls: calls.length,
    succeeded: succeeded.size,
    failed: calls.filter((id) => !succeeded.has(id)).length,
    requests: asked.length,
    granted: asked.length - refused.length,
    refused: refused.length,
    refusedFor: Object.fromEntries(countBy(refused, ({ why }) => why ?? "other")),
    retried: asked.length - new Set(asked.map(({ id }) => id)).size,
    mostAtOnce,
    tookMs: Math.round(tookMs),
  };
}

/** How many were granted and refused in each span of so many ms, up to this moment. */
export function bucketsOf(asked: readonly Asked[], bucketMs: number, untilMs: number): readonly Bucket[] {
  const last = Math.max(untilMs, ...asked.map(({ at }) => at));
  const buckets = Array.from({ length: Math.floor(last / bucketMs) + 1 }, () => ({ granted: 0, refused: 0 }));
  for (const one of asked) buckets[Math.floor(one.at / bucketMs)]![isGranted(one) ? "granted" : "refused"]++;
  return buckets;
}

const NAMED_MAX = 5;
function named(ids: readonly string[]): string {
  const more = ids.length > NAMED_MAX ? ` and ${ids.length - NAMED_MAX} more` : "";
  return ids.slice(0, NAMED_MAX).join(", ") + more;
}

/** What Holdfast broke, each as a sentence; empty when all is kept. */
export function brokenIn(without: RunFacts, holdfast: RunFacts): readonly string[] {
  const endings = countBy(holdfast.told, ([id]) => id);
  const grants = countBy(holdfast.asked.filter(isGranted), ({ id }) => id);
  const through = new Set(holdfast.told.filter(([, ok]) => ok).map(([id]) => id));
  const [before, after] = [accountOf(without).refused, accountOf(holdfast).refused];
  const broken: string[] = [];
  const say = (what: string, ids: readonly string[]): void => {
    if (ids.length > 0) broken.push(`${what}: ${named(ids)}`);
  };
  say(
    "lost",
    holdfast.calls.filter((id) => !through.has(id)),
  );
  say(
    "ended more than once",
    holdfast.calls.filter((id) => (endings.get(id) ?? 0) > 1),
  );
  say(
    "told to have got through, but not granted exactly once",
    holdfast.calls.filter((id) => through.has(id) && grants.get(id) !== 1),
  );
  if (after > before) broken.push(`refused more often than without limits: ${after} times, not ${before}`);
  return broken;
}
