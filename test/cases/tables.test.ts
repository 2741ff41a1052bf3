// The tables of the suite are the core's own, row by row and in its order. They are written by hand, with
// a word on why; REWRITE does not touch them.
import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { instantiate } from "../../core/dist/glue.js";
import { casesOf, SAID } from "../../core/test/printed-tables.ts";
import { coreModule } from "./cores.ts";
import { kebab } from "./names.ts";

const core = instantiate(() => coreModule, {});

/** The rows of a table file: words, whatever the columns; `#` begins a comment. */
function rowsOf(name: string): string[] {
  return readFileSync(new URL(`../../conformance/tables/${name}`, import.meta.url), "utf8")
    .split("\n")
    .map((line) => line.replace(/#.*$/, "").trim().split(/ +/).join(" "))
    .filter((line) => line !== "");
}

const named = (names: readonly string[], number: number): string => kebab(names[number] ?? `?${number}`);

describe("the tables of the suite", () => {
  test("slot.table is what the core does with a slot", () => {
    const [states, happenings, moves] = [
      casesOf("codes.ts", "State"),
      casesOf("codes.ts", "Happening"),
      casesOf("transitions.ts", "Move"),
    ];
    const rows = core.table(0).map(({ a, b, c }) => `${named(states, a)} ${named(happenings, b)} ${named(moves, c)}`);
    expect(rowsOf("slot.table")).toEqual(rows);
  });

  test("recovery.table is what the core decides after a crash", () => {
    const decisions = casesOf("recovery.ts", "Decision");
    const effects = ["read", "idempotent", "once"];
    const rows = core
      .table(1)
      .map(({ a, b, c, d }) => `${named(SAID, a)} ${effects[b]} ${c === 1 ? "yes" : "no"} ${named(decisions, d)}`);
    expect(rowsOf("recovery.table")).toEqual(rows);
  });
});
