// A scenario's tools, declared as a user would: the runner plays what they do, or a child run is what they do,
// or a worker of ours.
import type { Ending, Json as WireJson, WireTool, WireVerdict } from "../../../conformance/protocol/messages.ts";
import {
  type Context,
  done,
  failed,
  notDone,
  overloaded,
  type ReconcileContext,
  type Tool,
  type ToolOptions,
  tool,
  unknown,
  type Verdict,
} from "../index.ts";
import { given } from "./declared-limits.ts";
import type { Fault } from "./fault.ts";
import { thrownError } from "./shown.ts";
import { programOf, type StepsWith } from "./steps.ts";
import type { Request, SessionWire } from "./wire.ts";

export interface PlayWith {
  readonly wire: SessionWire;
  readonly fault: Fault;
  readonly steps: (runId: string) => StepsWith;
  /** Runs a program as a run that is nobody's child. */
  readonly runAlone: (id: string, program: ReturnType<typeof programOf>) => Promise<unknown>;
}

/** What a tool that has ended like this returns or throws. */
function ends(ending: Ending): unknown {
  if (ending.outcome === "ok") return ending.value;
  if (ending.outcome === "error") throw thrownError(ending.error);
  if (ending.outcome === "overloaded") {
    const { retryAfterMs, scope } = ending;
    throw overloaded(given({ retryAfterMs, scope }));
  }
  const loop: { itself?: unknown; message?: string } = {};
  loop.itself = loop;
  switch (ending.odd) {
    case "nothing":
      return undefined;
    case "function":
      return () => undefined;
    case "cycle":
      return loop;
    case "thrown-cycle":
      throw Object.assign(loop, { message: "it contains itself", data: loop });
  }
}

function says(verdict: WireVerdict): Verdict {
  switch (verdict.verdict) {
    case "done":
      return done(verdict.value);
    case "failed":
      return failed(thrownError(verdict.error));
    case "not-done":
      return notDone();
    case "unknown":
      return unknown();
    case "throws":
      throw thrownError(verdict.error);
  }
}

class Player {
  readonly #name: string;
  readonly #with: PlayWith;

  constructor(name: string, withThese: PlayWith) {
    this.#name = name;
    this.#with = withThese;
  }

  #asked(type: "call" | "ask", input: unknown, ctx: Context | ReconcileContext): Request {
    const { wire, fault } = this.#with;
    const key = fault.key?.(ctx.idempotencyKey, ctx.attempt) ?? ctx.idempotencyKey;
    const { runId: run, callId: id, attempt } = ctx;
    const request = wire.ask({ type, run, id, tool: this.#name, input: input as WireJson, attempt, key });
    ctx.signal.addEventListener("abort", () => wire.say({ type: "abort", n: request.n }), { once: true });
    return request;
  }

  readonly run = async (input: unknown, ctx: Context): Promise<unknown> => {
    const { fault } = this.#with;
    const { answer } = this.#asked("call", input, ctx);
    const ended = answer.then((said) => {
      const { ending: heard = (given: Ending) => given } = fault;
      const ending = heard(said as unknown as Ending);
      if (ending.outcome === "ok") {
        if (ending.cost !== undefined) ctx.cost(ending.cost);
        if (ending.observed !== undefined) ctx.observe(ending.observed);
      }
      if (ending.outcome === "overloaded" && fault.slowDown !== undefined)
        return fault.slowDown(ending.retryAfterMs ?? 0, () => this.run(input, ctx));
      return ends(ending);
    });
    return this.#with.fault.whileRunning?.(ended, ctx) ?? ended;
  };

  readonly reconcile = async (input: unknown, ctx: ReconcileContext): Promise<Verdict> => {
    const said = await this.#asked("ask", input, ctx).answer;
    const { verdict = (given: WireVerdict) => given } = this.#with.fault;
    return says(verdict(said as unknown as WireVerdict));
  };
}

function optionsOf(spec: WireTool): ToolOptions<unknown, unknown> {
  const { effect, timeoutMs, graceMs, attempts, backoffMs, asks, askBackoffMs, askTimeoutMs } = spec;
  const { fallback, minBudgetMs, afterGrace, holdWhileWaiting } = spec;
  const retry = given({ attempts, backoffMs });
  const reconcileOptions = given({ asks, backoffMs: askBackoffMs, timeoutMs: askTimeoutMs });
  return {
    effect,
    ...given({ timeoutMs, graceMs, fallback, minBudgetMs, afterGrace, holdWhileWaiting }),
    ...(Object.keys(retry).length === 0 ? {} : { retry }),
    ...(Object.keys(reconcileOptions).length === 0 ? {} : { reconcileOptions }),
  } as ToolOptions<unknown, unknown>;
}

/** The tools of a scenario by name. */
export function playedTools(specs: Readonly<Record<string, WireTool>>, withThese: PlayWith): Record<string, Tool> {
  const { tool: declared = (spec: WireTool) => spec } = withThese.fault;
  return Object.fromEntries(
    Object.entries(specs).map(([name, spec]) => [name, played(name, declared(spec), withThese)]),
  );
}

function played(name: string, spec: WireTool, withThese: PlayWith): Tool {
  const options = optionsOf(spec);
  const player = new Player(name, withThese);
  const reconcile = spec.reconciler === true ? { reconcile: player.reconcile } : {};
  if (spec.inner !== undefined) {
    return tool({
      ...options,
      worker: new URL("./conformance-worker.js", import.meta.url),
      export: innerExport(spec.inner),
    });
  }
  const { child } = spec;
  if (child === undefined) return tool({ ...options, ...reconcile, run: player.run });
  return tool({
    ...options,
    ...reconcile,
    run: (_input: unknown, ctx: Context) => {
      const program = programOf(child, (run) => withThese.steps(run.id));
      if (withThese.fault.childAlone === true) return withThese.runAlone(`${ctx.runId}/${ctx.callId}`, program);
      return ctx.run(program as never);
    },
  });
}

/** `worker-echo` is the export `echo`. */
const innerExport = (inner: string): string =>
  inner.slice("worker-".length).replace(/-(\w)/g, (_, letter: string) => letter.toUpperCase());
