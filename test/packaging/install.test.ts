// The tarball in an empty project: it installs, its types check, ten lines run, its command answers, and
// a bundler takes it. Under the oldest Node with libsql, under a newer one with nothing native at all.
import { existsSync } from "node:fs";
import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { environmentOf, type NodeMajor, nodeBinary } from "../runtimes/nodes.ts";
import { must, type Packed, pack, root } from "./packed.ts";
import { PRINTED, PROGRAM } from "./program.ts";

const devDependencies = JSON.parse(await readFile(join(root, "package.json"), "utf8")).devDependencies;
const libsql = `libsql@${devDependencies.libsql}`;

let packed: Packed;
const projects = new Map<string, string>();
beforeAll(async () => {
  packed = await pack();
  projects.set("with libsql", await packed.project("with-libsql", [libsql]));
  projects.set("without libsql", await packed.project("without-libsql"));
});
afterAll(() => packed?.dispose());

const project = (name: string) => projects.get(name)!;
const tsc = (cwd: string, ...args: string[]) =>
  must(process.execPath, [join(root, "node_modules/typescript/bin/tsc"), ...args], { cwd });

async function configure(cwd: string, compilerOptions: object): Promise<void> {
  await writeFile(join(cwd, "program.ts"), PROGRAM);
  const declared = "declare const process: { argv: string[] };\n"; // console is in the DOM's types
  await writeFile(join(cwd, "globals.d.ts"), declared);
  const strict = { strict: true, exactOptionalPropertyTypes: true, skipLibCheck: false, types: [] };
  const files = ["program.ts", "globals.d.ts"];
  await writeFile(
    join(cwd, "tsconfig.json"),
    JSON.stringify({ compilerOptions: { ...strict, ...compilerOptions }, files }),
  );
}

describe("types", () => {
  test.each([
    ["node16", { module: "node16", target: "es2022", lib: ["es2022", "dom"] }],
    ["nodenext, of today", { module: "nodenext", target: "esnext" }],
    ["bundler", { module: "esnext", moduleResolution: "bundler", target: "es2022", lib: ["es2022", "dom"] }],
  ])("check under %s, all of them, without the types of Node", async (_name, options) => {
    const cwd = project("without libsql");
    await configure(cwd, { ...options, noEmit: true });
    await tsc(cwd);
  });

  test("refuse a tool that is not there", async () => {
    const cwd = project("without libsql");
    await configure(cwd, { module: "node16", target: "es2022", lib: ["es2022", "dom"], noEmit: true });
    await writeFile(join(cwd, "program.ts"), PROGRAM.replace(`tool: "double" as const`, `tool: "triple" as const`));
    await expect(tsc(cwd)).rejects.toThrow(/"triple"/);
  });
});

describe.each<[NodeMajor, string]>([
  [20, "with libsql"],
  [22, "without libsql"],
  [24, "without libsql"],
])("Node %i, %s", (major, name) => {
  test("ten lines run, and run again on their journal", async ({ skip }) => {
    const env = environmentOf(await nodeBinary(major, skip));
    const cwd = project(name);
    expect(existsSync(join(cwd, "node_modules/libsql"))).toBe(name === "with libsql");
    await configure(cwd, { module: "node16", target: "es2022", lib: ["es2022", "dom"], outDir: "." });
    await tsc(cwd);
    const journal = `node-${major}.db`;
    expect(await must("node", ["program.js", journal], { cwd, env })).toBe(PRINTED);
    expect(await must("node", ["program.js", journal], { cwd, env })).toBe(PRINTED);
  });

  test("its command answers", async ({ skip }) => {
    const env = environmentOf(await nodeBinary(major, skip));
    const help = await must("npx", ["--no-install", "holdfast", "--help"], { cwd: project(name), env });
    for (const command of ["demo", "runs", "show", "timeline", "verify"]) expect(help).toContain(command);
  });

  test("its conformance suite runs against its own host", async ({ skip }) => {
    const env = environmentOf(await nodeBinary(major, skip));
    const suite = ["--no-install", "holdfast", "conformance", "--filter", "in-doubt-slots"];
    const printed = await must("npx", [...suite, "--", "npx", "--no-install", "holdfast", "conformance-host"], {
      cwd: project(name),
      env,
    });
    expect(printed).toContain(`javascript-node${major} `);
    expect(printed).toContain("conforms: recovery");
  });
});

test("without a SQLite the oldest Node is told what to install", async ({ skip }) => {
  const env = environmentOf(await nodeBinary(20, skip));
  const cwd = project("without libsql");
  await configure(cwd, { module: "node16", target: "es2022", lib: ["es2022", "dom"], outDir: "." });
  await tsc(cwd);
  await expect(must("node", ["program.js", "none.db"], { cwd, env })).rejects.toThrow(
    /journal-unavailable[^\n]*libsql/,
  );
});

describe("bundled by esbuild", () => {
  test.each([
    ["plain", []],
    ["minified", ["--minify"]],
  ])("%s, ten lines run", async (name, options) => {
    const cwd = project("with libsql");
    await writeFile(join(cwd, "program.ts"), PROGRAM);
    const args = [
      "program.ts",
      "--bundle",
      "--platform=node",
      "--format=esm",
      "--external:libsql",
      `--outfile=${name}.mjs`,
    ];
    await must(join(root, "node_modules/.bin/esbuild"), [...args, ...options], { cwd });
    expect(await must(process.execPath, [`${name}.mjs`, `${name}.db`], { cwd })).toBe(PRINTED);
  });
});
