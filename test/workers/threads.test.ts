// Tools in real threads, as a user meets them: what a bad tool does, it does to its own slot.
import { execFile } from "node:child_process";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { type CallEvent, type Outcome, openRuntime, type Runtime, tool, type WorkerLimits } from "holdfast";
import { afterEach, beforeAll, beforeEach, describe, expect, test, vi } from "vitest";

const module = new URL("./tools.mjs", import.meta.url);
// That a journal in memory is not durable is no news here.
beforeAll(() => void process.removeAllListeners("warning"));
const opened: Runtime[] = [];
afterEach(async () => {
  for (const runtime of opened.splice(0)) await runtime.close({ graceMs: 0 });
});

type Options = Record<string, unknown>;
/** A worker tool of `tools.mjs`. */
const of = (name: string, options: Options = {}) =>
  tool<any, any>({ effect: "read", worker: module, export: name, ...options });

interface Surroundings {
  readonly size?: number;
  readonly limits?: Options;
  readonly resourceLimits?: WorkerLimits;
  readonly resultBytesMax?: number;
}

async function open(tools: Record<string, ReturnType<typeof of>>, around: Surroundings = {}): Promise<Runtime> {
  const { size = 4, ...others } = around;
  const runtime = await openRuntime({ journal: "memory", tools, workers: { size }, ...(others as object) });
  opened.push(runtime as unknown as Runtime);
  return runtime as unknown as Runtime;
}

/** Starts a thread, so that a timeout after it counts the tool's own time. */
const warm = (runtime: Runtime): Promise<unknown> => runtime.run("warm", (run: any) => run.call("thread", null));

/** Runs one call per entry, `name` or `[name, input]`, and gives the outcomes. */
async function run(runtime: Runtime, calls: readonly (string | readonly [string, unknown])[]): Promise<Outcome[]> {
  const asked = calls.map((call) => (typeof call === "string" ? ([call, null] as const) : call));
  return runtime.run("run", (run) => run.batch(asked.map(([name, input]) => ({ tool: name, input })) as never));
}

async function one(
  name: string,
  options: Options = {},
  around: Surroundings = {},
  input: unknown = null,
): Promise<Outcome> {
  return (await run(await open({ [name]: of(name, options) }, around), [[name, input]]))[0]!;
}

describe("a tool in a thread", () => {
  test("gets its input and the facts of its call, and gives its result", async () => {
    const outcome = await one("facts", { timeoutMs: 60_000 }, {}, { a: [1, null, "ü"] });
    expect(outcome).toMatchObject({ kind: "ok", attempts: 1, source: "executed" });
    const { value } = outcome as unknown as { value: Record<string, unknown> };
    expect(value).toMatchObject({ input: { a: [1, null, "ü"] }, runId: "run", attempt: 1, aborted: false });
    expect(value.key).toMatch(/^.{16,}$/);
    expect(value.deadline).toBeGreaterThan(1_600_000_000_000);
  });

  test("is the module's default export unless said otherwise", async () => {
    const outcome = await one("default", {}, {}, { same: true });
    expect(outcome).toMatchObject({ kind: "ok", value: { same: true } });
  });

  test("throws its error with code and data", async () => {
    expect(await one("throwsData")).toMatchObject({
      kind: "error",
      error: { name: "RangeError", message: "out of range", code: "E_RANGE", data: { most: 5 } },
    });
  });

  test("runs beside the others, in at most so many threads", async () => {
    const runtime = await open({ waits: of("waits") }, { size: 2 });
    const outcomes = await run(
      runtime,
      Array.from({ length: 6 }, () => ["waits", { ms: 20 }] as const),
    );
    expect(outcomes.map(({ kind }) => kind)).toEqual(Array(6).fill("ok"));
    expect(new Set(outcomes.map((outcome) => (outcome as { value?: unknown }).value)).size).toBe(2);
  });

  test("tells its progress while it computes and never lets its event loop turn", async () => {
    const runtime = await open({ computes: of("computes") });
    const seen: CallEvent[] = [];
    const watching = (async () => {
      for await (const event of runtime.events()) seen.push(event);
    })();
    const [outcome] = await run(runtime, [["computes", { rounds: 300 }]]);
    await runtime.close();
    await watching;
    expect(outcome).toMatchObject({ kind: "ok" });
    const progress = seen.filter((event) => event.kind === "progress");
    expect(progress.length).toBeGreaterThanOrEqual(1);
    expect(progress.length).toBeLessThan(300);
    expect(seen.findIndex(({ kind }) => kind === "settled")).toBeGreaterThan(seen.indexOf(progress.at(-1)!));
  });

  test("may be given what a schema made of its input, moved and not copied", async () => {
    const made: ArrayBuffer[] = [];
    const schema = {
      "~standard": {
        version: 1 as const,
        vendor: "test",
        validate: (value: unknown) => {
          made.push(new Uint8Array(value as number[]).buffer);
          return { value: { bytes: made.at(-1)! } };
        },
      },
    };
    const transfer = (input: { bytes: ArrayBuffer }) => [input.bytes];
    expect(await one("sums", { input: schema, transfer }, {}, [1, 2, 3])).toMatchObject({ value: { sum: 6 } });
    expect(made.map(({ byteLength }) => byteLength)).toEqual([0]);
    // Another attempt would find it empty.
    const again = { input: schema, transfer, retry: { attempts: 2 } };
    expect(await one("sums", again, {}, [4])).toMatchObject({ value: { sum: 4 } });
    expect(made.at(-1)!.byteLength).toBe(1);
  });
});

describe("rule 10: a worker that dies takes its own slot and no other", () => {
  test.each<[string, RegExp, Surroundings]>([
    ["exits", /exit code 3/, {}],
    ["throwsBehind", /Error: behind your back/, {}],
    ["rejectsBehind", /Error: rejected behind your back/, {}],
    ["closesItsPort", /exit code/, {}],
    ["tearsDownItsPort", /exit code/, {}],
    ["eatsMemory", /memory/i, { resourceLimits: { maxOldGenerationSizeMb: 24, maxYoungGenerationSizeMb: 8 } }],
  ])("%s", async (name, words, around) => {
    const runtime = await open({ [name]: of(name), waits: of("waits") }, around);
    const [dead, ...others] = await run(runtime, [name, ["waits", { ms: 50 }], ["waits", { ms: 50 }]]);
    expect(dead).toMatchObject({ kind: "error", error: { name: "WorkerLostError" }, attempts: 1 });
    expect((dead as unknown as { error: { message: string } }).error.message).toMatch(words);
    expect(others.map(({ kind }) => kind)).toEqual(["ok", "ok"]);
    const next = await runtime.run("next", (run) => run.call("waits", { ms: 0 }));
    expect(next).toBeGreaterThan(0);
  });

  test("with one thread, the calls behind it get a new one", async () => {
    const runtime = await open({ exits: of("exits"), thread: of("thread") }, { size: 1 });
    const [dead, first, second] = await run(runtime, ["exits", "thread", "thread"]);
    expect(dead!.kind).toBe("error");
    expect([first!.kind, second!.kind]).toEqual(["ok", "ok"]);
    expect((first as { value?: unknown }).value).toBe((second as { value?: unknown }).value);
  });

  test("a tool that may run twice is run again, one that may not is in doubt", async () => {
    expect(await one("diesOnce", { effect: "idempotent", retry: { attempts: 2, backoffMs: 0 } })).toMatchObject({
      kind: "ok",
      value: 2,
      attempts: 2,
    });
    expect(await one("exits", { effect: "once" })).toMatchObject({ kind: "unknown", source: "surfaced" });
    const reconcile = () => ({ kind: "done" as const, value: "it had" });
    expect(await one("exits", { effect: "once", reconcile })).toMatchObject({ value: "it had", source: "reconciled" });
  });
});

describe("rule 60: a tool's own timeout", () => {
  let folder: string;
  let file: string;
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), "holdfast-workers-"));
    file = join(folder, "said");
  });
  afterEach(() => rm(folder, { recursive: true }));

  test("reaches the signal in its thread, which goes on", async () => {
    const runtime = await open({ listens: of("listens", { timeoutMs: 300 }), thread: of("thread") }, { size: 1 });
    const before = await warm(runtime);
    const [outcome, next] = await run(runtime, [["listens", { file }], "thread"]);
    expect(outcome).toMatchObject({ kind: "timed-out", attempts: 1 });
    expect(await readFile(file, "utf8")).toMatch(/^TimeoutError: the call was told to stop/);
    expect(next).toMatchObject({ kind: "ok", value: before });
  });

  test.each(["neverReturns", "computesForEver"])("ends the thread of a tool that ignores it: %s", async (name) => {
    const tools = { [name]: of(name, { timeoutMs: 200, graceMs: 50 }), thread: of("thread") };
    const runtime = await open(tools, { size: 1 });
    const before = await warm(runtime);
    const [stuck, next] = await run(runtime, [name, "thread"]);
    expect(stuck).toMatchObject({ kind: "timed-out" });
    expect(next).toMatchObject({ kind: "ok" });
    expect((next as { value?: unknown }).value).not.toBe(before);
  });

  test("what is finished all the same is late, and is not swapped in", async () => {
    const tools = { anyway: of("finishesAnyway", { timeoutMs: 300 }), thread: of("thread") };
    const runtime = await open(tools);
    await warm(runtime);
    const kind = await runtime.run("run", async (run) => {
      const outcomes: readonly Outcome[] = await run.batch([{ tool: "anyway", input: null }]);
      await vi.waitFor(async () => expect((await runtime.read("run")).slots[0]!.late).toBe(1), { timeout: 30_000 });
      return outcomes[0]!.kind;
    });
    expect(kind).toBe("timed-out");
    expect((await runtime.read("run")).slots[0]).toMatchObject({ outcome: "timed-out", late: 1 });
  });

  test("rule 62: a tool that ignores it keeps its permit until its thread has been ended", async () => {
    const tools = { dots: of("dotsForEver", { timeoutMs: 300, graceMs: 100 }), says: of("says"), thread: of("thread") };
    const runtime = await open(tools, { size: 4, limits: { concurrency: 1 } });
    await warm(runtime);
    const [stuck, next] = await run(runtime, [
      ["dots", { file }],
      ["says", { file, text: "next" }],
    ]);
    await runtime.close();
    expect(stuck).toMatchObject({ kind: "timed-out" });
    expect(next).toMatchObject({ kind: "ok" });
    expect(await readFile(file, "utf8")).toMatch(/^\.+next$/);
  });
});

describe("a call that cannot be made, or used, fails alone", () => {
  test.each<[string, Options, string, string]>([
    [
      "a module that is not there",
      { worker: new URL("./none.mjs", module) },
      "worker-failed",
      "none.mjs could not be loaded",
    ],
    ["a module that throws", { worker: "data:text/javascript,throw new Error('at once')" }, "worker-failed", "at once"],
    [
      "a module that does not parse",
      { worker: "data:text/javascript,export default function {" },
      "worker-failed",
      "SyntaxError",
    ],
    ["no such export", { export: "nope" }, "worker-failed", 'exports no function "nope"'],
    ["an export that is no function", { export: "notAFunction" }, "worker-failed", "exports no function"],
    ["a result that is no JSON", { export: "returnsMap" }, "result-not-json", "result is a Map"],
  ])("%s", async (_, options, code, words) => {
    const runtime = await open({ bad: of("default", options), thread: of("thread") }, { size: 1 });
    const [bad, good] = await run(runtime, ["bad", "thread"]);
    expect(bad).toMatchObject({ kind: "error", error: { name: "HoldfastError", code } });
    expect((bad as unknown as { error: { message: string } }).error.message).toContain(words);
    expect(good).toMatchObject({ kind: "ok" });
  });

  test("a result that is too large", async () => {
    const outcome = await one("returnsLots", {}, { resultBytesMax: 1_024 }, { bytes: 50_000_000 });
    expect(outcome).toMatchObject({ kind: "error", error: { code: "result-too-large" } });
  });
});

describe("a hostile tool", () => {
  test.each([
    ["postsGarbage", "the true result"],
    ["settlesTwice", "first"],
  ])("%s: harmless", async (name, value) => {
    const runtime = await open({ [name]: of(name), thread: of("thread") }, { size: 1 });
    const [hostile, next] = await run(runtime, [name, "thread"]);
    expect(hostile).toMatchObject({ kind: "ok", value });
    expect(next).toMatchObject({ kind: "ok" });
  });
});

describe("the end", () => {
  test("a process whose threads are idle ends by itself", async () => {
    const program = fileURLToPath(new URL("./idle.mjs", import.meta.url));
    const { stdout } = await promisify(execFile)(process.execPath, [program], { timeout: 60_000 });
    expect(stdout).toMatch(/^thread \d+\n$/);
  });

  test("close ends a tool that never returns", async () => {
    const runtime = await open({ computesForEver: of("computesForEver") });
    const running = run(runtime, ["computesForEver"]);
    const stopped = expect(running).rejects.toMatchObject({ code: "runtime-closed" });
    await runtime.close({ graceMs: 50 });
    await stopped;
  });
});

describe("resourceLimits", () => {
  test("the least that is taken ends no process", async () => {
    const resourceLimits = { maxOldGenerationSizeMb: 8, maxYoungGenerationSizeMb: 1, stackSizeMb: 1 };
    const outcome = await one("thread", {}, { resourceLimits });
    expect(outcome).toMatchObject({ kind: "ok" });
  });

  test.each<[Options, string]>([
    // So little would end the whole process.
    [{ maxOldGenerationSizeMb: 2 }, "resourceLimits.maxOldGenerationSizeMb"],
    [{ maxOldGenerationSizeMb: "64" }, "resourceLimits.maxOldGenerationSizeMb"],
    [{ maxYoungGenerationSizeMb: 1.5 }, "resourceLimits.maxYoungGenerationSizeMb"],
    [{ stackSizeMb: 100_000 }, "resourceLimits.stackSizeMb"],
    [{ stackSizeMb: Number.NaN }, "resourceLimits.stackSizeMb"],
    [{ maxHeapMb: 5 }, "resourceLimits.maxHeapMb"],
  ])("%j are refused", async (resourceLimits, path) => {
    const opening = openRuntime({ journal: "memory", tools: {}, resourceLimits: resourceLimits as WorkerLimits });
    await expect(opening).rejects.toMatchObject({ code: "invalid-option", details: { path } });
  });
});
