// From options to a runtime: everything a user configures is checked here, before anything is opened.
import type { Runtime } from "./api.ts";
import { LimitTable } from "./limit-table.ts";
import type { Limits } from "./limits.ts";
import { checkInteger, checkKeys, refuseOption } from "./options.ts";
import type { Ports } from "./ports.ts";
import { HoldfastRuntime } from "./runtime.ts";
import type { Tools } from "./tool.ts";
import { ToolTable } from "./tool-table.ts";
import { WorkerPool } from "./worker-pool.ts";

/** What every environment's `openRuntime` takes beside its journal. */
export interface CommonOptions<T extends Tools> {
  readonly tools: T;
  readonly limits?: Limits<T>;
  /** Workers for tools declared with `worker`, at most this many threads. Default 4. */
  readonly workers?: { readonly size?: number; readonly idleMs?: number };
  /** Largest input of a call, characters of JSON. Default 16 Mi. */
  readonly inputBytesMax?: number;
  /** Largest result of a call or a run, bytes of JSON. Default 16 Mi. */
  readonly resultBytesMax?: number;
}

export const COMMON_OPTIONS = ["tools", "limits", "workers", "inputBytesMax", "resultBytesMax"];
const SIZE_DEFAULT = 16 * 1024 * 1024;
const SIZE_MOST = 64 * 1024 * 1024;

/** The checked part of the options; the ports may be opened once this has not thrown. */
export interface CheckedOptions {
  readonly tools: ToolTable;
  readonly limits: LimitTable;
  readonly workers: { readonly size: number; readonly idleMs: number };
  readonly inputBytesMax: number;
  readonly resultBytesMax: number;
}

/** Checks options; `known` are the environment's own keys. Throws `invalid-option` naming the path. */
export function checkOptions(options: unknown, known: readonly string[]): CheckedOptions {
  if (options === undefined) refuseOption("options", options, "an object with at least { journal, tools }");
  const given = checkKeys("options", options, [...COMMON_OPTIONS, ...known]);
  const tools = new ToolTable(given.tools);
  const workers = checkKeys("workers", given.workers, ["size", "idleMs"]);
  return {
    tools,
    limits: new LimitTable(given.limits, tools),
    workers: {
      size: checkInteger("workers.size", workers.size, 1, 1_024, 4),
      idleMs: checkInteger("workers.idleMs", workers.idleMs, 0, 2_147_483_647, 30_000),
    },
    inputBytesMax: checkInteger("inputBytesMax", given.inputBytesMax, 1_024, SIZE_MOST, SIZE_DEFAULT),
    resultBytesMax: checkInteger("resultBytesMax", given.resultBytesMax, 1_024, SIZE_MOST, SIZE_DEFAULT),
  };
}

/** A runtime of these options on these ports. */
export function makeRuntime(checked: CheckedOptions, ports: Ports): Runtime<any, any> {
  if (checked.tools.needsWorkers && ports.workers === undefined) {
    refuseOption("tools", "a tool with `worker`", "given `run` instead: this environment has no workers");
  }
  if (!ports.journal.durable) {
    ports.warn(
      `the journal ${JSON.stringify(ports.journal.name)} is not durable: a crash of this process loses every run. Give a file to keep them.`,
    );
  }
  const workers = ports.workers === undefined ? undefined : new WorkerPool(ports.workers, checked.workers);
  return new HoldfastRuntime({
    ports,
    tools: checked.tools,
    limits: checked.limits,
    inputBytesMax: checked.inputBytesMax,
    resultBytesMax: checked.resultBytesMax,
    workers,
  });
}
