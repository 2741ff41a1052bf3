// Who may import whom: the picture in the design, as a table, and the search for cycles. What the table
// does not list is forbidden.
import { posix } from "node:path";
import type { Import } from "./imports.ts";
import type { Findings } from "./tree.ts";

/** A layer is the code under a folder. The first row whose folder matches counts. */
interface Layer {
  readonly folder: string;
  /** Folders of ours that it may import from, besides its own. */
  readonly mayImport: readonly string[];
  /** May it see Node's own modules? */
  readonly node: boolean;
  /** Which packages it may take at run time: those a user gets with it, or any that development has. */
  readonly packages: "none" | "shipped" | "any";
}

const OURS = ["core", "bindings/js", "runtime-node", "runtime-browser", "conformance"];

export const LAYERS: readonly Layer[] = [
  // The core imports nothing from anywhere: its WebAssembly has no imports either.
  { folder: "core/assembly", mayImport: [], node: false, packages: "none" },
  // What builds the core: development only.
  { folder: "core", mayImport: [], node: true, packages: "any" },
  // The driver sees the core and no host.
  { folder: "bindings/js", mayImport: ["core/dist"], node: false, packages: "shipped" },
  // Its command line starts the suite, and its host speaks the suite's protocol.
  { folder: "runtime-node", mayImport: ["bindings/js", "core/dist", "conformance"], node: true, packages: "shipped" },
  { folder: "runtime-browser", mayImport: ["bindings/js", "core/dist"], node: false, packages: "shipped" },
  // The suite judges every host, so it must not lean on any.
  { folder: "conformance", mayImport: [], node: true, packages: "any" },
  { folder: "test", mayImport: [...OURS, "examples"], node: true, packages: "any" },
  { folder: "examples", mayImport: OURS, node: true, packages: "any" },
  // Configuration at the root: tsup.config.ts and the like.
  { folder: "", mayImport: [], node: true, packages: "any" },
];

/** A module with what it imports. */
export interface Module {
  readonly path: string;
  readonly imports: readonly Import[];
}

/** The packages that package.json names. */
export interface Packages {
  /** dependencies and peerDependencies: a user has them. */
  readonly shipped: ReadonlySet<string>;
  readonly development: ReadonlySet<string>;
}

export function layerOf(path: string): Layer | undefined {
  return LAYERS.find(({ folder }) => inside(path, folder));
}

function inside(path: string, folder: string): boolean {
  return folder === "" ? !path.includes("/") : path === folder || path.startsWith(`${folder}/`);
}

/** The file that a relative import means, from the root; undefined for a package. */
export function resolveRelative(from: string, specifier: string): string | undefined {
  if (!specifier.startsWith(".")) return undefined;
  return posix.normalize(posix.join(posix.dirname(from), specifier));
}

/** Every import that the table forbids. */
export function forbiddenImports(modules: readonly Module[], packages: Packages): Findings {
  return modules.flatMap((module) => {
    const layer = layerOf(module.path);
    if (layer === undefined) return [`${module.path}:1 lies in no layer of test/tidy/layers.ts`];
    return module.imports.flatMap((imported) => {
      const why = refusal(module.path, layer, imported, packages);
      return why === undefined ? [] : [`${module.path}:${imported.line} imports ${imported.specifier}: ${why}`];
    });
  });
}

function refusal(from: string, layer: Layer, imported: Import, packages: Packages): string | undefined {
  const target = resolveRelative(from, imported.specifier);
  if (target !== undefined) {
    if (inside(target, layer.folder) || layer.mayImport.some((folder) => inside(target, folder))) return undefined;
    return `${layer.folder || "the root"} may import from ${layer.mayImport.join(", ") || "nothing of ours"}`;
  }
  if (imported.specifier.startsWith("node:")) return layer.node ? undefined : `${layer.folder} runs in any host`;
  return packageRefusal(layer, imported, packages);
}

function packageRefusal(layer: Layer, imported: Import, packages: Packages): string | undefined {
  const name = packageOf(imported.specifier);
  if (layer.packages === "none") return `${layer.folder} imports nothing`;
  // The package itself by its own name, as its users write it.
  if (name === "holdfast")
    return layer.folder === "test" || layer.folder === "examples" ? undefined : "a layer does not import the whole";
  if (packages.shipped.has(name)) return undefined;
  if (!packages.development.has(name)) return "package.json does not name it";
  if (layer.packages === "any" || imported.typeOnly || imported.dynamic) return undefined;
  return "it is a devDependency: a user of the package would not have it";
}

/** `@scope/name/deep` is `@scope/name`. */
export function packageOf(specifier: string): string {
  return specifier
    .split("/")
    .slice(0, specifier.startsWith("@") ? 2 : 1)
    .join("/");
}

/** Every cycle of modules that import one another at run time, each once, as `a → b → a`. */
export function cycles(modules: readonly Module[]): Findings {
  const next = new Map(
    modules.map(({ path, imports }) => [
      path,
      imports.filter(({ typeOnly }) => !typeOnly).flatMap(({ specifier }) => resolveRelative(path, specifier) ?? []),
    ]),
  );
  // AssemblyScript leaves the ending out.
  const known = (path: string): string => (next.has(path) ? path : `${path}.ts`);
  const found = new Map<string, string>();
  const done = new Set<string>();
  const walk = (path: string, trail: readonly string[]): void => {
    const start = trail.indexOf(path);
    if (start !== -1) {
      const cycle = trail.slice(start);
      found.set([...cycle].sort().join(), [...cycle, path].join(" → "));
      return;
    }
    if (done.has(path)) return;
    for (const target of next.get(path) ?? []) walk(known(target), [...trail, path]);
    done.add(path);
  };
  for (const path of next.keys()) walk(path, []);
  return [...found.values()];
}
