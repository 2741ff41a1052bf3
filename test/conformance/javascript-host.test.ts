// Our own host under the whole suite: nothing fails, nothing is passed over, and what its cores decided in
// every scenario, in each of its processes, replays to the byte.
import { mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import type { SuiteResult } from "../../conformance/runner/result.ts";
import { replayFile } from "../../runtime-node/src/replay-file.ts";
import { ourHost, suiteOn, wrong } from "./suite-on.ts";

const recordings = mkdtempSync(join(tmpdir(), "holdfast-recordings-"));
afterAll(() => rmSync(recordings, { recursive: true, force: true }));

/** A recording for each process: several of them live at once. */
const recorded = ["/bin/sh", "-c", `HOLDFAST_RECORD="${recordings}/$$.jsonl" exec "$0" "$@"`, ...ourHost];

let suite: SuiteResult;
beforeAll(async () => {
  suite = await suiteOn({ command: recorded });
});

test("our host passes every scenario in every environment", () => {
  const { results, hosts } = suite;
  expect(wrong(results)).toEqual([]);
  expect(results.filter(({ status }) => status === "not-covered").map(({ id }) => id)).toEqual([]);
  expect(hosts[0]?.levels).toHaveLength(5);
  // It does die at each append, and there are some.
  expect(results.find(({ id }) => id === "recovery/turn@crash-each")?.rounds).toBeGreaterThan(10);
});

test("rec.replay, D1: what its cores decided replays the same, whichever process died", async () => {
  const files = readdirSync(recordings);
  expect(files.length).toBeGreaterThan(suite.results.length / 4); // a process serves several scenarios until it is killed
  let crossings = 0;
  for (const file of files) {
    const replayed = await replayFile(join(recordings, file));
    expect(replayed.difference, file).toBeUndefined();
    crossings += replayed.crossings;
  }
  expect(crossings).toBeGreaterThan(1_000);
});
