// What a module imports, as the TypeScript compiler reads it: specifier, line, and whether anything of
// it is left at run time. It does not ask whether the import is allowed: that is layers.ts.
import ts from "typescript";
import type { SourceFile } from "./tree.ts";

export interface Import {
  readonly specifier: string;
  /** 1-based. */
  readonly line: number;
  /** `import type` and its kin: gone at run time. */
  readonly typeOnly: boolean;
  /** `import("…")`: taken when it is needed, which may be never. */
  readonly dynamic: boolean;
}

export function importsOf(file: SourceFile): readonly Import[] {
  const kind = file.path.endsWith(".ts") ? ts.ScriptKind.TS : ts.ScriptKind.JS;
  const parsed = ts.createSourceFile(file.path, file.text, ts.ScriptTarget.ES2022, false, kind);
  const found: Import[] = [];
  const add = (node: ts.Node, specifier: ts.Node, typeOnly: boolean, dynamic: boolean): void => {
    if (!ts.isStringLiteralLike(specifier)) return;
    const line = parsed.getLineAndCharacterOfPosition(node.getStart(parsed)).line + 1;
    found.push({ specifier: specifier.text, line, typeOnly, dynamic });
  };
  const visit = (node: ts.Node): void => {
    if (ts.isImportDeclaration(node)) {
      add(node, node.moduleSpecifier, node.importClause?.phaseModifier === ts.SyntaxKind.TypeKeyword, false);
    } else if (ts.isExportDeclaration(node) && node.moduleSpecifier) {
      add(node, node.moduleSpecifier, node.isTypeOnly, false);
    } else if (ts.isImportTypeNode(node) && ts.isLiteralTypeNode(node.argument)) {
      add(node, node.argument.literal, true, false);
    } else if (ts.isCallExpression(node) && isLoad(node.expression) && node.arguments[0]) {
      add(node, node.arguments[0], false, true);
    }
    ts.forEachChild(node, visit);
  };
  visit(parsed);
  return found;
}

/** `import(…)`, `require(…)`, `require.resolve(…)`. */
function isLoad(callee: ts.Expression): boolean {
  if (callee.kind === ts.SyntaxKind.ImportKeyword) return true;
  const name = ts.isPropertyAccessExpression(callee) ? callee.expression : callee;
  return ts.isIdentifier(name) && name.text === "require";
}
