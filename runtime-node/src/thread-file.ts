// Where the program of a thread of ours lies: a file of the built package, which a bundler does not know.
import { existsSync } from "node:fs";
import { createRequire } from "node:module";
import { fileURLToPath, pathToFileURL } from "node:url";
import { HoldfastError, JournalError } from "../../bindings/js/src/errors.ts";

/**
 * URL of a file in the package's `dist`: beside this module, or, if this module ended up in somebody's bundle,
 * in the holdfast that is installed where the bundle runs. Throws an error of this code that says what to do.
 */
export function threadFile(name: string, code: "worker-failed" | "journal-unavailable"): URL {
  const beside = new URL(`./${name}`, import.meta.url);
  if (existsSync(fileURLToPath(beside))) return beside;
  try {
    const manifest = createRequire(import.meta.url).resolve("holdfast/package.json");
    return new URL(`./dist/${name}`, pathToFileURL(manifest));
  } catch (cause) {
    const what = `${name}, which runs in a thread of its own, is neither beside the bundle nor in an installed holdfast`;
    const Kind = code === "worker-failed" ? HoldfastError : JournalError;
    throw new Kind(code, what, "Keep holdfast external to the bundle, or install it where the bundle runs.", {
      cause,
    });
  }
}
