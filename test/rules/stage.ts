// What nearly every rule needs: one tool of each effect, calls that end when the test says so, a
// reconciler that answers what the test says, a ledger of both. It asserts nothing.
import type { RunOptions } from "../../bindings/js/src/api.ts";
import type { Outcome, Verdict } from "../../bindings/js/src/outcome.ts";
import { unknown } from "../../bindings/js/src/outcome.ts";
import { tool } from "../../bindings/js/src/tool.ts";
import { type Host, settle, start, World } from "./fakes.ts";

/** An attempt that the test ends. */
export interface Begun {
  readonly input: any;
  readonly attempt: number;
  readonly key: string;
  readonly ctx: any;
  resolve(value?: unknown): void;
  reject(error: unknown): void;
}

export class Stage {
  readonly world = new World();
  /** `id:attempt`, in the order in which the attempts really began. */
  readonly began: string[] = [];
  /** Every attempt of a call id, in order. */
  readonly attempts = new Map<string, Begun[]>();
  /** `id:attempt in doubt`, in the order of the asks. */
  readonly asked: string[] = [];
  readonly askKeys: string[] = [];
  /** What the reconciler of `pay` says. */
  verdict: (id: string, ctx: any) => unknown = () => unknown();

  readonly #run = (input: any, ctx: any): Promise<any> => {
    this.began.push(`${ctx.callId}:${ctx.attempt}`);
    return new Promise((resolve, reject) => {
      const list = this.attempts.get(ctx.callId) ?? [];
      this.attempts.set(ctx.callId, list);
      list.push({ input, attempt: ctx.attempt, key: ctx.idempotencyKey, ctx, resolve, reject });
    });
  };
  readonly #reconcile = (_input: any, ctx: any): Verdict | Promise<Verdict> => {
    this.asked.push(`${ctx.callId}:${ctx.attempt}`);
    this.askKeys.push(ctx.idempotencyKey);
    return this.verdict(ctx.callId, ctx) as Verdict;
  };

  /** `look` reads, `work` is idempotent, `send` is once, `pay` is once and can be asked about. */
  readonly tools = {
    look: tool({ effect: "read", run: this.#run }),
    work: tool({ effect: "idempotent", run: this.#run }),
    send: tool({ run: this.#run }),
    pay: tool({ run: this.#run, reconcile: this.#reconcile, reconcileOptions: { asks: 3, backoffMs: 100 } }),
  };

  /** `work` with what a test wants of it besides. */
  worker(options: Record<string, unknown>) {
    return tool({ effect: "idempotent", run: this.#run, ...options } as never);
  }
  /** `pay` with what a test wants of it besides. */
  payer(options: Record<string, unknown>) {
    return tool({ run: this.#run, reconcile: this.#reconcile, ...options } as never);
  }

  host(
    options: Record<string, unknown> = {},
    tools: Record<string, any> = this.tools,
    core?: WebAssembly.Module,
  ): Host<any> {
    return this.world.host(tools, options, core);
  }

  get entries(): string[] {
    return this.world.disk.entries("r");
  }

  /** Ends the newest attempt of a call. */
  async end(id: string, value?: unknown): Promise<void> {
    this.attempts.get(id)?.at(-1)?.resolve(value);
    await settle();
  }
  async fail(id: string, error: unknown): Promise<void> {
    this.attempts.get(id)?.at(-1)?.reject(error);
    await settle();
  }

  /** Starts run `r` and lets it go as far as it gets by itself. */
  async begin(host: Host<any>, program: (run: any) => any, options?: RunOptions) {
    const state = start(host, "r", program, options);
    await settle();
    return state;
  }

  /** A life of run `r` that ends with a crash once `during` is over. */
  async life(program: (run: any) => any, during: (host: Host<any>) => unknown = () => undefined): Promise<void> {
    const host = this.host();
    await this.begin(host, program);
    await during(host);
    await settle();
    host.crash();
  }
}

/** A program of one batch: calls by id, all of one tool, or `id: tool`. */
export function batchOf(ids: string, toolName = "work", options?: Record<string, unknown>) {
  const calls = ids.split(" ").map((part) => {
    const [id, named] = part.split(":");
    return { id, tool: named ?? toolName, input: { of: id } };
  });
  return (run: any): Promise<Outcome[]> => run.batch(calls, options);
}

/** Outcomes as `id kind=value source attempts`, and ` replayed`. */
export function told(outcomes: readonly Outcome[] | undefined): string[] {
  return (outcomes ?? []).map((outcome) => {
    const what =
      outcome.kind === "ok"
        ? `ok=${JSON.stringify(outcome.value)}`
        : outcome.kind === "error"
          ? `error=${outcome.error.message}`
          : outcome.kind;
    return `${outcome.id} ${what} ${outcome.source} ${outcome.attempts}${outcome.replayed ? " replayed" : ""}`;
  });
}
