// Asks the provider, one HTTP request per ask, and counts what it sees. It decides nothing: neither when
// to ask nor whether to ask again. It knows one address, on the loopback.
import { Agent, request } from "node:http";

/** What the provider said. */
export interface Reply {
  readonly status: number;
  /** Of a refusal that says when to come back, ms. */
  readonly retryAfterMs?: number;
}

export class Client {
  /** Requests that nobody has answered yet. */
  underWay = 0;
  mostAtOnce = 0;
  readonly #url: string;
  readonly #agent = new Agent({ keepAlive: true });

  constructor(url: string) {
    this.#url = url;
  }

  async ask(id: string, signal: AbortSignal): Promise<Reply> {
    this.mostAtOnce = Math.max(this.mostAtOnce, ++this.underWay);
    try {
      return await this.#post(JSON.stringify({ id }), signal);
    } finally {
      this.underWay--;
    }
  }

  #post(body: string, signal: AbortSignal): Promise<Reply> {
    return new Promise((resolve, reject) => {
      const asked = request(this.#url, { method: "POST", agent: this.#agent, signal }, (response) => {
        const seconds = Number(response.headers["retry-after"]);
        const status = response.statusCode ?? 0;
        response.once("error", reject).resume();
        response.once("end", () => resolve(seconds >= 0 ? { status, retryAfterMs: seconds * 1_000 } : { status }));
      });
      asked.once("error", reject).end(body);
    });
  }

  /** Lets go of its connections. */
  close(): void {
    this.#agent.destroy();
  }
}
