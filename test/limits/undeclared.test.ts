// `limits.locks.undeclared`: calls that say nothing of what they read or write run beside others, or alone. Counted
// inside the tools: which calls were there at the same time.
import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { tool } from "../../bindings/js/src/index.ts";
import { Puppets, settle, start, World } from "../rules/fakes.ts";

const KINDS = ["look", "change", "file-a", "file-b", "nothing"] as const;
type Kind = (typeof KINDS)[number];

/** May these two be inside at the same time, where undeclared is exclusive? */
function mayMeet(a: Kind, b: Kind): boolean {
  if (a === "change" || b === "change") return false;
  return a !== b || a === "look" || a === "nothing";
}

/** Plays a batch, ending calls in this order; the pairs that met inside the tools, and how many were there at most. */
async function met(undeclared: string | undefined, kinds: readonly Kind[], ends: readonly number[]) {
  const world = new World();
  const puppets = new Puppets();
  const run = puppets.tool("work");
  const tools = {
    look: tool({ effect: "read", run }),
    change: tool({ effect: "idempotent", run }),
    "file-a": tool({ effect: "idempotent", run, writes: "a" }),
    "file-b": tool({ effect: "idempotent", run, writes: (input: string) => input }),
    nothing: tool({ effect: "once", run, writes: [] }),
  };
  const host = world.host(tools, { limits: { ...(undeclared === undefined ? {} : { locks: { undeclared } }) } });
  const state = start(host, "r", (it) => it.batch(kinds.map((kind, i) => ({ id: `c${i}`, tool: kind, input: "b" }))));
  const pairs: [Kind, Kind][] = [];
  let most = 0;
  const ended = new Set<string>();
  const kindOf = (id: string): Kind => kinds[Number(id.slice(1))]!;
  for (let steps = 0; !state.done && steps < 100; steps++) {
    await settle();
    const inside = [...puppets.pending.keys()].filter((id) => !ended.has(id));
    most = Math.max(most, inside.length);
    for (const [i, a] of inside.entries()) for (const b of inside.slice(i + 1)) pairs.push([kindOf(a), kindOf(b)]);
    const next = inside[(ends[steps % ends.length] ?? 0) % inside.length];
    if (next === undefined) continue;
    ended.add(next);
    puppets.end(next);
  }
  expect(state.done).toBe(true);
  return { pairs, most };
}

describe("h6.undeclared", () => {
  test("h6.undeclared: reads overlap, an undeclared write never does; the control: in parallel it does", async () => {
    const holds = (undeclared: string | undefined): Promise<void> =>
      fc.assert(
        fc.asyncProperty(
          fc.array(fc.constantFrom(...KINDS), { minLength: 6, maxLength: 12 }),
          fc.array(fc.nat(11), { minLength: 1, maxLength: 12 }),
          async (kinds, ends) => {
            const { pairs } = await met(undeclared, kinds, ends);
            for (const [a, b] of pairs) expect(mayMeet(a, b), `${a} beside ${b}`).toBe(true);
          },
        ),
        { numRuns: 30, seed: 6, endOnFailure: true },
      );
    await holds("exclusive");
    await expect(holds("parallel")).rejects.toThrow("Property failed");
    await expect(holds(undefined)).rejects.toThrow("Property failed");
  });

  test("what reads and what declares is not slowed: all are inside at once", async () => {
    expect((await met("exclusive", ["look", "look", "file-a", "file-b", "nothing", "look"], [0])).most).toBe(6);
    expect((await met("exclusive", ["look", "look", "change", "look", "look"], [0])).most).toBe(2);
  });

  test("a call that runs a child keeps everything to itself, and its own calls go on inside", async () => {
    const world = new World();
    const puppets = new Puppets();
    const tools = {
      agent: tool({
        effect: "idempotent",
        run: (_: unknown, ctx) =>
          ctx.run((run: any) => run.batch(["x", "y"].map((id) => ({ id, tool: "change", input: 0 })))),
      }),
      change: tool({ effect: "idempotent", run: puppets.tool("change") }),
    };
    const host = world.host(tools, { limits: { locks: { undeclared: "exclusive" } } });
    const run = start(host, "r", (it) =>
      it.batch([
        { id: "agent", tool: "agent", input: 0 },
        { id: "after", tool: "change", input: 0 },
      ]),
    );
    for (const id of ["x", "y", "after"]) {
      await settle();
      expect([...puppets.pending.keys()]).toEqual(["x", "y", "after"].slice(0, ["x", "y", "after"].indexOf(id) + 1));
      puppets.end(id);
    }
    await settle();
    expect((run.result as any[]).map(({ kind }) => kind)).toEqual(["ok", "ok"]);
  });

  test("a child of one that declares cannot have everything: that is said, not waited for", async () => {
    const world = new World();
    const tools = {
      agent: tool({
        effect: "idempotent",
        reads: "notes",
        run: (_: unknown, ctx) =>
          ctx.run((run: any) =>
            run.batch([
              { id: "x", tool: "change", input: 0 },
              { id: "y", tool: "look", input: 0 },
            ]),
          ),
      }),
      change: tool({ effect: "idempotent", run: () => 1 }),
      look: tool({ effect: "read", run: () => 2 }),
    };
    const host = world.host(tools, { limits: { locks: { undeclared: "exclusive" } } });
    const run = start(host, "r", (it) => it.call("agent", 0));
    await settle();
    expect(run.result).toMatchObject([
      { kind: "error", error: { code: "would-deadlock" } },
      { kind: "ok", value: 2 },
    ]);
    expect((run.result as any)[0].error.message).toContain("everything (limits.locks)");
  });

  test("locks: a child reads what its parent reads, though a writer waits for that one", async () => {
    const world = new World();
    const puppets = new Puppets();
    const tools = {
      parent: tool({
        effect: "idempotent",
        reads: "file",
        run: async (_: unknown, ctx) => {
          await settle(); // the writer is in line by now
          return ctx.run((run: any) => run.call("look", 0));
        },
      }),
      look: tool({ effect: "read", reads: "file", run: () => "seen" }),
      write: tool({ effect: "idempotent", writes: "file", run: puppets.tool("write") }),
    };
    const run = start(world.host(tools), "r", (it) =>
      it.batch([
        { id: "p", tool: "parent", input: 0 },
        { id: "w", tool: "write", input: 0 },
      ]),
    );
    for (let i = 0; i < 4; i++) await settle();
    puppets.end("w");
    await settle();
    expect(run.result).toMatchObject([{ kind: "ok", value: "seen" }, { kind: "ok" }]);
  });

  test.each([
    ["limits.locks", 1],
    ["limits.locks.undeclared", { undeclared: "alone" }],
    ["limits.locks.unknown", { unknown: "exclusive" }],
  ])("%s is refused by its path", (path, locks) => {
    const world = new World();
    expect(() => world.host({}, { limits: { locks } })).toThrow(`invalid-option: ${path} is `);
  });
});
