// Another language finds the same vectors right, and finds one that was bent.
import { spawnSync } from "node:child_process";
import { cpSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, expect, test } from "vitest";

const folder = fileURLToPath(new URL("../../conformance/vectors/", import.meta.url));
const bent = mkdtempSync(join(tmpdir(), "holdfast-vectors-"));
afterAll(() => rmSync(bent, { recursive: true, force: true }));

const found = spawnSync("python3", ["-c", "import sys; assert sys.version_info >= (3, 9)"]).status === 0;
if (!found && process.env.CI === "true") throw new Error("python3 (3.9 or newer) is missing: apt-get install python3");
if (!found) process.stderr.write("skipped: python3 (3.9 or newer) is missing; apt-get install python3\n");

const ask = (where: string) =>
  spawnSync("python3", ["-B", join(where, "second_opinion.py")], { encoding: "utf8", timeout: 60_000 });

test.runIf(found)("Python's standard library agrees with every vector", () => {
  const { status, stdout, stderr } = ask(folder);
  expect(stderr).toBe("");
  expect(status).toBe(0);
  expect(stdout).toMatch(/^\d{3,} checked\n$/);
});

test.runIf(found).each(readdirSync(folder).filter((name) => name.endsWith(".json")))(
  "a digit that was bent in %s is found",
  (name) => {
    cpSync(folder, bent, { recursive: true });
    const text = readFileSync(join(folder, name), "utf8");
    // The first thing that is computed: a digest, a key, a text, a payload.
    const bentText = text.replace(/("(?:digest|key|text|payload)": ".*?)([0-9a-z])(")/, (_, start, letter, end) => {
      return `${start}${letter === "0" ? "1" : "0"}${end}`;
    });
    expect(bentText).not.toBe(text);
    writeFileSync(join(bent, name), bentText);
    const { status, stderr } = ask(bent);
    expect(status).toBe(1);
    expect(stderr).not.toBe("");
  },
);
