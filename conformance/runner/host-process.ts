// A host's process: its messages in, ours out, and its end. Everything it does is bounded; whatever it does,
// it is in a process group of its own, and that group can be killed as a whole.
import { type ChildProcess, spawn } from "node:child_process";
import { LINES_MAX, NotAMessage, readHostLine, writeRunnerLine } from "../protocol/checked.ts";
import { LineTooLong, lineSplitter } from "../protocol/line-splitter.ts";
import type { Hello, RunnerMessage, SessionMessage } from "../protocol/messages.ts";
import { HostFault } from "./host-fault.ts";

/** Bytes of standard error that are kept, the last ones. */
const STDERR_KEPT = 8_192;
/** After its end, what it had written arrives within this time, ms. */
const DRAIN_MS = 2_000;

/** Whoever wants to hear of a process. */
export interface Listener {
  message(message: SessionMessage): void;
  /** It is over, and it should not be. Called once. */
  broken(fault: HostFault): void;
}

const living = new Set<HostProcess>();
process.on("exit", () => {
  for (const host of living) host.killNow();
});

export class HostProcess {
  readonly #child: ChildProcess;
  readonly #closed: Promise<void>;
  #hello: Hello | undefined;
  #heard: (() => void) | undefined;
  #listener: Listener | undefined;
  #fault: HostFault | undefined;
  #expectedToEnd = false;
  #lines = 0;
  #stderr = "";

  constructor(command: readonly string[], environment: Readonly<Record<string, string>> = {}) {
    const [file, ...args] = command as [string, ...string[]];
    this.#child = spawn(file, args, {
      stdio: ["pipe", "pipe", "pipe"],
      detached: process.platform !== "win32",
      env: { ...process.env, ...environment },
    });
    living.add(this);
    const split = lineSplitter((line) => this.#line(line));
    this.#child.stdout?.on("data", (bytes: Uint8Array) => {
      if (this.#fault !== undefined) return;
      try {
        split(bytes);
      } catch (error) {
        this.#break(this.#faultOf(error));
      }
    });
    this.#child.stderr?.setEncoding("utf8").on("data", (text: string) => {
      this.#stderr = (this.#stderr + text).slice(-STDERR_KEPT);
    });
    this.#child.stdin?.on("error", () => undefined); // it has ended; its end says so
    this.#closed = new Promise((resolve) => {
      this.#child.on("error", (error) => {
        this.#break(new HostFault("no-start", `${file} cannot be started: ${error.message}`));
        resolve();
      });
      this.#child.on("exit", (code, signal) => {
        const drained = setTimeout(resolve, DRAIN_MS);
        this.#child.on("close", () => {
          clearTimeout(drained);
          resolve();
        });
        void this.#closed.then(() => this.#ended(code, signal));
      });
    });
    void this.#closed.then(() => living.delete(this));
  }

  get stderr(): string {
    return this.#stderr;
  }

  /** What it said of itself; once `greeted` has resolved. */
  get hello(): Hello {
    if (this.#hello === undefined) throw new Error("the host has not said hello");
    return this.#hello;
  }

  get isUsable(): boolean {
    return this.#fault === undefined && !this.#expectedToEnd && this.#child.exitCode === null;
  }

  /** Waits for its hello. Throws `HostFault`. */
  async greeted(boundMs: number): Promise<Hello> {
    if (this.#hello === undefined && this.#fault === undefined) {
      await new Promise<void>((resolve) => {
        this.#heard = resolve;
        const timer = setTimeout(() => {
          this.#break(new HostFault("no-hello", `it did not say hello within ${boundMs} ms${this.#lastWords()}`));
          resolve();
        }, boundMs);
        void this.#closed.then(resolve);
        this.#heard = () => {
          clearTimeout(timer);
          resolve();
        };
      });
    }
    await Promise.resolve();
    if (this.#fault !== undefined) throw this.#fault;
    return this.hello;
  }

  /** From now on messages go to this listener, and to no other. */
  listen(listener: Listener | undefined): void {
    this.#listener = listener;
    this.#lines = 0;
    if (this.#fault !== undefined) listener?.broken(this.#fault);
  }

  send(message: RunnerMessage): void {
    this.#child.stdin?.write(writeRunnerLine(message));
  }

  /** SIGKILL, for real; resolves when it is gone and what it had said has been heard. */
  async kill(): Promise<void> {
    this.#expectedToEnd = true;
    this.killNow();
    await this.#closed;
  }

  /** SIGKILL to the whole group, without waiting. */
  killNow(): void {
    this.#signal("SIGKILL");
  }

  /** SIGSTOP: it stands still and knows nothing of it. */
  freeze(): void {
    this.#signal("SIGSTOP");
  }

  thaw(): void {
    this.#signal("SIGCONT");
  }

  /** Closes its input: it is to end by itself. Throws `HostFault` when it does not. */
  async dismiss(boundMs: number): Promise<void> {
    this.#expectedToEnd = true;
    this.#child.stdin?.end();
    let late = false;
    const timer = setTimeout(() => {
      late = true;
      this.killNow();
    }, boundMs);
    await this.#closed;
    clearTimeout(timer);
    if (late) throw new HostFault("left-over", `it did not end within ${boundMs} ms after its input was closed`);
  }

  #signal(signal: NodeJS.Signals): void {
    const { pid } = this.#child;
    if (pid === undefined) return;
    try {
      if (process.platform === "win32") this.#child.kill(signal);
      else process.kill(-pid, signal);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== "ESRCH") throw error; // it has ended already
    }
  }

  #line(line: string): void {
    if (++this.#lines > LINES_MAX) {
      throw new HostFault("flooded", `it sent more than ${LINES_MAX} lines in one session`);
    }
    const message = readHostLine(line);
    if (this.#hello === undefined) {
      if (message.type !== "hello") throw new HostFault("no-hello", `its first message is ${message.type}, not hello`);
      this.#hello = message;
      this.#heard?.();
      return;
    }
    if (message.type === "hello") throw new HostFault("protocol", "it said hello twice");
    if (this.#listener === undefined) {
      throw new HostFault("other-session", `it says ${message.type} while no session is open: ${line.slice(0, 200)}`);
    }
    this.#listener.message(message);
  }

  #faultOf(error: unknown): HostFault {
    if (error instanceof HostFault) return error;
    if (error instanceof LineTooLong) return new HostFault("flooded", error.message);
    if (error instanceof NotAMessage) return new HostFault("garbage", error.message);
    throw error;
  }

  #ended(code: number | null, signal: NodeJS.Signals | null): void {
    if (this.#expectedToEnd) return;
    const how = signal === null ? `ended with code ${code}` : `was ended by ${signal}`;
    const when = this.#hello === undefined ? " before it said hello" : "";
    this.#break(new HostFault("died", `it ${how}${when}${this.#lastWords()}`));
  }

  #lastWords(): string {
    const words = this.#stderr.trim();
    return words === "" ? "" : `; its standard error: ${words.slice(-1_000)}`;
  }

  #break(fault: HostFault): void {
    if (this.#fault !== undefined) return;
    this.#fault = fault;
    this.killNow();
    this.#heard?.();
    this.#listener?.broken(fault);
  }
}
