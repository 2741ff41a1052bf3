// Every rule of recovery.md that a JavaScript host can show has a test that names it. The numbers are read
// out of the titles, so a rule whose test is deleted is missed here.
import { readdirSync, readFileSync } from "node:fs";
import { expect, test } from "vitest";

/** 75 asks for two languages, 80 is the simulation's. */
const ELSEWHERE = new Set([75, 80]);
const LAST = 80;

/** Numbers in titles: `rule 15: …`, and of a table `rule %s: …` the first column of each row. */
function rulesIn(source: string): number[] {
  const named = [...source.matchAll(/["'`]rule (\d+): /g)].map((match) => Number(match[1]));
  const tables = [...source.matchAll(/test\.each\(\[((?:(?!test\.)[\s\S])*?)\]\)\(\s*["'`]rule %s: /g)];
  return [
    ...named,
    ...tables.flatMap(([, rows]) => [...rows!.matchAll(/\["(\d+)",/g)].map((match) => Number(match[1]))),
  ];
}

test("every rule from 1 to 79 has a test that names it", () => {
  const here = new URL(".", import.meta.url);
  const sources = readdirSync(here)
    .filter((name) => name.endsWith(".test.ts") && name !== "every-rule.test.ts")
    .map((name) => readFileSync(new URL(name, here), "utf8"));
  const found = new Set(sources.flatMap(rulesIn));
  const missing = Array.from({ length: LAST }, (_, i) => i + 1).filter(
    (rule) => !found.has(rule) && !ELSEWHERE.has(rule),
  );
  expect(missing).toEqual([]);
  expect([...found].filter((rule) => rule < 1 || rule > LAST)).toEqual([]);
});

test("a rule without a test is missed", () => {
  expect(rulesIn('test("rule 3: x", …); test.each([["5", null], ["6", 0]])("rule %s: y", …)')).toEqual([3, 5, 6]);
  expect(rulesIn('// rule 7: only spoken of\ntest("as rule 8 says", …)')).toEqual([]);
});
