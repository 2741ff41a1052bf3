// Another core than the one that ships: the same sources, compiled with some of their lines changed. For tests that count
// what the core does, or show that they would notice if it did something else.
import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import asc from "assemblyscript/asc";

/** One place in a source of the core, and what stands there instead. */
export interface Edit {
  readonly file: string;
  readonly from: string;
  readonly to: string;
}

const core = fileURLToPath(new URL("../", import.meta.url));

function sourceOf(file: string, edits: readonly Edit[]): string | null {
  let text: string;
  try {
    text = readFileSync(`${core}${file}`, "utf8");
  } catch {
    return null; // asc asks for several names until one is there
  }
  for (const { from, to } of edits.filter((edit) => edit.file === file)) {
    if (text.split(from).length !== 2) throw new Error(`core/${file} has not one ${JSON.stringify(from)} to change`);
    text = text.replace(from, () => to);
  }
  return text;
}

/** Compiles it: some seconds. */
export async function compileEdited(edits: readonly Edit[]): Promise<WebAssembly.Module> {
  let binary: Uint8Array<ArrayBuffer> | undefined;
  const options = ["--outFile", "edited.wasm", "-O1", "--runtime", "minimal", "--use", "abort=assembly/panic/abort"];
  const { error, stderr } = await asc.main(["assembly/index.ts", ...options, "--baseDir", core], {
    readFile: (name) => sourceOf(name, edits),
    writeFile: (name, contents) => {
      if (name === "edited.wasm") binary = Uint8Array.from(contents as Uint8Array);
    },
    listFiles: () => [],
  });
  if (error !== null || binary === undefined) throw new Error(`asc: ${error?.message}\n${stderr.toString()}`);
  return new WebAssembly.Module(binary);
}
