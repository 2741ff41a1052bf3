// Threads of Node for worker tools: found, started with their bounds, watched. What runs in them and when
// is the pool's affair.
import { type ResourceLimits, Worker } from "node:worker_threads";
import nodeEndpoint from "comlink/dist/esm/node-adapter.mjs";
import { describeError } from "../../bindings/js/src/call-error.ts";
import { checkInteger, checkKeys } from "../../bindings/js/src/options.ts";
import type { WorkerSpawner, WorkerThread } from "../../bindings/js/src/ports.ts";
import { threadFile } from "./thread-file.ts";

/** Bounds of one worker thread. What goes beyond the memory ends that thread, and no other. */
export interface WorkerLimits {
  /** The heap, MB, at least 8. */
  readonly maxOldGenerationSizeMb?: number;
  /** The part of it for young objects, MB. */
  readonly maxYoungGenerationSizeMb?: number;
  /** The stack, MB, at most 256. Default 4. */
  readonly stackSizeMb?: number;
}

/**
 * Least and most of each, MB. With an old generation of 2 MB the whole process ends while the thread starts
 * (Node 22 and 24; 4 MB ends the thread alone), and no thread does anything useful with less than 8.
 */
const RANGES: Readonly<Record<keyof WorkerLimits, readonly [least: number, most: number]>> = {
  maxOldGenerationSizeMb: [8, 1_048_576],
  maxYoungGenerationSizeMb: [1, 65_536],
  stackSizeMb: [1, 256],
};

/** The option `resourceLimits`, checked. Throws `invalid-option` naming the path. */
export function checkWorkerLimits(value: unknown): WorkerLimits {
  const given = checkKeys("resourceLimits", value, Object.keys(RANGES));
  const limits: Record<string, number> = {};
  for (const [name, [least, most]] of Object.entries(RANGES)) {
    if (given[name] !== undefined)
      limits[name] = checkInteger(`resourceLimits.${name}`, given[name], least, most, most);
  }
  return limits;
}

let program: URL | undefined;

function makeThread(limits: WorkerLimits): WorkerThread {
  program ??= threadFile("worker-main.js", "worker-failed");
  const worker = new Worker(program, { name: "holdfast tool", resourceLimits: limits as ResourceLimits });
  let problem: string | undefined;
  worker.on("error", (thrown: unknown) => {
    const { name, message } = describeError(thrown);
    problem = `${name}: ${message}`;
  });
  return {
    endpoint: nodeEndpoint(worker),
    onEnd(listener) {
      worker.once("exit", (code) =>
        listener(
          problem === undefined ? `the worker ended with exit code ${code}` : `the worker failed with ${problem}`,
        ),
      );
    },
    terminate: () => void worker.terminate(),
    hold: (alive) => (alive ? worker.ref() : worker.unref()),
  };
}

/** Worker threads with these bounds. */
export function nodeWorkers(limits: WorkerLimits): WorkerSpawner {
  return {
    spawn: () => makeThread(limits),
    timer(delayMs, callback) {
      const timer = setTimeout(callback, delayMs).unref();
      return () => clearTimeout(timer);
    },
  };
}
