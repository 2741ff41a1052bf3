// The tarball itself: well-formed for every resolver, with what a user needs in it and nothing else.
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { promisedFiles } from "../built.ts";
import { type Packed, pack, root, run } from "./packed.ts";

/** Bytes. What a user downloads; a source map or a test that slips in breaks it. */
const TARBALL_BYTES_MAX = 400_000;
const UNPACKED_BYTES_MAX = 1_600_000;

let packed: Packed;
beforeAll(async () => {
  packed = await pack();
});
afterAll(() => packed?.dispose());

const manifest = JSON.parse(readFileSync(join(root, "package.json"), "utf8"));
const bin = (name: string) => join(root, "node_modules/.bin", name);

test("publint finds nothing", async () => {
  const { code, stdout, stderr } = await run(bin("publint"), ["run", packed.tarball, "--strict"], { cwd: root });
  expect(`${stdout}${stderr}`).toContain("All good!");
  expect(code).toBe(0);
});

test("types resolve for every import style that the package has", async () => {
  const args = [packed.tarball, "--profile", "esm-only", "--no-emoji", "--format", "ascii"];
  const { code, stdout, stderr } = await run(bin("attw"), args, { cwd: root });
  expect(code, `${stdout}${stderr}`).toBe(0);
});

test("everything that package.json promises is in it", () => {
  const paths = packed.files.map(({ path }) => path);
  expect(paths).toEqual(expect.arrayContaining(["package.json", "README.md", "LICENSE", ...promisedFiles(manifest)]));
});

test("nothing is in it that a user has no use for", () => {
  const strange = packed.files.filter(({ path }) => {
    if (["package.json", "README.md", "LICENSE", "CHANGELOG.md"].includes(path)) return false;
    // What a host in another language needs: how to write one, the messages, what it is held to.
    if (path.startsWith("conformance/")) return !/\.(?:md|py|schema\.json|scenario)$/.test(path);
    return (
      !path.startsWith("dist/") ||
      /(?:^|\/)(?:test|tests|node_modules|\.cache)\/|\.(?:test|spec)\.|\.wat$|\.tsbuildinfo$/.test(path)
    );
  });
  expect(strange).toEqual([]);
});

test("it is no larger than it must be", () => {
  expect(packed.size).toBeLessThanOrEqual(TARBALL_BYTES_MAX);
  expect(packed.unpackedSize).toBeLessThanOrEqual(UNPACKED_BYTES_MAX);
});

test("it says what it needs and under which terms", () => {
  expect(manifest).toMatchObject({
    name: "holdfast",
    type: "module",
    license: "Apache-2.0",
    engines: { node: ">=20.19" },
  });
  expect(manifest.peerDependenciesMeta?.libsql).toEqual({ optional: true });
});
