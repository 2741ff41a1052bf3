// A process of the demo with all that it starts, as one thing that can be killed: the way power fails for
// all of them at once. It leaves no process behind.
import { type ChildProcess, spawn } from "node:child_process";
import { setTimeout as delay } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { ASSIGNMENT, type Assignment } from "./assignment.ts";
import type { LifeMessage } from "./life.ts";

export interface LifeEnd {
  readonly code: number | null;
  readonly signal: string | null;
}

export interface Life {
  readonly pid: number;
  /** Resolves when the process has gone, however it went. */
  readonly ended: Promise<LifeEnd>;
  /** SIGKILL to the process and to all that it started. Twice is once. */
  kill(): void;
}

/** How long the dead may take to be gone, ms. What no one reaps stays in the process table and does nothing. */
const GONE_MS_MAX = 500;

function killGroup(child: ChildProcess): void {
  if (child.pid === undefined) return;
  try {
    // Windows has no groups: there the servers end by themselves when their input does.
    if (process.platform === "win32") child.kill("SIGKILL");
    else process.kill(-child.pid, "SIGKILL");
  } catch (thrown) {
    if ((thrown as NodeJS.ErrnoException).code !== "ESRCH") throw thrown;
  }
}

function groupIsThere(pid: number): boolean {
  if (process.platform === "win32") return false;
  try {
    process.kill(-pid, 0);
    return true;
  } catch {
    // ESRCH: there is none.
    return false;
  }
}

async function groupGone(pid: number): Promise<void> {
  for (let waitedMs = 0; waitedMs < GONE_MS_MAX && groupIsThere(pid); waitedMs += 10) await delay(10);
}

/** Starts a process of the demo in a group of its own. */
export function startLife(assignment: Assignment, onMessage: (message: LifeMessage) => void): Life {
  const program = fileURLToPath(new URL("./cli.js", import.meta.url));
  const child = spawn(process.execPath, [...process.execArgv, program, "demo-turn"], {
    detached: true,
    stdio: ["ignore", "inherit", "inherit", "ipc"],
    env: { ...process.env, [ASSIGNMENT]: JSON.stringify(assignment) },
  });
  child.on("message", (message) => onMessage(message as LifeMessage));
  const ended = new Promise<LifeEnd>((resolve, reject) => {
    child.once("error", reject);
    child.once("exit", (code, signal) => resolve({ code, signal }));
  }).then(async (end) => {
    // Also after a good end: what it started and did not end itself must not outlive the demo.
    killGroup(child);
    await groupGone(child.pid!);
    return end;
  });
  return { pid: child.pid ?? 0, ended, kill: () => killGroup(child) };
}
