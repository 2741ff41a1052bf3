// Under every Node that the package promises, the journal keeps its contract: with libsql on 20, with
// node:sqlite on 22 and 24.
import { execFile } from "node:child_process";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { build } from "esbuild";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { CONTRACT } from "../journal/contract.ts";
import { environmentOf, NODE_MAJORS, nodeBinary } from "./nodes.ts";

const from = (path: string): string => fileURLToPath(new URL(path, import.meta.url));
let folder: string;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "holdfast-versions-"));
  await build({
    entryPoints: [from("../journal/contract-program.ts")],
    outfile: join(folder, "contract.mjs"),
    bundle: true,
    format: "esm",
    platform: "node",
    target: "node20",
    logLevel: "warning",
  });
});

afterAll(() => rm(folder, { recursive: true, force: true }));

describe.for(NODE_MAJORS)("Node %d", (major) => {
  test("the journal keeps its contract, and nobody is warned of anything", async (context) => {
    const node = await nodeBinary(major, (note) => context.skip(note));
    const program = [join(folder, "contract.mjs"), new URL("../../dist/node.js", import.meta.url).href];
    const { stdout, stderr } = await promisify(execFile)(node, program, { env: environmentOf(node) });
    const results = stdout
      .trimEnd()
      .split("\n")
      .map((line) => JSON.parse(line) as { readonly name: string; readonly failure?: string });
    expect(results).toEqual(CONTRACT.map(({ name }) => ({ name })));
    expect(stderr).toBe("");
  });
});
