// Every golden journal is read as it was when it was kept, and its open runs come to what they came to then,
// calling what they called then under the same keys.
import { copyFileSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { verifyJournal } from "holdfast";
import { afterAll, describe, expect, test } from "vitest";
// @ts-expect-error a script of Node's, without types: it runs where nothing is compiled
import { finish, readAll } from "./finish.mjs";

type Fields = Readonly<Record<string, unknown>>;
interface View extends Fields {
  readonly slots: readonly Fields[];
}

const kept = fileURLToPath(new URL("../../conformance/journals/", import.meta.url));
const folder = mkdtempSync(join(tmpdir(), "holdfast-golden-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const names = readdirSync(kept).flatMap((name) => (name.endsWith(".db") ? [name.slice(0, -3)] : []));
/** A copy that may be written to. */
function copyOf(name: string, as: string): string {
  const copy = join(folder, `${name}-${as}.db`);
  copyFileSync(join(kept, `${name}.db`), copy);
  return copy;
}

/** A view without fields that no view of that time had, and as JSON has it. */
function asThen(view: View, then: readonly View[]): unknown {
  const known = new Set(then.flatMap((run) => [...Object.keys(run), ...run.slots.flatMap(Object.keys)]));
  const only = (fields: Fields): object => Object.fromEntries(Object.entries(fields).filter(([key]) => known.has(key)));
  return JSON.parse(JSON.stringify({ ...only(view), slots: view.slots.map(only) }));
}

test("there is one of every format", () => {
  expect(names).toContain("v1-turn");
});

describe.each(names)("%s", (name) => {
  const { reads, finishes } = JSON.parse(readFileSync(join(kept, `${name}.json`), "utf8"));

  test("is whole", async () => {
    expect(await verifyJournal(copyOf(name, "verified"))).toMatchObject({ problems: [] });
  });

  test("reads as it did", async () => {
    const views: View[] = await readAll(copyOf(name, "read"));
    expect(views.map((view) => asThen(view, reads))).toEqual(reads);
  });

  test("comes to what it came to, and a second time without calling anybody", async () => {
    const copy = copyOf(name, "finished");
    expect(await finish(copy)).toEqual(finishes);
    const again: { readonly deeds: readonly string[]; readonly result?: unknown }[] = await finish(copy);
    expect(again.map(({ result }) => result)).toEqual(finishes.map(({ result }: Fields) => result));
    expect(again.flatMap(({ deeds }) => deeds)).toEqual([]);
  });

  test("a byte that was changed in a payload is found", async () => {
    const copy = copyOf(name, "bent");
    const bytes = readFileSync(copy);
    const at = bytes.indexOf('"receipt"');
    bytes[at + 3] = 0x45;
    writeFileSync(copy, bytes);
    await expect(readAll(copy)).rejects.toThrow("journal-corrupt");
  });

  test("has every kind of entry, outcome and source, and each state that a crash can leave", () => {
    const slots = (reads as View[]).flatMap((view) => view.slots);
    const all = (key: string): unknown[] =>
      [...new Set(slots.map((slot) => slot[key]))].filter((one) => one !== undefined);
    expect(all("state").sort()).toEqual(["attempt-failed", "planned", "settled", "started"]);
    expect(all("outcome")).toEqual(expect.arrayContaining(["ok", "error", "unknown", "timed-out", "not-started"]));
    expect(all("source")).toEqual(expect.arrayContaining(["executed", "surfaced"]));
    expect(all("effect").sort()).toEqual(["idempotent", "once", "read"]);
    expect(slots.some(({ late }) => late !== 0)).toBe(true);
  });
});
