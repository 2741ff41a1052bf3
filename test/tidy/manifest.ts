// package.json says exactly what is installed: each version one version, the lock file the same, and
// nothing that runs by itself at installation.
import type { Findings } from "./tree.ts";

const GROUPS = ["dependencies", "devDependencies", "optionalDependencies"] as const;
const EXACT = /^\d+\.\d+\.\d+(?:-[\w.]+)?$/;
/** What npm runs in a user's project when the package is installed there. */
const INSTALL_SCRIPTS = ["preinstall", "install", "postinstall", "preuninstall", "postuninstall"];

export type Manifest = {
  readonly [Group in (typeof GROUPS)[number] | "scripts" | "peerDependencies"]?: Readonly<Record<string, string>>;
} & {
  readonly name?: string;
  readonly version?: string;
};

/** The part of package-lock.json that is read here. */
export interface Lock {
  readonly packages: Readonly<Record<string, Manifest & { readonly integrity?: string; readonly link?: boolean }>>;
}

/** A version that is a range may be another one tomorrow. Peers are ranges by their nature. */
export function looseVersions(manifest: Manifest): Findings {
  return GROUPS.flatMap((group) =>
    Object.entries(manifest[group] ?? {})
      .filter(([, version]) => !EXACT.test(version))
      .map(([name, version]) => `package.json: ${group}.${name} is ${version}, which is no exact version`),
  );
}

/** The lock file was made from this package.json and can prove every package in it. */
export function lockDifferences(manifest: Manifest, lock: Lock): Findings {
  const locked = lock.packages[""] ?? {};
  const differing = [...GROUPS, "peerDependencies" as const].flatMap((group) => {
    const [ours, theirs] = [manifest[group] ?? {}, locked[group] ?? {}];
    return [...new Set([...Object.keys(ours), ...Object.keys(theirs)])]
      .filter((name) => ours[name] !== theirs[name])
      .map((name) => `package-lock.json: ${group}.${name} is ${theirs[name]}, in package.json ${ours[name]}`);
  });
  const versions = GROUPS.flatMap((group) => Object.entries(manifest[group] ?? {})).flatMap(([name, version]) => {
    const installed = lock.packages[`node_modules/${name}`]?.version;
    return installed === version ? [] : [`package-lock.json: ${name} is locked at ${installed}, not ${version}`];
  });
  const unproven = Object.entries(lock.packages)
    .filter(([path, entry]) => path !== "" && !entry.link && entry.integrity === undefined)
    .map(([path]) => `package-lock.json: ${path} has no integrity`);
  const release = manifest.version === locked.version ? [] : [`package-lock.json: the package is ${locked.version}`];
  return [...release, ...differing, ...versions, ...unproven];
}

export function installScripts(manifest: Manifest): Findings {
  return INSTALL_SCRIPTS.filter((script) => manifest.scripts?.[script] !== undefined).map(
    (script) => `package.json: scripts.${script} would run in a user's project`,
  );
}
