// The tools of a simulated world: one of each effect, whose calls end when the world says so, and a ledger
// that hears of everything.
import { tool } from "../../bindings/js/src/tool.ts";
import { childOf } from "./program.ts";
import type { World } from "./world.ts";

/** Where a call belongs: a child run's id is that of the call that opened it. */
function runOf(ctx: { readonly runId: string }): string {
  return ctx.runId === "r" ? "r" : `r/${ctx.runId}`;
}

export function toolsOf(world: World, host: number): Record<string, any> {
  const began = (ctx: any): void =>
    world.guarded(() =>
      world.ledger.began(host, runOf(ctx), ctx.callId, ctx.attempt, ctx.idempotencyKey, world.clock.wallMs()),
    );
  const run = (_input: unknown, ctx: any): Promise<unknown> => {
    began(ctx);
    world.guarded(() => world.ledger.runningIn(host, world.plan.concurrency));
    const { callId: id, attempt, signal } = ctx;
    return new Promise((resolve, reject) => {
      world.flights.push({ host, run: runOf(ctx), id, attempt, signal, resolve, reject });
    });
  };
  const reconcile = (_input: unknown, ctx: any): Promise<any> => {
    const id = ctx.callId as string;
    if (world.isCurrent(host)) world.guarded(() => world.ledger.asked(runOf(ctx), id));
    return new Promise((answer, fail) => {
      world.asks.push({ host, run: runOf(ctx), id, answer, fail });
    });
  };
  const agent = async (_input: unknown, ctx: any): Promise<unknown> => {
    began(ctx);
    world.ledger.ended(host); // it waits, and holds no permit
    const result = await ctx.run(childOf(world, ctx.callId));
    world.guarded(() => world.ledger.happened(runOf(ctx), ctx.callId));
    return result;
  };
  const retry = { attempts: 3, backoffMs: 10 };
  const made = (options: any): any => tool(world.fault?.tool?.(options) ?? options);
  return {
    look: made({ effect: "read", run, retry }),
    work: made({ effect: "idempotent", run, retry, graceMs: 100 }),
    send: made({ run }),
    pay: made({ run, reconcile, reconcileOptions: { asks: 3, backoffMs: 10, timeoutMs: 300 } }),
    agent: made({ effect: "idempotent", run: agent }),
  };
}
