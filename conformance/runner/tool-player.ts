// Plays the tools: keeps the calls and asks that the host has made and nobody has answered, and answers those
// that no script speaks of, in the order that the environment wants. The ledger of the outside is what it hears.
import type { Ending, SessionMessage, WireVerdict } from "../protocol/messages.ts";
import type { Answering } from "./environments.ts";
import { HostFault } from "./host-fault.ts";
import type { Played } from "./scenario.ts";

type CallMessage = Extract<SessionMessage, { type: "call" | "ask" }>;

/** A call or an ask that the host has made. */
interface Open {
  readonly message: CallMessage;
  answered: boolean;
}

/** How a script's sets name a call: of one run, or of whichever. */
export function scriptName(id: string, run: string | undefined): string {
  return JSON.stringify(run === undefined ? [id] : [id, run]);
}

/** Sends what a tool or a reconciler says. */
export interface Answerer {
  answer(n: number, ending: Ending): void;
  verdict(n: number, verdict: WireVerdict): void;
}

/** For how long nothing new may come before the last call of a crowd is answered, ms. */
const CROWD_MS = 25;

export interface PlayerOptions {
  readonly answering: Answering;
  readonly play: ReadonlyMap<string, Played>;
  /** Calls and asks that the script answers, by `scriptName`. */
  readonly scripted: { readonly calls: ReadonlySet<string>; readonly asks: ReadonlySet<string> };
  /** A number below `most`, from the seed. */
  readonly draw: (most: number) => number;
}

export class ToolPlayer {
  readonly #options: PlayerOptions;
  readonly #out: Answerer;
  readonly #open = new Map<number, Open>();
  #crowd: Open[] = [];
  #timer: NodeJS.Timeout | undefined;

  constructor(options: PlayerOptions, out: Answerer) {
    this.#options = options;
    this.#out = out;
  }

  called(message: CallMessage): void {
    if (this.#open.has(message.n)) throw new HostFault("protocol", `it used the number ${message.n} twice`);
    const open: Open = { message, answered: false };
    this.#open.set(message.n, open);
    const { calls, asks } = this.#options.scripted;
    const scripted = message.type === "call" ? calls : asks;
    if (scripted.has(scriptName(message.id, undefined)) || scripted.has(scriptName(message.id, message.run))) return;
    if (this.#options.answering === "at-once" || this.#options.answering === "twice") this.#play(open);
    else this.#join(open);
  }

  /** The oldest call of this id that has no answer. */
  waiting(type: "call" | "ask", id: string): number | undefined {
    for (const [n, { message, answered }] of this.#open) {
      if (!answered && message.type === type && message.id === id) return n;
    }
    return undefined;
  }

  answer(n: number, ending: Ending): void {
    this.#done(n);
    this.#out.answer(n, ending);
    if (this.#options.answering === "twice") this.#out.answer(n, ending);
  }

  verdict(n: number, verdict: WireVerdict): void {
    this.#done(n);
    this.#out.verdict(n, verdict);
    if (this.#options.answering === "twice") this.#out.verdict(n, verdict);
  }

  /** The process is gone: nobody is answered any more. */
  end(): void {
    clearTimeout(this.#timer);
    this.#crowd = [];
    for (const open of this.#open.values()) open.answered = true;
  }

  #done(n: number): void {
    const open = this.#open.get(n);
    if (open !== undefined) open.answered = true;
  }

  #play({ message }: Open): void {
    const played = this.#options.play.get(message.id);
    if (message.type === "ask") this.verdict(message.n, played?.verdict ?? { verdict: "unknown" });
    else this.answer(message.n, played?.ending ?? { outcome: "ok", value: message.id });
  }

  /** Waits until no further call comes, then lets one of them end; and so on. */
  #join(open: Open): void {
    this.#crowd.push(open);
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.#release(), CROWD_MS);
  }

  #release(): void {
    const at = this.#options.answering === "reversed" ? this.#crowd.length - 1 : this.#options.draw(this.#crowd.length);
    const [open] = this.#crowd.splice(at, 1);
    if (open !== undefined) this.#play(open);
    if (this.#crowd.length > 0) this.#timer = setTimeout(() => this.#release(), CROWD_MS);
  }
}
