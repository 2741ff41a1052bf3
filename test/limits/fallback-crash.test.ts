// A fallback after a crash at any entry: the same outcome, nothing that had settled is called again, and a program
// that still matches is not refused, whatever its branches do meanwhile.
import { describe, expect, test } from "vitest";
import type { Entry } from "../../bindings/js/src/entry.ts";
import { tool } from "../../bindings/js/src/index.ts";
import { Puppets, settle, start } from "../rules/fakes.ts";
import { call, stage } from "./fallback-stage.ts";

/** A slow call takes one settling by itself. */
async function quiet(): Promise<void> {
  for (let i = 0; i < 6; i++) await settle();
}

describe("after a crash", () => {
  /** Branches that go on by themselves: what one does must never come between a call and what stands in for it. */
  const program = async (run: any): Promise<unknown> => {
    await run.announce([call("l")]);
    const branch = async (): Promise<unknown> => {
      const c = await run.call("slow", "c", { id: "c" });
      const d = await run.batch([call("d"), call("e", "plain")]);
      return [c, d];
    };
    const claims = async (): Promise<unknown> => {
      const before = await run.call("plain", "x", { id: "x" });
      return [before, await run.claim("l")];
    };
    const all = await Promise.all([branch(), claims(), run.batch([call("a"), call("b")])]);
    return [all, await run.batch([call("z")])];
  };
  const facts = (value: any): unknown =>
    JSON.parse(
      JSON.stringify(value, (key, item) =>
        /^(attempts|stack|replayed|queuedAt|startedAt|endedAt|source)$/.test(key) ? undefined : item,
      ),
    );
  const failing = { live: { fallback: { tool: "cached", when: ["error"] } } };

  /** One undisturbed life. */
  async function whole(): Promise<{ result: unknown; appends: number; called: string[] }> {
    const { called, host } = stage(failing, {});
    const one = host();
    const run = start(one, "r", program);
    await quiet();
    return { result: facts(run.result), appends: one.journal.appends, called };
  }

  test.each(["before", "after"] as const)(
    "killed %s every append: the same outcome, and nothing settled runs again",
    async (moment) => {
      const { result, appends, called: once } = await whole();
      expect(appends).toBeGreaterThan(6);
      let died = 0;
      for (let at = 1; at <= appends; at++) {
        const { called, host, world } = stage(failing, {});
        const first = host();
        let count = 0;
        const hook = async (): Promise<void> => {
          if (++count === at) first.crash();
        };
        if (moment === "before") first.journal.beforeAppend = hook;
        else first.journal.afterAppend = hook;
        start(first, "r", program);
        await quiet();
        died++;
        const settledThen = settledIds(world.disk.of("r"));
        const before = called.length;
        const second = start(host(), "r", program);
        await quiet();
        expect(second.error, `killed ${moment} append ${at}`).toBeUndefined();
        expect(facts(second.result), `killed ${moment} append ${at}`).toEqual(result);
        const again = called.slice(before).map((line) => line.split(" ")[1]);
        expect(again.filter((id) => settledThen.has(id!))).toEqual([]);
        expect(new Set(called)).toEqual(new Set(once));
      }
      expect(died).toBe(appends);
    },
  );

  /** The ids of what the journal says has settled. */
  function settledIds(entries: readonly Entry[]): Set<string> {
    const ids: string[] = [];
    const settled = new Set<string>();
    for (const { kind, payload, slot } of entries) {
      if (kind === 1) for (const planned of JSON.parse(new TextDecoder().decode(payload!)).calls) ids.push(planned.id);
      if (kind === 4) settled.add(ids[slot]!);
    }
    return settled;
  }

  /** A life that ends once this many settled entries are on disk, and a program that goes on in the next. */
  async function cutAfterSettled(
    count: number,
    tools: (all: Record<string, any>) => Record<string, any>,
    more: Record<string, object> = failing,
  ) {
    const { called, host, world, tools: all } = stage(more, {});
    const first = host();
    first.journal.afterAppend = async () => {
      if (world.disk.of("r").filter(({ kind }) => kind === 4).length >= count) first.crash();
    };
    start(first, "r", (run) => run.batch([call("a")]));
    await settle();
    called.length = 0;
    const run = start(host(tools(all)), "r", (it) => it.batch([call("a")]));
    await settle();
    return { called, run };
  }
  const withLive = (fallback: object | undefined) => (all: Record<string, any>) => ({
    ...all,
    live: tool({ ...all.live.options, fallback }),
  });

  test("a build that declares another fallback, or none, does what the journal says", async () => {
    for (const fallback of [undefined, { tool: "plain", when: ["error"] }]) {
      const begun = await cutAfterSettled(1, withLive(fallback));
      expect(begun.called).toEqual(["cached #fallback-of-0"]);
      expect(begun.run.result).toMatchObject([{ kind: "ok", fallback: { tool: "cached" } }]);
      const over = await cutAfterSettled(2, withLive(fallback));
      expect(over.called).toEqual([]);
      expect(over.run.result).toMatchObject([{ kind: "ok", replayed: true, fallback: { tool: "cached" } }]);
    }
  });

  test("an outcome that a build without one has settled is never mended later", async () => {
    const { called, run } = await cutAfterSettled(1, withLive({ tool: "cached", when: ["error"] }), {
      live: { fallback: undefined },
    });
    expect(called).toEqual([]);
    expect(run.result).toMatchObject([{ kind: "error", error: { message: "down" } }]);
    expect((run.result as any)[0]).not.toHaveProperty("fallback");
  });

  test("a program that changed: refused with both slots named; adapt leaves both behind and mends the new call", async () => {
    const { host } = stage(failing, {});
    const first = host();
    const stays = (id: string, input: string) => async (run: any) => [
      await run.batch([{ id, tool: "live", input }]),
      await new Promise(() => undefined),
    ];
    start(first, "r", stays("a", "x"));
    await settle();
    first.crash();
    const refused = host();
    const run = start(refused, "r", stays("a", "y"));
    await settle();
    expect(run.error).toMatchObject({ code: "journal-mismatch" });
    expect(run.error.differences.map(({ kind, slot }: any) => `${kind} ${slot}`)).toEqual([
      "input-changed 0",
      "unused-slot 1",
    ]);
    const adapting = host();
    const adapted = start(adapting, "r", (it) => it.batch([{ id: "a", tool: "live", input: "y" }]), {
      onMismatch: "adapt",
    });
    await settle();
    expect(adapted.result).toMatchObject([{ kind: "ok", value: { old: "y" }, fallback: { callId: "#fallback-of-2" } }]);
    expect(adapting.events.flatMap((event: any) => (event.kind === "left-behind" ? [event.callId] : []))).toEqual([
      "a",
      "#fallback-of-0",
    ]);
  });

  test("a program that ends before: nobody waits, nothing is left", async () => {
    const puppets = new Puppets();
    const { host } = stage({ ...failing, live: { ...failing.live, run: puppets.tool("live") } }, {});
    const one = host();
    const run = start(one, "r", (it) => {
      it.batch([call("a")]);
      return new Promise((resolve) => setImmediate(resolve, "over"));
    });
    await settle();
    puppets.fail("a", new Error("down"));
    await settle();
    expect(run).toMatchObject({ done: true, result: "over" });
    expect((await one.runtime.read("r")).state).toBe("returned");
  });
});
