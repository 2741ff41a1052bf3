// Versions are exact, the lock file agrees, and installing runs nothing; each gate can fail.
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { installScripts, type Lock, lockDifferences, looseVersions, type Manifest } from "./manifest.ts";
import { root } from "./tree.ts";

const read = (file: string) => JSON.parse(readFileSync(join(root, file), "utf8"));
const manifest: Manifest = read("package.json");
const lock: Lock = read("package-lock.json");

test("every version in package.json is exact", () => {
  expect(looseVersions(manifest)).toEqual([]);
});

test.each(["^1.2.3", "~1.2.3", "1.x", "*", "latest", ">=1", "github:a/b"])("%s is not exact", (version) => {
  expect(looseVersions({ devDependencies: { a: version } })).toHaveLength(1);
});

test("the lock file was made from package.json", () => {
  expect(lockDifferences(manifest, lock)).toEqual([]);
});

test("a lock file that lags behind is found", () => {
  const locked = { version: "1.0.0", integrity: "sha512-…" };
  const good: Lock = { packages: { "": { dependencies: { a: "1.0.0" } }, "node_modules/a": locked } };
  expect(lockDifferences({ dependencies: { a: "1.0.0" } }, good)).toEqual([]);
  expect(lockDifferences({ dependencies: { a: "1.0.1" } }, good)).toHaveLength(2);
  expect(lockDifferences({ dependencies: { a: "1.0.0", b: "1.0.0" } }, good)).toHaveLength(2);
  expect(lockDifferences({ dependencies: {} }, good)).toHaveLength(1);
  expect(lockDifferences({}, { packages: { "node_modules/a": { version: "1.0.0" } } })).toHaveLength(1);
});

test("installing the package runs no script", () => {
  expect(installScripts(manifest)).toEqual([]);
  expect(installScripts({ scripts: { postinstall: "node build.js" } })).toHaveLength(1);
});
