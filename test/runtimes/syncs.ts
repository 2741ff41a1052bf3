// Counts what a process asks of the disk, as the kernel sees it: strace, which only Linux has. It judges
// nothing.
import { execFile, spawnSync } from "node:child_process";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import type { Skip } from "./nodes.ts";

/** Skips the test, or fails under CI, where system calls cannot be traced. */
export function needStrace(skip: Skip): void {
  const tried = spawnSync("strace", ["-o", "/dev/null", "true"], { encoding: "utf8" });
  if (tried.status === 0) return;
  const note = `strace does not work here (${tried.error?.message ?? tried.stderr.trim()}): apt-get install strace`;
  if (process.env.CI) throw new Error(note);
  skip(note);
}

/** How often the disk was synced while a batch ran: its plan, its starts, its outcomes. */
export async function syncsOfBatch(node: string, size: number, limit: number | "all"): Promise<number> {
  const folder = await mkdtemp(join(tmpdir(), "holdfast-syncs-"));
  try {
    const trace = join(folder, "trace");
    const program = fileURLToPath(new URL("counted-batch.mjs", import.meta.url));
    const traced = [node, program, join(folder, "journal.db"), String(size), String(limit)];
    await promisify(execFile)("strace", ["-f", "-o", trace, "-e", "trace=fdatasync,fsync,write", ...traced]);
    return countSyncs(await readFile(trace, "utf8"));
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/** Syncs begun between the two marks of a trace. A call that another thread interrupts is `resumed` on a later line. */
export function countSyncs(trace: string): number {
  const lines = trace.split("\n");
  const begun = lines.findIndex((line) => /\bwrite\(2, "<batch/.test(line));
  const ended = lines.findIndex((line) => /\bwrite\(2, "batch>/.test(line));
  if (begun === -1 || ended < begun) throw new Error("the trace has no batch in it");
  return lines.slice(begun, ended).filter((line) => /^\d+ +(?:fdatasync|fsync)\(/.test(line)).length;
}
