// One run of the demo of limits from beginning to end: a provider of its own, a client, the calls made one
// way or the other, and what it came to. It leaves nothing listening behind.
import type { RunFacts } from "./account.ts";
import { Client } from "./client.ts";
import { type Asked, startProvider } from "./provider.ts";
import { providerOf, type Scene } from "./scene.ts";

/** Called once for each call as it ends: did it get through? */
export type Settled = (id: string, ok: boolean) => void;

/** A way to make all calls. Rejects when the signal aborts. */
export type Way = (client: Client, calls: readonly string[], settled: Settled, signal: AbortSignal) => Promise<void>;

/** How far a run is, at any moment. */
export interface Progress {
  readonly calls: number;
  readonly succeeded: number;
  readonly failed: number;
  readonly underWay: number;
  readonly asked: readonly Asked[];
  readonly sinceMs: number;
}

/** Makes the calls of a scene this way. `begun` is given what tells how far it is. */
export async function runThrough(
  scene: Scene,
  way: Way,
  signal: AbortSignal,
  begun: (progress: () => Progress) => void,
): Promise<RunFacts> {
  const provider = await startProvider(providerOf(scene));
  const client = new Client(provider.url);
  const began = performance.now();
  const told: (readonly [string, boolean])[] = [];
  begun(() => {
    const succeeded = told.filter(([, ok]) => ok).length;
    return {
      calls: scene.calls.length,
      succeeded,
      failed: told.length - succeeded,
      underWay: client.underWay,
      asked: provider.asked,
      sinceMs: performance.now() - began,
    };
  });
  try {
    signal.throwIfAborted();
    await way(client, scene.calls, (id, ok) => void told.push([id, ok]), signal);
    signal.throwIfAborted();
    const tookMs = performance.now() - began;
    return { calls: scene.calls, asked: [...provider.asked], told, mostAtOnce: client.mostAtOnce, tookMs };
  } finally {
    client.close();
    await provider.close();
  }
}
