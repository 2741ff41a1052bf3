// Starts the curves of limits: bundles its TypeScript into test/bench/dist and runs it in a Node that can be
// asked to collect garbage. It measures nothing itself.
import { spawnSync } from "node:child_process";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";

const here = (path) => fileURLToPath(new URL(path, import.meta.url));

await build({
  entryPoints: { limits: here("index.ts") },
  outdir: here("../dist"),
  bundle: true,
  format: "esm",
  platform: "node",
  target: "node20",
  packages: "external",
  define: { "globalThis.process.env.JCO_DEBUG": "false" },
  logLevel: "warning",
});

const { status } = spawnSync(
  process.execPath,
  ["--expose-gc", "--no-warnings", here("../dist/limits.js"), ...process.argv.slice(2)],
  {
    stdio: "inherit",
  },
);
process.exitCode = status ?? 1;
