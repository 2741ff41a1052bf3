// Who holds a lease, and whether that process is provably gone: then its runs are free at once, and nobody
// waits for a lease of the dead to end. What cannot be proved is left to the lease's own end.
import { randomUUID } from "node:crypto";
import { readFileSync, readlinkSync } from "node:fs";
import { hostname } from "node:os";

/** An open journal of some process, as the store knows it. */
export interface Holder {
  /** Of one open journal: two in one process are two holders. */
  readonly id: string;
  readonly pid: number;
  /** When the process began, in units of its system; empty where that cannot be known. */
  readonly started: string;
  /** Where its pid means something: machine, boot and namespace of processes. */
  readonly machine: string;
}

/** This process, as a new holder. */
export function newHolder(): Holder {
  return { id: randomUUID(), pid: process.pid, started: processState(process.pid)?.started ?? "", machine: machine() };
}

/** Is the process certainly no more? False when it lives, and when nobody here can tell. */
export function isGone(holder: Omit<Holder, "id">): boolean {
  if (holder.machine !== machine()) return false;
  if (!exists(holder.pid)) return true;
  const state = processState(holder.pid);
  // Its number may be another's by now; and one that nobody has waited for yet does nothing any more.
  return state !== undefined && holder.started !== "" && (state.dead || state.started !== holder.started);
}

function exists(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code !== "ESRCH";
  }
}

/** Linux only: /proc/<pid>/stat, proc(5). */
function processState(pid: number): { readonly started: string; readonly dead: boolean } | undefined {
  const text = textOf(() => readFileSync(`/proc/${pid}/stat`, "latin1"));
  // The second field is a name in brackets and may contain anything; the third is the state, the 22nd the start.
  const fields = text.slice(text.lastIndexOf(")") + 2).split(" ");
  const [state, started] = [fields[0], fields[19]];
  return started === undefined ? undefined : { started, dead: state === "Z" || state === "X" };
}

let knownMachine: string | undefined;

function machine(): string {
  knownMachine ??= [
    hostname(),
    textOf(() => readFileSync("/proc/sys/kernel/random/boot_id", "latin1").trim()),
    // Containers that share a file do not share their numbers of processes.
    textOf(() => readlinkSync("/proc/self/ns/pid")),
  ].join(" ");
  return knownMachine;
}

/** Empty where the system has no such thing. */
function textOf(read: () => string): string {
  try {
    return read();
  } catch {
    return "";
  }
}
