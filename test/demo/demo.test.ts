// The demo as it is met from outside: killed for real, left alone, stopped by hand, unread. Each time the
// promises are checked by itself, and its exit code says so.
import { mkdtemp, readdir, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { type CommandOptions, holdfast } from "../cli/command.ts";
import { groupsIn, livingIn } from "./living.ts";

// Everything that the demo makes lies in here, so what it leaves behind can be seen.
let scratch: string;
beforeAll(async () => {
  scratch = await mkdtemp(join(tmpdir(), "holdfast-demo-test-"));
});
afterAll(() => rm(scratch, { recursive: true, force: true }));

const demo = (args: readonly string[], options: CommandOptions = {}) =>
  holdfast(["demo", ...args], { ...options, env: { TMPDIR: scratch, ...options.env } });

/** Neither a folder nor a process. */
async function expectNothingLeft(): Promise<void> {
  expect(await readdir(scratch)).toEqual([]);
  await expect.poll(() => livingIn(scratch), { timeout: 10_000 }).toEqual([]);
}

const count = (document: any, how: string): number => document.calls.filter((call: any) => call.how === how).length;

describe("killed in the middle", () => {
  test("it recovers and keeps every promise, each checked on something", async () => {
    const { code, stdout, stderr } = await demo(["--seed", "7", "--json"]);
    expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
    const document = JSON.parse(stdout);
    expect(document).toMatchObject({ seed: 7, killed: true, kept: true });
    expect(document.calls).toHaveLength(24);
    expect(document.promises).toHaveLength(9);
    for (const { promise, cases } of document.promises) expect(cases, promise).toBeGreaterThan(0);
    expect(count(document, "replayed")).toBe(document.settledAtKill[0]);
    expect(count(document, "executed")).toBeGreaterThan(0);
    expect(count(document, "re-executed")).toBeGreaterThan(0);
    // The call that nobody can be asked about is always under way when the kill comes.
    expect(document.calls.find((call: any) => call.tool === "toggle-simulated-logging")).toMatchObject({
      effect: "once",
      how: "surfaced",
      outcome: "unknown",
    });
    await expectNothingLeft();
  });

  test.each([
    ["before anything has settled", "0"],
    ["when all has settled, and the run is not closed or just so", "12"],
  ])("%s", async (_, killAfter) => {
    const { code, stdout } = await demo(["--calls", "12", "--kill-after", killAfter, "--json"]);
    expect(code).toBe(0);
    const document = JSON.parse(stdout);
    expect(document.kept).toBe(true);
    if (document.killed) expect(document.settledAtKill[0]).toBeGreaterThanOrEqual(Number(killAfter));
    await expectNothingLeft();
  });

  test("a person reads what happened, call by call, and that all is well", async () => {
    const { code, stdout } = await demo(["--calls", "12", "--seed", "5"], { env: { COLUMNS: "100" } });
    expect(code).toBe(0);
    expect(stdout).toMatch(/^It is killed as soon as \d+ have settled\.$/m);
    expect(stdout).toMatch(/✗ SIGKILL after .* The journal has: \d+ settled, \d+ in doubt, \d+ not started\./);
    expect(stdout).toMatch(/^call-01 +\S+ +(read|idempotent|once) +(settled|in doubt|waiting) /m);
    expect(stdout).toMatch(/^call-12 {2}.*[✓✗?] [█·╌▒2]+/m);
    expect(stdout).toMatch(/^ {2}✓ the journal is sound {2}12 cases$/m);
    expect(stdout).toMatch(/^✓ All 9 promises kept\. 12 calls, killed once: .*\d replayed/m);
    expect(stdout).not.toContain("✗ SIGKILL\n");
    await expectNothingLeft();
  });
});

describe("left alone", () => {
  test("with --no-kill everything is executed once", async () => {
    const { code, stdout } = await demo(["--no-kill", "--calls", "12", "--json"]);
    expect(code).toBe(0);
    const document = JSON.parse(stdout);
    expect(document).toMatchObject({ killed: false, kept: true, settledAtKill: [] });
    expect(document.calls.map(({ how, began, ended }: any) => ({ how, began, ended }))).toEqual(
      Array(12).fill({ how: "executed", began: 1, ended: 1 }),
    );
    await expectNothingLeft();
  });

  test("with --keep its folder stays, and the other commands read it", async () => {
    const { stdout } = await demo(["--no-kill", "--calls", "12", "--keep", "--json"]);
    const { folder } = JSON.parse(stdout);
    const journal = join(folder, "agent.db");
    const verified = await holdfast(["verify", journal, "--json"]);
    expect(JSON.parse(verified.stdout)).toMatchObject({ ok: true, runs: 1 });
    expect((await holdfast(["timeline", "turn", journal])).code).toBe(0);
    await rm(folder, { recursive: true });
    await expectNothingLeft();
  });
});

describe("cut short", () => {
  let groups: ReadonlySet<number>;
  let acted = false;
  /** Once a call has settled and its processes live: notes the groups of them all, then does this. */
  const then =
    (what: NodeJS.Signals | "close") =>
    (stdout: string): NodeJS.Signals | "close" | undefined => {
      if (!/ call-\d\d .*: ok/.test(stdout)) return undefined;
      groups = groupsIn(scratch);
      // Itself, its life, two servers: or nothing could be said of those that are left. What is read late may have been
      // printed by a life that the demo has killed since; the next one's will do. If none does, the demo ends with 0.
      const living = process.platform === "linux" ? livingIn(scratch, groups).length : 4;
      acted = living >= 4;
      return acted ? what : undefined;
    };
  beforeEach(() => {
    acted = false;
  });
  const expectNobodyLeft = () => expect.poll(() => livingIn(scratch, groups), { timeout: 10_000 }).toEqual([]);

  test.each<NodeJS.Signals>(["SIGINT", "SIGTERM"])(
    "by %s, it ends with 130 and leaves nothing behind",
    async (signal) => {
      const { code, stdout } = await demo([], { onOutput: then(signal) });
      expect(code).toBe(130);
      expect(stdout).not.toContain("Promises");
      await expectNobodyLeft();
      await expectNothingLeft();
    },
  );

  test("by SIGKILL, its processes end with it", async () => {
    const { signal } = await demo([], { onOutput: then("SIGKILL") });
    expect(signal).toBe("SIGKILL");
    await expectNobodyLeft();
    // Its folder stays: there was nobody left to take it away.
    for (const name of await readdir(scratch))
      await rm(join(scratch, name), { recursive: true, force: true, maxRetries: 5 });
  });

  test("by nobody's reading on, it ends quietly and leaves nothing behind", async () => {
    const { code, stderr } = await demo([], { onOutput: then("close") });
    expect({ acted, code, stderr }).toEqual({ acted: true, code: 0, stderr: "" });
    await expectNobodyLeft();
    await expectNothingLeft();
  });
});
