// What the cases leave out: rules that none names, cells of the tables that none takes. Both lists are
// empty. Cells are counted in the core itself, see observed-core.ts.
import { beforeAll, describe, expect, test } from "vitest";
import { instantiate, type Row } from "../../core/dist/glue.js";
import { casesOf, SAID } from "../../core/test/printed-tables.ts";
import { carryOut } from "./carry-out.ts";
import { caseFiles } from "./case-files.ts";
import { coreModule, gluedCore } from "./cores.ts";
import { compileObserved, Observations } from "./observed-core.ts";

const cases = caseFiles().flatMap(({ path, cases }) => cases.map((one) => ({ path, one })));

/** Rules up to 64 that numbers alone cannot show, and who shows them. */
const NOT_THE_CORES: Readonly<Record<number, string>> = {
  6: "the core sees no values: a payload of false is a payload (test/rules)",
  9: "describing an error is the host's (test/rules)",
  34: "decoding a payload is the host's (test/rules)",
  41: "a cost is measured, not told (npm run bench)",
  49: "digests are the host's (conformance/vectors)",
  54: "the program's version stays with the host (test/rules)",
};
const RULES = 64;
/** The rules that recovery.md numbers. */
const RULES_ALL = 80;

describe("the rules", () => {
  const named = new Map<number, string>();
  for (const { path, one } of cases)
    for (const token of one.fields.rules?.split(",") ?? []) named.set(Number(token), `${path}:${one.number}`);

  test("each that the core decides is named by a case", () => {
    const missing = Array.from({ length: RULES }, (_, i) => i + 1).filter(
      (rule) => !named.has(rule) && NOT_THE_CORES[rule] === undefined,
    );
    expect(missing).toEqual([]);
  });

  test("no case names one that the core cannot show, or that there is not", () => {
    const odd = [...named].filter(
      ([rule]) => NOT_THE_CORES[rule] !== undefined || !(Number.isInteger(rule) && rule >= 1 && rule <= RULES_ALL),
    );
    expect(odd).toEqual([]);
  });
});

describe("the tables", () => {
  let seen: Observations;
  const tables = instantiate(() => coreModule, {});
  const states = casesOf("codes.ts", "State");
  const happenings = casesOf("codes.ts", "Happening");
  const effects = ["read", "idempotent", "once"];
  const slotName = ({ a, b }: Row): string => `${states[a]} × ${happenings[b]}`;
  const recoveryName = ({ a, b, c }: Row): string =>
    `${SAID[a]} × ${effects[b]} × ${c === 1 ? "a reconciler" : "no reconciler"}`;

  beforeAll(async () => {
    seen = new Observations(await compileObserved(states.length, happenings.length));
    for (const { one } of cases) {
      const observed = carryOut(one, () => seen.makeCore()).map(({ said }) => said);
      const shipped = carryOut(one, gluedCore).map(({ said }) => said);
      expect(observed, `${one.name}: the core that counts does otherwise`).toEqual(shipped);
    }
  });

  test("every cell of the slot table is taken by a case", () => {
    expect(
      tables
        .table(0)
        .filter(({ a, b }) => seen.taken(a, b) === 0)
        .map(slotName),
    ).toEqual([]);
  });

  test("every row of the recovery table is decided by in a case", () => {
    expect(
      tables
        .table(1)
        .filter(({ a, b, c }) => seen.decided(a, b, c) === 0)
        .map(recoveryName),
    ).toEqual([]);
  });

  test("a cell that no case takes would be found", () => {
    const [planned, settled] = [states.indexOf("planned"), states.indexOf("settled")];
    const [claim, ok] = [happenings.indexOf("claim"), happenings.indexOf("ok")];
    expect(seen.taken(planned, claim)).toBeGreaterThan(10);
    expect(seen.taken(settled, ok)).toBeGreaterThan(0); // looked up, and refused: told twice
    expect(seen.taken(planned, ok)).toBe(0);
  });
});
