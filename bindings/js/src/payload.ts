// Payloads: the bytes beside an entry, and what they mean. A result of undefined has no bytes; JSON
// null has four. Everything read here is untrusted: it comes from a file.
import { describeError, refusal } from "./call-error.ts";
import { type Digest, digestFromHex, digestToHex } from "./digest.ts";
import { EFFECTS } from "./entry.ts";
import { copyJson, decodeJson, encodeText, NotJson, TooLarge } from "./json.ts";
import type { Cost } from "./limits.ts";
import type { CallError, Effect, Json } from "./outcome.ts";

/** A value beside its bytes: what the program sees is what replay will give. */
export type Payload =
  | { readonly kind: "value"; readonly value: Json | undefined; readonly bytes: Uint8Array | null }
  | {
      readonly kind: "error";
      readonly error: CallError;
      readonly bytes: Uint8Array;
      /** The tool that is called instead (fallback.ts). Beside the error, not in it. */
      readonly fallback?: string;
    };

export function errorPayload(error: CallError): Payload {
  return { kind: "error", error, bytes: encodeText(JSON.stringify(error)) };
}

/** A tool's result; one that is not JSON or too large becomes an error of its own slot. */
export function resultPayload(result: unknown, bytesMax: number): Payload {
  if (result === undefined) return { kind: "value", value: undefined, bytes: null };
  let value: Json;
  try {
    value = copyJson(result, "result", bytesMax);
  } catch (problem) {
    if (problem instanceof TooLarge) return tooLarge(`more than ${bytesMax} bytes of JSON`, bytesMax);
    if (!(problem instanceof NotJson)) return errorPayload(describeError(problem));
    return errorPayload(refusal("result-not-json", `${problem.message}; a tool returns plain JSON values or nothing`));
  }
  const bytes = encodeText(JSON.stringify(value));
  if (bytes.length > bytesMax) return tooLarge(`${bytes.length} bytes of JSON`, bytesMax);
  return { kind: "value", value, bytes };
}

function tooLarge(size: string, bytesMax: number): Payload {
  const message = `the result is ${size}; ${bytesMax} is the most. Store it elsewhere and return where`;
  return errorPayload(refusal("result-too-large", message));
}

/** What a settled entry carries. Bytes that cannot be read are an error of their own slot, loudly. */
export function readPayload(outcome: "ok" | "error", bytes: Uint8Array | null): Payload {
  try {
    if (outcome === "ok") return { kind: "value", value: bytes === null ? undefined : decodeJson(bytes), bytes };
    const kept = bytes === null ? null : decodeJson(bytes);
    const fallback = isObject(kept) ? kept.fallback : undefined;
    return {
      kind: "error",
      error: describeError(kept),
      bytes: bytes ?? new Uint8Array(),
      ...(typeof fallback === "string" ? { fallback } : {}),
    };
  } catch (problem) {
    const why = problem instanceof Error ? problem.message : String(problem);
    return errorPayload(
      refusal(
        "undecodable-payload",
        `the journal's bytes of this slot are not JSON (${why}); look at them with a SQL shell`,
      ),
    );
  }
}

// ── what a planned entry carries ──────────────────────────────────────────────────────────────

/** One slot of a planned entry. */
export interface PlannedCall {
  readonly id: string;
  readonly tool: string;
  readonly effect: Effect;
  readonly digest: Digest;
  readonly input: Json;
  /** Wall ms; 0 = none. */
  readonly deadline: number;
  /** Whose limits it stands under, and what it was thought to cost: what a restart must remember of rates. */
  readonly key?: string;
  readonly cost?: Cost;
  /** It came in a stream: a program that is run again may come to it at another time, or not at all. */
  readonly streamed?: boolean;
}

/** The payload of a planned entry; inputs are given as JSON text, to be written once. */
export function planPayload(
  calls: readonly (Omit<PlannedCall, "input" | "key" | "cost"> & {
    readonly inputText: string;
    readonly terms?: { readonly key: string | undefined; readonly cost: Cost | undefined } | undefined;
  })[],
  tenant?: string,
): Uint8Array {
  let text = '{"calls":[';
  for (let i = 0; i < calls.length; i++) {
    const call = calls[i]!;
    const deadline = call.deadline === 0 ? "" : `,"deadline":${call.deadline}`;
    const key = call.terms?.key === undefined ? "" : `,"key":${JSON.stringify(call.terms.key)}`;
    const cost = call.terms?.cost === undefined ? "" : `,"cost":${JSON.stringify(call.terms.cost)}`;
    const more = `${deadline}${key}${cost}${call.streamed ? ',"streamed":true' : ""}`;
    text += `${i === 0 ? "" : ","}{"id":${JSON.stringify(call.id)},"tool":${JSON.stringify(call.tool)},"effect":"${call.effect}","digest":"${digestToHex(call.digest)}"${more},"input":${call.inputText}}`;
  }
  return encodeText(`${text}]${tenant === undefined ? "" : `,"tenant":${JSON.stringify(tenant)}`}}`);
}

function isObject(value: Json | undefined): value is { readonly [key: string]: Json } {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function readPlannedCall(value: Json): PlannedCall {
  if (!isObject(value)) throw new SyntaxError("a planned call is not an object");
  const digest = digestFromHex(value.digest);
  const effect = EFFECTS.find((name) => name === value.effect);
  const { id, tool, deadline = 0 } = value;
  if (typeof id !== "string" || typeof tool !== "string" || digest === undefined || effect === undefined) {
    throw new SyntaxError("a planned call lacks its id, tool, effect or digest");
  }
  if (typeof deadline !== "number" || !Number.isSafeInteger(deadline) || deadline < 0)
    throw new SyntaxError("a planned call's deadline is not a time");
  return {
    id,
    tool,
    effect,
    digest,
    input: value.input ?? null,
    deadline,
    ...(typeof value.key === "string" ? { key: value.key } : {}),
    ...(isCost(value.cost) ? { cost: value.cost } : {}),
    ...(value.streamed === true ? { streamed: true } : {}),
  };
}

function isCost(value: Json | undefined): value is Cost {
  return isObject(value) && Object.values(value).every((cost) => Number.isInteger(cost) && (cost as number) >= 0);
}

/** What a planned entry carries. */
export interface Plan {
  readonly calls: PlannedCall[];
  /** Whose batch it is; undefined: nobody's. */
  readonly tenant: string | undefined;
}

/** Throws SyntaxError when it is no plan of so many slots. */
export function readPlan(bytes: Uint8Array | null, count: number): Plan {
  const plan = bytes === null ? null : decodeJson(bytes);
  if (!isObject(plan) || !Array.isArray(plan.calls)) throw new SyntaxError("a planned entry carries no calls");
  if (plan.calls.length !== count)
    throw new SyntaxError(`a planned entry of ${count} slots carries ${plan.calls.length} calls`);
  return {
    calls: plan.calls.map(readPlannedCall),
    tenant: typeof plan.tenant === "string" ? plan.tenant : undefined,
  };
}

/** What a run-opened entry carries. */
export interface Opening {
  readonly format: number;
  readonly fence: number;
  readonly version?: string;
}

export function openingPayload(opening: Opening): Uint8Array {
  return encodeText(JSON.stringify(opening));
}

/** What is known of an opening; a field that is missing or odd is left out. */
export function readOpening(bytes: Uint8Array | null): Partial<Opening> {
  const value = bytes === null ? null : decodeJson(bytes);
  if (!isObject(value)) return {};
  return {
    ...(typeof value.format === "number" ? { format: value.format } : {}),
    ...(typeof value.fence === "number" ? { fence: value.fence } : {}),
    ...(typeof value.version === "string" ? { version: value.version } : {}),
  };
}
