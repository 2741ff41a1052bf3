// What the runner asks a host that is at work: what holds a call, how much of a limit is in use. It asks again until
// it is as the script says, or patience is over; it knows no other line of a script.
import type { RunnerMessage, SessionMessage } from "../protocol/messages.ts";
import { HostFault } from "./host-fault.ts";
import type { HeldLine, ScriptLine } from "./scenario.ts";

type Said<Type extends SessionMessage["type"]> = Extract<SessionMessage, { type: Type }>;
type Answer = Said<"explained"> | Said<"gauged">;

/** For how long, once the call is there, and how often the host is asked again, ms. */
const PATIENCE_MS = 2_500;
const AGAIN_MS = 15;

/** What asking needs of the stage. */
export interface QuestionsWith {
  readonly session: number;
  readonly hangMs: number;
  readonly send: (question: Extract<RunnerMessage, { type: "explain" | "gauge" }>) => void;
  /** Waits until `look` finds something; throws what broke the host. */
  readonly until: <Found>(what: string, look: () => Found | undefined) => Promise<Found>;
  readonly pass: (ms: number) => Promise<void>;
}

export class Questions {
  readonly #with: QuestionsWith;
  readonly #answers = new Map<number, Answer>();
  readonly #patienceMs: number;
  #asked = 0;

  constructor(options: QuestionsWith) {
    this.#with = options;
    this.#patienceMs = Math.min(options.hangMs / 4, PATIENCE_MS);
  }

  /** The host has answered. Throws `HostFault` when nobody asked. */
  answered(answer: Answer): void {
    if (answer.n > this.#asked || this.#answers.has(answer.n))
      throw new HostFault("protocol", `it answers question ${answer.n}, which nobody asked`);
    this.#answers.set(answer.n, answer);
  }

  /** Asks until this holds the call; else what it is that holds it, when patience is over. */
  async held({ id, run, by, limit }: HeldLine): Promise<string | undefined> {
    const { session, send, hangMs, pass } = this.#with;
    let [before, since] = ["", 0];
    for (;;) {
      const n = ++this.#asked;
      send({ type: "explain", session, n, run, id });
      const { state, why, limit: whose } = await this.#answer("explained", n, `what holds ${id}`);
      if (why === by && (limit === undefined || whose === limit)) return undefined;
      if (state !== before) since = performance.now();
      before = state;
      if (performance.now() > since + (state === "absent" ? hangMs : this.#patienceMs))
        return [state, why, whose].filter((word) => word !== undefined).join(" ");
      await pass(AGAIN_MS);
    }
  }

  /** Asks until so much of the limit is in use; else how much it is, when patience is over. */
  async gauge({ limit, of }: Extract<ScriptLine, { do: "gauge" }>): Promise<string | undefined> {
    const { session, send, pass } = this.#with;
    const since = performance.now();
    for (;;) {
      const n = ++this.#asked;
      send({ type: "gauge", session, n, limit });
      const { inUse, abandoned } = await this.#answer("gauged", n, `how much of ${limit} is in use`);
      if ((of.inUse ?? inUse) === inUse && (of.abandoned ?? abandoned) === abandoned) return undefined;
      if (performance.now() > since + this.#patienceMs) return `inUse=${inUse} abandoned=${abandoned}`;
      await pass(AGAIN_MS);
    }
  }

  async #answer<Type extends Answer["type"]>(type: Type, n: number, what: string): Promise<Said<Type>> {
    const answer = await this.#with.until(what, () => this.#answers.get(n));
    if (answer.type !== type) throw new HostFault("protocol", `it answers question ${n} with ${answer.type}`);
    return answer as Said<Type>;
  }
}
