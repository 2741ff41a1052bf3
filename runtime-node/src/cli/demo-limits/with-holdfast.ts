// The same calls through Holdfast: one durable batch, limits a little below the provider's, and a tool that says
// `overloaded` when it was refused. There is no loop, no timer and no retry in here.
import { rmSync } from "node:fs";
import { mkdtemp } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { overloaded } from "../../../../bindings/js/src/overloaded.ts";
import { tool } from "../../../../bindings/js/src/tool.ts";
import { openRuntime } from "../../index.ts";
import type { Client } from "./client.ts";
import type { Settled } from "./run-through.ts";
import { OWN_LIMITS } from "./scene.ts";

const { limit, perMs, concurrency } = OWN_LIMITS;

const REMOVE = { recursive: true, force: true, maxRetries: 5, retryDelay: 100 } as const;

function askTool(client: Client) {
  return tool({
    effect: "idempotent",
    limits: { concurrency, rate: { limit, perMs }, ramp: true },
    run: async ({ id }: { readonly id: string }, ctx) => {
      const { status, retryAfterMs } = await client.ask(id, ctx.signal);
      if (status === 429 || status === 503) throw overloaded(retryAfterMs === undefined ? {} : { retryAfterMs });
      if (status !== 200) throw new Error(`the provider answered ${status}`);
      return { status };
    },
  });
}

/** Makes all calls; tells of each as it ends. */
export async function withHoldfast(
  client: Client,
  calls: readonly string[],
  settled: Settled,
  signal: AbortSignal,
): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), "holdfast-demo-limits-"));
  const remove = (): void => rmSync(folder, REMOVE);
  // Also when nobody reads what is printed any more, and the process ends in the middle.
  process.once("exit", remove);
  try {
    await runBatch(client, join(folder, "agent.db"), calls, settled, signal);
  } finally {
    process.removeListener("exit", remove);
    remove();
  }
}

async function runBatch(
  client: Client,
  journal: string,
  calls: readonly string[],
  settled: Settled,
  signal: AbortSignal,
): Promise<void> {
  const runtime = await openRuntime({ journal, tools: { ask: askTool(client) } });
  try {
    await runtime.run(
      "demo-limits",
      async (run) => {
        const batch = calls.map((id) => ({ id, tool: "ask" as const, input: { id } }));
        await run.batch(batch, {
          order: "completion",
          onOutcome: (outcome) => settled(outcome.id, outcome.kind === "ok"),
        });
      },
      { signal },
    );
  } finally {
    await runtime.close();
  }
}
