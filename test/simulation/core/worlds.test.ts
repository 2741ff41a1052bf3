// The core alone: many worlds by their seeds, and mistakes that must be caught in them.
import { describe, expect, test } from "vitest";
import { Broken } from "../ledger.ts";
import { liveCoreWorlds } from "./run.ts";

test("50,000 worlds of the core keep every promise", { timeout: 120_000 }, () => {
  const { worlds, crossings } = liveCoreWorlds(7, 0, 50_000);
  expect(worlds).toBe(50_000);
  expect(crossings).toBeGreaterThan(worlds * 5); // and something happened in them
});

test("a seed is a world: lived twice it crosses as often", () => {
  expect(liveCoreWorlds(3, 100, 50)).toEqual(liveCoreWorlds(3, 100, 50));
});

describe("a fault that is seeded is caught", () => {
  test.each([
    ["started is forgotten", "once"],
    ["settled is forgotten", "settled-once"],
    ["permit at the timeout", "permits"],
    ["unknown is done", "true"],
  ] as const)("%s", (fault, rule) => {
    const rules = new Set<string>();
    for (let world = 0; world < 3_000 && !rules.has(rule); world++) {
      try {
        liveCoreWorlds(7, world, 1, fault);
      } catch (error) {
        const { cause } = error as Error;
        rules.add(cause instanceof Broken ? cause.rule : String(cause));
      }
    }
    expect([...rules]).toContain(rule);
  });
});
