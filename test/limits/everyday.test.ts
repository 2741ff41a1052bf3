// What a newcomer meets: how little a first limited batch takes, and that the numbers on show are those of the events.
import { readFileSync } from "node:fs";
import fc from "fast-check";
import { expect, test } from "vitest";
import { tool } from "../../bindings/js/src/index.ts";
import { Puppets, settle, start, World } from "../rules/fakes.ts";

test("dx.minimal: a first limited batch is ten lines", async () => {
  const text = readFileSync(new URL("minimal.mjs", import.meta.url), "utf8");
  const lines = text.split("\n").filter((line) => line.trim() !== "" && !line.startsWith("//"));
  expect(lines.length).toBeLessThanOrEqual(10);
  const { outcomes } = await import(new URL("minimal.mjs", import.meta.url).href);
  expect(outcomes).toMatchObject(["hold", "fast", "anchor"].map((word) => ({ kind: "ok", value: `${word}.md` })));
});

/** What is in use of a limit, by the events alone. */
function inUse(events: readonly { readonly kind: string }[]): number {
  const count = (kind: string): number => events.filter((event) => event.kind === kind).length;
  return count("started") - count("attempt-failed") - count("settled");
}

test("dx.metrics: after every step the gauges say what the events add up to, and in the end nothing", async () => {
  const step = fc.record({ fails: fc.boolean(), which: fc.nat(5) });
  await fc.assert(
    fc.asyncProperty(fc.array(step, { minLength: 20, maxLength: 40 }), async (steps) => {
      const world = new World();
      const puppets = new Puppets();
      const work = tool({
        effect: "idempotent",
        run: puppets.tool("work"),
        retry: { attempts: 2, backoffMs: 1 },
      } as never);
      const host = world.host({ work }, { limits: { concurrency: 5, tools: { work: { concurrency: 4 } } } });
      const run = start(host, "r", (it) =>
        it.batch(Array.from({ length: 15 }, (_, i) => ({ id: `c${i}`, tool: "work", input: i }))),
      );
      await settle();
      const check = (): void => {
        const used = inUse(host.events);
        expect(host.runtime.limit("runtime").inUse).toBe(used);
        expect(host.runtime.limit("tools.work").inUse).toBe(used);
        expect(used).toBeLessThanOrEqual(4);
      };
      const end = async (which: number, fails: boolean): Promise<void> => {
        const pending = [...puppets.pending.keys()];
        const id = pending[which % pending.length];
        if (id !== undefined && fails) puppets.fail(id, new Error("no"));
        else if (id !== undefined) puppets.end(id);
        if (id !== undefined) puppets.pending.delete(id);
        await settle();
        check();
        await world.clock.pass(5);
        check();
      };
      for (const { which, fails } of steps) await end(which, fails);
      while (!run.done) await end(0, false);
      expect(run.result).toHaveLength(15);
      expect(host.events.filter(({ kind }) => kind === "settled")).toHaveLength(15);
      expect(inUse(host.events)).toBe(0);
    }),
    { numRuns: 25 },
  );
});
