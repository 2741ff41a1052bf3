// What a driver and its workers say to each other: one union of messages in each direction, over comlink.
// What comes out of a worker is untrusted, since a tool shares the thread: it is read here, once.
import type { Endpoint } from "comlink";
import { HoldfastError } from "./errors.ts";
import type { Json } from "./outcome.ts";
import type { WorkerEndpoint, WorkerModule } from "./ports.ts";
import { checkedProgress } from "./progress.ts";
import { readReport, type WorkerReport } from "./worker-report.ts";

/** What a worker tool is told of its call, as plain data. */
export interface CallFacts {
  readonly runId: string;
  readonly callId: string;
  /** 1-based. */
  readonly attempt: number;
  readonly idempotencyKey: string;
  /** Wall-clock ms; absent when there is no bound. */
  readonly deadline?: number;
}

export type ToWorker =
  /** The first message. Its answer proves that the thread works before a call is trusted to it. */
  | { readonly kind: "hello" }
  | {
      readonly kind: "run";
      /** Tells the calls of one thread apart. */
      readonly job: number;
      readonly module: WorkerModule;
      readonly input: unknown;
      readonly facts: CallFacts;
      readonly resultBytesMax: number;
    }
  /** An AbortSignal does not cross: this is what makes the one over there abort. */
  | { readonly kind: "abort"; readonly job: number; readonly why: { readonly name: string; readonly message: string } };

/** How a call ended, in the worker's words. */
export type CallEnd =
  | { readonly kind: "returned"; readonly value: unknown }
  /** `error` is a CallError: of an Error, comlink carries name, message and stack and drops code and data. */
  | { readonly kind: "threw"; readonly error: unknown }
  /** The tool could not be called, or what it returned cannot be used. */
  | { readonly kind: "refused"; readonly code: RefusalCode; readonly what: string; readonly next: string };
const REFUSAL_CODES = ["worker-failed", "result-not-json", "result-too-large"] as const;
export type RefusalCode = (typeof REFUSAL_CODES)[number];

export type FromWorker = CallEnd | { readonly kind: "heard" } | Unasked;

/** What a worker says while its call runs. */
export type Unasked =
  | { readonly kind: "progress"; readonly job: number; readonly value: Json }
  | { readonly kind: "report"; readonly job: number; readonly report: WorkerReport };

/** The worker, as the driver sees it. `run` is answered with its end, the others with `heard`. */
export interface WorkerSide {
  tell(message: ToWorker): Promise<FromWorker>;
}

/** The driver, as the worker sees it: only progress and reports go this way, unasked. */
export interface HostSide {
  tell(message: FromWorker): void;
}

const isObject = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === "object" && value !== null;

function readProgress(job: unknown, value: unknown): FromWorker | undefined {
  if (typeof job !== "number") return undefined;
  try {
    return { kind: "progress", job, value: checkedProgress(value) };
  } catch (problem) {
    if (problem instanceof HoldfastError) return undefined; // it comes from a thread that nobody trusts
    throw problem;
  }
}

/** A message from a worker, or undefined if it is none. Values and errors in it are still to be checked. */
export function readFromWorker(data: unknown): FromWorker | undefined {
  if (!isObject(data)) return undefined;
  switch (data.kind) {
    case "heard":
      return { kind: "heard" };
    case "progress":
      return readProgress(data.job, data.value);
    case "report": {
      const report = readReport(data.report);
      return typeof data.job === "number" && report !== undefined
        ? { kind: "report", job: data.job, report }
        : undefined;
    }
    case "returned":
      return { kind: "returned", value: data.value };
    case "threw":
      return { kind: "threw", error: data.error };
    case "refused": {
      const { what, next } = data;
      const code = REFUSAL_CODES.find((known) => known === data.code);
      if (code === undefined) return undefined;
      return { kind: "refused", code, what: String(what), next: String(next) };
    }
    default:
      return undefined;
  }
}

/** Is it the answer to a message, or a call of `tell` with one argument? Nothing else may reach comlink. */
function isOfTheWire(data: unknown): boolean {
  if (!isObject(data) || typeof data.id !== "string") return false;
  if (data.type === "RAW") return true;
  if (data.type === "HANDLER") return data.name === "throw" && isObject(data.value);
  const { path, argumentList } = data;
  return (
    data.type === "APPLY" &&
    Array.isArray(path) &&
    path.length === 1 &&
    path[0] === "tell" &&
    Array.isArray(argumentList) &&
    argumentList.length === 1 &&
    isObject(argumentList[0]) &&
    argumentList[0].type === "RAW"
  );
}

/**
 * An endpoint that lets only well-formed messages in: comlink throws in its listener on some others, which
 * would end the process, and would call whatever property of an object a message names.
 */
export function guarded(endpoint: WorkerEndpoint): Endpoint {
  const inner = endpoint as unknown as Endpoint;
  type Listener = { handleEvent(event: unknown): void } | ((event: unknown) => void);
  return {
    postMessage: (message, transfer) => inner.postMessage(message, transfer),
    addEventListener(type: string, listener: Listener) {
      inner.addEventListener(type, (event: { readonly data?: unknown }) => {
        if (!isOfTheWire(event.data)) return;
        if (typeof listener === "function") listener(event);
        else listener.handleEvent(event);
      });
    },
    // A thread is listened to until it has gone.
    removeEventListener: () => undefined,
    ...(inner.start === undefined ? {} : { start: () => inner.start?.() }),
  } as Endpoint;
}
