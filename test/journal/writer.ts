// Starts writer.mjs and listens to it. Whatever is started is ended by the test that started it.
import { type ChildProcess, spawn } from "node:child_process";
import { fileURLToPath } from "node:url";

const program = fileURLToPath(new URL("writer.mjs", import.meta.url));
/** A wait that takes longer is a hang. */
const WAIT_MS_MAX = 60_000;

export class Writer {
  readonly lines: string[] = [];
  readonly #child: ChildProcess;
  readonly ended: Promise<{ readonly code: number | null; readonly signal: NodeJS.Signals | null }>;
  #stderr = "";
  #listeners: (() => void)[] = [];
  #over = false;

  constructor(what: "groups" | "fight" | "hold" | "abandon", path: string, run: string, leaseMs = 10_000) {
    this.#child = spawn(process.execPath, [program, what, path, run, String(leaseMs)], { stdio: "pipe" });
    let rest = "";
    this.#child.stdout!.setEncoding("utf8").on("data", (text: string) => {
      const lines = (rest + text).split("\n");
      rest = lines.pop()!;
      this.lines.push(...lines);
      this.#tell();
    });
    this.#child.stderr!.setEncoding("utf8").on("data", (text: string) => {
      this.#stderr += text;
    });
    this.ended = new Promise((resolve) =>
      this.#child.once("close", (code, signal) => {
        this.#over = true;
        this.#tell();
        resolve({ code, signal });
      }),
    );
  }

  get pid(): number {
    return this.#child.pid!;
  }

  /** The line that comes at this place, once it has come. */
  async line(index: number): Promise<string> {
    const until = Date.now() + WAIT_MS_MAX;
    while (this.lines.length <= index) {
      if (this.#over) throw new Error(`the writer ended after ${this.lines.length} lines: ${this.#stderr}`);
      if (Date.now() > until) throw new Error(`the writer said nothing for ${WAIT_MS_MAX} ms`);
      await new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, 1_000);
        this.#listeners.push(() => {
          clearTimeout(timer);
          resolve();
        });
      });
    }
    return this.lines[index]!;
  }

  /** Tells it to do something, and gives what it says to that. */
  ask(line: string): Promise<string> {
    const index = this.lines.length;
    this.#child.stdin!.write(`${line}\n`);
    return this.line(index);
  }

  signal(signal: NodeJS.Signals): void {
    this.#child.kill(signal);
  }

  /** However it stands. */
  async kill(): Promise<void> {
    this.#child.kill("SIGKILL");
    await this.ended;
  }

  #tell(): void {
    const listeners = this.#listeners;
    this.#listeners = [];
    for (const listener of listeners) listener();
  }
}
