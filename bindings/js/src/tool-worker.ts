// The inside of a worker: loads the module of a tool, runs the call it is told to run, and answers with
// how that ended. One call at a time. It knows neither which environment it is in nor why it is called.
import type { Context } from "./api.ts";
import { describeError } from "./call-error.ts";
import { HoldfastError } from "./errors.ts";
import { copyJson, NotJson, TooLarge } from "./json.ts";
import type { Json } from "./outcome.ts";
import type { WorkerModule } from "./ports.ts";
import { checkedProgress } from "./progress.ts";
import type { CallEnd, CallFacts, FromWorker, HostSide, RefusalCode, ToWorker, WorkerSide } from "./worker-protocol.ts";
import { costReport, observedReport, type WorkerReport } from "./worker-report.ts";

/** What the function of a worker tool is given besides its input. A worker has no journal, so no child runs. */
export type WorkerContext = Omit<Context, "run">;

/** What the environment of a worker gives it. */
export interface WorkerSurroundings {
  /** The exports of the module at a URL. */
  readonly load: (url: string) => Promise<Readonly<Record<string, unknown>>>;
  /** Monotonic milliseconds. */
  readonly nowMs: () => number;
  /** Calls back once after so long; keeps no process alive. Returns what cancels it. */
  readonly timer: (delayMs: number, callback: () => void) => () => void;
}

/** Progress is told at most this often, ms: a tool may report in every round of a loop. */
const PROGRESS_MS_LEAST = 20;

/** Tells the latest progress, now or as soon as it may; what it overtakes is dropped. */
class ProgressTeller {
  readonly #tell: (value: Json) => void;
  readonly #around: WorkerSurroundings;
  #toldAt = Number.NEGATIVE_INFINITY;
  #latest: Json | undefined;
  #cancel: (() => void) | undefined;

  constructor(tell: (value: Json) => void, around: WorkerSurroundings) {
    this.#tell = tell;
    this.#around = around;
  }

  report(value: Json): void {
    this.#latest = value;
    const waitMs = this.#toldAt + PROGRESS_MS_LEAST - this.#around.nowMs();
    // At once, within the tool's own call: one that computes never lets a timer run.
    if (waitMs <= 0) this.#send();
    else this.#cancel ??= this.#around.timer(waitMs, () => this.#send());
  }

  #send(): void {
    this.#cancel?.();
    this.#cancel = undefined;
    this.#toldAt = this.#around.nowMs();
    this.#tell(this.#latest as Json);
  }

  end(): void {
    this.#cancel?.();
  }
}

type ToolFunction = (input: unknown, ctx: Context) => unknown;

class Refusal {
  readonly code: RefusalCode;
  readonly what: string;
  readonly next: string;
  constructor(code: RefusalCode, what: string, next: string) {
    this.code = code;
    this.what = what;
    this.next = next;
  }
}

async function functionOf({ url, exportName }: WorkerModule, around: WorkerSurroundings): Promise<ToolFunction> {
  let exported: Readonly<Record<string, unknown>>;
  try {
    exported = await around.load(url);
  } catch (thrown) {
    const { name, message } = describeError(thrown);
    const next = "Check the tool's `worker` and what that module imports; a bundler must be told to keep the file.";
    throw new Refusal("worker-failed", `the worker module ${url} could not be loaded (${name}: ${message})`, next);
  }
  const found = Object.hasOwn(exported, exportName) ? exported[exportName] : undefined;
  if (typeof found === "function") return found as ToolFunction;
  const names = Object.keys(exported).slice(0, 20).join(", ") || "nothing";
  const what = `the worker module ${url} exports no function ${JSON.stringify(exportName)}`;
  throw new Refusal("worker-failed", what, `It exports ${names}: name one of its functions in the tool's \`export\`.`);
}

/** Where what a tool says while it runs goes. */
interface Tell {
  progress(value: Json): void;
  report(report: WorkerReport): void;
}

function contextOf(facts: CallFacts, signal: AbortSignal, tell: Tell): Context {
  return {
    ...facts,
    signal,
    progress: (value) => tell.progress(checkedProgress(value)),
    cost: (actual) => tell.report(costReport(actual)),
    observe: (headers, limit) => tell.report(observedReport(headers, limit)),
    run: async () => {
      const what = "a tool in a worker cannot run a child: the journal is not there";
      throw new HoldfastError("invalid-call", what, "Declare the tool with `run` instead of `worker`.");
    },
  };
}

function usable(result: unknown, bytesMax: number): Json | undefined {
  if (result === undefined) return undefined;
  try {
    return copyJson(result, "result", bytesMax);
  } catch (problem) {
    if (problem instanceof TooLarge) {
      const what = `the result is more than ${bytesMax} bytes of JSON`;
      throw new Refusal("result-too-large", what, "Store it elsewhere and return where.");
    }
    if (!(problem instanceof NotJson)) throw problem;
    throw new Refusal("result-not-json", problem.message, "A tool returns plain JSON values or nothing.");
  }
}

/** What the driver talks to. `host` is where progress and reports go. */
export function makeToolWorker(host: HostSide, around: WorkerSurroundings): WorkerSide {
  const controllers = new Map<number, AbortController>();

  async function run({ job, module, input, facts, resultBytesMax }: ToWorker & { kind: "run" }): Promise<CallEnd> {
    const controller = new AbortController();
    controllers.set(job, controller);
    const progress = new ProgressTeller((value) => host.tell({ kind: "progress", job, value }), around);
    let over = false;
    try {
      const call = await functionOf(module, around);
      controller.signal.throwIfAborted();
      const tell: Tell = {
        progress: (value) => (over ? undefined : progress.report(value)),
        report: (report) => (over ? undefined : host.tell({ kind: "report", job, report })),
      };
      const result = await call(input, contextOf(facts, controller.signal, tell));
      return { kind: "returned", value: usable(result, resultBytesMax) };
    } catch (thrown) {
      if (thrown instanceof Refusal)
        return { kind: "refused", code: thrown.code, what: thrown.what, next: thrown.next };
      return { kind: "threw", error: describeError(thrown) };
    } finally {
      over = true;
      progress.end();
      controllers.delete(job);
    }
  }

  return {
    async tell(message): Promise<FromWorker> {
      switch (message.kind) {
        case "hello":
          return { kind: "heard" };
        case "run":
          return run(message);
        case "abort": {
          const why = Object.assign(new Error(message.why.message), { name: message.why.name });
          controllers.get(message.job)?.abort(why);
          return { kind: "heard" };
        }
      }
    },
  };
}
