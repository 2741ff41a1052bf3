// A TypeScript program over some of our files with the repository's own options, for the gates that
// need to know what a name means and not only how it is written.
import { dirname, join } from "node:path";
import ts from "typescript";
import { root } from "./tree.ts";

/** Compiles files of the repository, or texts given in their place, far enough to ask for meanings. */
export function compile(paths: readonly string[], texts: Readonly<Record<string, string>> = {}): ts.Program {
  const config = ts.readConfigFile(join(root, "tsconfig.json"), ts.sys.readFile);
  const { options } = ts.parseJsonConfigFileContent(config.config, ts.sys, root, { noEmit: true });
  const given = new Map(Object.entries(texts).map(([path, text]) => [join(root, path), text]));
  const host = ts.createCompilerHost(options, true);
  const { fileExists, readFile, getSourceFile, directoryExists } = host;
  host.fileExists = (path) => given.has(path) || fileExists(path);
  host.readFile = (path) => given.get(path) ?? readFile(path);
  host.directoryExists = (path) => [...given.keys()].some((file) => dirname(file) === path) || directoryExists!(path);
  host.getSourceFile = (path, version, ...rest) => {
    const text = given.get(path);
    return text === undefined ? getSourceFile(path, version, ...rest) : ts.createSourceFile(path, text, version, true);
  };
  return ts.createProgram(
    [...paths, ...Object.keys(texts)].map((path) => join(root, path)),
    options,
    host,
  );
}

/** `path:line` of a node, from the root. */
export function place(node: ts.Node): string {
  const file = node.getSourceFile();
  const { line } = file.getLineAndCharacterOfPosition(node.getStart(file));
  return `${file.fileName.slice(root.length)}:${line + 1}`;
}
