// The host's end of the conformance protocol: lines in, lines out, and answers brought to whoever waits for
// them by their number. It knows no scenario and no runtime.
import { readRunnerLine, writeHostLine } from "../../../conformance/protocol/checked.ts";
import { lineSplitter } from "../../../conformance/protocol/line-splitter.ts";
import type { HostMessage, RunnerMessage, SessionMessage } from "../../../conformance/protocol/messages.ts";

/** What the runner answers to a number. */
export type Answer = Extract<RunnerMessage, { type: "answer" | "verdict" | "go" }>;
/** A message without what every message of a session carries. */
type Unsent<Message> = Message extends { readonly session: number } ? Omit<Message, "session"> : never;
type Numbered = Extract<SessionMessage, { type: "call" | "ask" | "append" }>;
type Unnumbered<Message> = Message extends Numbered ? Omit<Message, "session" | "n"> : never;

/** A message that is answered, and how to say more about it. */
export interface Request {
  readonly n: number;
  readonly answer: Promise<Answer>;
}

/** Sends a line. */
export function say(message: HostMessage): void {
  process.stdout.write(writeHostLine(message));
}

/** Calls back for each message of the runner; `onEnd` when it is gone. A line that is no message is thrown. */
export function listen(onMessage: (message: RunnerMessage) => void, onEnd: () => void): void {
  const split = lineSplitter((line) => onMessage(readRunnerLine(line)));
  process.stdin.on("data", (bytes: Uint8Array) => split(bytes));
  process.stdin.on("end", onEnd);
}

/** What is said within one session. */
export class SessionWire {
  readonly session: number;
  readonly #waiting = new Map<number, (answer: Answer) => void>();
  #last = 0;

  constructor(session: number) {
    this.session = session;
  }

  say(message: Unsent<SessionMessage>): void {
    say({ ...message, session: this.session } as SessionMessage);
  }

  ask(message: Unnumbered<Numbered>): Request {
    const n = ++this.#last;
    const answer = new Promise<Answer>((resolve) => this.#waiting.set(n, resolve));
    say({ ...message, session: this.session, n } as SessionMessage);
    return { n, answer };
  }

  /** An answer has come; a second one to the same number finds nobody. */
  answered(answer: Answer): void {
    this.#waiting.get(answer.n)?.(answer);
    this.#waiting.delete(answer.n);
  }
}
