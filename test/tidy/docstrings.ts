// What a module exports to users is documented where it is declared: functions, classes and their public
// methods, values, and the methods of interfaces. It does not judge the words.
import { join } from "node:path";
import ts from "typescript";
import { place } from "./compiled.ts";
import { type Findings, root } from "./tree.ts";

/** Every export of the module at `path` without a docstring. Re-exports are followed to where they come from. */
export function undocumented(program: ts.Program, path: string): Findings {
  const checker = program.getTypeChecker();
  const source = program.getSourceFile(join(root, path));
  const module = source && checker.getSymbolAtLocation(source);
  if (module === undefined) return [`${path}:1 exports nothing`];
  return checker.getExportsOfModule(module).flatMap((exported) => {
    const symbol = exported.flags & ts.SymbolFlags.Alias ? checker.getAliasedSymbol(exported) : exported;
    return [symbol, ...methods(symbol)]
      .filter((candidate) => isOurs(candidate) && candidate.getDocumentationComment(checker).length === 0)
      .filter((candidate) => candidate !== symbol || symbol.flags & ts.SymbolFlags.Value)
      .map((candidate) => {
        const name = candidate === symbol ? exported.name : `${exported.name}.${candidate.name}`;
        return `${place(candidate.declarations![0]!)} ${name} is exported without a docstring`;
      });
  });
}

/** The methods that a user of a class or an interface can call. Data may be named well enough. */
function methods(symbol: ts.Symbol): readonly ts.Symbol[] {
  return [...(symbol.members?.values() ?? [])].filter(
    (member) =>
      member.flags & ts.SymbolFlags.Method &&
      !member.name.startsWith("__") &&
      member.declarations?.every((declaration) => !hidden(declaration)),
  );
}

function hidden(declaration: ts.Declaration): boolean {
  const modifiers = ts.getCombinedModifierFlags(declaration);
  const name = ts.getNameOfDeclaration(declaration);
  // What overrides is documented where it was first said.
  const unseen = ts.ModifierFlags.Private | ts.ModifierFlags.Protected | ts.ModifierFlags.Override;
  return (modifiers & unseen) !== 0 || (name !== undefined && ts.isPrivateIdentifier(name));
}

function isOurs(symbol: ts.Symbol): boolean {
  const file = symbol.declarations?.[0]?.getSourceFile().fileName;
  return file?.startsWith(root) === true && !file.includes("/node_modules/");
}
