// Every option that a user gives, given wrongly: refused before anything is opened, with the path of what
// was wrong, what it was, and what it may be.
import { inspect } from "node:util";
import { describe, expect, test } from "vitest";
import { HoldfastError } from "../../bindings/js/src/errors.ts";
import { checkOptions } from "../../bindings/js/src/open-runtime.ts";
import { Stage } from "../rules/stage.ts";

const run = () => 1;

/** The error that something throws or rejects with. */
async function errorOf(work: () => unknown): Promise<any> {
  try {
    await work();
  } catch (error) {
    return error;
  }
  throw new Error("nothing was refused");
}

function expectRefusal(error: any, path: string): void {
  expect(error).toBeInstanceOf(HoldfastError);
  expect(error).toMatchObject({ code: "invalid-option", details: { path } });
  expect(error.message).toContain(`${path} is `);
  expect(error.next).toMatch(/^It must be /);
  expect(error.message.endsWith(error.next)).toBe(true);
}

/** Rows of path and options, with the options as text for the title. */
function shown(rows: readonly [string, unknown][]): [string, string, unknown][] {
  return rows.map(([path, options]) => [
    path,
    inspect(options, { depth: 6, breakLength: Number.POSITIVE_INFINITY }),
    options,
  ]);
}

const ofTool = (options: Record<string, unknown>) => ({ tools: { t: { options: { run, ...options } } } });

describe("openRuntime", () => {
  test.each(
    shown([
      ["options", undefined],
      ["options", null],
      ["options", []],
      ["options", new Map()],
      ["options", "agent.db"],
      ["options.tool", { tool: {} }],
      ["tools", {}],
      ["tools", { tools: null }],
      ["tools", { tools: [] }],
      ["tools", { tools: new Map() }],
      ["tools", { tools: { "": { options: { run } } } }],
      ["tools", { tools: { "with space": { options: { run } } } }],
      ["tools", { tools: { ["x".repeat(129)]: { options: { run } } } }],
      ["tools.t", { tools: { t: run } }],
      ["tools.t", { tools: { t: null } }],
      ["tools.t", { tools: { t: { run } } }],
      ["tools.t", { tools: { t: { options: null } } }],
      ["tools.t", { tools: { t: { options: {} } } }],
      ["tools.t", ofTool({ worker: "file:///t.js" })],
      ["tools.t.timeout", ofTool({ timeout: 5 })],
      ["tools.t.effect", ofTool({ effect: "write" })],
      ["tools.t.effect", ofTool({ effect: null })],
      ["tools.t.run", { tools: { t: { options: { run: "x" } } } }],
      ["tools.t.worker", { tools: { t: { options: { worker: "./t.js" } } } }],
      ["tools.t.worker", { tools: { t: { options: { worker: 5 } } } }],
      ["tools.t.export", { tools: { t: { options: { worker: "file:///t.js", export: "" } } } }],
      ["tools.t.input", ofTool({ input: {} })],
      ["tools.t.input", ofTool({ input: null })],
      ["tools.t.input", ofTool({ input: { "~standard": { validate: 5 } } })],
      ["tools.t.timeoutMs", ofTool({ timeoutMs: 0 })],
      ["tools.t.timeoutMs", ofTool({ timeoutMs: -1 })],
      ["tools.t.timeoutMs", ofTool({ timeoutMs: 1.5 })],
      ["tools.t.timeoutMs", ofTool({ timeoutMs: Number.NaN })],
      ["tools.t.timeoutMs", ofTool({ timeoutMs: Number.POSITIVE_INFINITY })],
      ["tools.t.timeoutMs", ofTool({ timeoutMs: "5s" })],
      ["tools.t.timeoutMs", ofTool({ timeoutMs: 10n })],
      ["tools.t.timeoutMs", ofTool({ timeoutMs: 2 ** 53 })],
      ["tools.t.graceMs", ofTool({ graceMs: -1 })],
      ["tools.t.holdWhileWaiting", ofTool({ holdWhileWaiting: "yes" })],
      ["tools.t.afterGrace", ofTool({ afterGrace: "kill" })],
      ["tools.t.retry", ofTool({ effect: "read", retry: 3 })],
      ["tools.t.retry.attempt", ofTool({ effect: "read", retry: { attempt: 3 } })],
      ["tools.t.retry.attempts", ofTool({ effect: "read", retry: { attempts: 0 } })],
      ["tools.t.retry.attempts", ofTool({ effect: "read", retry: { attempts: 101 } })],
      ["tools.t.retry.attempts", ofTool({ retry: { attempts: 2 } })],
      ["tools.t.retry.backoffMs", ofTool({ effect: "read", retry: { backoffMs: -1 } })],
      ["tools.t.retry.backoffMsMax", ofTool({ effect: "read", retry: { backoffMs: 10, backoffMsMax: 5 } })],
      ["tools.t.reconcile", ofTool({ reconcile: true })],
      ["tools.t.reconcileOptions", ofTool({ reconcileOptions: [] })],
      ["tools.t.reconcileOptions.asks", ofTool({ reconcileOptions: { asks: 0 } })],
      ["tools.t.reconcileOptions.asks", ofTool({ reconcileOptions: { asks: 101 } })],
      ["tools.t.reconcileOptions.backoffMs", ofTool({ reconcileOptions: { backoffMs: "1" } })],
      ["tools.t.reconcileOptions.timeoutMs", ofTool({ reconcileOptions: { timeoutMs: 0 } })],
      ["limits", { tools: {}, limits: 4 }],
      ["limits", { tools: {}, limits: null }],
      ["limits.concurency", { tools: {}, limits: { concurency: 4 } }],
      ["limits.concurrency", { tools: {}, limits: { concurrency: -1 } }],
      ["limits.concurrency", { tools: {}, limits: { concurrency: 1e9 } }],
      ["limits.tools.nobody", { tools: {}, limits: { tools: { nobody: {} } } }],
      ["limits.tools.t.concurrency", { ...ofTool({}), limits: { tools: { t: { concurrency: 0.5 } } } }],
      ["workers", { tools: {}, workers: 4 }],
      ["workers.size", { tools: {}, workers: { size: 0 } }],
      ["workers.size", { tools: {}, workers: { size: 1_025 } }],
      ["workers.idleMs", { tools: {}, workers: { idleMs: -1 } }],
      ["inputBytesMax", { tools: {}, inputBytesMax: 1 }],
      ["resultBytesMax", { tools: {}, resultBytesMax: 2 ** 40 }],
    ]),
  )("%s is refused: %s", async (path, _, options) => {
    expectRefusal(await errorOf(() => checkOptions(options, ["journal"])), path);
  });

  test("a near miss is told what was meant", async () => {
    expect((await errorOf(() => checkOptions({ tools: {}, Limits: {} }, []))).next).toContain("did you mean limits?");
  });

  test.each(["constructor", "toString", "__proto__", "hasOwnProperty"])("a tool may be called %s", async (name) => {
    const stage = new Stage();
    const tools = JSON.parse(`{"${name}": {"options": {}}}`);
    tools[name].options.run = () => "called";
    Object.defineProperty(tools, name, { value: { options: { run: () => "called" } }, enumerable: true });
    const host = stage.host({ limits: { tools: {} } }, tools);
    expect(await host.runtime.run("r", (run: any) => run.call(name, null))).toBe("called");
  });
});

describe("what a runtime is asked", () => {
  test.each(
    shown([
      ["options", 5],
      ["options.verson", { verson: "1" }],
      ["options.version", { version: 1 }],
      ["options.version", { version: "" }],
      ["options.version", { version: "x".repeat(201) }],
      ["options.onVersionChange", { onVersionChange: "throw" }],
      ["options.onMismatch", { onMismatch: "ignore" }],
      ["options.signal", { signal: { aborted: false } }],
      ["options.waitMs", { waitMs: -1 }],
      ["options.waitMs", { waitMs: Number.POSITIVE_INFINITY }],
    ]),
  )("run: %s is refused: %s", async (path, _, options) => {
    const stage = new Stage();
    expectRefusal(await errorOf(() => stage.host().runtime.run("r", () => 1, options as never)), path);
    expect(stage.world.disk.runs.size).toBe(0);
  });

  test("run: what is no program is refused", async () => {
    const stage = new Stage();
    expectRefusal(await errorOf(() => stage.host().runtime.run("r", Promise.resolve(1) as never)), "program");
  });

  test.each(
    shown([
      ["options", 5],
      ["options.concurency", { concurency: 1 }],
      ["options.concurrency", { concurrency: 0 }],
      ["options.concurrency", { concurrency: "4" }],
      ["options.deadlineMs", { deadlineMs: 0 }],
      ["options.deadlineMs", { deadlineMs: 2 ** 60 }],
    ]),
  )("batch and announce: %s is refused: %s", async (path, _, options) => {
    for (const method of ["batch", "announce"]) {
      const stage = new Stage();
      const state = await stage.begin(stage.host(), (run) => run[method]([{ tool: "work", input: 1 }], options));
      expectRefusal(state.error, path);
      expect(stage.entries).toEqual([]); // and the run can be opened again
    }
  });

  test.each(
    shown([
      ["calls[0].timeoutMs", { timeoutMs: 0 }],
      ["calls[0].timeoutMs", { timeoutMs: "1s" }],
      ["calls[0].deadlineMs", { deadlineMs: -5 }],
      ["calls[0].deadlineMs", { deadlineMs: Number.NaN }],
    ]),
  )("call: %s is refused: %s", async (path, _, options) => {
    const stage = new Stage();
    const state = await stage.begin(stage.host(), (run) => run.call("work", 1, options));
    expectRefusal(state.error, path);
    expect(stage.began).toEqual([]);
  });

  test.each<[string, (runtime: any) => unknown]>([
    ["options", (runtime) => runtime.events(5)],
    ["options.bufferSize", (runtime) => runtime.events({ bufferSize: 1 })],
    ["options.bufferMax", (runtime) => runtime.events({ bufferMax: 0 })],
    ["options.bufferMax", (runtime) => runtime.events({ bufferMax: 1e9 })],
    ["options.olderThanMs", (runtime) => runtime.prune()],
    ["options.olderThanMs", (runtime) => runtime.prune({})],
    ["options.olderThanMs", (runtime) => runtime.prune({ olderThanMs: -1 })],
    ["options.graceMs", (runtime) => runtime.close({ graceMs: -1 })],
    ["options.graceMs", (runtime) => runtime.close({ graceMs: 2 ** 31 })],
    ["path", (runtime) => runtime.read("r", "parent")],
    ["path", (runtime) => runtime.read("r", [5])],
  ])("events, prune, close, read: %s is refused: %s", async (path, ask) => {
    const { runtime } = new Stage().host();
    expectRefusal(await errorOf(() => ask(runtime)), path);
  });

  test("an option that cannot be shown is refused all the same", async () => {
    const cyclic: any = {};
    cyclic.self = cyclic;
    for (const odd of [
      cyclic,
      Symbol("x"),
      1n,
      run,
      {
        toJSON: () => {
          throw new Error("no");
        },
      },
    ]) {
      expectRefusal(await errorOf(() => checkOptions(ofTool({ timeoutMs: odd }), [])), "tools.t.timeoutMs");
    }
  });
});
