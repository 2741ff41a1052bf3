// Starts the bench: bundles its TypeScript, with a program that it kills, into test/bench/dist, and runs it
// in a Node that can be asked to collect garbage between measurements. It measures nothing itself.
import { spawnSync } from "node:child_process";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";

const here = (path) => fileURLToPath(new URL(path, import.meta.url));

await build({
  entryPoints: { index: here("index.ts"), interrupted: here("scenarios/interrupted.ts") },
  outdir: here("dist"),
  bundle: true,
  splitting: true,
  format: "esm",
  platform: "node",
  target: "node20",
  // What is measured comes from its own package, as its users have it; the glue as it is shipped.
  packages: "external",
  define: { "globalThis.process.env.JCO_DEBUG": "false" },
  logLevel: "warning",
});

const { status, signal } = spawnSync(
  process.execPath,
  ["--expose-gc", "--no-warnings", here("dist/index.js"), ...process.argv.slice(2)],
  { stdio: "inherit" },
);
process.exitCode = signal === null ? (status ?? 1) : 1;
