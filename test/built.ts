// Runs once before all tests: they import the package by its name, so it must have been built.
// It builds nothing by itself.
import { existsSync, readdirSync, readFileSync, statSync } from "node:fs";
import { join, relative } from "node:path";
import { fileURLToPath } from "node:url";

const root = fileURLToPath(new URL("..", import.meta.url));
const SOURCES = ["core/assembly", "core/wit", "bindings/js/src", "runtime-node/src"];

/** Every file of the built package that package.json promises, relative to the root. */
export function promisedFiles(manifest: unknown): readonly string[] {
  const files = new Set<string>();
  const visit = (value: unknown): void => {
    if (typeof value === "string" && value.includes("dist/")) files.add(value.replace(/^\.\//, ""));
    else if (value !== null && typeof value === "object") for (const inner of Object.values(value)) visit(inner);
  };
  const { exports, bin } = manifest as { exports?: unknown; bin?: unknown };
  visit(exports);
  visit(bin);
  return [...files].sort();
}

/** Wall-clock ms of the youngest file under a folder; 0 if there is none. */
function youngest(folder: string): number {
  if (!existsSync(folder)) return 0;
  const files = readdirSync(folder, { recursive: true, withFileTypes: true }).filter((file) => file.isFile());
  return Math.max(0, ...files.map((file) => statSync(join(file.parentPath, file.name)).mtimeMs));
}

export default function setup(): void {
  const manifest: unknown = JSON.parse(readFileSync(join(root, "package.json"), "utf8"));
  const promised = promisedFiles(manifest);
  const missing = ["core/dist/core.wasm", ...promised].filter((file) => !existsSync(join(root, file)));
  if (promised.length === 0 || missing.length > 0) {
    const what = promised.length === 0 ? "package.json exports nothing" : `missing: ${missing.join(", ")}`;
    throw new Error(`The package is not built (${what}). Run \`npm run build\` first.`);
  }
  const built = Math.min(...promised.map((file) => statSync(join(root, file)).mtimeMs));
  const stale = SOURCES.filter((folder) => youngest(join(root, folder)) > built);
  if (stale.length > 0) {
    const where = stale.map((folder) => relative(root, join(root, folder))).join(", ");
    process.stderr.write(`Sources are newer than dist (${where}): what is tested may be old. Run \`npm run build\`.\n`);
  }
}
