// Starts the simulation: bundles its TypeScript into test/simulation/dist and runs it. It simulates nothing.
import { spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { fileURLToPath, pathToFileURL } from "node:url";
import { build } from "esbuild";

const here = (path) => fileURLToPath(new URL(path, import.meta.url));

/** A bundle lies elsewhere than its sources, which find the core beside themselves. */
const ownUrls = {
  name: "own-urls",
  setup: ({ onLoad }) =>
    onLoad({ filter: /\.ts$/ }, ({ path }) => ({
      contents: readFileSync(path, "utf8").replaceAll("import.meta.url", JSON.stringify(pathToFileURL(path).href)),
      loader: "ts",
    })),
};

await build({
  entryPoints: [here("index.ts")],
  outfile: here("dist/index.js"),
  bundle: true,
  format: "esm",
  platform: "node",
  target: "node20",
  packages: "external",
  define: { "globalThis.process.env.JCO_DEBUG": "false" },
  plugins: [ownUrls],
  logLevel: "warning",
});

const { status, signal } = spawnSync(
  process.execPath,
  ["--no-warnings", here("dist/index.js"), ...process.argv.slice(2)],
  {
    stdio: "inherit",
  },
);
process.exitCode = signal === null ? (status ?? 1) : 1;
