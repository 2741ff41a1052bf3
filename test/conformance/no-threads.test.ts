// The environment without threads is one: our host passes it in a process that cannot start any, and passes
// nothing else there.
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { expect, test } from "vitest";
import { cli, root, scenarios, suiteOn, wrong } from "./suite-on.ts";

const preload = pathToFileURL(join(root, "test/conformance/no-worker.mjs")).href;
const command = [process.execPath, "--import", preload, cli, "conformance-host"];

test("a session that does without threads starts none", async () => {
  const { results } = await suiteOn({ command, filter: "@no-threads" });
  expect(wrong(results)).toEqual([]);
  const multiplied = scenarios.filter(({ under }) => under.includes("no-threads"));
  expect(results.map(({ id, status }) => `${id} ${status}`)).toEqual(
    multiplied.map(({ id }) => `${id}@no-threads passed`),
  );
  expect(multiplied.filter(({ journals }) => journals.length > 0).length).toBeGreaterThanOrEqual(5);
});

test("and any other session does start some: that is how the one above can fail", async () => {
  const { results } = await suiteOn({ command, only: ["recovery/one-fails"] });
  expect(results.map(({ id, status }) => `${id} ${status}`)).toEqual(["recovery/one-fails failed"]);
  expect(wrong(results).join()).toContain("no thread may be started here");
});
