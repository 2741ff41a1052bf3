// What a tool is: what it declares of itself and the code that runs it. A declaration never acts.
import type { StandardSchemaV1 } from "@standard-schema/spec";
import type { Context } from "./api.ts";
import type { Cost, StartOptions, ToolLimits } from "./limits.ts";
import type { Effect, Verdict } from "./outcome.ts";

/** Attempts after a thrown error or a lost worker. Only for `read` and `idempotent` tools. */
export interface RetryOptions {
  /** Attempts in all, the first among them: 1…100. Default 1. */
  readonly attempts?: number;
  /** Milliseconds before the second attempt; doubles each time, half of it jitter. Default 200. */
  readonly backoffMs?: number;
  /** The longest back-off, milliseconds. Default 30_000. */
  readonly backoffMsMax?: number;
}

/** How patiently a reconciler is asked. */
export interface ReconcileOptions {
  /** How often it is asked before the slot surfaces as unknown: 1…100. Default 5. */
  readonly asks?: number;
  /** Milliseconds before it is asked again; doubles each time, half of it jitter. Default 500. */
  readonly backoffMs?: number;
  /** One ask takes at most this long, milliseconds. Default 10_000. */
  readonly timeoutMs?: number;
}

/** What a reconciler is told besides the input. */
export interface ReconcileContext {
  readonly runId: string;
  readonly callId: string;
  /** The attempt that is in doubt, 1-based. */
  readonly attempt: number;
  /** The same for all attempts of the call. */
  readonly idempotencyKey: string;
  /** Aborts when this ask times out or the run is cancelled. */
  readonly signal: AbortSignal;
}

/**
 * For which ends another tool is called. `circuit-open`: its breaker is open; `overloaded`: it was dropped or refused by a
 * full queue, or told to slow down too often or beyond its deadline; `error`: it threw, after all its attempts, or
 * its worker was lost; `timed-out`: its attempts took too long; `start-within`, `limit`, `budget`: it was not started for that reason.
 */
export type FallbackReason =
  | "circuit-open"
  | "overloaded"
  | "error"
  | "timed-out"
  | "start-within"
  | "limit"
  | "budget";

/** What is called instead where a tool comes to nothing. */
export interface FallbackOptions {
  /** Another declared tool, called once with the same input; it should return the same kind of value. It may have a fallback of its own, but none that leads back. */
  readonly tool: string;
  /** Default: `circuit-open` and `overloaded`, where nothing of the call has happened. Never a deadline, a cancel, or `unknown`. */
  readonly when?: readonly FallbackReason[];
}

export interface ToolOptions<Input, Output, Parsed = Input> extends StartOptions {
  /** May it run twice? `read` and `idempotent` may. Default `once`: it is never called again unless a reconciler says not-done. */
  readonly effect?: Effect;
  /** Any Standard Schema (zod, valibot, arktype …). A call that does not pass is an outcome of kind error, code `invalid-input`. */
  readonly input?: StandardSchemaV1<Input, Parsed>;
  /** One attempt may take this long, milliseconds; then its outcome is timed-out and its signal aborts. Default: no bound. */
  readonly timeoutMs?: number;
  /** After an abort, how long the tool may take to stop before its worker is ended, milliseconds. Default 5_000. */
  readonly graceMs?: number;
  /**
   * What becomes of the permits of a call that was told to stop (a timeout, a deadline, a cancel) and a second after its
   * grace still has not. `hold` (default): they return when it has really ended, so that no more run than may. `abandon`:
   * they return now, and it may run beside others; `runtime.limit(name).abandoned` counts it until it has ended, and an
   * event `abandoned` says so. What it reads and writes stays locked until then in any case: two writers at once are what
   * a lock is there to prevent.
   */
  readonly afterGrace?: "hold" | "abandon";
  /**
   * A call that waits for a run it opened (`ctx.run`) keeps its permits meanwhile, so that never more calls are under way than
   * may, waiting ones among them. A call of that run that could never start, since all that it needs is kept by calls that wait
   * for it, ends as an error, code `would-deadlock`, which names the limit. Default false: it gives its permits back and has
   * them again before it goes on. Keys that it reads or writes it keeps in any case.
   */
  readonly holdWhileWaiting?: boolean;
  readonly retry?: RetryOptions;
  readonly reconcile?: (input: Parsed, ctx: ReconcileContext) => Verdict<Output> | Promise<Verdict<Output>>;
  readonly reconcileOptions?: ReconcileOptions;
  /**
   * Another tool for when this one comes to nothing. A call of its own: its slot is planned when this one's end is on disk,
   * with the id `#fallback-of-<slot>`; its tool's limits, effect and times count, and this call's deadline, tenant,
   * `priority`, `key`, `sheddable` and `background`. It is not one of the batch's `concurrency`. The outcome is marked: `fallback`.
   */
  readonly fallback?: FallbackOptions;
  /** Limits of this tool; what `openRuntime({ limits: { tools } })` says goes before it. */
  readonly limits?: ToolLimits;
  /** Whose limits of `limits.keys` a call stands under. */
  readonly key?: string | ((input: Parsed) => string | undefined);
  /** Names of what a call reads, or writes: files, rows, accounts. See `CallOptions`. Default: nothing, so all run in parallel. */
  readonly reads?: string | readonly string[] | ((input: Parsed) => string | readonly string[] | undefined);
  readonly writes?: string | readonly string[] | ((input: Parsed) => string | readonly string[] | undefined);
  /** What a call is thought to cost on rates that count more than calls: `(input) => ({ tokens: input.text.length / 4 })`, whole numbers. */
  readonly cost?: Cost | ((input: Parsed) => Cost | undefined);
  /** Permits that a call takes of each limit. Default 1. */
  readonly weight?: number;
}

/** A tool whose code is a function here. */
export interface InlineToolOptions<Input, Output, Parsed = Input> extends ToolOptions<Input, Output, Parsed> {
  readonly run: (input: Parsed, ctx: Context) => Output | Promise<Output>;
  readonly worker?: never;
  readonly export?: never;
  readonly transfer?: never;
}

/** A tool whose code is a module that runs in a worker of its own. */
export interface WorkerToolOptions<Input, Output, Parsed = Input> extends ToolOptions<Input, Output, Parsed> {
  /** URL of the module, usually `new URL("./resize.js", import.meta.url)`. */
  readonly worker: URL | string;
  /** Name of the exported function `(input, ctx) => result`, with a `WorkerContext`. Default `default`. */
  readonly export?: string;
  /**
   * Parts of the parsed input that are moved to the worker instead of copied: the ArrayBuffers and ports that
   * a schema made. A tool that may be tried again or has a reconciler needs its input twice: there they are copied.
   */
  readonly transfer?: (input: Parsed) => readonly object[];
  readonly run?: never;
}

declare const types: unique symbol;

/** A declared tool. `Input` is what a call gives, `Output` what the call returns. */
export interface Tool<Input = any, Output = any> {
  readonly options: InlineToolOptions<any, any, any> | WorkerToolOptions<any, any, any>;
  /** Only for the type checker; never there. */
  readonly [types]?: { readonly input: Input; readonly output: Output };
}

export type Tools = Readonly<Record<string, Tool>>;
export type InputOf<T extends Tool> = T extends Tool<infer Input, any> ? Input : never;
export type OutputOf<T extends Tool> = T extends Tool<any, infer Output> ? Output : never;

/**
 * Declares a tool. Its effect is `once` unless said otherwise: a tool runs twice only if it was said
 * that it may. The options are checked when the runtime is opened.
 */
export function tool<Input, Output, Parsed>(
  options: InlineToolOptions<Input, Output, Parsed> & { readonly input: StandardSchemaV1<Input, Parsed> },
): Tool<Input, Awaited<Output>>;
export function tool<Input, Output>(
  options: InlineToolOptions<Input, Output> & { readonly input?: never },
): Tool<Input, Awaited<Output>>;
export function tool<Input, Output, Parsed = Input>(
  options: InlineToolOptions<Input, Output, Parsed>,
): Tool<Input, Awaited<Output>>;
export function tool<Input = any, Output = any, Parsed = Input>(
  options: WorkerToolOptions<Input, Output, Parsed>,
): Tool<Input, Awaited<Output>>;
export function tool(options: InlineToolOptions<any, any, any> | WorkerToolOptions<any, any, any>): Tool {
  return { options };
}
