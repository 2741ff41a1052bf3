// The command line as a user meets it: what it prints, what it refuses and how, on every kind of terminal.
import { createHash } from "node:crypto";
import { mkdtemp, readdir, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type CommandOptions, holdfast, type Said } from "./command.ts";
import { HOSTILE, HOSTILE_ID, makeShelf, type Shelf } from "./journals.ts";

let shelf: Shelf;
beforeAll(async () => {
  shelf = await makeShelf();
});
afterAll(() => shelf?.dispose());

const say = (args: readonly string[], options: CommandOptions = {}): Promise<Said> =>
  holdfast(args, { cwd: shelf.folder, ...options });

/** Everything that moves the cursor, colours, hides or turns around. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: it is they that are looked for
const CONTROL = /[\u0000-\u0009\u000b-\u001f\u007f-\u009f]|\p{Cf}/u;

const READING: readonly (readonly [string, string?])[] = [
  ["runs"],
  ["show", "finished"],
  ["show", "family"],
  ["show", "interrupted"],
  ["timeline", "finished"],
  ["timeline", "interrupted"],
  ["verify"],
];
/** Without what is not there. */
const words = (args: readonly (string | undefined)[]): string[] => args.filter((arg) => arg !== undefined);

describe("reading a journal", () => {
  test("runs lists them all, those inside of others below them", async () => {
    const { code, stdout, stderr } = await say(["runs"]);
    expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
    const lines = stdout.split("\n");
    expect(lines[0]).toMatch(/^run +state +entries +opened/);
    expect(lines.find((line) => line.startsWith("finished "))).toMatch(/^finished +finished +7 /);
    expect(lines.find((line) => line.startsWith("interrupted "))).toMatch(/^interrupted +interrupted +5 /);
    expect(lines.findIndex((line) => line.startsWith("  family/child "))).toBe(
      lines.findIndex((line) => line.startsWith("family ")) + 1,
    );
  });

  test("show tells a run's calls, what they came to, and its openings", async () => {
    const { code, stdout } = await say(["show", "finished", "agent.db"]);
    expect(code).toBe(0);
    expect(stdout).toMatch(/^state +returned, 2 of 2 calls settled$/m);
    expect(stdout).toMatch(/^opened +\S+ \S+Z, fence 1, version v1$/m);
    expect(stdout).toMatch(/^result +\{"answer":42\}$/m);
    expect(stdout).toMatch(/^ +0 +good +echo +read +✓ +ok +executed +1 .*\{"text":"hello"/m);
    expect(stdout).toMatch(/^ +1 +bad +fails +once +✗ +error +executed +1 .*RangeError: no/m);
  });

  test("a run inside of a run is named with the one around it, or alone where that is enough", async () => {
    for (const name of ["family/child", "child"]) {
      const { code, stdout } = await say(["show", name]);
      expect(code).toBe(0);
      expect(stdout).toMatch(/^inside of family$/m);
    }
    expect((await say(["show", "family"])).stdout).toMatch(/^run in it family\/child \(closed\)$/m);
  });

  test("timeline draws a line per call", async () => {
    const { code, stdout } = await say(["timeline", "interrupted"]);
    expect(code).toBe(0);
    expect(stdout).toMatch(/^interrupted {2}not finished, 1 of 2 calls settled/);
    expect(stdout).toMatch(/^settled +echo +✓ .*█/m);
    expect(stdout).toMatch(/^hanging +hangs +… .*█/m);
  });

  test("verify says that it is sound", async () => {
    const { code, stdout } = await say(["verify"]);
    expect(code).toBe(0);
    expect(stdout).toMatch(/agent\.db is sound: 5 runs, 27 entries\.\n$/);
  });

  test.each(READING)("%s %s: --json is one document, and nothing else is printed", async (...args) => {
    const { code, stdout, stderr } = await say([...words(args), "--json"]);
    expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
    expect(JSON.parse(stdout)).toMatchObject({ journal: "agent.db" });
  });

  test("what --json says is what there is", async () => {
    const { runs } = JSON.parse((await say(["runs", "--json"])).stdout);
    expect(runs.map(({ id, state }: { id: string; state: string }) => `${id}: ${state}`)).toEqual([
      "finished: closed",
      "family: closed",
      "child: closed",
      `${HOSTILE_ID}: closed`,
      "interrupted: open",
    ]);
    const { run } = JSON.parse((await say(["show", "finished", "--json"])).stdout);
    expect(run.slots[1].error).toMatchObject({ name: "RangeError", message: `no ${HOSTILE}`, code: "E_NO" });
  });

  test("changes nothing: neither the file nor what lies beside it", async () => {
    // SQLite leaves these two beside what it may only read; the next who opens it takes them away.
    const passing = ["agent.db-shm", "agent.db-wal"];
    const seen = async () => ({
      files: (await readdir(shelf.folder)).filter((name) => !passing.includes(name)).sort(),
      digest: createHash("sha256")
        .update(await readFile(shelf.path("agent.db")))
        .digest("hex"),
    });
    const before = await seen();
    for (const args of READING) expect((await say(words(args))).code).toBe(0);
    expect(await seen()).toEqual(before);
  });
});

describe("a journal that is none", () => {
  const COMMANDS = [["runs"], ["show", "finished"], ["timeline", "finished"], ["verify"]];
  test.each<[string, RegExp]>([
    ["none.db", /^journal-unavailable: "none\.db" does not exist\./],
    ["folder.db", /^journal-unavailable: .*folder\.db" is a directory\./],
    ["empty.db", /^journal-unavailable: "empty\.db" is empty\./],
    ["text.db", /^journal-foreign: .*text\.db" is not a Holdfast journal/],
    ["foreign.db", /^journal-foreign: .*foreign\.db" is not a Holdfast journal/],
    ["none/none.db", /^journal-unavailable: /],
  ])("%s is refused by every command, in words, and stays what it was", async (name, words) => {
    const before = (await readdir(shelf.folder)).sort();
    for (const command of COMMANDS) {
      const { code, stdout, stderr } = await say([...command, name]);
      expect({ code, stdout }, command[0]).toEqual({ code: 2, stdout: "" });
      expect(stderr, command[0]).toMatch(words);
      expect(stderr).not.toMatch(/\n +at /);
    }
    expect((await readdir(shelf.folder)).sort()).toEqual(before);
  });

  test("with a flipped bit, only the run that has it is refused; verify names the place", async () => {
    expect((await say(["show", "family", "flipped.db"])).code).toBe(0);
    const show = await say(["show", "finished", "flipped.db"]);
    expect(show.code).toBe(1);
    expect(show.stderr).toMatch(/^journal-corrupt: the journal of run "finished" is corrupt at slot 0/);
    const verify = await say(["verify", "flipped.db"]);
    expect(verify.code).toBe(1);
    expect(verify.stdout).toMatch(/1 problem;/);
    expect(verify.stdout).toMatch(/^run finished, slot 0, entry \d+: /m);
    const json = await say(["verify", "flipped.db", "--json"]);
    expect(json.code).toBe(1);
    expect(JSON.parse(json.stdout)).toMatchObject({ ok: false, problemCount: 1 });
  });

  test("cut off, it is corrupt", async () => {
    for (const command of [["runs"], ["show", "finished"], ["timeline", "finished"]]) {
      const { code, stderr } = await say([...command, "cut.db"]);
      expect(code).toBe(1);
      expect(stderr).toMatch(/^journal-corrupt: /);
    }
    const { code, stdout } = await say(["verify", "cut.db"]);
    expect(code).toBe(1);
    expect(stdout).toMatch(/^the file: /m);
  });
});

describe("arguments that are wrong", () => {
  test.each<[string[], RegExp]>([
    [[], /Usage: holdfast/],
    [["lsit"], /unknown command 'lsit'/],
    [["show"], /missing required argument 'run'/],
    [["runs", "a.db", "b.db"], /too many arguments/],
    [["runs", "--jsno"], /unknown option '--jsno'/],
    [["show", "nobody"], /^run-not-found: the journal has no run "nobody"\. It has: finished, family, /],
    [["show", "\u001b[2Jx"], /the journal has no run "\\\\u\{1b\}\[2Jx"/],
    [["demo", "--calls", "11"], /It must be an integer from 12 to 200/],
    [["demo", "--calls", "1e2"], /It must be an integer from 12 to 200/],
    [["demo", "--seed", "-1"], /It must be an integer from 0 to 4294967295/],
    [["demo", "--kill-after", "many"], /It must be an integer from 0 to 200/],
    [["demo", "--calls", "12", "--kill-after", "13"], /--kill-after 13 is more than the 12 calls of the turn/],
    [["demo-turn"], /^invalid-option: this is the inner half of the demo/],
  ])("%j", async (args, words) => {
    const { code, stdout, stderr } = await say(args);
    expect({ code, stdout }).toEqual({ code: 2, stdout: "" });
    expect(stderr).toMatch(words);
    expect(stderr).not.toMatch(/\n +at /);
  });

  test.each([
    ["runs", "none.db"],
    ["show", "nobody"],
    ["show", "finished", "flipped.db"],
    ["lsit"],
    ["demo", "--calls", "0"],
  ])("with --json it is said in JSON too: %s %s", async (...args) => {
    const { code, stdout, stderr } = await say([...args, "--json"]);
    expect(code).toBeGreaterThan(0);
    expect(stderr).not.toBe("");
    expect(JSON.parse(stdout).error.code).toMatch(/^[a-zA-Z.-]+$/);
  });

  test("--debug shows where it comes from", async () => {
    expect((await say(["runs", "none.db", "--debug"])).stderr).toMatch(/\n +at /);
  });
});

describe("help", () => {
  test.each(["demo", "runs", "show", "timeline", "verify"])("%s says what it does, with examples", async (command) => {
    const { code, stdout } = await say([command, "--help"]);
    expect(code).toBe(0);
    expect(stdout).toMatch(new RegExp(`^Usage: holdfast ${command}`));
    expect(stdout).toMatch(/\nExamples:\n {2}\$ holdfast /);
    expect((await say(["help", command])).stdout).toBe(stdout);
  });

  test("the version is the package's", async () => {
    const manifest = JSON.parse(await readFile(new URL("../../package.json", import.meta.url), "utf8"));
    expect((await say(["--version"])).stdout).toBe(`${manifest.version}\n`);
  });
});

describe("on every terminal", () => {
  test("nothing that came from a journal reaches it as a control character", async () => {
    const names = [["show", HOSTILE_ID], ["timeline", HOSTILE_ID], ["show", "finished"], ["runs"], ["verify"]];
    for (const args of names) {
      for (const more of [[], ["--json"]]) {
        const { code, stdout } = await say([...args, ...more]);
        expect(code).toBe(0);
        expect(stdout).not.toMatch(CONTROL);
      }
    }
  });

  test("a name can be given as it is shown", async () => {
    const shown = /^(left\S+end) /m.exec((await say(["runs"])).stdout)![1]!;
    expect(shown).toBe("left\\u{202e}thgir\\u{2066}\\u{200b}end");
    expect((await say(["show", shown])).code).toBe(0);
  });

  test("colours are there when they are asked for, and NO_COLOR is stronger", async () => {
    // biome-ignore lint/suspicious/noControlCharactersInRegex: it is they that are looked for
    const colour = /\u001b\[\d+m/;
    expect((await say(["runs"])).stdout).not.toMatch(colour);
    expect((await say(["runs"], { env: { FORCE_COLOR: "1" } })).stdout).toMatch(colour);
    expect((await say(["runs"], { env: { FORCE_COLOR: "1", NO_COLOR: "1" } })).stdout).not.toMatch(colour);
  });

  test.each(READING)("%s %s: LC_ALL=C is ASCII", async (...args) => {
    // biome-ignore lint/suspicious/noControlCharactersInRegex: everything else is looked for
    expect((await say(words(args), { env: { LC_ALL: "C" } })).stdout).toMatch(/^[\u0000-\u007f]+$/);
  });

  test.each([["runs"], ["timeline", "finished"], ["timeline", "interrupted"]])(
    "%s %s: COLUMNS=60 is at most 60 wide",
    async (...args) => {
      const { stdout } = await say(args, { env: { COLUMNS: "60" } });
      const lines = stdout.split("\n").filter((line) => !/settled/.test(line) || /[█✓]/.test(line));
      expect(Math.max(...lines.map((line) => [...line].length))).toBeLessThanOrEqual(60);
    },
  );

  test("whoever stops reading is not told of it", async () => {
    const { code, stderr } = await say(["--help"], { onOutput: () => "close" });
    expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
  });
});

test("the journal is agent.db in the folder one is in, and its absence is said", async () => {
  const empty = await mkdtemp(join(tmpdir(), "holdfast-empty-"));
  const { code, stderr } = await holdfast(["runs"], { cwd: empty });
  expect(code).toBe(2);
  expect(stderr).toMatch(/"agent\.db" does not exist\. Name the journal after the command's other arguments/);
  expect(await readdir(empty)).toEqual([]);
  await rm(empty, { recursive: true });
});
