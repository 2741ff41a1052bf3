// The moments around a host's appends: each is let pass, held for a while, or kept for the line of the script
// that wants the host to die, or the write to fail, just then.
import type { SessionMessage } from "../protocol/messages.ts";
import { HostFault } from "./host-fault.ts";
import type { AppendPoint, ScriptLine } from "./scenario.ts";

type AppendMessage = Extract<SessionMessage, { type: "append" }>;

/** A line that waits for a moment. */
type ArmedLine = Extract<ScriptLine, { readonly point: unknown }>;

export class AppendPoints {
  readonly #armed: { readonly line: ArmedLine; readonly point: AppendPoint }[];
  readonly #held = new Map<ScriptLine, number>();
  readonly #go: (n: number) => void;
  readonly #holdMs: number;
  #groups = 0;
  /** Groups of each run that are being written, oldest first: a run's appends come one after another. */
  readonly #writing = new Map<string, number[]>();

  constructor(script: readonly ScriptLine[], holdMs: number, go: (n: number) => void) {
    // Armed from the beginning: what a line waits for may come before the script has got to it.
    this.#armed = script.flatMap((line) =>
      "point" in line && line.point !== undefined ? [{ line, point: line.point }] : [],
    );
    this.#holdMs = holdMs;
    this.#go = go;
  }

  /** The number of the group, 1-based. */
  arrived(message: AppendMessage): number {
    const group = this.#groupOf(message);
    const at = this.#armed.findIndex(({ point }) => means(point, message, group));
    const [found] = at === -1 ? [] : this.#armed.splice(at, 1);
    if (found !== undefined) this.#held.set(found.line, message.n);
    else if (this.#holdMs > 0) setTimeout(() => this.#go(message.n), this.#holdMs);
    else this.#go(message.n);
    return group;
  }

  /** The number of the append that is held for this line, once it is. */
  heldFor(line: ScriptLine): number | undefined {
    return this.#held.get(line);
  }

  #groupOf({ run, when }: AppendMessage): number {
    const writing = this.#writing.get(run) ?? [];
    this.#writing.set(run, writing);
    if (when === "before") writing.push(++this.#groups);
    const group = when === "before" ? this.#groups : writing.shift();
    if (group === undefined) throw new HostFault("protocol", `it says after an append to ${run} without before`);
    return group;
  }
}

function means({ when, entry }: AppendPoint, message: AppendMessage, group: number): boolean {
  if (when !== message.when) return false;
  if ("nth" in entry) return entry.nth === group;
  return message.entries.some(
    ({ kind, ids }) => kind === entry.kind && (entry.id === undefined || ids?.includes(entry.id) === true),
  );
}
