// The processes of one host: started when they are needed, a little before where that saves waiting, used again
// where the host says that it can be.
import type { Hello } from "../protocol/messages.ts";
import { HostProcess } from "./host-process.ts";

export interface HostCommand {
  /** The program and its arguments. */
  readonly command: readonly string[];
  readonly environment?: Readonly<Record<string, string>>;
}

export interface PoolBounds {
  /** A host says hello within, ms. */
  readonly helloMs: number;
  /** And ends within, after its input was closed, ms. */
  readonly endMs: number;
}

export class HostPool {
  readonly #host: HostCommand;
  readonly #bounds: PoolBounds;
  #idle: HostProcess[] = [];
  #spare: HostProcess | undefined;
  #closed = false;
  readonly #started = new WeakSet<HostProcess>();

  constructor(host: HostCommand, bounds: PoolBounds) {
    this.#host = host;
    this.#bounds = bounds;
  }

  /** Who the host is. Throws `HostFault`. */
  async hello(): Promise<Hello> {
    const host = await this.take();
    await this.giveBack(host);
    return host.hello;
  }

  /** A process that has said hello. Throws `HostFault`. */
  async take(): Promise<HostProcess> {
    for (let host = this.#idle.pop(); host !== undefined; host = this.#idle.pop()) if (host.isUsable) return host;
    const host = this.#spare?.isUsable ? this.#spare : this.#start();
    this.#spare = undefined;
    await host.greeted(this.#bounds.helloMs);
    return host;
  }

  /** Starts one ahead: somebody is about to need it. */
  prepare(): void {
    if (!this.#closed && this.#idle.length === 0 && this.#spare === undefined) this.#spare = this.#start();
  }

  /** Is it one of its processes? */
  owns(host: HostProcess): boolean {
    return this.#started.has(host);
  }

  /** It has said `ended`. One that cannot be used again must end by itself: throws `HostFault` if it does not. */
  async giveBack(host: HostProcess): Promise<void> {
    if (host.hello.capabilities.includes("reuse") && host.isUsable && !this.#closed) this.#idle.push(host);
    else await host.dismiss(this.#bounds.endMs);
  }

  /** Ends what is left. Throws `HostFault` when something will not. */
  async close(): Promise<void> {
    this.#closed = true;
    await this.#spare?.kill();
    await Promise.all(this.#idle.splice(0).map((host) => host.dismiss(this.#bounds.endMs)));
  }

  #start(): HostProcess {
    const host = new HostProcess(this.#host.command, this.#host.environment);
    this.#started.add(host);
    return host;
  }
}
