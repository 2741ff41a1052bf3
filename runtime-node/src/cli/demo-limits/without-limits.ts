// The run without limits, as people write it: everything at once, and each call tries again by itself after
// a fixed time. It hears no Retry-After and no call knows of another.
import { setTimeout as sleep } from "node:timers/promises";
import type { Client } from "./client.ts";
import type { Settled } from "./run-through.ts";
import { NAIVE } from "./scene.ts";

async function insist(client: Client, id: string, signal: AbortSignal): Promise<boolean> {
  for (let attempt = 1; ; attempt++) {
    const { status } = await client.ask(id, signal);
    if (status === 200) return true;
    if (attempt === NAIVE.attempts) return false;
    await sleep(NAIVE.backoffMs, undefined, { signal });
  }
}

/** Makes all calls; tells of each as it ends. */
export async function withoutLimits(
  client: Client,
  calls: readonly string[],
  settled: Settled,
  signal: AbortSignal,
): Promise<void> {
  await Promise.all(calls.map(async (id) => settled(id, await insist(client, id, signal))));
}
