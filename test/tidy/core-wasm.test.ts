// The core that was built is deterministic by construction and small; each gate is shown a module that
// it must refuse.
import { readFileSync } from "node:fs";
import { join } from "node:path";
import binaryen from "binaryen";
import { expect, test } from "vitest";
import { CORE_GZIP_BYTES_MAX, floatsOfCore, gzipBytes, importsOfCore } from "./core-wasm.ts";
import { root } from "./tree.ts";

const core = () => new Uint8Array(readFileSync(join(root, "core/dist/core.wasm")));

/** Bytes of a module given as text. */
function assembled(wat: string): Uint8Array {
  const module = binaryen.parseText(wat);
  try {
    return module.emitBinary();
  } finally {
    module.dispose();
  }
}

test("the core imports nothing", () => {
  expect(importsOfCore(core())).toEqual([]);
});

test("an import is found", () => {
  const wasm = assembled(`(module (import "env" "now" (func $now (result i64))))`);
  expect(importsOfCore(wasm)).toEqual([expect.stringContaining(`"env" "now"`)]);
});

test("the core has no float in it", () => {
  expect(floatsOfCore(core())).toEqual([]);
});

test.each([
  `(module (func (export "a") (param f64)))`,
  `(module (func (export "a") (result i32) (i32.trunc_f64_s (f64.const 1.5))))`,
  `(module (func (export "a") (param i32) (local f32)))`,
  `(module (global $g (mut f32) (f32.const 0)) (func (export "a") (global.set $g (f32.const 1))))`,
])("%s has one", (wat) => {
  expect(floatsOfCore(assembled(wat)).length).toBeGreaterThan(0);
});

test("a message about floats is none", () => {
  const wat = `(module (memory 1) (data (i32.const 0) "f64.const 1") (func (export "f64")))`;
  expect(floatsOfCore(assembled(wat))).toEqual([]);
});

test("the core is small enough to load anywhere", () => {
  expect(gzipBytes(core())).toBeLessThanOrEqual(CORE_GZIP_BYTES_MAX);
});
