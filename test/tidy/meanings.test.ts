// What needs the compiler to know: the public API is documented, and the driver runs in any host.
import { existsSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { compile } from "./compiled.ts";
import { undocumented } from "./docstrings.ts";
import { hostBound } from "./portable.ts";
import { repositoryFiles, root } from "./tree.ts";

const ENTRIES = ["bindings/js/src/index.ts", "runtime-node/src/index.ts"];
const driver = repositoryFiles()
  .map(({ path }) => path)
  .filter((path) => path.startsWith("bindings/js/src/") && path.endsWith(".ts") && !path.endsWith(".test.ts"));

/** Sentences of a test, compiled as one more file of the driver. */
const sample = (text: string) => compile([], { "bindings/js/src/sample.ts": text });

describe("docstrings", () => {
  test.each(ENTRIES)("everything that %s exports is documented", (entry) => {
    expect(existsSync(join(root, entry)), `${entry} is there`).toBe(true);
    expect(undocumented(compile([entry]), entry)).toEqual([]);
  });

  test("a function, a value, a class and a method without words are found", () => {
    const text = `
      export function silent(): void {}
      export const value = 1;
      export class Silent { method(): void {} private own(): void {} data = 1; }
      /** Speaks. */
      export interface Speaks { method(): void; readonly data: number }
      export type Alias = number;`;
    const found = undocumented(sample(text), "bindings/js/src/sample.ts");
    const names = found.map((finding) => finding.split(" ")[1]);
    expect(names).toEqual(["silent", "value", "Silent", "Silent.method", "Speaks.method"]);
  });

  test("a re-export is looked up where it comes from", () => {
    const program = compile([], {
      "bindings/js/src/sample.ts": `export { said, unsaid } from "./source.ts";`,
      "bindings/js/src/source.ts":
        "/** Says something. */\nexport function said(): void {}\nexport function unsaid(): void {}",
    });
    expect(undocumented(program, "bindings/js/src/sample.ts")).toEqual([
      "bindings/js/src/source.ts:3 unsaid is exported without a docstring",
    ]);
  });
});

describe("any host", () => {
  test("the driver uses nothing that only some hosts have", () => {
    expect(driver.length).toBeGreaterThan(5);
    expect(hostBound(compile(driver), "bindings/js/src")).toEqual([]);
  });

  test.each([
    "setTimeout(() => {}, 1);",
    "process.exit();",
    "const bytes: Buffer | undefined = undefined; export { bytes };",
    "console.log(1);",
    "globalThis.fetch;",
    "crypto.randomUUID();",
    "const at = Date.now(); export { at };",
    "export const at = new Date();",
    "export const die = Math.random();",
    "export const here = import.meta.url;",
    "performance;",
  ])("%s is found", (text) => {
    expect(hostBound(sample(text), "bindings/js/src").length).toBeGreaterThan(0);
  });

  test("what every host has, and properties of any name, are not", () => {
    const text = `
      const own = { process: 1, console: 2, setTimeout(): void {} };
      export const sum = own.process + own.console;
      own.setTimeout();
      export const shown = new Date(0).toISOString();
      export function stop(signal: AbortSignal, controller: AbortController): void {
        signal.addEventListener("abort", () => controller.abort(signal.reason), { once: true });
      }`;
    expect(hostBound(sample(text), "bindings/js/src")).toEqual([]);
  });
});
