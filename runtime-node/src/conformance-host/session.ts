// One session of the conformance host: a runtime on a real journal, through the public API unless it has to do
// without threads, with a scenario's tools; its runs; its end.
import type { LimitName } from "../../../bindings/js/src/limits.ts";
import { checkOptions, makeRuntime } from "../../../bindings/js/src/open-runtime.ts";
import type {
  Begin,
  Control,
  Json,
  RunMessage,
  RunnerMessage,
  SessionMessage,
} from "../../../conformance/protocol/messages.ts";
import { type CallEvent, HoldfastError, type Journal, openRuntime, openSqliteJournal, type Runtime } from "../index.ts";
import { loadCore } from "../load-core.ts";
import { nodeBasics } from "../node-ports.ts";
import { given, limitsOf } from "./declared-limits.ts";
import type { Fault } from "./fault.ts";
import { openLoopJournal } from "./loop-journal.ts";
import { playedTools } from "./played-tools.ts";
import { PointJournal } from "./point-journal.ts";
import { shownError } from "./shown.ts";
import { programOf, type StepsWith } from "./steps.ts";
import { SessionWire } from "./wire.ts";

/** How long a session's end waits for tools that have not returned, ms. */
const CLOSE_GRACE_MS = 200;

export class HostSession {
  readonly wire: SessionWire;
  readonly #begin: Begin;
  readonly #fault: Fault;
  #opening: Promise<Runtime> | undefined;

  constructor(begin: Begin, fault: Fault) {
    this.wire = new SessionWire(begin.session);
    this.#begin = begin;
    this.#fault = fault;
  }

  /** Opened with the first run: a journal that cannot be opened is an error of that run. */
  #runtime(): Promise<Runtime> {
    this.#opening ??= this.#open();
    return this.#opening;
  }

  async #open(): Promise<Runtime> {
    const { tools: specs, limits, threads = true } = this.#begin;
    const points = new PointJournal(await this.#journal(), this.wire);
    const tools = playedTools(specs, {
      wire: this.wire,
      fault: this.#fault,
      steps: (runId) => this.#stepsOf(runId),
      runAlone: async (id, program) => (await this.#runtime()).run(id, program),
    });
    const declared = limitsOf(limits, specs);
    const options = {
      journal: this.#fault.journal?.(points) ?? points,
      tools,
      limits: this.#fault.limits?.(declared) ?? declared,
      ...(limits.workers === undefined ? {} : { workers: { size: limits.workers } }),
    };
    const runtime = await (threads ? openRuntime(options) : threadlessRuntime(options));
    void this.#report(runtime.events());
    return runtime;
  }

  async #journal(): Promise<Journal> {
    const { journal: path, leaseMs, threads = true } = this.#begin;
    if (!threads) return openLoopJournal(path, leaseMs);
    return openSqliteJournal(path, leaseMs === undefined ? {} : { leaseMs });
  }

  #stepsOf(runId: string): StepsWith {
    return { say: (value) => this.wire.say({ type: "said", run: runId, value }), fault: this.#fault };
  }

  async run(message: RunMessage): Promise<void> {
    const { run } = message;
    try {
      const runtime = await this.#runtime();
      const id = this.#fault.runId?.(run) ?? run;
      const program = programOf(message.program, () => this.#stepsOf(run));
      const start = () => runtime.run(id, program, optionsOf(message));
      const result = await (this.#fault.running?.(start) ?? start());
      await told();
      this.wire.say({ type: "returned", run, result: (result ?? null) as Json });
    } catch (thrown) {
      await told();
      this.wire.say({ type: "threw", run, error: shownError(thrown) });
    }
  }

  async cancel(run: string): Promise<void> {
    (await this.#runtime()).cancel(run);
  }

  /** The owner's word, while calls wait. */
  async control(message: Control): Promise<void> {
    if (this.#fault.deafToControl === true) return;
    const runtime = await this.#runtime();
    switch (message.type) {
      case "set-limit":
        return runtime.setLimit(message.limit as LimitName, { concurrency: message.concurrency });
      case "pause":
        return runtime.pause(message.limit as LimitName, given({ forMs: message.forMs }));
      case "resume":
        return runtime.resume(message.limit as LimitName);
      case "set-priority":
        runtime.setPriority(message.run, message.id, message.priority);
    }
  }

  async explain({ n, run, id }: Extract<RunnerMessage, { type: "explain" }>): Promise<void> {
    const runtime = await this.#runtime();
    try {
      const { state, ...waiting } = runtime.explain(run, id);
      const held = "why" in waiting ? { why: waiting.why, limit: waiting.limit } : {};
      this.wire.say({ type: "explained", n, state, ...(this.#fault.held?.(held) ?? held) });
    } catch (thrown) {
      if (!(thrown instanceof HoldfastError)) throw thrown;
      this.wire.say({ type: "explained", n, state: "absent" });
    }
  }

  async gauge({ n, limit }: Extract<RunnerMessage, { type: "gauge" }>): Promise<void> {
    const { inUse, abandoned } = (await this.#runtime()).limit(limit as LimitName);
    const gauge = { inUse, abandoned };
    this.wire.say({ type: "gauged", n, ...(this.#fault.gauge?.(gauge) ?? gauge) });
  }

  async end(): Promise<void> {
    // One that could not be opened has nothing to close; its runs have said so.
    const runtime = await this.#opening?.catch(() => undefined);
    await runtime?.close({ graceMs: CLOSE_GRACE_MS });
    this.wire.say({ type: "ended" });
  }

  /** What no outcome shows. */
  async #report(events: AsyncIterable<CallEvent>): Promise<void> {
    for await (const event of events) {
      const report = reportOf(event);
      if (report !== undefined) this.wire.say(report);
    }
  }
}

/** What `openRuntime` opens, but without workers and without a recording. */
function threadlessRuntime(options: { readonly journal: Journal }): Runtime {
  return makeRuntime(checkOptions(options, ["journal"]), { ...nodeBasics, core: loadCore(), journal: options.journal });
}

/** Lets what has been emitted be reported before what follows from it. */
const told = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

function reportOf(event: CallEvent): Omit<Extract<SessionMessage, { type: "report" }>, "session"> | undefined {
  switch (event.kind) {
    case "late":
    case "unawaited":
    case "no-verdict":
      return { type: "report", run: event.runId, id: event.callId, what: event.kind };
    case "left-behind":
      return { type: "report", run: event.runId, id: event.callId, what: event.kind, state: event.state };
    default:
      return undefined;
  }
}

function optionsOf({ version, onMismatch, waitMs, refuseOtherVersion }: RunMessage) {
  const refuse = (change: { readonly journal: string | undefined; readonly program: string | undefined }): void => {
    throw new HoldfastError(
      "invalid-option",
      `the journal was written by version ${change.journal}`,
      "Run that version.",
    );
  };
  return {
    ...(version === undefined ? {} : { version }),
    ...(onMismatch === undefined ? {} : { onMismatch }),
    ...(waitMs === undefined ? {} : { waitMs }),
    ...(refuseOtherVersion === true ? { onVersionChange: refuse } : {}),
  };
}
