// The command `holdfast` as a shell sees it: the built file, in a process of its own.
import { spawn } from "node:child_process";
import { fileURLToPath } from "node:url";

export const CLI = fileURLToPath(new URL("../../dist/cli.js", import.meta.url));
/** A bound against a hang. */
const COMMAND_MS_MAX = 120_000;

export interface Said {
  readonly code: number | null;
  readonly signal: string | null;
  readonly stdout: string;
  readonly stderr: string;
}

export interface CommandOptions {
  readonly cwd?: string;
  /** Over an environment that says nothing of a terminal. */
  readonly env?: NodeJS.ProcessEnv;
  readonly node?: string;
  /** Called with all that was printed so far; what it returns is sent to the command as a signal. */
  readonly onOutput?: (stdout: string) => NodeJS.Signals | "close" | undefined;
}

const NEUTRAL = { PATH: process.env.PATH, HOME: process.env.HOME, TMPDIR: process.env.TMPDIR, LC_ALL: "C.UTF-8" };

/** Runs the command to its end. */
export function holdfast(args: readonly string[], options: CommandOptions = {}): Promise<Said> {
  const { cwd, env = {}, node = process.execPath, onOutput } = options;
  const child = spawn(node, [CLI, ...args], {
    ...(cwd === undefined ? {} : { cwd }),
    env: { ...NEUTRAL, ...env },
    stdio: ["ignore", "pipe", "pipe"],
    timeout: COMMAND_MS_MAX,
  });
  let stdout = "";
  let stderr = "";
  let done = false;
  child.stdout.setEncoding("utf8").on("data", (text: string) => {
    stdout += text;
    const wanted = done ? undefined : onOutput?.(stdout);
    if (wanted === undefined) return;
    done = true;
    if (wanted === "close") child.stdout.destroy();
    else child.kill(wanted);
  });
  child.stderr.setEncoding("utf8").on("data", (text: string) => {
    stderr += text;
  });
  return new Promise((resolve, reject) => {
    child.once("error", reject);
    child.once("close", (code, signal) => resolve({ code, signal, stdout, stderr }));
  });
}
