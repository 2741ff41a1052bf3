// The package as a user gets it: the tarball that `npm pack` makes of what is built, and empty projects
// it is installed into. Everything lies in a temporary folder that dispose removes.
import { execFile } from "node:child_process";
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";

export const root = fileURLToPath(new URL("../..", import.meta.url));
const execute = promisify(execFile);

/** Bounds against a hang. */
const COMMAND_MS_MAX = 240_000;

export interface Ran {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs a command to its end; a code other than 0 is a result, not a throw. */
export async function run(
  command: string,
  args: readonly string[],
  options: { readonly cwd: string; readonly env?: NodeJS.ProcessEnv },
): Promise<Ran> {
  try {
    const ran = await execute(command, [...args], { ...options, timeout: COMMAND_MS_MAX, maxBuffer: 64 << 20 });
    return { code: 0, ...ran };
  } catch (error) {
    const { code, stdout, stderr, message } = error as Error & { code?: unknown; stdout?: string; stderr?: string };
    if (typeof code !== "number") throw new Error(`${command} ${args.join(" ")}: ${message}`, { cause: error });
    return { code, stdout: stdout ?? "", stderr: stderr ?? "" };
  }
}

/** The same, for a command that must succeed; returns what it printed. */
export async function must(...call: Parameters<typeof run>): Promise<string> {
  const ran = await run(...call);
  if (ran.code !== 0)
    throw new Error(`${call[0]} ${call[1].join(" ")} ended with ${ran.code}:\n${ran.stdout}\n${ran.stderr}`);
  return ran.stdout;
}

/** A file of the tarball. */
export interface PackedFile {
  readonly path: string;
  readonly size: number;
}

export interface Packed {
  readonly tarball: string;
  readonly files: readonly PackedFile[];
  /** Bytes of the tarball, and of what is in it. */
  readonly size: number;
  readonly unpackedSize: number;
  /** An empty project with the tarball in it, and other packages beside. */
  project(name: string, packages?: readonly string[]): Promise<string>;
  dispose(): Promise<void>;
}

/** Packs what is built. */
export async function pack(): Promise<Packed> {
  const folder = await mkdtemp(join(tmpdir(), "holdfast-packed-"));
  const printed = await must("npm", ["pack", "--json", "--ignore-scripts", "--pack-destination", folder], {
    cwd: root,
  });
  const [made] = JSON.parse(printed) as [{ filename: string; files: PackedFile[]; size: number; unpackedSize: number }];
  const tarball = join(folder, made.filename);
  return {
    tarball,
    files: made.files,
    size: made.size,
    unpackedSize: made.unpackedSize,
    async project(name, packages = []) {
      const cwd = join(folder, name);
      await mkdir(cwd);
      await writeFile(join(cwd, "package.json"), JSON.stringify({ name, private: true, type: "module" }));
      const options = ["--prefer-offline", "--ignore-scripts", "--no-audit", "--no-fund"];
      await must("npm", ["install", tarball, ...packages, ...options], { cwd });
      return cwd;
    },
    dispose: () => rm(folder, { recursive: true, force: true }),
  };
}
