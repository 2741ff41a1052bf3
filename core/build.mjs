// Builds the core: AssemblyScript → bare module → component → jco glue, into core/dist.
//   core.wasm            the bare module, for hosts without a component runtime
//   core.component.wasm  the component of wit/core.wit
//   glue.js, glue.d.ts   jco's bindings; the compiled core module is handed in
//   wasm.js, wasm.d.ts   the bare module's bytes, for runtimes that cannot read files
// `--if-needed` does nothing when everything in dist is younger than what it is made of.
// Gates: no imports (making the component refuses any) and no floating point.
import { existsSync, readdirSync, statSync } from "node:fs";
import { mkdir, readFile, writeFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import { gzipSync } from "node:zlib";
import { componentEmbed, componentNew, transpile } from "@bytecodealliance/jco";
import asc from "assemblyscript/asc";
import binaryen from "binaryen";

const here = new URL("./", import.meta.url);
const dist = new URL("./dist/", here);

const PRODUCTS = ["core.wasm", "core.wat", "core.component.wasm", "glue.js", "glue.d.ts", "wasm.js", "wasm.d.ts"];

const modifiedAt = (url) => statSync(url).mtimeMs;

function isUpToDate() {
  const products = PRODUCTS.map((name) => new URL(name, dist));
  if (!products.every((product) => existsSync(product))) return false;
  const folders = ["assembly/", "wit/"].map((folder) => new URL(folder, here));
  const sources = folders.flatMap((folder) => readdirSync(folder).map((name) => new URL(name, folder)));
  const youngest = Math.max(...[...sources, new URL(import.meta.url)].map(modifiedAt));
  return products.every((product) => modifiedAt(product) > youngest);
}

/** The module as asc makes it; what lies in dist is that of `inlineMore`. */
async function compile() {
  let binary;
  const { error, stdout, stderr } = await asc.main(
    [
      "assembly/index.ts",
      "--outFile",
      "core.wasm",
      "-O3",
      "--runtime",
      "minimal",
      "--use",
      "abort=assembly/panic/abort",
      "--baseDir",
      fileURLToPath(here),
    ],
    {
      writeFile: (_name, contents) => {
        binary = contents;
      },
    },
  );
  if (error) {
    process.stderr.write(`${stderr.toString()}\n${stdout.toString()}\n`);
    throw new Error(`asc: ${error.message}`);
  }
  return binary;
}

/**
 * Small functions become part of who calls them, further than asc goes: a tenth of the core's time, for two kilobytes.
 * Sizes are Binaryen's own measure of a function's body; larger ones gained nothing.
 */
function inlineMore(bytes) {
  const module = binaryen.readBinaryWithFeatures(
    bytes,
    binaryen.Features.BulkMemory |
      binaryen.Features.BulkMemoryOpt |
      binaryen.Features.MutableGlobals |
      binaryen.Features.SignExt |
      binaryen.Features.NontrappingFPToInt,
  );
  binaryen.setOptimizeLevel(4);
  binaryen.setShrinkLevel(0);
  binaryen.setAlwaysInlineMaxSize(30);
  binaryen.setFlexibleInlineMaxSize(100);
  binaryen.setOneCallerInlineMaxSize(1000);
  module.optimize();
  const optimized = { binary: module.emitBinary(), wat: module.emitText() };
  module.dispose();
  return optimized;
}

function refuseFloats(wat) {
  const floats = wat.split("\n").filter((line) => /\bf(32|64)\b/.test(line));
  if (floats.length > 0) throw new Error(`the core uses floating point:\n${floats.slice(0, 5).join("\n")}`);
}

/** jco asks the memory for its buffer at every field that it reads: half the time of a large reaction. A view of memory that has grown is empty, and that is enough to know. */
function viewOnce(glue) {
  const slow = "const dataView = mem => dv.buffer === mem.buffer ? dv : dv = new DataView(mem.buffer);";
  if (!glue.includes(slow)) throw new Error("the glue reads memory in another way than it did: look at it again");
  return glue.replace(
    slow,
    "let seen = new Uint8Array(0);\n  const dataView = mem => {\n    if (seen.length === 0) {\n      seen = new Uint8Array(mem.buffer);\n      dv = new DataView(mem.buffer);\n    }\n    return dv;\n  };",
  );
}

async function main() {
  await mkdir(dist, { recursive: true });
  const { binary, wat } = inlineMore(await compile());
  refuseFloats(wat);
  await writeFile(new URL("core.wasm", dist), binary);
  await writeFile(new URL("core.wat", dist), wat);
  const witSource = await readFile(new URL("wit/core.wit", here), "utf8");
  const component = await componentNew(await componentEmbed({ binary, witSource }), []);
  const { files } = await transpile(component, { name: "glue", instantiation: { tag: "sync" } });
  const byName = new Map(Array.isArray(files) ? files : Object.entries(files));
  await writeFile(new URL("core.component.wasm", dist), component);
  let core;
  for (const [name, bytes] of byName) {
    if (name.endsWith(".core.wasm")) core = bytes;
    else if (name === "glue.js") await writeFile(new URL(name, dist), viewOnce(new TextDecoder().decode(bytes)));
    else await writeFile(new URL(name, dist), bytes);
  }
  await writeFile(
    new URL("wasm.js", dist),
    `// The core module that the glue instantiates, as base64.\nexport default "${Buffer.from(core).toString("base64")}";\n`,
  );
  await writeFile(new URL("wasm.d.ts", dist), "declare const base64: string;\nexport default base64;\n");
  process.stdout.write(
    `core: ${binary.length} bytes (${gzipSync(binary, { level: 9 }).length} gzip), component ${component.length}, ${[...byName.keys()].join(" ")}\n`,
  );
}

if (!process.argv.includes("--if-needed") || !isUpToDate()) await main();
