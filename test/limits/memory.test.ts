// What a queued call costs in the core's memory, in bytes, through the bare module. Counted: memory grows by pages, and
// never shrinks.
import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { rawHost } from "../bench/core/raw-host.ts";

const module = new WebAssembly.Module(readFileSync(new URL("../../core/dist/core.wasm", import.meta.url)));

/** Bytes by which memory has grown for each of so many of which ten run at once; and by a second batch as large. */
function perQueued(queued: number): { first: number; second: number } {
  const exports = new WebAssembly.Instance(module, {}).exports as { memory: WebAssembly.Memory };
  const host = rawHost(exports);
  const bytes = (): number => exports.memory.buffer.byteLength;
  const sizes = [bytes()];
  for (let run = 0; run < 2; run++) {
    expect(host.carryOut(queued, 10).calls).toBe(queued);
    sizes.push(bytes());
  }
  const [before, once, twice] = sizes as [number, number, number];
  return { first: (once - before) / queued, second: (twice - once) / queued };
}

test("h4.memory.queued: as many bytes for each of a thousand as of a hundred thousand, within a fifth; drained, they serve the next", () => {
  const all = [1_000, 10_000, 100_000].map(perQueued);
  const middle = (Math.max(...all.map(({ first }) => first)) + Math.min(...all.map(({ first }) => first))) / 2;
  for (const { first, second } of all) {
    expect(first).toBeGreaterThan(0.8 * middle);
    expect(first).toBeLessThan(1.2 * middle);
    expect(first).toBeLessThan(400);
    // What the first batch left behind takes the second: 5 % for what did not fit.
    expect(second).toBeLessThan(0.05 * first);
  }
});
