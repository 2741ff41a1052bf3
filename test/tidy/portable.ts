// Finds what code for every host must not touch: globals that only some hosts have, and clocks and dice,
// which make a replay differ. What a name means is asked of the compiler, not guessed from its spelling.
import ts from "typescript";
import { place } from "./compiled.ts";
import { type Findings, root } from "./tree.ts";

/** Beyond the language itself, every host of ours has these: Node, browsers, Deno, workerd. */
const EVERYWHERE = new Set([
  "AbortController",
  "AbortSignal",
  "TextDecoder",
  "TextEncoder",
  "URL",
  "WebAssembly",
  "queueMicrotask",
  "structuredClone",
  // Types of what workers speak through, and of events, wherever they come from.
  "Event",
  "EventTarget",
  "MessagePort",
  "Transferable",
]);

/** Time and chance are ports: an answer that differs on replay would be lost. */
const UNREPEATABLE = new Set(["Date.now", "Math.random", "new Date", "performance.now"]);

/** Every use of a host's own globals, or of clocks and dice, in the program's files under `folder`. */
export function hostBound(program: ts.Program, folder: string): Findings {
  const checker = program.getTypeChecker();
  const found: string[] = [];
  const visit = (node: ts.Node): void => {
    if (ts.isIdentifier(node)) {
      if (isGlobalOfAHost(node, checker)) found.push(`${place(node)} ${node.text} is not there in every host`);
    } else if (node.kind === ts.SyntaxKind.MetaProperty) {
      found.push(`${place(node)} import.meta means another thing in every bundler`);
    }
    const unrepeatable = unrepeatableIn(node);
    if (unrepeatable) found.push(`${place(node)} ${unrepeatable} differs on replay: take it from a port`);
    ts.forEachChild(node, visit);
  };
  for (const file of program.getSourceFiles()) {
    if (file.fileName.startsWith(`${root}${folder}/`) && !file.isDeclarationFile) visit(file);
  }
  return found;
}

function isGlobalOfAHost(node: ts.Identifier, checker: ts.TypeChecker): boolean {
  if (EVERYWHERE.has(node.text)) return false;
  if (node.text === "globalThis") return true;
  // `a.process` is a property of a, whatever it is called.
  if (ts.isPropertyAccessExpression(node.parent) && node.parent.name === node) return false;
  if (ts.isQualifiedName(node.parent) && node.parent.right === node) return false;
  const declarations = checker.getSymbolAtLocation(node)?.declarations ?? [];
  // Member names of objects and types resolve to declarations as well; only free names are globals.
  return declarations.length > 0 && declarations.every((declaration) => isOfAHost(declaration) && isFree(declaration));
}

function isOfAHost(declaration: ts.Declaration): boolean {
  const { fileName } = declaration.getSourceFile();
  return /\/@types\/node\/|\/undici-types\/|\/lib\.(?:dom|webworker|scripthost)[\w.]*\.d\.ts$/.test(fileName);
}

function isFree(declaration: ts.Declaration): boolean {
  return !ts.isClassElement(declaration) && !ts.isTypeElement(declaration) && !ts.isParameter(declaration);
}

function unrepeatableIn(node: ts.Node): string | undefined {
  let use: string | undefined;
  if (ts.isPropertyAccessExpression(node)) use = `${node.expression.getText()}.${node.name.text}`;
  // `new Date(ms)` only reads a number.
  if (ts.isNewExpression(node) && (node.arguments?.length ?? 0) === 0) use = `new ${node.expression.getText()}`;
  return use !== undefined && UNREPEATABLE.has(use) ? use : undefined;
}
