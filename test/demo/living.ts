// Which processes live whose command line or environment names a folder. Linux: elsewhere it sees none.
import { readdirSync, readFileSync } from "node:fs";

function read(path: string): string {
  try {
    return readFileSync(path, "latin1");
  } catch {
    // It has gone meanwhile, or is another user's.
    return "";
  }
}

/** Ids of those processes, this one left out. A zombie has neither, and does nothing. */
export function livingIn(folder: string): readonly number[] {
  const ids = process.platform === "linux" ? readdirSync("/proc").filter((name) => /^\d+$/.test(name)) : [];
  return ids
    .filter((id) => `${read(`/proc/${id}/cmdline`)}\0${read(`/proc/${id}/environ`)}`.includes(folder))
    .map(Number)
    .filter((id) => id !== process.pid);
}
