// Takes an example out of a README and does with it what a reader would: puts it in a file of a project
// that has the package, checks its types, runs it.
import { execFile } from "node:child_process";
import { mkdir, mkdtemp, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { promisify } from "node:util";
import ts from "typescript";
import { importsOf } from "../tidy/imports.ts";
import { packageOf } from "../tidy/layers.ts";
import { root } from "../tidy/tree.ts";
import type { Block } from "./blocks.ts";

/** A bound against an example that hangs. */
const RUN_MS_MAX = 60_000;

const OPTIONS: ts.CompilerOptions = {
  target: ts.ScriptTarget.ES2022,
  module: ts.ModuleKind.NodeNext,
  lib: ["lib.es2023.d.ts", "lib.esnext.disposable.d.ts"],
  strict: true,
  allowJs: true,
  checkJs: true,
  skipLibCheck: true,
  typeRoots: [join(root, "node_modules/@types")],
  types: ["node"],
};

/** Written out as a module whatever stands in it. */
const AS_MODULE: ts.CompilerOptions = { ...OPTIONS, module: ts.ModuleKind.ESNext };

/** What an example printed, or what is wrong with it. */
export interface Tried {
  readonly problems: readonly string[];
  readonly stdout: string;
}

/** Checks the types of a block marked `checked` or `runnable`, and runs the latter. */
export async function tryExample(block: Block): Promise<Tried> {
  const folder = await mkdtemp(join(tmpdir(), "holdfast-example-"));
  try {
    const file = join(folder, `example.${block.language}`);
    await writeFile(join(folder, "package.json"), JSON.stringify({ private: true, type: "module" }));
    await writeFile(file, block.text);
    await provide(folder, block);
    const problems = checkTypes(file);
    if (problems.length > 0 || block.mark !== "runnable") return { problems, stdout: "" };
    return await execute(folder, block);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/** Does it read as code at all? An example without a mark may use names that it does not explain. */
export function syntaxErrors(block: Block): readonly string[] {
  const { diagnostics = [] } = ts.transpileModule(block.text, { compilerOptions: AS_MODULE, reportDiagnostics: true });
  return diagnostics.map(({ messageText }) => ts.flattenDiagnosticMessageText(messageText, "\n"));
}

/** The packages that the example imports, where it will look for them. */
async function provide(folder: string, block: Block): Promise<void> {
  const specifiers = importsOf({ path: `example.${block.language}`, text: block.text }).map(
    ({ specifier }) => specifier,
  );
  const names = new Set(specifiers.filter((name) => !/^(?:\.|node:)/.test(name)).map(packageOf));
  for (const name of names) {
    const place = join(folder, "node_modules", name);
    await mkdir(dirname(place), { recursive: true });
    await symlink(name === "holdfast" ? root : join(root, "node_modules", name), place);
  }
}

function checkTypes(file: string): readonly string[] {
  const program = ts.createProgram([file], { ...OPTIONS, noEmit: true });
  return ts.getPreEmitDiagnostics(program).map(({ messageText }) => ts.flattenDiagnosticMessageText(messageText, "\n"));
}

async function execute(folder: string, block: Block): Promise<Tried> {
  const { outputText } = ts.transpileModule(block.text, { compilerOptions: AS_MODULE });
  await writeFile(join(folder, "example.mjs"), outputText);
  try {
    const env = { ...process.env, NO_COLOR: "1" };
    const running = promisify(execFile)(process.execPath, ["example.mjs"], { cwd: folder, env, timeout: RUN_MS_MAX });
    return { problems: [], stdout: (await running).stdout };
  } catch (error) {
    return { problems: [(error as Error).message], stdout: "" };
  }
}
