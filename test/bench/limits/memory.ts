// What a queued call costs in memory: of the core alone up to a million, of a process up to a hundred
// thousand; and what a start costs the core with so many queued.
import { readFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import { openRuntime, tool } from "holdfast";
import { rawHost } from "../core/raw-host.ts";
import { writtenBytes } from "../core/written-bytes.ts";
import { microseconds } from "../rounds.ts";
import type { Curve } from "./index.ts";

const IN_CORE = [1_000, 10_000, 100_000, 1_000_000];
/** Fewer drown in what the collector has not got round to. */
const IN_PROCESS = [10_000, 100_000];
const IN_A_RUN = 1_000;
const CONCURRENCY = 10;
/** A measured time is of at least so many starts. */
const STARTS_MIN = 200_000;

const core = fileURLToPath(new URL("../../../core/dist/core.wasm", import.meta.url));

/** Bytes of its memory that were written to for a batch of so many of which ten run at once; then, warm, µs per start. */
async function inCore(module: WebAssembly.Module, queued: number) {
  const exports = new WebAssembly.Instance(module, {}).exports as { memory: WebAssembly.Memory };
  const host = rawHost(exports);
  const before = writtenBytes(exports.memory);
  const drain = (): void => {
    const { calls } = host.carryOut(queued, CONCURRENCY);
    if (calls !== queued) throw new Error(`${calls} of ${queued} were started`);
  };
  drain();
  const bytesPerCall = (writtenBytes(exports.memory) - before) / queued;
  const runs = Math.max(2, STARTS_MIN / queued);
  const took = await microseconds(async () => {
    for (let run = 0; run < runs; run++) drain();
  });
  const again = (writtenBytes(exports.memory) - before) / queued;
  return { queued, bytesPerCall, bytesPerCallAfterMore: again, microsPerStart: took / (runs * queued) };
}

/** The same, in bytes only, where so many are queued in runs of a thousand, beside a first one. */
function inRuns(module: WebAssembly.Module, queued: number) {
  const exports = new WebAssembly.Instance(module, {}).exports as { memory: WebAssembly.Memory };
  const host = rawHost(exports);
  host.queue(0, IN_A_RUN);
  const before = writtenBytes(exports.memory);
  for (let run = 1; run <= queued / IN_A_RUN; run++) host.queue(run, IN_A_RUN);
  return { queued, bytesPerCall: (writtenBytes(exports.memory) - before) / queued };
}

function held(): number {
  (globalThis as { gc?: () => void }).gc?.();
  const { heapUsed, external } = process.memoryUsage();
  return heapUsed + external;
}

/** What the process holds more while the first call runs and all others wait for it. */
async function inProcess(queued: number) {
  let entered: () => void = () => {};
  let release: () => void = () => {};
  const first = new Promise<void>((done) => (entered = done));
  const gate = new Promise<void>((done) => (release = done));
  const wait = tool({
    effect: "read",
    async run() {
      entered();
      await gate;
    },
  });
  const runtime = await openRuntime({ journal: "memory", tools: { wait }, limits: { concurrency: 1 } });
  const before = held();
  const running = runtime.run("queue", (run) =>
    run.batch(Array.from({ length: queued }, (_, n) => ({ tool: "wait" as const, input: n }))),
  );
  await first;
  const bytesPerCall = (held() - before) / queued;
  runtime.setLimit("runtime", { concurrency: 1_000 });
  release();
  await running;
  await runtime.close();
  return { queued, bytesPerCall };
}

export async function memory(): Promise<Curve> {
  const module = new WebAssembly.Module(new Uint8Array(await readFile(core)));
  const alone: Awaited<ReturnType<typeof inCore>>[] = [];
  for (const queued of IN_CORE) alone.push(await inCore(module, queued));
  const runs = IN_CORE.map((queued) => inRuns(module, queued));
  await inProcess(IN_PROCESS[0]!); // warms up
  const whole: Awaited<ReturnType<typeof inProcess>>[] = [];
  for (const queued of IN_PROCESS) whole.push(await inProcess(queued));
  const chart = { x: "calls queued", logarithmic: true };
  return {
    numbers: { core: alone, runs, process: whole },
    charts: {
      memory: {
        ...chart,
        title: "Memory of a queued call",
        y: "bytes per queued call",
        lines: [
          { name: "core, one batch", points: alone.map((at) => [at.queued, at.bytesPerCall]) },
          { name: "core, runs of 1000", points: runs.map((at) => [at.queued, at.bytesPerCall]) },
          { name: "process, memory journal", points: whole.map((at) => [at.queued, at.bytesPerCall]) },
        ],
      },
      starts: {
        ...chart,
        title: "What a start costs the core",
        y: "µs per start",
        lines: [{ name: "core alone", points: alone.map((at) => [at.queued, at.microsPerStart]) }],
      },
    },
  };
}
