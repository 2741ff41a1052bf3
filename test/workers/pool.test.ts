// The pool of worker threads, on threads that are none: who gets a thread when, and what becomes of a call
// whose thread dies, dawdles or never starts.
import { beforeEach, describe, expect, test } from "vitest";
import { WorkerLostError } from "../../bindings/js/src/worker-pool.ts";
import { settle } from "./fake-threads.ts";
import { Puppets } from "./puppets.ts";

let puppets: Puppets;
beforeEach(() => {
  puppets = new Puppets();
});

const told = (): Error => Object.assign(new Error("the call was told to stop"), { name: "TimeoutError" });

describe("turns", () => {
  test("there are never more threads than the size, each has one call, and the others wait in order", async () => {
    const pool = puppets.pool(2);
    const calls = ["a", "b", "c", "d"].map((id) => puppets.call(pool, id));
    await settle();
    expect(puppets.threads.made).toHaveLength(2);
    expect([...puppets.begun.keys()]).toEqual(["a", "b"]);
    puppets.begun.get("b")!.resolve(1);
    await settle();
    expect([...puppets.begun.keys()]).toEqual(["a", "b", "c"]);
    puppets.begun.get("a")!.resolve(2);
    await settle();
    expect([...puppets.begun.keys()]).toEqual(["a", "b", "c", "d"]);
    expect(calls.map(({ value }) => value)).toEqual([2, 1, undefined, undefined]);
    expect(puppets.threads.made).toHaveLength(2);
  });

  test("no more threads are started than there are calls for", async () => {
    const pool = puppets.pool(8);
    puppets.call(pool, "a");
    await settle();
    puppets.begun.get("a")!.resolve();
    await settle();
    puppets.call(pool, "b");
    await settle();
    expect(puppets.begun.has("b")).toBe(true);
    expect(puppets.threads.made).toHaveLength(1);
  });

  test("an idle thread keeps no process alive, a busy one does", async () => {
    const pool = puppets.pool(1);
    puppets.call(pool, "a");
    expect(puppets.threads.made[0]!.holds).toBe(true);
    await settle();
    expect(puppets.threads.made[0]!.holds).toBe(true);
    puppets.begun.get("a")!.resolve();
    await settle();
    expect(puppets.threads.made[0]!.holds).toBe(false);
    puppets.call(pool, "b");
    expect(puppets.threads.made[0]!.holds).toBe(true);
  });

  test("a thread without a call for so long is ended, one that gets a call in time is not", async () => {
    const pool = puppets.pool(1, 1_000);
    puppets.call(pool, "a");
    await settle();
    puppets.begun.get("a")!.resolve();
    await settle();
    await puppets.threads.time.pass(999);
    puppets.call(pool, "b");
    await settle();
    await puppets.threads.time.pass(5_000);
    expect(puppets.alive).toBe(1);
    puppets.begun.get("b")!.resolve();
    await settle();
    await puppets.threads.time.pass(1_000);
    expect(puppets.alive).toBe(0);
    puppets.call(pool, "c");
    await settle();
    expect(puppets.begun.has("c")).toBe(true);
    expect(puppets.threads.made).toHaveLength(2);
  });

  test("a tool is told the facts of its call", async () => {
    puppets.call(puppets.pool(), "a", { input: { deep: [1, null] } });
    await settle();
    const { input, ctx } = puppets.begun.get("a")!;
    expect(input).toEqual({ deep: [1, null] });
    expect(ctx).toMatchObject({ runId: "run", callId: "a", attempt: 1, idempotencyKey: "key-a" });
    expect(ctx.signal.aborted).toBe(false);
    expect("deadline" in ctx).toBe(false);
    await expect(ctx.run(() => 1)).rejects.toMatchObject({ code: "invalid-call" });
  });
});

describe("abort", () => {
  test("reaches the signal with its reason, and a tool that stops in time keeps its thread", async () => {
    const pool = puppets.pool(1);
    const called = puppets.call(pool, "a");
    await settle();
    const { ctx, reject } = puppets.begun.get("a")!;
    called.abort(told(), 100);
    await settle();
    expect(ctx.signal.reason).toMatchObject({ name: "TimeoutError", message: "the call was told to stop" });
    reject(ctx.signal.reason);
    await settle();
    expect(called.error).toMatchObject({ name: "TimeoutError" });
    await puppets.threads.time.pass(100);
    puppets.call(pool, "b");
    await settle();
    expect(puppets.begun.has("b")).toBe(true);
    expect(puppets.threads.made).toHaveLength(1);
  });

  test("a tool that ignores it is ended with its thread after the grace, not before, and the next call gets a new one", async () => {
    const pool = puppets.pool(1);
    const called = puppets.call(pool, "a");
    puppets.call(pool, "b");
    await settle();
    called.abort(told(), 100);
    called.abort(told(), 5);
    await puppets.threads.time.pass(99);
    expect(called.over).toBe(false);
    await puppets.threads.time.pass(1);
    expect(called.error).toBeInstanceOf(WorkerLostError);
    expect(puppets.threads.made).toHaveLength(2);
    expect(puppets.begun.has("b")).toBe(true);
  });

  test("a call that waits is given up with the reason, and its tool is never called", async () => {
    const pool = puppets.pool(1);
    puppets.call(pool, "a");
    const waiting = puppets.call(pool, "b");
    await settle();
    const why = told();
    waiting.abort(why, 100);
    await settle();
    expect(waiting.error).toBe(why);
    puppets.begun.get("a")!.resolve();
    await settle();
    expect(puppets.begun.has("b")).toBe(false);
  });

  test("one that comes after the end concerns nobody else", async () => {
    const pool = puppets.pool(1);
    const called = puppets.call(pool, "a");
    await settle();
    puppets.begun.get("a")!.resolve(1);
    await settle();
    puppets.call(pool, "b");
    await settle();
    called.abort(told(), 0);
    await puppets.threads.time.pass(10);
    expect(puppets.begun.get("b")!.ctx.signal.aborted).toBe(false);
    expect(puppets.alive).toBe(1);
  });
});

describe("threads that die", () => {
  test("take their own call with them and no other, and are replaced", async () => {
    const pool = puppets.pool(2);
    const [a, b, c] = ["a", "b", "c"].map((id) => puppets.call(pool, id));
    await settle();
    puppets.threads.made[0]!.die("the worker ended with exit code 3");
    await settle();
    expect(a!.error).toBeInstanceOf(WorkerLostError);
    expect(a!.error.message).toContain("exit code 3");
    expect(puppets.threads.made).toHaveLength(3);
    expect(puppets.begun.has("c")).toBe(true);
    puppets.begun.get("b")!.resolve("b");
    puppets.begun.get("c")!.resolve("c");
    await settle();
    expect([b!.value, c!.value]).toEqual(["b", "c"]);
  });

  test("while idle are forgotten", async () => {
    const pool = puppets.pool(1);
    puppets.call(pool, "a");
    await settle();
    puppets.begun.get("a")!.resolve();
    await settle();
    puppets.threads.made[0]!.die("a timer of the last call threw");
    await settle();
    const called = puppets.call(pool, "b");
    await settle();
    puppets.begun.get("b")!.resolve("b");
    await settle();
    expect(called.value).toBe("b");
  });

  test("before they could take a call fail one call each: it has certainly not puppets.begun", async () => {
    const pool = puppets.pool(1);
    const calls = ["a", "b"].map((id) => puppets.call(pool, id));
    puppets.threads.made[0]!.die("Error: out of memory");
    await settle();
    expect(calls[0]!.error).toMatchObject({ name: "HoldfastError", code: "worker-failed" });
    expect(calls[0]!.error.message).toContain("out of memory");
    expect([...puppets.begun.keys()]).toEqual(["b"]);
  });

  test("a spawner that throws fails one call, and the next is tried again", async () => {
    const pool = puppets.pool(1);
    puppets.threads.failures.push(() => {
      throw new Error("no more threads");
    });
    const failing = puppets.call(pool, "a");
    const called = puppets.call(pool, "b");
    await settle();
    expect(failing.error).toMatchObject({ code: "worker-failed" });
    expect(failing.error.message).toContain("no more threads");
    puppets.begun.get("b")!.resolve("b");
    await settle();
    expect(called.value).toBe("b");
  });

  test("and do not go count until they have gone: there are never more than the size", async () => {
    const pool = puppets.pool(1);
    const called = puppets.call(pool, "a");
    puppets.call(pool, "b");
    await settle();
    puppets.threads.made[0]!.stuck = true;
    called.abort(told(), 10);
    await puppets.threads.time.pass(10);
    expect(puppets.threads.made).toHaveLength(1);
    expect(called.over).toBe(false);
    puppets.threads.made[0]!.die("at last");
    await settle();
    expect(called.error).toBeInstanceOf(WorkerLostError);
    expect(puppets.begun.has("b")).toBe(true);
  });
});

describe("close", () => {
  test("gives up what waits, tells what runs to stop, and resolves when all threads have gone", async () => {
    const pool = puppets.pool(2);
    const [a, b, c] = ["a", "b", "c"].map((id) => puppets.call(pool, id));
    await settle();
    puppets.begun.get("b")!.resolve("b");
    await settle();
    const closing = pool.close(100);
    await settle();
    expect(c!.over).toBe(false);
    puppets.begun.get("a")!.resolve("in time");
    puppets.begun.get("c")!.resolve("too");
    await closing;
    expect([a!.value, b!.value, c!.value]).toEqual(["in time", "b", "too"]);
    expect(puppets.alive).toBe(0);
    expect(puppets.threads.time.waiting).toBe(0);
  });

  test("a call that waits is not puppets.begun any more, nor is one that comes after", async () => {
    const pool = puppets.pool(1);
    puppets.call(pool, "a");
    const waiting = puppets.call(pool, "b");
    await settle();
    const closing = pool.close(0);
    const late = puppets.call(pool, "c");
    await puppets.threads.time.pass(0);
    await closing;
    expect(waiting.error).toMatchObject({ code: "runtime-closed" });
    expect(late.error).toMatchObject({ code: "runtime-closed" });
    expect([...puppets.begun.keys()]).toEqual(["a"]);
  });

  test("what does not stop is ended after the grace, also if it was given longer before", async () => {
    const pool = puppets.pool(1);
    const called = puppets.call(pool, "a");
    await settle();
    called.abort(told(), 1_000_000);
    const closing = pool.close(50);
    await puppets.threads.time.pass(50);
    await closing;
    expect(called.error).toBeInstanceOf(WorkerLostError);
  });

  test("a thread that cannot be ended holds nobody up for ever", async () => {
    const pool = puppets.pool(1);
    puppets.call(pool, "a");
    await settle();
    puppets.threads.made[0]!.stuck = true;
    const closing = pool.close(50);
    await puppets.threads.time.pass(50);
    await puppets.threads.time.pass(2_000);
    await closing;
    expect(puppets.threads.made[0]!.terminated).toBe(true);
  });

  test("with no thread it is done at once, twice too", async () => {
    const pool = puppets.pool(1);
    await pool.close(0);
    await pool.close(0);
    expect(puppets.threads.made).toHaveLength(0);
  });
});
