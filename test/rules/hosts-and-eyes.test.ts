// Rules 76–79: hosts without threads, calls that nobody awaits, and what an outcome says of itself.
// Rule 75, languages that finish one another's journals, is for the conformance suite; 80 for the simulation.
import { describe, expect, test } from "vitest";
import { MemoryJournal } from "../../bindings/js/src/memory-journal.ts";
import { checkOptions, makeRuntime } from "../../bindings/js/src/open-runtime.ts";
import type { Outcome } from "../../bindings/js/src/outcome.ts";
import { done } from "../../bindings/js/src/outcome.ts";
import { compiledCore, settle } from "./fakes.ts";
import { batchOf, Stage, told } from "./stage.ts";

const abc = batchOf("A B C");

describe("any host", () => {
  test("rule 76: a host without workers gives the same journal and outcomes as one that runs three at once", async () => {
    const journals: string[][] = [];
    const results: unknown[] = [];
    for (const concurrency of [1, 3]) {
      const stage = new Stage();
      const host = stage.host(
        { limits: { concurrency } },
        { work: { options: { effect: "read", run: (input: any) => input.of } } },
      );
      const run = await stage.begin(host, abc);
      await settle();
      journals.push([...stage.entries].sort());
      results.push(told(run.result));
    }
    expect(journals[1]).toEqual(journals[0]);
    expect(results[1]).toEqual(results[0]);
    expect(results[0]).toEqual(['A ok="A" executed 1', 'B ok="B" executed 1', 'C ok="C" executed 1']);
  });

  test("rule 76: without workers a deadline still holds, and a worker tool is refused when the runtime is opened", async () => {
    const stage = new Stage();
    const run = await stage.begin(
      stage.host({ limits: { concurrency: 1 } }),
      batchOf("A B", "work", { deadlineMs: 100 }),
    );
    await stage.world.clock.pass(100);
    expect(told(run.result)).toEqual(["A timed-out executed 1", "B not-started executed 0"]);
    const tools = { resize: { options: { worker: "file:///resize.js" } } };
    expect(() => stage.host({}, tools)).toThrow(/no workers/);
  });
});

describe("calls that are made and awaited in odd ways", () => {
  test("rule 77: made A, B and awaited B, A: identity is given at creation", async () => {
    const stage = new Stage();
    const program = async (run: any) => {
      const a = run.call("work", "a");
      const b = run.call("work", "b");
      return [await b, await a];
    };
    const run = await stage.begin(stage.host(), program);
    expect(stage.attempts.get("#0")![0]!.input).toBe("a");
    expect(stage.attempts.get("#1")![0]!.input).toBe("b");
    await stage.end("#0", 0);
    await stage.end("#1", 1);
    expect(run.result).toEqual([1, 0]);
  });

  test("rule 77: a schema that takes its time does not change a call's identity", async () => {
    const stage = new Stage();
    const slow = stage.worker({
      input: {
        "~standard": { version: 1, vendor: "test", validate: (value: unknown) => settle().then(() => ({ value })) },
      },
    });
    const program = (run: any) => Promise.all([run.call("slow", "a"), run.call("work", "b")]);
    const first = stage.host({}, { ...stage.tools, slow });
    await stage.begin(first, program);
    await settle();
    expect(stage.attempts.get("#0")![0]!.input).toBe("a");
    expect(stage.attempts.get("#1")![0]!.input).toBe("b");
    first.crash();
    await stage.begin(stage.host({}, { ...stage.tools, slow: stage.tools.work }), program);
    expect([...stage.began].sort()).toEqual(["#0:1", "#0:2", "#1:1", "#1:2"]);
  });

  test("rule 77: calls that are never awaited are waited for, and reported", async () => {
    const stage = new Stage();
    const host = stage.host();
    const run = await stage.begin(host, async (run: any) => {
      void batchOf("A B")(run);
      await settle();
      return "done";
    });
    await settle();
    await settle();
    expect(run.done).toBe(false); // what has started is in the journal: the run cannot be over
    await stage.end("A", "a");
    await stage.end("B", "b");
    expect(run.result).toBe("done");
    expect(host.warnings.join()).toMatch(/2 of its calls were not awaited \(A, B\)/);
    expect(host.events.filter(({ kind }) => kind === "unawaited")).toMatchObject([{ callId: "A" }, { callId: "B" }]);
    expect(stage.entries.at(-1)).toBe("run-closed 0/0");
  });
});

describe("what an outcome says of itself", () => {
  test("rule 78: executed, re-executed, reconciled, surfaced and replayed, with attempts and times", async () => {
    const stage = new Stage();
    const { clock } = stage.world;
    const program = batchOf("A B C:pay D:send E", "work", { concurrency: 4 });
    const first = stage.host();
    await stage.begin(first, program);
    await clock.pass(10);
    await stage.end("A", "a");
    await clock.pass(10);
    first.crash();
    stage.verdict = () => done("found");
    const host = stage.host();
    const run = await stage.begin(host, program);
    await clock.pass(10);
    await stage.end("B", "b");
    await stage.end("E", "e");
    const outcomes = run.result as Outcome[];
    expect(told(outcomes)).toEqual([
      'A ok="a" executed 1 replayed',
      'B ok="b" re-executed 2',
      'C ok="found" reconciled 1',
      "D unknown surfaced 1",
      'E ok="e" re-executed 2',
    ]);
    const t = 1_000_000;
    expect(
      outcomes.map(({ queuedAt, startedAt, endedAt }) => [queuedAt - t, (startedAt ?? 0) - t, endedAt - t]),
    ).toEqual([
      [0, 0, 10],
      [0, 0, 30],
      [0, 0, 20],
      [0, 0, 20],
      [0, 10, 30],
    ]);
  });

  test("rule 78: every step is told once and in order, and a replay is never told as a success anew", async () => {
    const stage = new Stage();
    const program = async (run: any) => [await batchOf("A")(run), await batchOf("B")(run)];
    const first = stage.host();
    await stage.begin(first, program);
    await stage.end("A", "a");
    const steps = (host: { events: readonly any[] }) =>
      host.events.map(({ kind, callId }) => `${kind} ${callId ?? ""}`.trim());
    expect(steps(first)).toEqual([
      "run-opened",
      "queued A",
      "planned A",
      "started A",
      "settled A",
      "queued B",
      "planned B",
      "started B",
    ]);
    first.crash();
    const second = stage.host();
    await stage.begin(second, program);
    await stage.end("B", "b");
    expect(steps(second)).toEqual([
      "run-opened",
      "queued A",
      "replayed A",
      "queued B",
      "started B",
      "settled B",
      "run-closed",
    ]);
    expect(second.events[0]).toMatchObject({ recovered: true, fence: 2 });
  });
});

describe("no journal", () => {
  test("rule 79: a runtime whose journal is memory says that it is not durable, in a value and in a warning", async () => {
    const warnings: string[] = [];
    const runtime = makeRuntime(checkOptions({ tools: {} }, []), {
      core: compiledCore,
      journal: new MemoryJournal(),
      clock: new Stage().world.clock,
      random: (bytes) => new Uint8Array(bytes),
      warn: (message) => warnings.push(message),
    });
    expect(runtime.durable).toBe(false);
    expect(warnings).toHaveLength(1);
    expect(warnings[0]).toMatch(/"memory" is not durable/);
    expect(await runtime.run("r", () => 1)).toBe(1);
  });

  test("rule 79: a durable journal warns of nothing", () => {
    const stage = new Stage();
    const host = stage.host();
    expect(host.runtime.durable).toBe(true);
    expect(host.warnings).toEqual([]);
  });
});
