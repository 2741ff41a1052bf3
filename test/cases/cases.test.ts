// Every case of the suite, on the core as each kind of host loads it.
import { writeFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { carryOut } from "./carry-out.ts";
import { caseFiles } from "./case-files.ts";
import { bareCore, gluedCore } from "./cores.ts";
import { differenceIn, rewritten } from "./judge.ts";

if (process.env.REWRITE) {
  for (const { url, text, cases } of caseFiles()) {
    const carried = cases.map((one) => ({ one, steps: carryOut(one, gluedCore) }));
    writeFileSync(url, rewritten(text, carried));
  }
}

const files = caseFiles();

test("there are cases, each with a name of its own", () => {
  const names = files.flatMap(({ cases }) => cases.map(({ name }) => name));
  expect(names.length).toBeGreaterThan(0);
  expect(names.filter((name, i) => names.indexOf(name) !== i)).toEqual([]);
});

describe.each(files)("$path", ({ path, text, cases }) => {
  test.each(cases)("$name", (one) => {
    expect(one.prose.length, `${path}:${one.number} does not say why it exists`).toBeGreaterThan(0);
    const steps = carryOut(one, gluedCore);
    const difference = differenceIn(one, steps, path, text);
    if (difference !== undefined) expect.fail(difference);
    const bare = carryOut(one, bareCore).map(({ said }) => said);
    expect(bare, "the bare module does otherwise").toEqual(steps.map(({ said }) => said));
  });
});
