// What a user downloads and loads: the core, its glue, and a program bundled with everything it needs.
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { gzipSync } from "node:zlib";
import { build } from "esbuild";
import type { Row } from "../report.ts";
import type { Scenario } from "../scenario.ts";

/** The bench is bundled into test/bench/dist. */
const root = fileURLToPath(new URL("../../..", import.meta.url));

export const sizes: Scenario = async () => ({
  scenario: "sizes",
  title: "Sizes",
  note: "gzip at level 9. A bundle is minified and holds its dependencies, but no SQLite.",
  rows: [
    ...both("core.wasm", await readFile(join(root, "core/dist/core.wasm")), 40),
    ...both("the component", await readFile(join(root, "core/dist/core.component.wasm"))),
    ...both("glue, minified", await bundled("core/dist/glue.js")),
    ...both('import "holdfast", bundled', await bundled("dist/node.js")),
    ...both("holdfast command, bundled", await bundled("dist/cli.js")),
  ],
});

function both(of: string, bytes: Uint8Array, targetKb?: number): readonly Row[] {
  const [raw, gzipped] = [bytes.byteLength / 1024, gzipSync(bytes, { level: 9 }).byteLength / 1024];
  return [
    { of, contender: "raw", value: raw, unit: "KB" },
    {
      of,
      contender: "gzip",
      value: gzipped,
      unit: "KB",
      ...(targetKb === undefined ? {} : { target: { of: "value", atMost: targetKb } }),
    },
  ];
}

async function bundled(entry: string): Promise<Uint8Array> {
  const { outputFiles } = await build({
    entryPoints: [join(root, entry)],
    bundle: true,
    minify: true,
    write: false,
    outdir: "out",
    format: "esm",
    platform: "node",
    external: ["libsql"],
    logLevel: "error",
  });
  return Buffer.concat(outputFiles.map(({ contents }) => contents));
}
