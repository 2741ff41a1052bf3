// The vectors of the suite against this language: every one of them, and none that cannot fail.
import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import type { CoreEntry } from "../../bindings/js/src/core.ts";
import {
  callDigest,
  canonical,
  digestToHex,
  idDigest,
  idempotencyKey,
  portableSha256,
} from "../../bindings/js/src/digest.ts";
import { EFFECTS, ENTRY_KINDS, JOURNAL_FORMAT, OUTCOMES, SOURCES } from "../../bindings/js/src/entry.ts";
import { entryRow } from "../../bindings/js/src/entry-row.ts";
import { copyJson, encodeText } from "../../bindings/js/src/json.ts";
import {
  errorPayload,
  openingPayload,
  type PlannedCall,
  planPayload,
  readOpening,
  readPayload,
  readPlan,
  resultPayload,
} from "../../bindings/js/src/payload.ts";
import { childKey, idProblem, keyOfPath, keyPath, runKey } from "../../bindings/js/src/run-key.ts";

type Vector = Record<string, any>;

const vectors = (name: string): Record<string, Vector[]> =>
  JSON.parse(readFileSync(new URL(`../../conformance/vectors/${name}.json`, import.meta.url), "utf8"));
const list = (name: string, of: string): Vector[] => vectors(name)[of]!;
const nodeSha256 = (text: string): Uint8Array => createHash("sha256").update(text).digest();
const hashes = [
  ["the portable SHA-256", portableSha256],
  ["Node's", nodeSha256],
] as const;

/** Characters: more than any vector has. */
const SIZE_MAX = 1_000_000;

/** What a refusal says in words of its own, by the word of the vectors. */
const BECAUSE: Readonly<Record<string, RegExp>> = {
  empty: /empty/,
  "longer than 512 UTF-16 units": /512 is the most/,
  "control character": /control character/,
  "lone surrogate": /lone surrogate|not well-formed/,
  "not a string": /not a string/,
  "too deep": /more than 64 deep/,
  "not finite": /Infinity|NaN|not finite/,
  prototype: /prototype/,
};

describe.each(hashes)("with %s", (_, sha256) => {
  test.each(list("call-ids", "digests"))("the digest of call id $id", ({ id, digest }) => {
    expect(digestToHex(idDigest(id, sha256))).toBe(digest);
  });

  test.each(list("digests", "digests"))("the digest of a call: $name", ({ tool, input, canonical: text, digest }) => {
    const made = canonical(copyJson(JSON.parse(input), "$", SIZE_MAX));
    expect(made).toBe(text);
    expect(digestToHex(callDigest(tool, made, sha256))).toBe(digest);
  });

  test.each(list("idempotency-keys", "keys"))("the idempotency key of $run, $call, $generation", (vector) => {
    expect(idempotencyKey(vector.run, vector.call, vector.generation, sha256)).toBe(vector.key);
  });
});

describe("digests", () => {
  test("what must be equal is, and what must differ does", () => {
    const digests = list("digests", "digests");
    const by = (name: string): string => digests.find((one) => one.name === name)!.digest;
    expect(by("key order does not matter")).toBe(by("key order does not matter, the other order"));
    expect(by("1 and 1.0 are the same")).toBe(by("1 and 1.0 are the same, the other"));
    expect(by("and 1e0")).toBe(by("1 and 1.0 are the same"));
    expect(by("beyond it: the double that it rounds to")).toBe(by("beyond it, the double itself"));
    expect(by("the tool counts")).not.toBe(by("1 and 1.0 are the same"));
  });

  test.each(list("numbers", "numbers"))("the number $ieee754", ({ ieee754, text }) => {
    const [value] = new Float64Array(new BigUint64Array([BigInt(`0x${ieee754}`)]).buffer);
    if (text === null) expect(() => copyJson(value, "$", SIZE_MAX)).toThrow(BECAUSE["not finite"]);
    else {
      expect(canonical([copyJson(value, "$", SIZE_MAX)])).toBe(`[${text}]`);
      expect(canonical(copyJson(value, "$", SIZE_MAX))).toBe(text);
    }
  });

  // This binding is handed values: a key that is said twice is gone before it sees it.
  const handed = list("digests", "refused").filter(({ because }) => because !== "key said twice");
  test.each(handed)("no digest of $name", ({ input, because }) => {
    expect(() => copyJson(JSON.parse(input), "$", SIZE_MAX)).toThrow(BECAUSE[because]);
  });

  test("two vectors of keys said twice are for those who read text", () => {
    expect(list("digests", "refused").length - handed.length).toBe(2);
  });
});

describe("ids and run keys", () => {
  test.each([...list("call-ids", "refused"), ...list("run-keys", "refused")])("no id $id: $because", (vector) => {
    expect(idProblem(vector.id)).toMatch(BECAUSE[vector.because] as RegExp);
    expect(() => runKey(vector.id)).toThrow(BECAUSE[vector.because]);
  });

  test.each(list("call-ids", "digests"))("$id is an id", ({ id }) => {
    expect(idProblem(id)).toBeUndefined();
  });

  test.each(list("run-keys", "runs"))("the run $id", ({ id, key }) => {
    expect(runKey(id)).toBe(key);
    expect(keyPath(key)).toEqual([id]);
    expect(keyOfPath(id, [])).toBe(key);
  });

  test.each(list("run-keys", "children"))("the child $key", ({ parent, call, name, key, path }) => {
    expect(childKey(parent, call, name)).toBe(key);
    expect(keyPath(key)).toEqual(path);
    expect(keyOfPath(path.at(-1), path.slice(0, -1))).toBe(key);
  });

  test("no two runs share a key, or a path", () => {
    const keys = [...list("run-keys", "runs"), ...list("run-keys", "children")].map(({ key }) => key);
    expect(new Set(keys).size).toBe(keys.length);
    expect(new Set(keys.map((key) => JSON.stringify(keyPath(key)))).size).toBe(keys.length);
  });
});

describe("entries", () => {
  const { entries, kinds, outcomes, sources, effects, format, "not-a-plan": notAPlan } = vectors("entries") as any;

  test("their numbers", () => {
    expect([ENTRY_KINDS, OUTCOMES, SOURCES, EFFECTS, JOURNAL_FORMAT]).toEqual([
      kinds,
      outcomes,
      sources,
      effects,
      format,
    ]);
  });

  test("there is one of each kind, outcome and source", () => {
    for (const [list, key] of [
      [kinds, "kind"],
      [outcomes, "outcome"],
      [sources, "source"],
    ] as const)
      expect(new Set(entries.map(({ entry }: Vector) => entry[key]))).toEqual(new Set(list));
  });

  test.each(entries as Vector[])("$name: its row", ({ entry, row }) => {
    const core = { ...entry, run: 5, payload: 0, at: BigInt(entry.at), until: BigInt(entry.until) } as CoreEntry;
    expect(entryRow(core, null)).toEqual({ ...row, payload: null });
  });

  test.each(entries as Vector[])("$name: its payload, written and read", ({ entry, row, reads }) => {
    const bytes = row.payload === null ? null : encodeText(row.payload);
    expect(written(entry, reads)).toEqual(bytes);
    expect(readBack(entry, bytes)).toEqual(reads);
  });

  test.each(notAPlan as Vector[])("no plan: $name", ({ count, payload }) => {
    expect(() => readPlan(payload === null ? null : encodeText(payload), count)).toThrow(SyntaxError);
  });
});

/** What this binding writes beside such an entry. */
function written(entry: any, reads: any): Uint8Array | null {
  switch (entry.kind) {
    case "run-opened":
      return openingPayload(reads);
    case "planned":
      return planPayload(
        reads.calls.map((call: any) => ({
          ...call,
          digest: digestOf(call.digest),
          deadline: call.deadline ?? 0,
          inputText: JSON.stringify(call.input),
        })),
      );
    case "started":
      return null;
    default:
      if (reads === undefined) return resultPayload(undefined, 1_024).bytes;
      return entry.outcome === "ok" ? resultPayload(reads, 1_024).bytes : errorPayload(reads).bytes;
  }
}

/** What this binding makes of the bytes. */
function readBack(entry: any, bytes: Uint8Array | null): any {
  switch (entry.kind) {
    case "run-opened":
      return readOpening(bytes);
    case "planned":
      return { calls: readPlan(bytes, entry.count).calls.map(spelled) };
    case "started":
      return undefined;
    default: {
      if (entry.outcome !== "ok" && bytes === null) return undefined;
      const payload = readPayload(entry.outcome === "ok" ? "ok" : "error", bytes);
      return payload.kind === "value" ? payload.value : payload.error;
    }
  }
}

function spelled({ digest, deadline, ...call }: PlannedCall): object {
  return { ...call, digest: digestToHex(digest), ...(deadline === 0 ? {} : { deadline }) };
}

function digestOf(hex: string): { high: bigint; low: bigint } {
  return { high: BigInt(`0x${hex.slice(0, 16)}`), low: BigInt(`0x${hex.slice(16)}`) };
}
