// Names for things, equal in every language: SHA-256 over canonical JSON (RFC 8785), first 128 bits.
import { sha256 as portable } from "@noble/hashes/sha2.js";
import canonicalize from "canonicalize";
import { encodeText } from "./json.ts";
import type { Json } from "./outcome.ts";

/** 128 bits, high half first. */
export interface Digest {
  readonly high: bigint;
  readonly low: bigint;
}

export type Sha256 = (text: string) => Uint8Array;

export const portableSha256: Sha256 = (text) => portable(encodeText(text));

/** RFC 8785 text of a value that `copyJson` has let through. */
export function canonical(value: Json): string {
  if (typeof value !== "object" || value === null) return JSON.stringify(value);
  const text = canonicalize(value);
  if (text === undefined) throw new TypeError("a checked value has no canonical form");
  return text;
}

function first128(hash: Uint8Array): Digest {
  const view = new DataView(hash.buffer, hash.byteOffset, 16);
  return { high: view.getBigUint64(0), low: view.getBigUint64(8) };
}

/** Identity of a call id within its run. */
export function idDigest(id: string, sha256: Sha256): Digest {
  return first128(sha256(id));
}

/** Digest of what is called: of the canonical `{"input":…,"tool":…}`. */
export function callDigest(tool: string, canonicalInput: string, sha256: Sha256): Digest {
  return first128(sha256(`{"input":${canonicalInput},"tool":${JSON.stringify(tool)}}`));
}

/** 32 hexadecimal digits. */
export function digestToHex(digest: Digest): string {
  return digest.high.toString(16).padStart(16, "0") + digest.low.toString(16).padStart(16, "0");
}

/** Undefined unless it is 32 hexadecimal digits. */
export function digestFromHex(text: unknown): Digest | undefined {
  if (typeof text !== "string" || !/^[0-9a-f]{32}$/.test(text)) return undefined;
  return { high: BigInt(`0x${text.slice(0, 16)}`), low: BigInt(`0x${text.slice(16)}`) };
}

/**
 * The same for all attempts of a call: digest of the canonical `[run key, call id, generation]`.
 * The generation is 0 unless the program, adapting, gave an id of its journal to another call.
 */
export function idempotencyKey(runKey: string, callId: string, generation: number, sha256: Sha256): string {
  return `hf-${digestToHex(first128(sha256(JSON.stringify([runKey, callId, generation]))))}`;
}
