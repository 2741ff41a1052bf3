// The demo of limits as it is met from outside, and its verdict: counts are held together, never times. A
// true account is kept, and each lie breaks the one word that it is about.
import { mkdtemp, readdir, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { accountOf, brokenIn, bucketsOf, type RunFacts } from "../../runtime-node/src/cli/demo-limits/account.ts";
import { chartLines, scaleOf } from "../../runtime-node/src/cli/demo-limits/chart.ts";
import { reportLines } from "../../runtime-node/src/cli/demo-limits/report.ts";
import { sceneOf } from "../../runtime-node/src/cli/demo-limits/scene.ts";
import { type CommandOptions, holdfast } from "../cli/command.ts";

let scratch: string;
beforeAll(async () => {
  scratch = await mkdtemp(join(tmpdir(), "holdfast-demo-limits-test-"));
});
afterAll(() => rm(scratch, { recursive: true, force: true }));

const limits = (args: readonly string[], options: CommandOptions = {}) =>
  holdfast(["demo", "limits", ...args], { ...options, env: { TMPDIR: scratch, ...options.env } });

const sum = (buckets: readonly any[], of: string): number => buckets.reduce((total, bucket) => total + bucket[of], 0);

describe("the command", () => {
  test("every call gets through Holdfast, within its limits, and most do not without", async () => {
    const { code, stdout, stderr } = await limits(["--seed", "3", "--json"]);
    expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
    const { without, holdfast: through, ...document } = JSON.parse(stdout);
    expect(document).toMatchObject({ seed: 3, kept: true, broken: [] });
    expect(through).toMatchObject({ calls: 200, succeeded: 200, failed: 0, granted: 200, mostAtOnce: 12 });
    expect(through.requests).toBe(200 + through.retried);
    expect(through.retried).toBe(through.refused);
    expect(through.refusedFor).not.toHaveProperty("concurrency");
    expect(without).toMatchObject({ calls: 200, mostAtOnce: 200 });
    expect(without.failed).toBeGreaterThan(0);
    expect(without.refused).toBeGreaterThan(through.refused);
    for (const run of [without, through]) {
      expect(run.granted).toBe(run.succeeded);
      expect(run.granted + run.refused).toBe(run.requests);
      expect(sum(run.buckets, "granted")).toBe(run.granted);
      expect(sum(run.buckets, "refused")).toBe(run.refused);
    }
    expect(await readdir(scratch)).toEqual([]);
  });

  test("a person sees both runs beside each other, and a line that sums it up", async () => {
    const { code, stdout } = await limits(["--calls", "100"], { env: { COLUMNS: "80" } });
    expect(code).toBe(0);
    expect(stdout).toMatch(/^holdfast demo limits {2}seed 1$/m);
    expect(stdout).toMatch(/^ +without limits +through Holdfast$/m);
    expect(stdout).toMatch(/^calls +100 +100$/m);
    expect(stdout).toMatch(/^ *granted \d+ .*[▁-█]/m);
    expect(stdout).toMatch(/^✓ All 100 calls got through, \d+ refused; without limits \d+ did, .*refused\.$/m);
    for (const line of stdout.slice(stdout.lastIndexOf("Without limits")).split("\n"))
      expect(line.length, line).toBeLessThanOrEqual(80);
  });

  test.each<NodeJS.Signals>(["SIGINT", "SIGTERM"])("stopped by %s in either run, it ends with 130", async (signal) => {
    for (const when of [/Without limits {2}/, /Through Holdfast {2}[\s\S]* through,/]) {
      const onOutput = (stdout: string) => (when.test(stdout) ? signal : undefined);
      const { code, stdout, stderr } = await limits(["--calls", "100"], { onOutput });
      expect({ code, stderr }).toEqual({ code: 130, stderr: "" });
      expect(stdout).not.toContain("total time");
      expect(await readdir(scratch)).toEqual([]);
    }
  });

  test("its options are its own, and the demo's are not", async () => {
    const bad = await limits(["--calls", "12"]);
    expect(bad).toMatchObject({ code: 2, stdout: "" });
    expect(bad.stderr).toMatch(/integer from 100 to 400[\s\S]*holdfast demo limits --help/);
    const foreign = await limits(["--kill-after", "2"]);
    expect(foreign.code).toBe(2);
    expect(foreign.stderr).toMatch(/unknown option '--kill-after'/);
    expect((await holdfast(["demo", "--calls", "11"])).stderr).toMatch(/integer from 12 to 200/);
    expect((await holdfast(["demo", "nothing"])).code).toBe(2);
    expect((await limits(["--help"])).stdout).toMatch(/demo limits --seed 7 --json/);
  });
});

const asked = (id: string, at: number, status = 200) =>
  status === 200 ? { id, at, status } : { id, at, status, why: status === 503 ? "outage" : "requests" };

/** Two calls: without limits both are refused twice and one fails; through Holdfast one is refused once. */
const without: RunFacts = {
  calls: ["a", "b"],
  asked: [asked("a", 1, 429), asked("b", 2, 429), asked("a", 110), asked("b", 120, 503)],
  told: [
    ["a", true],
    ["b", false],
  ],
  mostAtOnce: 2,
  tookMs: 250,
};
const kept: RunFacts = {
  calls: ["a", "b"],
  asked: [asked("a", 0), asked("b", 5, 429), asked("b", 230)],
  told: [
    ["a", true],
    ["b", true],
  ],
  mostAtOnce: 1,
  tookMs: 260,
};

describe("the verdict", () => {
  test("counts what the provider wrote down", () => {
    expect(accountOf(without)).toEqual({
      calls: 2,
      succeeded: 1,
      failed: 1,
      requests: 4,
      granted: 1,
      refused: 3,
      refusedFor: { requests: 2, outage: 1 },
      retried: 2,
      mostAtOnce: 2,
      tookMs: 250,
    });
    expect(bucketsOf(without.asked, 100, 250)).toEqual([
      { granted: 0, refused: 2 },
      { granted: 1, refused: 1 },
      { granted: 0, refused: 0 },
    ]);
  });

  test("nothing is broken when all is well", () => expect(brokenIn(without, kept)).toEqual([]));

  test.each<[string, Partial<RunFacts>, string]>([
    ["a call that nobody heard of again", { told: [["a", true]] }, "lost: b"],
    ["a call that failed", { told: [...kept.told.slice(0, 1), ["b", false]] }, "lost: b"],
    ["a call that ended twice", { told: [...kept.told, ["a", true]] }, "ended more than once: a"],
    [
      "a success that the provider knows nothing of",
      { asked: kept.asked.slice(0, 2) },
      "told to have got through, but not granted exactly once: b",
    ],
    [
      "a call that was made twice",
      { asked: [...kept.asked, asked("a", 240)] },
      "told to have got through, but not granted exactly once: a",
    ],
    [
      "more refusals than without limits",
      { asked: [...kept.asked, ...[1, 2, 3].map((at) => asked("b", at, 429))] },
      "refused more often than without limits: 4 times, not 3",
    ],
  ])("notices %s", (_, lie, found) => {
    const holdfast = { ...kept, ...lie };
    const broken = brokenIn(without, holdfast);
    expect(broken).toEqual([found]);
    const look = { colour: false, unicode: false, width: 100, live: false };
    const lines = reportLines({ scene: sceneOf(1, 100), without, holdfast, broken }, look);
    expect(lines.slice(-2)).toEqual(["x Holdfast did not keep its word.", `  x ${found}`]);
  });
});

test("the chart: granted above, refused below, the outage on the axis, one column per span", () => {
  const look = { colour: false, unicode: false, width: 60, live: false };
  const charted = { asked: without.asked, untilMs: 250 };
  const scale = scaleOf([charted], look);
  expect(scale).toEqual({ bucketMs: 100, granted: 1, refused: 2 });
  expect(chartLines(charted, { fromMs: 100, untilMs: 200 }, scale, look)).toEqual([
    "  granted 1  #",
    "             #",
    "             #",
    "             #",
    "          0 -=-",
    "            xx",
    "            xx",
    "            x",
    "  refused 2 x",
    "            0",
  ]);
  // Where it is too narrow for every span a column holds several.
  expect(scaleOf([{ asked: [], untilMs: 20_000 }], look).bucketMs).toBe(500);
});
