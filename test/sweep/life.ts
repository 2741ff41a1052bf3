// One life of a turn: a folder with its journal and its ledger, and the processes that carry it.
import { spawn } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { type Deed, readLedger, type TurnSeen } from "./ledger.ts";

const turn = fileURLToPath(new URL("turn.mjs", import.meta.url));
/** A process that takes longer hangs. */
const PROCESS_MS_MAX = 30_000;

export type Moment = "before" | "during" | "after";

/** A process has ended: killed, or with what it saw. */
export interface Ended {
  readonly pid: number;
  readonly signal: NodeJS.Signals | null;
  readonly seen: TurnSeen | undefined;
}

export class Life {
  readonly folder = mkdtempSync(join(tmpdir(), "holdfast-sweep-"));

  /** Starts the turn, or goes on with it; dies at the append of this number, 0 for not at all. */
  async process(killAt = 0, moment: Moment = "before"): Promise<Ended> {
    const files = [join(this.folder, "journal.db"), join(this.folder, "ledger")];
    const child = spawn(process.execPath, [turn, ...files, String(killAt), moment], {
      stdio: ["ignore", "pipe", "pipe"],
    });
    const output = { stdout: "", stderr: "" };
    child.stdout.setEncoding("utf8").on("data", (text: string) => (output.stdout += text));
    child.stderr.setEncoding("utf8").on("data", (text: string) => (output.stderr += text));
    const timer = setTimeout(() => child.kill("SIGABRT"), PROCESS_MS_MAX);
    const { code, signal } = await new Promise<{ code: number | null; signal: NodeJS.Signals | null }>((resolve) =>
      child.on("close", (code, signal) => resolve({ code, signal })),
    );
    clearTimeout(timer);
    if (code !== 0 && signal !== "SIGKILL")
      throw new Error(`the turn's process ended with ${code ?? signal}:\n${output.stderr}${output.stdout}`);
    return { pid: child.pid ?? 0, signal, seen: code === 0 ? (JSON.parse(output.stdout) as TurnSeen) : undefined };
  }

  deeds(): readonly Deed[] {
    const ledger = join(this.folder, "ledger");
    return existsSync(ledger) ? readLedger(readFileSync(ledger, "utf8")) : [];
  }

  end(): void {
    rmSync(this.folder, { recursive: true, force: true });
  }
}
