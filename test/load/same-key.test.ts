// H6: shared state. What calls do to one counter and one file, with the locks and without them, here and in threads.
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { readFile, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { tool } from "holdfast";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { batch, callsOf, counts, open } from "./accounted.ts";
import { Inside } from "./inside.ts";

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "holdfast-load-"));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

describe("h6.counter_20", () => {
  /** Twenty increments that read, wait and write. */
  async function counted(more: object): Promise<number> {
    let counter = 0;
    const increment = tool({
      run: async () => {
        const before = counter;
        await delay(1);
        counter = before + 1;
        return counter;
      },
    });
    const runtime = await open({ increment });
    expect(
      counts(
        await batch(
          runtime,
          "twenty",
          callsOf("increment", 20, () => more),
        ),
      ),
    ).toEqual({ ok: 20 });
    return counter;
  }

  test("20 calls that write one key make 20", async () => {
    expect(await counted({ writes: "counter" })).toBe(20);
  });
  test("control: without the key most are lost", async () => {
    expect(await counted({})).toBeLessThan(10);
  });

  /** Twenty increments of a file, by tools of their own names, in four threads. */
  async function inThreads(locked: boolean): Promise<number> {
    const file = join(folder, "counter");
    writeFileSync(file, "0");
    const module = new URL("./threads.mjs", import.meta.url);
    const one = () =>
      tool<{ file: string }, number>({
        worker: module,
        export: "increments",
        ...(locked ? { writes: (input: { file: string }) => input.file } : {}),
      });
    const tools = Object.fromEntries(Array.from({ length: 20 }, (_, n) => [`count${n}`, one()]));
    const runtime = await open(tools, { workers: { size: 4 } });
    const calls = Object.keys(tools).map((name) => ({ id: name, tool: name, input: { file } }));
    expect(counts(await batch(runtime, "twenty", calls))).toEqual({ ok: 20 });
    return Number(readFileSync(file, "utf8"));
  }

  test("20 tools in 4 threads that write one key make 20", async () => {
    expect(await inThreads(true)).toBe(20);
  });
  test("control: without the key most are lost there as well", async () => {
    expect(await inThreads(false)).toBeLessThan(20);
  });
});

describe("h6.rw_exclusive", () => {
  interface Overlaps {
    readonly readersPeak: number;
    /** Begins of a call that found somebody who must not be there. */
    readonly violations: number;
    readonly torn: number;
    readonly order: readonly string[];
  }

  /** Reads and writes of three files, every fourth a write; a write is made in two halves. */
  async function files(locked: boolean): Promise<Overlaps> {
    const here = new Map<string, { readers: number; writers: number }>();
    const readers = new Inside();
    const order: string[] = [];
    let violations = 0;
    let torn = 0;
    for (const name of ["a", "b", "c"]) {
      here.set(name, { readers: 0, writers: 0 });
      writeFileSync(join(folder, name), "0\n0\n");
    }
    const read = async (name: string): Promise<string> => {
      const there = here.get(name)!;
      if (there.writers > 0) violations++;
      there.readers++;
      const text = await readers.count(async () => {
        await delay(1);
        return readFile(join(folder, name), "utf8");
      });
      there.readers--;
      const [first, second] = text.split("\n");
      if (first !== second) torn++;
      return text;
    };
    const write = async (name: string, n: number): Promise<number> => {
      const there = here.get(name)!;
      if (there.writers + there.readers > 0) violations++;
      there.writers++;
      await writeFile(join(folder, name), `${n}\n`);
      await delay(1);
      await writeFile(join(folder, name), `${n}\n${n}\n`);
      there.writers--;
      return n;
    };
    const keys = (field: string) => (locked ? { [field]: (input: { name: string }) => input.name } : {});
    const runtime = await open({
      read: tool({
        effect: "read",
        ...keys("reads"),
        run: ({ name, n }: any) => {
          order.push(`${name}${n}`);
          return read(name);
        },
      } as never),
      write: tool({
        ...keys("writes"),
        run: ({ name, n }: any) => {
          order.push(`${name}${n}`);
          return write(name, n);
        },
      } as never),
    });
    const calls = Array.from({ length: 200 }, (_, n) => ({
      id: `call-${n}`,
      tool: n % 4 === 3 ? "write" : "read",
      input: { name: "abc"[(n * 7) % 3]!, n },
    }));
    expect(counts(await batch(runtime, "files", calls))).toEqual({ ok: 200 });
    return { readersPeak: readers.peak, violations, torn, order };
  }

  test("reads of a file overlap, a write never does, and nobody reads half of one", async () => {
    const { readersPeak, violations, torn } = await files(true);
    expect([violations, torn]).toEqual([0, 0]);
    expect(readersPeak).toBeGreaterThan(1);
  });

  test("control: without keys they meet", async () => {
    const { violations } = await files(false);
    expect(violations).toBeGreaterThan(0);
  });
});
