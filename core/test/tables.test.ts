// The tables of the core are whole, keep the promise row by row, and are what its README shows.
import { readFileSync, writeFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { instantiate } from "../dist/glue.js";
import { casesOf, recoveryTable, SAID, slotTable } from "./printed-tables.ts";

const module = new WebAssembly.Module(readFileSync(new URL("../dist/core.wasm", import.meta.url)));
const core = instantiate(() => module, {});
const recovery = core.table(1).map(({ a, b, c, d }) => ({
  said: SAID[a],
  effect: ["read", "idempotent", "once"][b],
  reconciles: c === 1,
  decision: casesOf("recovery.ts", "Decision")[d],
}));
const slots = core.table(0);

describe("the recovery table", () => {
  test("has one row for each of what the journal says, effect and reconciler", () => {
    const keys = recovery.map(({ said, effect, reconciles }) => `${said}/${effect}/${reconciles}`);
    expect(new Set(keys).size).toBe(4 * 3 * 2);
    expect(recovery).toHaveLength(24);
  });

  test("never calls again what may run once", () => {
    for (const { said, effect, reconciles, decision } of recovery) {
      if (effect === "once" && said === "started") expect(decision).toBe(reconciles ? "ask" : "surface");
    }
  });

  test("calls again what was said to run twice, with or without a reconciler", () => {
    for (const { said, effect, decision } of recovery) {
      if (effect !== "once" && said === "started") expect(decision).toBe("again");
    }
  });

  test("starts what is planned, waits for a retry, replays what has settled", () => {
    const decisions = { planned: "start", attemptFailed: "wait", settled: "replay" } as const;
    for (const { said, decision } of recovery)
      if (said !== "started") expect(decision).toBe(decisions[said as keyof typeof decisions]);
  });
});

describe("the slot table", () => {
  const states = casesOf("codes.ts", "State");
  const happenings = casesOf("codes.ts", "Happening");
  const moveOf = (state: string, happening: string): string | undefined =>
    casesOf("transitions.ts", "Move")[
      slots.find(({ a, b }) => states[a] === state && happenings[b] === happening)?.c ?? 0
    ];

  test("every state can be left or is final, and every happening means something somewhere", () => {
    expect(new Set(slots.map(({ a }) => states[a]))).toEqual(new Set(states));
    expect(new Set(slots.map(({ b }) => happenings[b]))).toEqual(new Set(happenings));
  });

  test("every move is taken from somewhere", () => {
    const taken = new Set(slots.map(({ c }) => casesOf("transitions.ts", "Move")[c]));
    expect([...casesOf("transitions.ts", "Move")].filter((move) => move !== "refuse" && !taken.has(move))).toEqual([]);
  });

  test("a settled slot takes nothing but being asked for again", () => {
    expect(happenings.filter((happening) => moveOf("settled", happening) !== "refuse")).toEqual(["claim"]);
    expect(moveOf("leaving", "ok")).toBe("late");
    expect(moveOf("leaving", "error")).toBe("late");
  });

  test("whatever has a deadline and is under way ends at it", () => {
    const underWay = states.filter((state) => !["planned", "leaving", "settled"].includes(state));
    expect(underWay.filter((state) => moveOf(state, "deadline") === "refuse")).toEqual([]);
  });
});

test("core/README.md shows the tables as they are (rewrite it with REWRITE=1)", () => {
  const readme = new URL("../README.md", import.meta.url);
  const text = readFileSync(readme, "utf8");
  const printed = text
    .replace(
      /(<!-- recovery table -->\n)[\s\S]*?(<!-- end -->)/,
      (_, from: string, to: string) => `${from}${recoveryTable(core.table(1))}${to}`,
    )
    .replace(
      /(<!-- slot table -->\n)[\s\S]*?(<!-- end -->)/,
      (_, from: string, to: string) => `${from}${slotTable(slots)}${to}`,
    );
  expect(printed).toContain("| started");
  if (process.env.REWRITE) writeFileSync(readme, printed);
  expect(readFileSync(readme, "utf8")).toBe(printed);
});
