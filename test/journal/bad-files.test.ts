// Files that are no journal, or may not be used as one: each is a typed error that says what to do, and
// nothing on the disk has changed.
import { execFile } from "node:child_process";
import { createHash } from "node:crypto";
import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  truncateSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { HoldfastError, openRuntime, openSqliteJournal, verifyJournal } from "holdfast";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { openSqlite } from "../../runtime-node/src/sqlite.ts";
import { entry, group, groupsOf } from "./entries.ts";

let folder: string;
const at = (name: string): string => join(folder, name);

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "holdfast-files-"));
});
afterEach(() => {
  chmodSync(folder, 0o755);
  rmSync(folder, { recursive: true, force: true });
});

async function refused(work: Promise<unknown>): Promise<HoldfastError> {
  const error = await work.then(
    () => undefined,
    (thrown: unknown) => thrown,
  );
  expect(error).toBeInstanceOf(HoldfastError);
  return error as HoldfastError;
}

/** A sound journal of two runs. */
async function makeJournal(name = "journal.db"): Promise<string> {
  const journal = await openSqliteJournal(at(name));
  for (const run of ["a", "b"]) {
    const { fence } = await journal.open(run);
    await journal.append(run, fence, group(`of ${run}`, 300));
  }
  await journal.close();
  return at(name);
}

/** Names and contents of everything in the folder. */
function disk(): Record<string, string> {
  const files = readdirSync(folder, { withFileTypes: true }).filter((file) => file.isFile());
  return Object.fromEntries(
    files.map(({ name }) => [
      name,
      createHash("sha256")
        .update(readFileSync(at(name)))
        .digest("hex"),
    ]),
  );
}

function patch(path: string, offset: number, bytes: readonly number[]): void {
  const file = readFileSync(path);
  file.set(bytes, offset);
  writeFileSync(path, file);
}

describe("what is no journal", () => {
  test.for([
    {
      what: "a text file",
      code: "journal-foreign",
      make: (path: string) => writeFileSync(path, "dear diary\n".repeat(200)),
    },
    {
      what: "a file of zeros",
      code: "journal-foreign",
      make: (path: string) => writeFileSync(path, new Uint8Array(8192)),
    },
    { what: "a directory", code: "journal-unavailable", make: (path: string) => mkdirSync(path) },
    {
      what: "another program's database",
      code: "journal-foreign",
      make: (path: string) => {
        const database = openSqlite(path);
        database.exec("CREATE TABLE entries (a); INSERT INTO entries VALUES (1)");
        database.close();
      },
    },
    {
      what: "another program's database with an application id",
      code: "journal-foreign",
      make: (path: string) => {
        const database = openSqlite(path);
        database.exec("PRAGMA application_id = 7; CREATE TABLE runs (a)");
        database.close();
      },
    },
  ])("$what", async ({ code, make }) => {
    make(at("it"));
    const before = disk();
    for (const open of [
      () => openSqliteJournal(at("it")),
      () => openRuntime({ journal: at("it"), tools: {} }),
      () => verifyJournal(at("it")),
    ]) {
      const error = await refused(open());
      expect(error.code).toBe(code);
      expect(error.message).toContain(JSON.stringify(at("it")));
      expect(error.next).not.toBe("");
    }
    expect(disk()).toEqual(before);
  });

  test("what is no path", async () => {
    for (const path of ["", ":memory:", "file:journal.db", "https://a.b/c", "a\0b", 7, null, undefined]) {
      const error = await refused(openSqliteJournal(path as string));
      expect(error.code, String(path)).toBe("invalid-option");
    }
    expect(existsSync("file:journal.db")).toBe(false);
  });

  test("a lease of no length", async () => {
    for (const leaseMs of [0, 999, 1.5, "5s", 4_000_000]) {
      const error = await refused(openSqliteJournal(at("j.db"), { leaseMs: leaseMs as number }));
      expect(error.code).toBe("invalid-option");
    }
    expect(disk()).toEqual({});
  });
});

describe("a journal of another version", () => {
  test.for([2, 0, 99])("%d", async (version) => {
    const path = await makeJournal();
    patch(path, 60, [0, 0, 0, version]);
    const before = disk();
    for (const open of [() => openSqliteJournal(path), () => verifyJournal(path)]) {
      const error = await refused(open());
      expect(error).toMatchObject({ code: "journal-version", details: { version, understood: 1 } });
    }
    expect(disk()).toMatchObject(before);
  });
});

describe("what is new", () => {
  test("an empty file is a fresh journal", async () => {
    writeFileSync(at("j.db"), "");
    expect(await verifyJournal(at("j.db"))).toMatchObject({ ok: true, runs: 0 });
    const journal = await openSqliteJournal(at("j.db"));
    expect(await journal.runs()).toEqual([]);
    await journal.close();
  });

  test("a missing folder is named", async () => {
    const error = await refused(openSqliteJournal(at("nowhere/j.db")));
    expect(error.code).toBe("journal-unavailable");
    expect(error.message).toContain(`${JSON.stringify(at("nowhere"))} does not exist`);
    expect(disk()).toEqual({});
  });

  test("a folder that is a file is named", async () => {
    writeFileSync(at("file"), "");
    const error = await refused(openSqliteJournal(at("file/j.db")));
    expect(error.code).toBe("journal-unavailable");
  });

  test.for([
    "with space.db",
    "ünï💥.db",
    "a'b\"c.db",
    "x?mode=ro#y.db",
    "100%.db",
    "-rf",
    "a%2fb.db",
    "$(id);`id`.db",
    "line\nbreak.db",
  ])("a name is a name: %j", async (name) => {
    await makeJournal(name);
    expect(readdirSync(folder)).toEqual([name]);
    expect(await verifyJournal(at(name))).toMatchObject({ ok: true, runs: 2, entries: 600 });
    const journal = await openSqliteJournal(at(name));
    expect(groupsOf((await journal.read("b"))!)).toBe("of b×300");
    await journal.close();
  });
});

// ── a user who may not, and a disk that is full ───────────────────────────────────────────────

const NOBODY = 65_534;
const opener = fileURLToPath(new URL("opener.mjs", import.meta.url));
interface Said {
  readonly appended: number;
  readonly name?: string;
  readonly code?: string;
  readonly message?: string;
}

/** As somebody whom rights bind, in a shell that may set bounds first. */
async function asNobody(path: string, groups = 0, bounds = ":"): Promise<Said> {
  const root = process.getuid?.() === 0;
  const script = `${bounds}; exec "$0" "$@"`;
  const { stdout } = await promisify(execFile)(
    "bash",
    ["-c", script, process.execPath, opener, path, String(groups)],
    root ? { uid: NOBODY, gid: NOBODY } : {},
  );
  return JSON.parse(stdout) as Said;
}

describe.skipIf(process.platform === "win32")("what may not be written", () => {
  test("a file that may only be read", async () => {
    const path = await makeJournal();
    chmodSync(folder, 0o777);
    chmodSync(path, 0o444);
    const before = disk();
    const said = await asNobody(path);
    expect(said).toMatchObject({ name: "JournalError", code: "journal-unavailable" });
    expect(said.message).toContain("may not be written");
    expect(disk()).toEqual(before);
  });

  test("a file that may not be read", async () => {
    const path = await makeJournal();
    chmodSync(folder, 0o777);
    chmodSync(path, 0o000);
    expect((await asNobody(path)).message).toContain("may not be read");
  });

  test("a folder that may only be read, with and without a journal in it", async () => {
    const path = await makeJournal();
    chmodSync(path, 0o666);
    chmodSync(folder, 0o555);
    const before = disk();
    for (const name of [path, at("new.db")]) {
      const said = await asNobody(name);
      expect(said.code).toBe("journal-unavailable");
      expect(said.message).toContain(JSON.stringify(folder));
    }
    expect(disk()).toEqual(before);
  });

  test("a disk that is full: what was acknowledged is there, what was not is not", async () => {
    chmodSync(folder, 0o777);
    const path = at("j.db");
    // No file may grow beyond this, which is what a full disk comes to; the signal that goes with it is ignored.
    const said = await asNobody(path, 1_000, "trap '' XFSZ; ulimit -f 2000");
    expect(said).toMatchObject({ name: "JournalError", code: "journal-append" });
    expect(said.appended).toBeGreaterThan(0);
    expect(statSync(path).size).toBeLessThanOrEqual(2000 * 1024);
    expect(await verifyJournal(path)).toMatchObject({ ok: true });
    const journal = await openSqliteJournal(path);
    const { fence, entries } = await journal.open("a");
    // A group of which nobody heard may be there, but whole.
    expect([said.appended * 100, (said.appended + 1) * 100]).toContain(entries.length);
    await journal.append("a", fence, [entry()]);
    await journal.close();
  });
});

describe("a journal that is damaged", () => {
  /** Opens the file and reads both runs: the codes of what was refused. */
  async function codesOf(path: string): Promise<readonly string[]> {
    const codes: string[] = [];
    try {
      const journal = await openSqliteJournal(path);
      for (const run of ["a", "b"]) await journal.read(run).catch((error: HoldfastError) => codes.push(error.code));
      await journal.close();
    } catch (error) {
      codes.push((error as HoldfastError).code);
    }
    return codes;
  }

  test("cut off anywhere, it is an error and never a shorter run", async () => {
    const path = await makeJournal();
    const whole = readFileSync(path);
    for (const keep of [10, 100, 1000, 4096, 4096 * 2, 4096 * 4, whole.length - 4096, whole.length - 1]) {
      writeFileSync(path, whole);
      truncateSync(path, keep);
      const codes = await codesOf(path);
      expect(codes.length, `${keep} bytes`).toBeGreaterThan(0);
      for (const code of codes) expect(["journal-corrupt", "journal-foreign"]).toContain(code);
      const report = await verifyJournal(path).catch((error: HoldfastError) => error.code);
      expect(report === "journal-foreign" || (typeof report === "object" && !report.ok), `${keep} bytes`).toBe(true);
    }
  });

  test("rule 72: a flipped bit in a payload names run, slot and entry, and other runs go on", async () => {
    const path = await makeJournal();
    const file = readFileSync(path);
    const offset = file.lastIndexOf("of b");
    patch(path, offset, [file[offset]! ^ 1]);
    const journal = await openSqliteJournal(path);
    const error = await refused(journal.open("b"));
    expect(error).toMatchObject({ code: "journal-corrupt", details: { runId: "b" } });
    const { entry: row, slot } = error.details as { entry: number; slot: number };
    expect(slot).toBe(row);
    expect(error.message).toContain(`run "b" is corrupt at slot ${slot} (entry ${row})`);
    expect((await refused(journal.read("b"))).code).toBe("journal-corrupt");
    // Nobody holds it now: the next who tries hears the same, and not that it is busy.
    expect((await refused(journal.open("b"))).code).toBe("journal-corrupt");
    expect((await journal.open("a")).entries.length).toBe(300);
    await journal.close();
    const report = await verifyJournal(path);
    expect(report).toMatchObject({ ok: false, runs: 2, entries: 599, problemCount: 1 });
    expect(report.problems[0]).toMatchObject({ of: "run", run: "b", entry: row, slot });
  });

  test("a flipped bit anywhere is found when it is read, or by verify", async () => {
    const path = await makeJournal();
    const whole = readFileSync(path);
    const journalBefore = await contentsOf(path);
    let found = 0;
    // A walk over the whole file by a step that is coprime to a page.
    for (let offset = 101; offset < whole.length; offset += 509) {
      writeFileSync(path, whole);
      for (const side of ["-wal", "-shm"]) rmSync(path + side, { force: true });
      patch(path, offset, [whole[offset]! ^ (1 << (offset % 8))]);
      const report = await verifyJournal(path).catch((error: HoldfastError) => ({ ok: false, problems: [error.code] }));
      const seen = await contentsOf(path);
      // What is read without an error is what was written.
      for (const [run, groups] of Object.entries(seen))
        if (!groups.startsWith("!")) expect(groups, `byte ${offset}`).toBe(journalBefore[run]);
      if (!report.ok) found += 1;
      else expect(seen, `byte ${offset} changed what is read, and verify did not see it`).toEqual(journalBefore);
    }
    expect(found).toBeGreaterThan(10);
  });

  async function contentsOf(path: string): Promise<Record<string, string>> {
    const journal = await openSqliteJournal(path).catch(() => undefined);
    if (journal === undefined) return {};
    const seen: Record<string, string> = {};
    for (const run of ["a", "b"])
      seen[run] = await journal.read(run).then(
        (entries) => (entries === undefined ? "! none" : groupsOf(entries)),
        (error: HoldfastError) => `! ${error.code}`,
      );
    await journal.close();
    return seen;
  }
});
