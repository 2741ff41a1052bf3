// A stranger's host: Python's standard library, a journal of JSON lines, no line of ours. The protocol asks for
// nothing that only we have.
import { execFileSync } from "node:child_process";
import { join } from "node:path";
import { expect, test } from "vitest";
import { root, suiteOn, wrong } from "./suite-on.ts";

function python(): string | undefined {
  try {
    execFileSync("python3", ["--version"], { stdio: "ignore" });
    return "python3";
  } catch {
    return undefined;
  }
}

const found = python();
const how = "python3 is missing: install Python 3.9 or newer (apt-get install python3)";

test.skipIf(found === undefined && !process.env.CI)(
  `the minimal host passes level recovery (else: ${how})`,
  async () => {
    expect(found, how).toBeDefined();
    const command = ["python3", join(root, "conformance/examples/minimal-host.py")];
    const { results } = await suiteOn({ command, levels: ["recovery"] });
    expect(wrong(results)).toEqual([]);
    const covered = results.filter(({ status }) => status === "passed").map(({ id }) => id);
    expect(covered.length).toBeGreaterThan(45);
    expect(covered).toEqual(expect.arrayContaining(["recovery/turn@crash-twice", "recovery/turn@no-threads"]));
  },
);
