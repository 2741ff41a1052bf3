// How the tests run. Two projects: `quick` files only compute; everything else may start processes or
// threads, so it runs at most two files at a time, on however large a machine.
import { fileURLToPath } from "node:url";
import { defineConfig } from "vitest/config";

const root = fileURLToPath(new URL("..", import.meta.url));

/** Folders whose tests start no process and no thread. A new folder counts as `processes` until it is put here. */
const quick = [
  "bindings/**/*.test.ts",
  "core/**/*.test.ts",
  "conformance/**/*.test.ts",
  "test/cases/**/*.test.ts",
  "test/api/**/*.test.ts",
  "test/limits/**/*.test.ts",
  "test/recording/replay.test.ts",
  "test/rules/**/*.test.ts",
  "test/simulation/**/*.test.ts",
  "test/tidy/**/*.test.ts",
  "test/types/**/*.test.ts",
  "test/vectors/vectors.test.ts",
];
const never = ["**/node_modules/**", "**/dist/**"];

export default defineConfig({
  root,
  test: {
    reporters: ["default", "./test/reporter.ts"],
    // Bounds against a hang, not a measure of speed.
    teardownTimeout: 30_000,
    maxConcurrency: 3, // what runs side by side within a file starts processes, too
    projects: [
      {
        extends: true,
        test: {
          name: "quick",
          include: quick,
          exclude: never,
          pool: "forks",
          testTimeout: 60_000,
          hookTimeout: 60_000,
          sequence: { groupOrder: 0 },
        },
      },
      {
        extends: true,
        test: {
          name: "processes",
          globalSetup: ["./test/built.ts"],
          include: ["test/**/*.test.ts", "runtime-*/**/*.test.ts", "examples/**/*.test.ts"],
          exclude: [...never, ...quick],
          pool: "forks",
          maxWorkers: 2,
          testTimeout: 300_000,
          hookTimeout: 300_000,
          sequence: { groupOrder: 1 },
        },
      },
    ],
  },
});
