// Processes that a test starts, listens to and kills. What is left of them when a test ends is ended.
import { type ChildProcess, spawn } from "node:child_process";
import { fileURLToPath } from "node:url";
import { onTestFinished } from "vitest";

/** A wait that takes longer is a hang. */
const WAIT_MS_MAX = 60_000;

/** A line that a life has said. */
export interface Line {
  readonly word: string;
  /** Wall ms. */
  readonly at: number;
  readonly [fact: string]: any;
}

export class Life {
  readonly lines: Line[] = [];
  readonly #child: ChildProcess;
  readonly ended: Promise<{ readonly code: number | null; readonly signal: NodeJS.Signals | null }>;
  #stderr = "";
  #over = false;
  #heard: () => void = () => undefined;

  /** A program of this folder. */
  constructor(program: string, args: readonly string[]) {
    const path = fileURLToPath(new URL(program, import.meta.url));
    this.#child = spawn(process.execPath, ["--no-warnings", path, ...args], { stdio: ["pipe", "pipe", "pipe"] });
    let rest = "";
    this.#child.stdout!.setEncoding("utf8").on("data", (text: string) => {
      const lines = (rest + text).split("\n");
      rest = lines.pop()!;
      this.lines.push(...lines.map((line) => JSON.parse(line) as Line));
      this.#heard();
    });
    this.#child.stderr!.setEncoding("utf8").on("data", (text: string) => {
      this.#stderr += text;
    });
    this.ended = new Promise((resolve) =>
      this.#child.once("close", (code, signal) => {
        this.#over = true;
        this.#heard();
        resolve({ code, signal });
      }),
    );
    onTestFinished(() => this.kill());
  }

  /** The first line with this word, once it has come. */
  async said(word: string): Promise<Line> {
    for (const end = Date.now() + WAIT_MS_MAX; ; ) {
      const line = this.lines.find((one) => one.word === word);
      if (line !== undefined) return line;
      if (this.#over) throw new Error(`it ended without saying ${word}: ${this.#stderr}`);
      if (Date.now() > end) throw new Error(`it said no ${word} for ${WAIT_MS_MAX} ms`);
      await new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, 1_000);
        this.#heard = () => {
          clearTimeout(timer);
          resolve();
        };
      });
    }
  }

  /** Says something to it. */
  tell(line: string): void {
    this.#child.stdin!.write(`${line}\n`);
  }

  count(word: string): number {
    return this.lines.filter((one) => one.word === word).length;
  }

  /** SIGKILL, and waits until it is gone. */
  async kill(): Promise<void> {
    if (!this.#over) this.#child.kill("SIGKILL");
    await this.ended;
  }
}
