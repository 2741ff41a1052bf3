// Journals for the command line to look into: one with a bit of everything in it, and some that are none.
import { copyFile, mkdir, mkdtemp, readFile, rm, truncate, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { openRuntime, tool } from "holdfast";
import Database from "libsql";

/** Text that would clear the screen, colour it, and write over what stands before it. */
export const HOSTILE = "a\u001b[2J\u001b[31m\rb\nc\u0007\u202e\u009b5A";
/** Of an id the worst is refused; what hides and turns around is left. */
export const HOSTILE_ID = "left\u202ethgir\u2066\u200bend";

export interface Shelf {
  readonly folder: string;
  /** Path of a file on it. */
  path(name: string): string;
  dispose(): Promise<void>;
}

async function fill(path: string): Promise<void> {
  const runtime = await openRuntime({
    journal: path,
    tools: {
      echo: tool({ effect: "read", run: (input: any) => input }),
      fails: tool({
        run: () => {
          throw Object.assign(new RangeError(`no ${HOSTILE}`), { code: "E_NO" });
        },
      }),
      hangs: tool({ run: (_: any, ctx) => new Promise((resolve) => ctx.signal.addEventListener("abort", resolve)) }),
      outer: tool({ run: (_: any, ctx) => ctx.run((run: any) => run.call("echo", "from within", { id: "inner" })) }),
    },
  });
  await runtime.run(
    "finished",
    async (run) => {
      await run.batch([
        { id: "good", tool: "echo", input: { text: "hello", list: [1, 2] } },
        { id: "bad", tool: "fails", input: null },
      ]);
      return { answer: 42 };
    },
    { version: "v1" },
  );
  await runtime.run("family", (run) => run.call("outer", null, { id: "child" }));
  await runtime.run(HOSTILE_ID, (run) => run.call("echo", HOSTILE, { id: HOSTILE_ID }));
  const interrupted = runtime.run("interrupted", (run) =>
    run.batch([
      { id: "settled", tool: "echo", input: 1 },
      { id: "hanging", tool: "hangs", input: null },
    ]),
  );
  for await (const event of runtime.events()) if (event.kind === "settled") break;
  await Promise.allSettled([runtime.close({ graceMs: 0 }), interrupted]);
}

/** Another program's SQLite file. */
function makeForeign(path: string): void {
  const database = new Database(path);
  database.exec("CREATE TABLE people (name TEXT); INSERT INTO people VALUES ('Ada')");
  database.close();
}

/** Flips a byte within the first place where this text stands in the file. */
async function flip(path: string, text: string): Promise<void> {
  const bytes = await readFile(path);
  const at = bytes.indexOf(text);
  if (at === -1) throw new Error(`${text} is not in ${path}`);
  bytes[at + 1]! ^= 0x01;
  await writeFile(path, bytes);
}

/** `agent.db`, and beside it what is wrong in one way each. */
export async function makeShelf(): Promise<Shelf> {
  const folder = await mkdtemp(join(tmpdir(), "holdfast-cli-"));
  const path = (name: string): string => join(folder, name);
  await fill(path("agent.db"));
  await mkdir(path("folder.db"));
  await writeFile(path("empty.db"), "");
  await writeFile(path("text.db"), "This is a letter and no journal.\n".repeat(100));
  makeForeign(path("foreign.db"));
  await copyFile(path("agent.db"), path("flipped.db"));
  await flip(path("flipped.db"), "hello");
  await copyFile(path("agent.db"), path("cut.db"));
  await truncate(path("cut.db"), 4096);
  return { folder, path, dispose: () => rm(folder, { recursive: true, force: true }) };
}
