// Rules 15–25: a call that may not run twice is asked about, and only a verdict is terminal.
import { describe, expect, test } from "vitest";
import { done, failed, notDone, unknown } from "../../bindings/js/src/outcome.ts";
import { settle } from "./fakes.ts";
import { batchOf, Stage, told } from "./stage.ts";

const pay = batchOf("A", "pay");

/** A life in which A was called and nobody heard how it ended. */
async function inDoubt(): Promise<Stage> {
  const stage = new Stage();
  await stage.life(pay, () => expect(stage.began).toEqual(["A:1"]));
  return stage;
}

describe("a call in doubt", () => {
  test("rule 15: done settles with its value and the tool is not called", async () => {
    const stage = await inDoubt();
    stage.verdict = () => done({ receipt: 7 });
    const run = await stage.begin(stage.host(), pay);
    expect(told(run.result)).toEqual(['A ok={"receipt":7} reconciled 1']);
    expect(stage.began).toEqual(["A:1"]);
    expect(stage.asked).toEqual(["A:1"]);
    expect(stage.askKeys).toEqual([stage.attempts.get("A")![0]!.key]);
  });

  test("rule 15: done without a value is undefined, and not an error", async () => {
    const stage = await inDoubt();
    stage.verdict = () => done();
    const run = await stage.begin(stage.host(), (run) => run.call("pay", { of: "A" }, { id: "A" }));
    expect(run).toMatchObject({ done: true, result: undefined });
    expect(run.error).toBeUndefined();
  });

  test("rule 16: failed settles as an error and the tool is not called", async () => {
    const stage = await inDoubt();
    stage.verdict = () => failed(Object.assign(new Error("card declined"), { code: "DECLINED" }));
    const run = await stage.begin(stage.host(), pay);
    expect(told(run.result)).toEqual(["A error=card declined reconciled 1"]);
    expect((run.result as any)[0].error.code).toBe("DECLINED");
    expect(stage.began).toEqual(["A:1"]);
  });

  test("rule 17: not-done calls it exactly once more, with the same key", async () => {
    const stage = await inDoubt();
    stage.verdict = () => notDone();
    const run = await stage.begin(stage.host(), pay);
    expect(stage.began).toEqual(["A:1", "A:2"]);
    await stage.end("A", "paid");
    expect(told(run.result)).toEqual(['A ok="paid" re-executed 2']);
    expect(stage.asked).toEqual(["A:1"]);
    expect(new Set(stage.attempts.get("A")!.map(({ key }) => key)).size).toBe(1);
  });

  test("rule 18: unknown asks again with back-off, never calls, never fails", async () => {
    const stage = await inDoubt();
    const run = await stage.begin(stage.host(), pay);
    expect(stage.asked).toHaveLength(1);
    await stage.world.clock.pass(49); // at least half of the 100 ms
    expect(stage.asked).toHaveLength(1);
    await stage.world.clock.pass(51);
    expect(stage.asked).toHaveLength(2);
    stage.verdict = () => done("found");
    await stage.world.clock.pass(49); // it has doubled: 100 to 200 ms after an ask that came 50 to 100 ms after the first
    expect(stage.asked).toHaveLength(2);
    await stage.world.clock.pass(151);
    expect(told(run.result)).toEqual(['A ok="found" reconciled 1']);
    expect(stage.began).toEqual(["A:1"]);
  });

  test("rule 18: after its bound of asks it surfaces as unknown", async () => {
    const stage = await inDoubt();
    const run = await stage.begin(stage.host(), pay);
    await stage.world.clock.pass(60_000);
    expect(stage.asked).toEqual(["A:1", "A:1", "A:1"]);
    expect(told(run.result)).toEqual(["A unknown surfaced 1"]);
    expect(stage.began).toEqual(["A:1"]);
  });

  test.each([
    [
      "throws",
      () => {
        throw new Error("503");
      },
    ],
    ["rejects", () => Promise.reject(new Error("503"))],
    ["answers nonsense", () => "yes" as never],
    ["answers nothing", () => undefined as never],
    ["answers an unknown kind", () => ({ kind: "maybe" }) as never],
  ])("rule 19: a reconciler that %s has given no verdict: it is asked again", async (_, answer) => {
    const stage = await inDoubt();
    const host = stage.host();
    stage.verdict = answer;
    const run = await stage.begin(host, pay);
    expect(run.done).toBe(false);
    stage.verdict = () => done("found");
    await stage.world.clock.pass(100);
    expect(told(run.result)).toEqual(['A ok="found" reconciled 1']);
    expect(stage.began).toEqual(["A:1"]);
    const [event] = host.events.filter(({ kind }) => kind === "no-verdict") as any[];
    expect(event).toMatchObject({ callId: "A", attempt: 1, error: { message: expect.stringMatching(/503|done/) } });
  });

  test("rule 20: a crash after the verdict, before settled: asked again", async () => {
    const stage = await inDoubt();
    stage.verdict = () => done("first");
    const host = stage.host();
    host.journal.beforeAppend = () => host.crash();
    await stage.begin(host, pay);
    expect(stage.asked).toEqual(["A:1"]);
    stage.verdict = () => done("second");
    const run = await stage.begin(stage.host(), pay);
    expect(stage.asked).toEqual(["A:1", "A:1"]);
    expect(told(run.result)).toEqual(['A ok="second" reconciled 1']);
    expect(stage.began).toEqual(["A:1"]);
  });

  test("rule 21: started but never really called: the reconciler says not-done and it is called", async () => {
    const stage = new Stage();
    const host = stage.host();
    host.journal.afterAppend = () => host.crash();
    await stage.begin(host, pay);
    expect(stage.began).toEqual([]);
    stage.verdict = () => notDone();
    const run = await stage.begin(stage.host(), pay);
    await stage.end("A", "paid");
    expect(stage.began).toEqual(["A:2"]);
    expect(told(run.result)).toEqual(['A ok="paid" re-executed 2']);
  });

  test("rule 22: the new build has no reconciler any more: surfaced as unknown, never a null success", async () => {
    const stage = await inDoubt();
    const run = await stage.begin(stage.host({}, { pay: stage.tools.send }), pay);
    expect(told(run.result)).toEqual(["A unknown surfaced 1"]);
    expect("value" in (run.result as any)[0]).toBe(false);
    expect(stage.began).toEqual(["A:1"]);
    expect(stage.asked).toEqual([]);
  });

  test("rule 22: the new build has no such tool any more: surfaced as unknown", async () => {
    const stage = await inDoubt();
    const run = await stage.begin(stage.host({}, { work: stage.tools.work }), pay);
    expect(told(run.result)).toEqual(["A unknown surfaced 1"]);
  });

  test("rule 22: a new build that declares the tool idempotent does not make an old call safe to repeat", async () => {
    const stage = await inDoubt();
    const run = await stage.begin(stage.host({}, { pay: stage.tools.work }), pay);
    expect(told(run.result)).toEqual(["A unknown surfaced 1"]);
    expect(stage.began).toEqual(["A:1"]);
  });

  test("rule 23: the new build has a reconciler now: it is used", async () => {
    const stage = new Stage();
    await stage.begin(stage.host({}, { pay: stage.tools.send }), pay);
    stage.world.hosts[0]!.crash();
    stage.verdict = () => done("found");
    const run = await stage.begin(stage.host(), pay);
    expect(told(run.result)).toEqual(['A ok="found" reconciled 1']);
    expect(stage.began).toEqual(["A:1"]);
  });

  test("rule 24: a reconciler that hangs is bounded by its own timeout, and that is no verdict", async () => {
    const stage = await inDoubt();
    const signals: AbortSignal[] = [];
    stage.verdict = (_, ctx) => {
      signals.push(ctx.signal);
      return new Promise(() => undefined);
    };
    const tools = { pay: stage.payer({ reconcileOptions: { asks: 2, backoffMs: 10, timeoutMs: 1_000 } }) };
    const run = await stage.begin(stage.host({}, tools), pay);
    await stage.world.clock.pass(999);
    expect(signals[0]!.aborted).toBe(false);
    await stage.world.clock.pass(1);
    expect(signals[0]!.aborted).toBe(true);
    expect(run.done).toBe(false);
    await stage.world.clock.pass(10);
    expect(stage.asked).toHaveLength(2);
    await stage.world.clock.pass(1_000);
    expect(told(run.result)).toEqual(["A unknown surfaced 1"]);
    expect(stage.began).toEqual(["A:1"]);
  });

  test("rule 24: what a reconciler says after its timeout reaches nobody", async () => {
    const stage = await inDoubt();
    let answer: (verdict: unknown) => void = () => undefined;
    stage.verdict = () =>
      new Promise((resolve) => {
        answer = resolve;
      });
    const tools = { pay: stage.payer({ reconcileOptions: { asks: 2, backoffMs: 1_000, timeoutMs: 100 } }) };
    const run = await stage.begin(stage.host({}, tools), pay);
    await stage.world.clock.pass(100);
    answer(notDone());
    await settle();
    expect(stage.began).toEqual(["A:1"]);
    stage.verdict = () => done("found");
    await stage.world.clock.pass(1_000);
    expect(told(run.result)).toEqual(['A ok="found" reconciled 1']);
  });

  test("rule 24: a late answer of a run that is over never reaches the run that has its number", async () => {
    const stage = await inDoubt();
    const answers = new Map<string, (verdict: unknown) => void>();
    stage.verdict = (_, ctx) =>
      new Promise((resolve) => {
        answers.set(ctx.runId, resolve);
      });
    const tools = { pay: stage.payer({ reconcileOptions: { asks: 1, timeoutMs: 100 } }) };
    stage.world.disk.runs.set("other", { ...stage.world.disk.runs.get("r")!, entries: [...stage.world.disk.of("r")] });
    const host = stage.host({}, tools);
    const first = await stage.begin(host, pay);
    await stage.world.clock.pass(100);
    expect(told(first.result)).toEqual(["A unknown surfaced 1"]); // over; its reconciler still hangs
    let result: any;
    void host.runtime.run("other", pay).then((outcomes: any) => {
      result = outcomes;
    });
    await settle();
    answers.get("r")!(done("of the first run"));
    await settle();
    expect(result).toBeUndefined();
    answers.get("other")!(done("of its own"));
    await settle();
    expect(told(result)).toEqual(['A ok="of its own" reconciled 1']);
  });

  test("rule 25: settled is never asked", async () => {
    const stage = new Stage();
    const stays = async (run: any) => [await pay(run), await new Promise(() => undefined)];
    await stage.life(stays, () => stage.end("A", "paid"));
    stage.verdict = unknown;
    const run = await stage.begin(stage.host(), pay);
    expect(told(run.result)).toEqual(['A ok="paid" executed 1 replayed']);
    expect(stage.asked).toEqual([]);
  });
});
