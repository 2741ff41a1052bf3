// A provider of a model or an API, as its clients see it: HTTP on the loopback, refusing with 429 and
// Retry-After what its quota does not grant, telling in headers what is left. It keeps an account of all
// that it was asked, so that a test, the demo and the bench can count. It never leaves this machine.
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { type Answer, Quota, type QuotaOptions } from "./quota.ts";

export interface ProviderOptions extends QuotaOptions {
  /** How long a granted request takes, ms; by its number, 1-based, if it is a function. Default 20. */
  readonly latencyMs?: number | ((request: number) => number);
  /** How a 429 says when: seconds rounded up (default), a date, milliseconds (`retry-after-ms`), or not at all. */
  readonly retryAfter?: "seconds" | "date" | "milliseconds" | "none";
}

/** One request, as it was answered. Times are ms after the provider began. */
export interface Asked {
  readonly id: string;
  readonly at: number;
  readonly status: number;
  readonly why?: string;
}

export interface Provider {
  readonly url: string;
  /** Every request so far, in the order in which they came. */
  readonly asked: readonly Asked[];
  /** Most requests under way at once. */
  readonly peak: number;
  /** Ends it, with whatever is under way. */
  close(): Promise<void>;
}

/** Bytes of a request; a larger one is not read. */
const BODY_BYTES_MAX = 64 * 1024;

interface Wanted {
  readonly id: string;
  readonly tokens: number;
}

async function readWanted(request: IncomingMessage): Promise<Wanted | undefined> {
  let text = "";
  for await (const chunk of request.setEncoding("utf8")) {
    text += chunk as string;
    if (text.length > BODY_BYTES_MAX) return undefined;
  }
  try {
    const { id, tokens = 1 } = JSON.parse(text) as { id?: unknown; tokens?: unknown };
    const whole = typeof tokens === "number" && Number.isSafeInteger(tokens) && tokens >= 0;
    return typeof id === "string" && whole ? { id, tokens } : undefined;
  } catch {
    return undefined; // answered with 400
  }
}

function retryHeaders(answer: Answer, style: ProviderOptions["retryAfter"]): Record<string, string> {
  if (!("why" in answer) || style === "none" || !Number.isFinite(answer.retryAfterMs)) return {};
  const ms = Math.ceil(answer.retryAfterMs);
  if (style === "milliseconds") return { "retry-after-ms": String(ms) };
  if (style === "date") return { "retry-after": new Date(Date.now() + ms + 999).toUTCString() };
  return { "retry-after": String(Math.ceil(ms / 1000)) };
}

/** What is left, by the names that OpenAI's API uses. */
function quotaHeaders(quota: Quota, now: number): Record<string, string> {
  const headers: Record<string, string> = {};
  for (const [what, standing] of Object.entries(quota.standing(now))) {
    headers[`x-ratelimit-limit-${what}`] = String(standing.limit);
    headers[`x-ratelimit-remaining-${what}`] = String(standing.remaining);
    headers[`x-ratelimit-reset-${what}`] = `${Math.ceil(standing.resetMs)}ms`;
  }
  return headers;
}

/** Starts a provider on a free port of the loopback. `POST /` with JSON `{ id, tokens? }` asks it. */
export async function startProvider(options: ProviderOptions = {}): Promise<Provider> {
  const quota = new Quota(options);
  const began = performance.now();
  const asked: Asked[] = [];
  let underWay = 0;
  let peak = 0;

  async function answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const wanted = await readWanted(request);
    const say = (status: number, headers: Record<string, string>, body: unknown): void => {
      response.writeHead(status, { "content-type": "application/json", ...headers }).end(JSON.stringify(body));
    };
    if (wanted === undefined) return say(400, {}, { error: "not { id, tokens? }" });
    const at = performance.now() - began;
    const answered = quota.ask(at, wanted.tokens);
    asked.push({ id: wanted.id, at, status: answered.status, ...("why" in answered ? { why: answered.why } : {}) });
    if ("why" in answered) {
      const headers = { ...retryHeaders(answered, options.retryAfter), ...quotaHeaders(quota, at) };
      return say(answered.status, headers, { error: answered.why });
    }
    peak = Math.max(peak, ++underWay);
    const { latencyMs = 20 } = options;
    await new Promise((done) => setTimeout(done, typeof latencyMs === "number" ? latencyMs : latencyMs(asked.length)));
    underWay--;
    quota.end();
    say(200, quotaHeaders(quota, performance.now() - began), { id: wanted.id, tokens: wanted.tokens });
  }

  const server = createServer((request, response) => {
    answer(request, response).catch((thrown: unknown) => response.destroy(thrown as Error));
  });
  await new Promise<void>((listening, failed) => {
    server.once("error", failed).listen(0, "127.0.0.1", listening);
  });
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${port}/`,
    asked,
    get peak() {
      return peak;
    },
    close: () =>
      new Promise((closed) => {
        server.close(() => closed());
        server.closeAllConnections();
      }),
  };
}
