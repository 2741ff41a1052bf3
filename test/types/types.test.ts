// The type tests, run: the compiler that checks them for `npm run check` is asked here for each file, and
// asked about a file that is wrong, so that a silent compiler would show.
import { readdirSync } from "node:fs";
import { fileURLToPath } from "node:url";
import ts from "typescript";
import { describe, expect, test } from "vitest";

const here = fileURLToPath(new URL(".", import.meta.url));
const config = fileURLToPath(new URL("../../tsconfig.json", import.meta.url));
const { options } = ts.parseJsonConfigFileContent(
  ts.readConfigFile(config, ts.sys.readFile).config,
  ts.sys,
  `${here}../..`,
);

/** What the compiler says of these files, as `line: message`; `virtual` are files that are not on disk. */
function complaints(names: readonly string[], virtual: ReadonlyMap<string, string> = new Map()): string[] {
  const host = ts.createCompilerHost(options);
  const { fileExists, readFile } = host;
  host.fileExists = (path) => virtual.has(path) || fileExists.call(host, path);
  host.readFile = (path) => virtual.get(path) ?? readFile.call(host, path);
  const program = ts.createProgram(names, options, host);
  const files = names.map((name) => program.getSourceFile(name)!);
  return files.flatMap((file) =>
    program.getSemanticDiagnostics(file).map(({ start, messageText }) => {
      const { line } = file.getLineAndCharacterOfPosition(start ?? 0);
      return `${line + 1}: ${ts.flattenDiagnosticMessageText(messageText, "\n")}`;
    }),
  );
}

const files = readdirSync(here).filter((name) => name.endsWith(".test-d.ts"));

describe("types", () => {
  test.each(files)("%s holds", (name) => {
    expect(complaints([`${here}${name}`])).toEqual([]);
  });

  test("a claim that does not hold is found, at its line", () => {
    const wrong = `${here}wrong.test-d.ts`;
    const source = [
      'import type { Run } from "../../bindings/js/src/api.ts";',
      'import { tool } from "../../bindings/js/src/tool.ts";',
      "const tools = { wait: tool({ run: (input: { ms: number }) => input.ms }) };",
      "declare const run: Run<typeof tools>;",
      'void run.call("wiat", { ms: 1 });',
      "// @ts-expect-error but it compiles",
      'void run.call("wait", { ms: 1 });',
    ].join("\n");
    const found = complaints([wrong], new Map([[wrong, source]]));
    expect(found.map((line) => line.split(":")[0])).toEqual(["5", "6"]);
    expect(found[0]).toContain('"wiat"');
    expect(found[1]).toContain("Unused '@ts-expect-error'");
  });
});
