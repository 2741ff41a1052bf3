// The layer rule of the design holds, and the rule can fail.
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { importsOf } from "./imports.ts";
import { cycles, forbiddenImports, type Module, type Packages } from "./layers.ts";
import { isCode, repositoryFiles, root } from "./tree.ts";

const manifest = JSON.parse(readFileSync(join(root, "package.json"), "utf8"));
const packages: Packages = {
  shipped: new Set(Object.keys({ ...manifest.dependencies, ...manifest.peerDependencies })),
  development: new Set(Object.keys(manifest.devDependencies)),
};
const modules: readonly Module[] = repositoryFiles()
  .filter(({ path }) => isCode(path) && !path.endsWith(".wit"))
  .map((file) => ({ path: file.path, imports: importsOf(file) }));

/** A module made up for a test. */
function module(path: string, text: string): Module {
  return { path, imports: importsOf({ path, text }) };
}

describe("layers", () => {
  test("no module imports from where it may not", () => {
    expect(modules.length).toBeGreaterThan(10);
    expect(forbiddenImports(modules, packages)).toEqual([]);
  });

  test.each([
    ["bindings/js/src/a.ts", `import { readFile } from "node:fs";`, "runs in any host"],
    ["bindings/js/src/a.ts", `export * from "../../../runtime-node/src/index.ts";`, "may import from core/dist"],
    ["bindings/js/src/a.ts", `import { build } from "rollup";`, "package.json does not name it"],
    ["bindings/js/src/a.ts", `import { z } from "zod";`, "devDependency"],
    ["conformance/runner.ts", `import { tool } from "../bindings/js/src/tool.ts";`, "nothing of ours"],
    ["conformance/runner.ts", `const { tool } = await import("holdfast");`, "does not import the whole"],
    ["core/assembly/index.ts", `import "assemblyscript";`, "imports nothing"],
    ["runtime-node/src/a.ts", `import type { A } from "../../test/a.ts";`, "may import from bindings/js"],
    ["runtime-browser/src/a.ts", `const fs = require("node:fs");`, "runs in any host"],
    ["somewhere/new.ts", "export {};", "lies in no layer"],
  ])("%s with %s is refused", (path, text, why) => {
    const found = forbiddenImports([module(path, text)], packages);
    expect(found).toHaveLength(1);
    expect(found[0]).toContain(why);
  });

  test.each([
    ["bindings/js/src/a.ts", `import { core } from "../../../core/dist/core.js";`],
    ["bindings/js/src/a.ts", `import type { StandardSchemaV1 } from "@standard-schema/spec";`],
    ["runtime-node/src/a.ts", `import fs from "node:fs"; import { tool } from "../../bindings/js/src/tool.ts";`],
    ["test/journal/a.ts", `import { openRuntime } from "holdfast"; import { a } from "../../conformance/a.ts";`],
  ])("%s with %s is allowed", (path, text) => {
    expect(forbiddenImports([module(path, text)], packages)).toEqual([]);
  });
});

describe("cycles", () => {
  test("no modules import one another in a circle at run time", () => {
    expect(cycles(modules)).toEqual([]);
  });

  test("a circle is found whoever begins it, and is told once", () => {
    const circle = [
      module("a/one.ts", `import { two } from "./two.ts";`),
      module("a/two.ts", `export { three } from "./three";`),
      module("a/three.ts", `import { one } from "./one.ts";`),
    ];
    expect(cycles(circle)).toEqual(["a/one.ts → a/two.ts → a/three.ts → a/one.ts"]);
  });

  test("types may refer to one another", () => {
    const pair = [
      module("a/one.ts", `import type { Two } from "./two.ts";`),
      module("a/two.ts", `import { one } from "./one.ts";`),
    ];
    expect(cycles(pair)).toEqual([]);
  });
});
