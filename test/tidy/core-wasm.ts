// What the built core must be: without imports, so that nothing can leak in; without floats, so that
// every machine computes the same; small enough to load anywhere. Judges bytes, builds none.
import { gzipSync } from "node:zlib";
import binaryen from "binaryen";
import type { Findings } from "./tree.ts";

/** Bytes of core.wasm after gzip. */
export const CORE_GZIP_BYTES_MAX = 40 * 1024;

/** Every import of the module: a clock, a die or a log would be one. */
export function importsOfCore(wasm: Uint8Array): Findings {
  return linesOf(wasm).filter((line) => line.startsWith("(import "));
}

/** Every line of the module's text that has a float in it, as an instruction, a constant or a type. */
export function floatsOfCore(wasm: Uint8Array): Findings {
  return (
    linesOf(wasm)
      // Data are bytes: a message may speak of floats, and so may a name.
      .filter((line) => !line.startsWith("(data "))
      .map((line) => line.replace(/"(?:[^"\\]|\\.)*"|\$[^\s()]+/g, "_"))
      .filter((line) => /\bf(?:32|64)(?:x[24])?\b/.test(line))
  );
}

/** The module as text, line by line: the binary is parsed whole, so nothing hides in it. */
function linesOf(wasm: Uint8Array): readonly string[] {
  const module = binaryen.readBinary(wasm);
  try {
    const lines = module.emitText().split("\n");
    return lines.map((line) => line.trim());
  } finally {
    module.dispose();
  }
}

/** Bytes as they travel: gzip at its best. */
export function gzipBytes(bytes: Uint8Array): number {
  return gzipSync(bytes, { level: 9 }).byteLength;
}
