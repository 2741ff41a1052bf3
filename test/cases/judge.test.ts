// The judge can fail: what is missing, too much, other or in another order is found and shown in its
// place, and a rewrite mends it and touches nothing else.
import { describe, expect, test } from "vitest";
import { CaseSyntaxError, parseCases } from "../../conformance/case-format.ts";
import { carryOut } from "./carry-out.ts";
import { gluedCore } from "./cores.ts";
import { differenceIn, rewritten } from "./judge.ts";

const TRUE = `case proof

# A call and its end.

> open run=r1
< entry run-opened
> batch
+ id=A   tool=search
< placed ids=A slot=0
< entry planned first=0 slots=1
< entry started slot=0 attempt=1
< call   slot=0 attempt=1
= standing cursor=0 slots=1
> settled slot=0 outcome=ok value=a
< entry settled slot=0 value=a outcome=ok
< resolve slot=0 outcome=ok value=a
`;

function judged(text: string): string | undefined {
  const [one] = parseCases(text);
  if (one === undefined) throw new Error("no case");
  return differenceIn(one, carryOut(one, gluedCore), "proof.case", text);
}

function mended(text: string): string {
  const cases = parseCases(text);
  return rewritten(
    text,
    cases.map((one) => ({ one, steps: carryOut(one, gluedCore) })),
  );
}

describe("a true case", () => {
  test("passes, whatever its columns and the order of its fields", () => {
    expect(judged(TRUE)).toBeUndefined();
  });
  test("is left as it is by a rewrite", () => {
    expect(mended(TRUE)).toBe(TRUE);
  });
});

describe("a false case", () => {
  test.each([
    ["a missing output", "< entry started slot=0 attempt=1\n", "", "proof.case:11", "< entry started slot=0 attempt=1"],
    ["an output too much", "> settled", "< carry-on slot=0 attempt=1\n> settled", "proof.case:13", "= standing"],
    ["another value", "slots=1\n< entry started", "slots=2\n< entry started", "proof.case:10", "slots=1"],
    [
      "a missing field",
      "< resolve slot=0 outcome=ok value=a",
      "< resolve slot=0 outcome=ok",
      "proof.case:16",
      "value=a",
    ],
    ["another standing", "cursor=0 slots=1", "cursor=1 slots=1", "proof.case:13", "= standing cursor=0 slots=1"],
  ])("%s is found in its place", (_, from, to, place, got) => {
    const text = TRUE.replace(from, to);
    expect(text).not.toBe(TRUE);
    const said = judged(text);
    expect(said).toContain(place);
    expect(said).toContain(got);
    expect(said).toContain("→");
  });

  test("another order is found", () => {
    const [a, b] = ["< entry planned first=0 slots=1\n", "< entry started slot=0 attempt=1\n"];
    expect(judged(TRUE.replace(a + b, b + a))).toContain("proof.case:10");
  });

  test("is mended by a rewrite, which touches nothing else", () => {
    expect(mended(TRUE.replace("cursor=0 slots=1", "cursor=9 slots=9"))).toBe(TRUE);
    const without = TRUE.replace(/^< (?:entry settled|resolve).*\n/gm, "");
    const again = mended(without);
    expect(judged(again)).toBeUndefined();
    expect(again.startsWith(without.trimEnd())).toBe(true);
  });
});

describe("a line that cannot be read is refused by its number", () => {
  test.each([
    ["no case yet", "> open run=r1", 1],
    ["an unknown mark", "case a\n\n? open", 3],
    ["a word after a field", "case a\n> open run=r1 quickly", 2],
    ["a field without a value", "case a\n> open run=", 2],
    ["a field that is said twice", "case a\n> open run=r1 run=r2", 2],
    ["a row of nothing", "case a\n+ id=A", 2],
    ["a case without a name", "case rules=1", 1],
  ])("%s", (_, text, line) => {
    expect(() => parseCases(text)).toThrow(new RegExp(`^line ${line}:`));
  });

  test.each([
    ["a verb that is none", "> dance", "no event"],
    ["a field that the verb does not have", "> open run=r1 speed=3", "has no speed="],
    ["an effect that is none", "> open run=r1\n> batch\n+ id=A tool=t effect=some", "no effect"],
    ["a call without a tool", "> open run=r1\n> batch\n+ id=A", "needs tool="],
    ["a thing that does not happen to a host", "! fire", "nothing that happens"],
    [
      "a journal that is not the one that was kept",
      "> open run=r1\n> batch\n+ id=A tool=t\n! crash\n> open run=r1",
      "kept says",
    ],
  ])("%s", (_, lines, why) => {
    const [one] = parseCases(`case a\n${lines}`);
    expect(() => carryOut(one!, gluedCore)).toThrow(CaseSyntaxError);
    expect(() => carryOut(one!, gluedCore)).toThrow(why);
  });
});
