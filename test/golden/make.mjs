// Makes a golden journal: two lives that end by SIGKILL with runs left open, then what is to be read in the
// file and what becomes of it. Run once for a format, when it is released:
//
//   npm run build && node test/golden/make.mjs v1-turn
//
// Writes conformance/journals/<name>.db and .json; look at the JSON before you keep it.
import { spawnSync } from "node:child_process";
import { copyFileSync, existsSync, mkdtempSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { openRuntime } from "holdfast";
import Database from "libsql";
import { finish, readAll } from "./finish.mjs";
import { ended, goldenTools, open } from "./programs.mjs";

const self = fileURLToPath(import.meta.url);
/** Calls that have begun and do not come back when a life is over: as many of `hangs` as find a permit. */
const HANGING = { 1: 9, 2: 9 };

async function live(life, journal) {
  Error.stackTraceLimit = 0; // stacks would tell of the machine
  let hanging = 0;
  const tools = goldenTools(true, () => hanging++);
  const runtime = await openRuntime({ journal, tools });
  if (life === 1)
    for (const [id, program] of Object.entries(ended))
      await runtime.run(id, program, { version: "1.0" }).catch(() => undefined);
  hanging = 0;
  for (const [id, { options, program }] of Object.entries(open))
    runtime.run(id, (run) => program(run, life), options(life)).catch(() => undefined);
  // Until nothing has begun for a while: what began is on disk by then.
  for (let last = -1; hanging !== last || hanging < HANGING[life]; ) {
    last = hanging;
    await new Promise((resolve) => setTimeout(resolve, 300));
  }
  process.kill(process.pid, "SIGKILL");
}

/** One file, of no machine in particular, held by a host that is long dead. */
function tidy(journal) {
  const database = new Database(journal);
  database.exec("UPDATE hosts SET machine = 'elsewhere', started = 'long ago', pid = 4711, alive_until = 1");
  database.pragma("wal_checkpoint(TRUNCATE)");
  database.exec("VACUUM");
  database.pragma("wal_checkpoint(TRUNCATE)");
  database.close();
}

async function make(name) {
  const target = fileURLToPath(new URL(`../../conformance/journals/${name}`, import.meta.url));
  if (existsSync(`${target}.db`)) throw new Error(`${target}.db is there: a golden journal is never made again`);
  const folder = mkdtempSync(join(tmpdir(), "holdfast-golden-"));
  const journal = join(folder, "journal.db");
  for (const life of [1, 2]) {
    const { signal, stderr } = spawnSync(process.execPath, [self, "life", String(life), journal], {
      encoding: "utf8",
      timeout: 60_000,
    });
    if (signal !== "SIGKILL") throw new Error(`life ${life} ended otherwise: ${stderr}`);
  }
  tidy(journal);
  copyFileSync(journal, `${target}.db`);
  const reads = await readAll(journal);
  const finishes = await finish(journal);
  const about =
    "What every later version reads in the journal beside this, and what becomes of the runs that it left open.";
  writeFileSync(`${target}.json`, `${JSON.stringify({ about, reads, finishes }, null, 2)}\n`);
  rmSync(folder, { recursive: true });
  process.stdout.write(`${target}.db: ${statSync(`${target}.db`).size} bytes\n`);
}

const [what, life, journal] = process.argv.slice(2);
if (what === "life") await live(Number(life), journal);
else await make(what ?? "v1-turn");
