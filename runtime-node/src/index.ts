// Holdfast in Node: the shared surface, and a runtime on SQLite, threads and Node's clocks.
import type { Runtime } from "../../bindings/js/src/api.ts";
import { MemoryJournal } from "../../bindings/js/src/memory-journal.ts";
import { type CommonOptions, checkOptions, makeRuntime } from "../../bindings/js/src/open-runtime.ts";
import { checkInteger, refuseOption } from "../../bindings/js/src/options.ts";
import type { Journal } from "../../bindings/js/src/ports.ts";
import type { Tools } from "../../bindings/js/src/tool.ts";
import { loadCore } from "./load-core.ts";
import { nodeBasics } from "./node-ports.ts";
import { recordTo } from "./recorder.ts";
import { openSqliteJournal } from "./sqlite-journal.ts";
import { checkWorkerLimits, nodeWorkers, type WorkerLimits } from "./worker-port.ts";

export * from "../../bindings/js/src/index.ts";
export { openSqliteJournal } from "./sqlite-journal.ts";
export { verifyJournal } from "./verify-journal.ts";
export type { WorkerLimits } from "./worker-port.ts";

/** Options of `openRuntime` in Node. */
export interface RuntimeOptions<T extends Tools, J extends Journal | string> extends CommonOptions<T> {
  /** A SQLite file, made if there is none; "memory", which is not durable; or a journal of your own. */
  readonly journal: J;
  /** How long a host that has stopped answering keeps its runs, ms: 1_000…3_600_000. Default 10_000. */
  readonly leaseMs?: number;
  /** Bounds of each worker thread. */
  readonly resourceLimits?: WorkerLimits;
}

/** Is a runtime on this journal durable, as far as its type tells? */
export type DurableOf<J> = J extends "memory"
  ? false
  : J extends string
    ? true
    : J extends { readonly durable: infer D extends boolean }
      ? D
      : boolean;

async function openJournal(journal: unknown, leaseMs: number): Promise<Journal> {
  if (journal === "memory") return new MemoryJournal();
  if (typeof journal === "string" && journal !== "") return openSqliteJournal(journal, { leaseMs });
  if (typeof journal === "object" && journal !== null && "append" in journal) return journal as Journal;
  return refuseOption("journal", journal, 'the path of a SQLite file, "memory", or a Journal');
}

/**
 * Opens a runtime: tools, limits and the journal of its runs. Close it, or declare it with `await using`.
 * Throws `invalid-option` naming the option's path, and `journal-*` when the journal cannot be opened.
 */
export async function openRuntime<T extends Tools, const J extends Journal | string>(
  options: RuntimeOptions<T, J>,
): Promise<Runtime<T, DurableOf<J>>> {
  const checked = checkOptions(options, ["journal", "leaseMs", "resourceLimits"]);
  const leaseMs = checkInteger("leaseMs", options.leaseMs, 1_000, 3_600_000, 10_000);
  const workers = nodeWorkers(checkWorkerLimits(options.resourceLimits));
  const { HOLDFAST_RECORD: recording } = process.env;
  const record = recording ? recordTo(recording, nodeBasics.warn) : undefined;
  const journal = await openJournal(options.journal, leaseMs);
  return makeRuntime(checked, {
    ...nodeBasics,
    core: loadCore(),
    journal,
    workers,
    ...(record === undefined ? {} : { record }),
  });
}
