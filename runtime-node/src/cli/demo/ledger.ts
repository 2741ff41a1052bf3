// The demo's witness: a file to which the tools themselves append, on disk before they go on, when they
// begin and when they have ended. It knows nothing of the journal, so one can be held against the other.
import { closeSync, fsyncSync, openSync, writeSync } from "node:fs";
import { readFile } from "node:fs/promises";

/** What a tool or a reconciler says of itself. */
export interface LedgerLine {
  readonly what: "began" | "ended" | "failed" | "asked" | "said-done" | "said-not-done" | "said-unknown";
  readonly call: string;
  readonly attempt: number;
  /** Which process of the demo wrote it, 1-based. */
  readonly life: number;
  /** Wall-clock ms. */
  readonly at: number;
}

/** Appends one line and waits for the disk. Several processes and threads may write: a line is one write. */
export function writeLedger(path: string, line: LedgerLine): void {
  const file = openSync(path, "a");
  try {
    writeSync(file, `${JSON.stringify(line)}\n`);
    fsyncSync(file);
  } finally {
    closeSync(file);
  }
}

/** All lines, oldest first. A last line without its end was cut off by the kill and says nothing. */
export async function readLedger(path: string): Promise<LedgerLine[]> {
  const text = await readFile(path, "utf8");
  const whole = text.slice(0, text.lastIndexOf("\n") + 1);
  return whole
    .split("\n")
    .filter((line) => line !== "")
    .map((line) => JSON.parse(line) as LedgerLine);
}
