// A thrown value as data. Whatever a tool throws becomes a bounded CallError, and the same one is seen
// live and on replay.
import { copyJson } from "./json.ts";
import type { CallError, Json } from "./outcome.ts";

const TEXT_MAX = 8_192;
const DATA_MAX = 64 * 1024;

function text(value: unknown, fallback: string): string {
  if (typeof value !== "string" || value === "") return fallback;
  const whole = value.length > TEXT_MAX ? `${value.slice(0, TEXT_MAX)}…` : value;
  return whole.replace(/[\ud800-\udbff](?![\udc00-\udfff])|(?<![\ud800-\udbff])[\udc00-\udfff]/g, "\ufffd");
}

/** JSON of anything, or undefined where there is no small one. */
function asData(value: unknown): Json | undefined {
  if (value === undefined) return undefined;
  try {
    const copy = copyJson(value, "data", DATA_MAX);
    return JSON.stringify(copy).length <= DATA_MAX ? copy : undefined;
  } catch {
    return undefined; // a degraded description is what is wanted: the error itself must not be lost
  }
}

function show(value: unknown): string {
  try {
    return typeof value === "object" ? JSON.stringify(value) : String(value);
  } catch {
    return `a ${typeof value} that cannot be shown`;
  }
}

function read(value: object, key: string): unknown {
  try {
    return (value as Record<string, unknown>)[key];
  } catch {
    return undefined; // a getter that throws
  }
}

/** What is kept of a thrown value: name, message, code, data (JSON up to 64 KiB), stack. Never throws. */
export function describeError(thrown: unknown): CallError {
  try {
    return described(thrown);
  } catch {
    return { name: "NonError", message: "something was thrown that cannot be looked at" }; // a proxy with traps that throw
  }
}

function described(thrown: unknown): CallError {
  if (typeof thrown !== "object" || thrown === null) {
    const data = asData(thrown);
    return { name: "NonError", message: text(show(thrown), "nothing"), ...(data === undefined ? {} : { data }) };
  }
  const isError = thrown instanceof Error || typeof read(thrown, "message") === "string";
  const code = read(thrown, "code");
  const data = asData(isError ? read(thrown, "data") : thrown);
  const stack = read(thrown, "stack");
  return {
    name: text(read(thrown, "name"), isError ? "Error" : "NonError"),
    message: text(read(thrown, "message"), isError ? "" : text(show(thrown), "an object")),
    ...(typeof code === "string" || (typeof code === "number" && Number.isFinite(code))
      ? { code: typeof code === "string" ? text(code, "") : code }
      : {}),
    ...(data === undefined ? {} : { data }),
    ...(typeof stack === "string" ? { stack: text(stack, "") } : {}),
  };
}

/** A CallError of Holdfast's own: the call itself was not right. */
export function refusal(code: string, message: string): CallError {
  return { name: "HoldfastError", message: `${code}: ${message}`, code };
}
