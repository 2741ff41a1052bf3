// What can be watched: every step of a call, in order and with its time; nobody waits for who watches.
import { describe, expect, test } from "vitest";
import { settle } from "../rules/fakes.ts";
import { batchOf, Stage } from "../rules/stage.ts";

const steps = (events: readonly any[]): string[] =>
  events.map(({ kind, callId, at }) => `${at - 1_000_000} ${kind} ${callId ?? ""}`.trim());

describe("events", () => {
  test("tell a call that is retried, timed out, late and settled, each with its time", async () => {
    const stage = new Stage();
    const tools = { work: stage.worker({ timeoutMs: 100, retry: { attempts: 2, backoffMs: 10, backoffMsMax: 10 } }) };
    const host = stage.host({}, tools);
    const { clock } = stage.world;
    await stage.begin(host, async (run) => [await batchOf("A")(run), await new Promise(() => undefined)]);
    await clock.pass(5);
    await stage.fail("A", new Error("503"));
    await clock.pass(10);
    await clock.pass(100);
    await stage.end("A", "too late");
    const events = host.events as any[];
    const next = events.find(({ kind }) => kind === "attempt-failed").nextAt - 1_000_000;
    expect(next).toBeGreaterThanOrEqual(10);
    expect(next).toBeLessThanOrEqual(15);
    expect(steps(events)).toEqual([
      "0 run-opened",
      "0 queued A",
      "0 planned A",
      "0 started A",
      "5 attempt-failed A",
      `${next} started A`,
      `${next + 100} settled A`,
      "115 late A",
    ]);
    expect(events[4]).toMatchObject({ attempt: 1, error: { message: "503" }, runId: "r", tool: "work", slot: 0 });
    expect(events[6]).toMatchObject({ attempt: 2, outcome: { kind: "timed-out" } });
  });

  test("tell progress while a call runs, copied as it was", async () => {
    const stage = new Stage();
    const host = stage.host();
    await stage.begin(host, batchOf("A"));
    const value = { percent: 10 };
    stage.attempts.get("A")![0]!.ctx.progress(value);
    value.percent = 99;
    await settle();
    expect(host.events.at(-1)).toMatchObject({ kind: "progress", callId: "A", attempt: 1, value: { percent: 10 } });
  });

  test("tell a run that stopped, and why", async () => {
    const stage = new Stage();
    const host = stage.host();
    host.journal.beforeAppend = () => {
      throw new Error("EIO");
    };
    await stage.begin(host, batchOf("A"));
    expect(host.events.at(-1)).toMatchObject({ kind: "run-stopped", runId: "r", error: { code: "journal-append" } });
  });

  test("a listener that is too slow loses the oldest and is told how many", async () => {
    const stage = new Stage();
    const host = stage.host();
    const slow = host.runtime.events({ bufferMax: 3 });
    await stage.begin(host, batchOf("A"));
    await stage.end("A", "a"); // opened, queued, planned, started, settled, closed
    const seen: any[] = [];
    for (let i = 0; i < 4; i++) seen.push((await slow.next()).value);
    expect(seen.map(({ kind }) => kind)).toEqual(["missed", "started", "settled", "run-closed"]);
    expect(seen[0].count).toBe(3);
    expect(host.events).toHaveLength(6); // the other listener missed nothing
  });

  test("a listener that leaves gets nothing more; the end of the runtime ends the rest", async () => {
    const stage = new Stage();
    const host = stage.host();
    const seen: string[] = [];
    const leaving = (async () => {
      for await (const { kind } of host.runtime.events()) {
        seen.push(kind);
        if (kind === "started") break;
      }
    })();
    await stage.begin(host, batchOf("A"));
    await leaving;
    await stage.end("A", "a");
    expect(seen).toEqual(["run-opened", "queued", "planned", "started"]);
    const staying = host.runtime.events();
    const closing = host.runtime.close();
    await stage.world.clock.pass(10);
    await closing;
    expect(await staying.next()).toEqual({ done: true, value: undefined });
    expect(await host.runtime.events().next()).toEqual({ done: true, value: undefined });
  });

  test("several askers of one listener each get the next event", async () => {
    const stage = new Stage();
    const host = stage.host();
    const listener = host.runtime.events();
    const asked = [listener.next(), listener.next()];
    await stage.begin(host, batchOf("A"));
    expect((await Promise.all(asked)).map(({ value }) => value.kind)).toEqual(["run-opened", "queued"]);
  });
});
