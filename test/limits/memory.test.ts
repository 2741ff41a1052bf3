// What a queued call costs in the core's memory, in bytes, through the bare module. Counted: pages that were written to.
import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { rawHost } from "../bench/core/raw-host.ts";
import { writtenBytes } from "../bench/core/written-bytes.ts";

const module = new WebAssembly.Module(readFileSync(new URL("../../core/dist/core.wasm", import.meta.url)));

function startCore() {
  const exports = new WebAssembly.Instance(module, {}).exports as { readonly memory: WebAssembly.Memory };
  return { host: rawHost(exports), bytes: () => writtenBytes(exports.memory) };
}

/** Bytes for each of so many calls of one batch, of which ten run at once; and for each of a second batch as large. */
function perCall(queued: number): { first: number; second: number } {
  const { host, bytes } = startCore();
  const sizes = [bytes()];
  for (let run = 0; run < 2; run++) {
    expect(host.carryOut(queued, 10).calls).toBe(queued);
    sizes.push(bytes());
  }
  const [before, once, twice] = sizes as [number, number, number];
  return { first: (once - before) / queued, second: (twice - once) / queued };
}

const middleOf = (all: readonly number[]): number => (Math.max(...all) + Math.min(...all)) / 2;

test("h4.memory.queued: as many bytes for each of a thousand as of a hundred thousand, within a fifth; drained, they serve the next", () => {
  const all = [1_000, 10_000, 100_000].map(perCall);
  const middle = middleOf(all.map(({ first }) => first));
  for (const { first, second } of all) {
    expect(first).toBeGreaterThan(0.8 * middle);
    expect(first).toBeLessThan(1.2 * middle);
    // A batch of that size comes in at once, 64 bytes a call, where the next one comes in.
    expect(first).toBeLessThan(200 + 64);
    // What the first batch left behind takes the second: 5 % for what did not fit.
    expect(second).toBeLessThan(0.05 * first);
  }
});

test("h4.memory.queued: in runs with a thousand calls each it is at most 200 bytes, however many runs", () => {
  const all = [10, 30, 100].map((runs) => {
    const { host, bytes } = startCore();
    host.queue(0, 1_000);
    const before = bytes();
    for (let run = 1; run <= runs; run++) host.queue(run, 1_000);
    return (bytes() - before) / (runs * 1_000);
  });
  const middle = middleOf(all);
  for (const each of all) {
    expect(each).toBeGreaterThan(0.8 * middle);
    expect(each).toBeLessThan(1.2 * middle);
    expect(each).toBeLessThan(200);
  }
});
