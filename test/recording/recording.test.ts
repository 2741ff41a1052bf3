// Real runs, recorded over the deaths of their processes, and replayed by the command: the same, to the
// byte. The turn is the sweep's: every effect, reconcilers, retries, a time-out, a run inside the run.
import { spawnSync } from "node:child_process";
import { appendFileSync, existsSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, afterEach, beforeEach, describe, expect, test } from "vitest";
import { RECORDING_HEADER } from "../../bindings/js/src/recording.ts";
import { recordTo } from "../../runtime-node/src/recorder.ts";
import { replayFile } from "../../runtime-node/src/replay-file.ts";
import { Life, type Moment } from "../sweep/life.ts";

const cli = fileURLToPath(new URL("../../dist/cli.js", import.meta.url));
const folder = mkdtempSync(join(tmpdir(), "holdfast-recording-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

let number = 0;
let recording = "";
const before = process.env.HOLDFAST_RECORD;
beforeEach(() => {
  recording = join(folder, `${number++}.jsonl`);
  process.env.HOLDFAST_RECORD = recording; // the processes of a life inherit it
});
afterEach(() => {
  if (before === undefined) delete process.env.HOLDFAST_RECORD;
  else process.env.HOLDFAST_RECORD = before;
});

function replay(...options: string[]): { status: number | null; stdout: string; stderr: string } {
  const env: NodeJS.ProcessEnv = { ...process.env, NO_COLOR: "1" };
  delete env.HOLDFAST_RECORD;
  return spawnSync(process.execPath, [cli, "replay", recording, ...options], {
    encoding: "utf8",
    timeout: 60_000,
    env,
  });
}

/** A turn whose process dies at this append, and the process that carries it to its end. */
async function lives(append: number, moment: Moment): Promise<void> {
  const life = new Life();
  try {
    expect((await life.process(append, moment)).signal).toBe("SIGKILL");
    expect((await life.process()).seen).toBeDefined();
  } finally {
    rmSync(life.folder, { recursive: true, force: true });
  }
}

describe("a real run", () => {
  test.each([
    [1, "during"],
    [2, "after"],
    [5, "before"],
    [9, "after"],
  ] as const)("killed at append %i, %s, and carried to its end replays the same", async (append, moment) => {
    await lives(append, moment);
    const { status, stdout, stderr } = replay("--json");
    expect(stderr).toBe("");
    const replayed = JSON.parse(stdout);
    expect(replayed.difference).toBeUndefined();
    expect(status).toBe(0);
    expect(replayed.cores).toBe(2);
    expect(replayed.crossings).toBeGreaterThan(20);
    expect(replayed.truncated).toBe(0); // whole lines, though the process was killed
  });

  test("is told about: the same, what differs, what is cut off, what is garbage", async () => {
    await lives(5, "before");
    expect(replay().stdout).toMatch(/^the same {2}\d+ crossings into 2 cores of .*jsonl\n/);
    const text = readFileSync(recording, "utf8");
    const at = text.split("\n").findIndex((line) => line.includes('"kind":"call"'));

    writeFileSync(recording, text.slice(0, -20));
    expect(replay()).toMatchObject({ status: 0, stdout: expect.stringContaining("1 line was cut off") });

    const bent = text.split("\n").with(at, (text.split("\n")[at] as string).replace('"attempt":1', '"attempt":7'));
    writeFileSync(recording, bent.join("\n"));
    const told = replay();
    expect(told.status).toBe(1);
    expect(told.stdout).toContain(`jsonl:${at + 1}, core `);
    expect(told.stdout).toMatch(/at {8}gave\.entries\[\d+\]\.attempt\n {2}recorded {2}7\n {2}now {7}1\n/);

    writeFileSync(recording, text.split("\n").toSpliced(7, 0, "garbage").join("\n"));
    expect(replay()).toMatchObject({ status: 1, stderr: expect.stringContaining("recording-corrupt: line 8 ") });
  });

  test("is not recorded unless it is asked for", async () => {
    delete process.env.HOLDFAST_RECORD;
    const life = new Life();
    await life.process();
    rmSync(life.folder, { recursive: true, force: true });
    expect(existsSync(recording)).toBe(false);
  });

  test("a recording that is not there is an argument that is wrong", () => {
    expect(replay()).toMatchObject({ status: 2, stderr: expect.stringContaining("cannot be read (ENOENT)") });
  });
});

describe("the recorder", () => {
  const warnings: string[] = [];
  const warn = (message: string): void => void warnings.push(message);
  beforeEach(() => {
    warnings.length = 0;
  });

  test("is bounded: it ends with a whole line, says so once, and never throws", async () => {
    const record = recordTo(recording, warn, 200);
    for (let i = 0; i < 10; i++) record(`{"core":"a","do":"handle","now":"${i}n"}`);
    expect(statSync(recording).size).toBeLessThanOrEqual(200);
    expect(readFileSync(recording, "utf8").endsWith("}\n")).toBe(true);
    expect(warnings).toHaveLength(1);
  });

  test("is one for all runtimes of a process", () => {
    expect(recordTo(recording, warn)).toBe(recordTo(recording, warn));
    expect(readFileSync(recording, "utf8")).toBe(`${RECORDING_HEADER}\n`);
  });

  test("begins a line of its own after one that was cut off, and may be read by its owner only", async () => {
    writeFileSync(recording, `${RECORDING_HEADER}\n{"core":"a","do":"conf`, { mode: 0o600 });
    recordTo(recording, warn);
    expect(readFileSync(recording, "utf8").split("\n")).toEqual([
      RECORDING_HEADER,
      '{"core":"a","do":"conf',
      RECORDING_HEADER,
      "",
    ]);
    expect(await replayFile(recording)).toEqual({ cores: 0, crossings: 0, unanswered: 0, truncated: 1 });
    expect(statSync(recording).mode & 0o077).toBe(0);
  });

  test("refuses a path that cannot be written", () => {
    expect(() => recordTo(join(recording, "nowhere"), warn)).toThrow(/^invalid-option: HOLDFAST_RECORD is/);
  });

  test("a line without an end is refused before it fills the memory", async () => {
    writeFileSync(recording, `${RECORDING_HEADER}\n`);
    appendFileSync(recording, "x".repeat(3_000_000));
    await expect(replayFile(recording, 1_000_000)).rejects.toThrow("recording-corrupt: line 2 is longer than");
  });
});
