// The last line of a test run is what machines go by: it must count everything and never call a red run green.
import { expect, test } from "vitest";
import { count, countLine } from "../reporter.ts";

type State = "passed" | "failed" | "skipped" | "pending";
type Modules = Parameters<typeof count>[0];

/** A file with tests that came to this, in a suite whose hooks threw so often. */
function file(states: readonly State[], { hooks = 0, load = 0 } = {}): Modules[number] {
  const errors = (many: number) => () => Array.from({ length: many }, () => new Error("threw"));
  return {
    errors: errors(load),
    children: {
      allSuites: () => [{ errors: errors(hooks) }],
      allTests: () => states.map((state) => ({ result: () => ({ state }) })),
    },
  } as unknown as Modules[number];
}

test("every test counts once, by what it came to", () => {
  expect(count([file(["passed", "passed", "failed"]), file(["skipped", "passed"])], 0)).toEqual({
    passed: 3,
    failed: 1,
    skipped: 1,
  });
});

test.each([
  ["a file that could not be loaded", [file([], { load: 1 })], 0],
  ["a hook that threw", [file(["passed"], { hooks: 1 })], 0],
  ["an error that nobody caught", [file(["passed"])], 1],
  ["a test that never came to its turn", [file(["pending"])], 0],
] as const)("%s is a failure", (_what, modules, unhandled) => {
  expect(count(modules, unhandled).failed).toBe(1);
});

test("the line leaves out what did not happen", () => {
  expect(countLine({ passed: 2, failed: 0, skipped: 0 })).toBe("2 passed, 0 failed");
  expect(countLine({ passed: 2, failed: 1, skipped: 3 })).toBe("2 passed, 1 failed, 3 skipped");
});
