// The command `holdfast conformance`: what it prints, what it writes, and the exit code that CI sees.
import { execFile, spawn } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, test } from "vitest";
import { cli, ourHost, root } from "./suite-on.ts";

const folder = mkdtempSync(join(tmpdir(), "holdfast-command-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

interface Ran {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

function conformance(args: readonly string[], fault = ""): Promise<Ran> {
  const env = { ...process.env, NO_COLOR: "1", HOLDFAST_FAULT: fault };
  return new Promise((resolve) => {
    execFile(
      process.execPath,
      [cli, "conformance", ...args],
      { cwd: root, env, timeout: 120_000 },
      (error, stdout, stderr) => {
        resolve({ code: error === null ? 0 : Number(error.code), stdout, stderr });
      },
    );
  });
}

test("a host that conforms ends with 0, and the reports say the same", async () => {
  const [html, junit, jsonl] = ["page.html", "results.xml", "results.jsonl"].map((name) => join(folder, name)) as [
    string,
    string,
    string,
  ];
  const reports = ["--html", html, "--junit", junit, "--jsonl", jsonl];
  const { code, stdout } = await conformance(["--filter", "recovery/one-", ...reports, "--", ...ourHost]);
  expect(code).toBe(0);
  expect(stdout).toMatch(/conforms: recovery/);
  const [suite, ...results] = readFileSync(jsonl, "utf8")
    .trim()
    .split("\n")
    .map((line) => JSON.parse(line));
  expect(suite).toMatchObject({
    type: "suite",
    seed: 1,
    hosts: [{ capabilities: expect.arrayContaining(["points"]) }],
  });
  expect(results.map(({ id, status }) => `${id} ${status}`)).toEqual([
    "recovery/one-fails passed",
    "recovery/one-slow-call passed",
  ]);
  expect(readFileSync(junit, "utf8")).toMatch(
    /<testsuite name="javascript-node\d+ recovery" tests="2" failures="0" errors="0" skipped="0"/,
  );
  const page = readFileSync(html, "utf8");
  expect(page).toContain("Its death with the process costs only itself");
  expect(page).not.toMatch(/\b(?:src|href)=/); // it fetches nothing
});

test("a host that does not conform ends with 1, and what was expected and came is shown", async () => {
  const { code, stdout, stderr } = await conformance(["--filter", "recovery/one-fails", "--", ...ourHost], "fail-fast");
  expect(code).toBe(1);
  expect(stderr).toMatch(/expected 3 outcomes\s+got\s+threw .*disk full/);
  expect(stdout).toMatch(/does not conform: 1 of 1 failed/);
});

test("what is listed as failing must fail, and must not pass", async () => {
  const list = join(folder, "known.txt");
  writeFileSync(list, "# ours\nrecovery/one-fails it gives up when one call fails\n");
  const args = ["--filter", "recovery/one-fails", "--known-failing", list, "--", ...ourHost];
  const failing = await conformance(args, "fail-fast");
  expect(failing.code).toBe(0);
  const passing = await conformance(args);
  expect(passing.code).toBe(1);
  expect(passing.stderr).toContain("is listed as failing (it gives up when one call fails) and passes");
});

test("what a host does not claim is not covered, and never passed", async () => {
  const host = join(folder, "modest.cjs");
  const hello = {
    type: "hello",
    protocol: 1,
    name: "modest",
    version: "1",
    levels: ["batches"],
    capabilities: ["reuse"],
  };
  writeFileSync(host, `process.stdout.write(${JSON.stringify(`${JSON.stringify(hello)}\n`)}); process.stdin.resume();`);
  const { code, stdout } = await conformance(["--filter", "one-", "--level", "recovery", "--", process.execPath, host]);
  expect(code).toBe(0);
  expect(stdout).toContain("modest 1: nothing was covered");
  expect(stdout).toMatch(/3\s+modest: the host does not claim the level recovery/);
});

test.each([
  [["--level", "everything", "--", "x"], 2, "one of recovery, batches, limits, time, interchange"],
  [["--filter", "no such scenario", "--", ...ourHost], 2, "no scenario's name contains"],
  [[], 2, "no host is named"],
  [["--", join(folder, "nowhere")], 2, "no-start"],
  [["--", process.execPath, "-e", "process.exit(4)"], 1, "ended with code 4 before it said hello"],
])("%j ends with %i", async (args, code, words) => {
  const ran = await conformance(args);
  expect(ran.code).toBe(code);
  expect(ran.stdout + ran.stderr).toContain(words);
});

test("the scenarios are listed with the rules that they hold", async () => {
  const { code, stdout } = await conformance(["--list", "--filter", "zombie"]);
  expect(code).toBe(0);
  expect(stdout).toMatch(/^recovery\/zombie {2}\[71\]\n {4}A process stands still/);
});

/** Has the process of this id ended? One that nobody has buried yet has. */
function hasEnded(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return /\) Z /.test(readFileSync(`/proc/${pid}/stat`, "utf8"));
  } catch {
    return true;
  }
}

async function until(holds: () => boolean): Promise<void> {
  for (let i = 0; i < 1_000 && !holds(); i++) await new Promise((resolve) => setTimeout(resolve, 20));
  expect(holds()).toBe(true);
}

test("interrupted, it takes its hosts with it, even one that does not listen", async () => {
  const [host, note] = [join(folder, "deaf.cjs"), join(folder, "deaf.pid")];
  const hello = { type: "hello", protocol: 1, name: "deaf", version: "1", levels: ["recovery"], capabilities: [] };
  writeFileSync(
    host,
    `process.stdout.write(${JSON.stringify(`${JSON.stringify(hello)}\n`)}); setInterval(() => {}, 1000);
     require("node:fs").writeFileSync(${JSON.stringify(note)}, String(process.pid));`,
  );
  const runner = spawn(process.execPath, [cli, "conformance", "--", process.execPath, host], { stdio: "ignore" });
  const exit = new Promise<number | null>((resolve) => runner.on("exit", resolve));
  await until(() => existsSync(note) && readFileSync(note, "utf8") !== "");
  const pid = Number(readFileSync(note, "utf8"));
  runner.kill("SIGINT");
  expect(await exit).toBe(130);
  await until(() => hasEnded(pid));
});

test("when it is killed itself, our host ends by itself", async () => {
  const runner = spawn(
    process.execPath,
    [cli, "conformance", "--", "sh", "-c", 'echo $$ > "$NOTE"; exec "$0" "$@"', ...ourHost],
    {
      stdio: "ignore",
      env: { ...process.env, NOTE: join(folder, "our.pid") },
    },
  );
  const note = join(folder, "our.pid");
  await until(() => existsSync(note) && readFileSync(note, "utf8").endsWith("\n"));
  const pid = Number(readFileSync(note, "utf8"));
  runner.kill("SIGKILL");
  await until(() => hasEnded(pid));
});
