// Calls that wait for runs of their own and keep what they hold: who is refused, who is not, and who starts. In random worlds:
// circles-random.test.ts.
import { describe, expect, test } from "vitest";
import { NONE } from "../../core/test/worlds.ts";
import { type Asked, CoreWorld, limit, many } from "./core-world.ts";

const GIVES = 0;
const KEEPS = 1;
const TOOLS = [{}, { keeps: true }];

/** A call with the calls of the run that it opens. */
interface Node {
  readonly name: string;
  readonly keeps: boolean;
  readonly writes: readonly string[];
  readonly weight: number;
  readonly children: readonly Node[];
}

const asked = ({ name, keeps, writes, weight }: Node): Asked => ({
  name,
  tool: keeps ? KEEPS : GIVES,
  weight,
  ...(writes.length === 0 ? {} : { writes }),
});

/** Plays a tree: who starts opens its run, and the first that can end is next. Returns who was refused, and who hangs. */
function play(roots: readonly Node[], size: number): { refused: string[]; hanging: string[] } {
  const world = new CoreWorld({ concurrency: size, tools: TOOLS });
  const nodes = new Map<string, Node>();
  const parents = new Map<string, string>();
  const add = (node: Node, parent?: string): void => {
    nodes.set(node.name, node);
    if (parent !== undefined) parents.set(node.name, parent);
    for (const child of node.children) add(child, node.name);
  };
  for (const root of roots) add(root);
  const waits = new Set<string>();
  const resumed = new Set<string>();
  let runs = 1;
  for (const root of roots) world.batch([asked(root)], { run: 0 });
  for (let step = 0; step < 500; step++) {
    const opens = [...world.running].find((name) => nodes.get(name)!.children.length > 0 && !waits.has(name));
    if (opens !== undefined) {
      waits.add(opens);
      world.nest(opens, runs++, nodes.get(opens)!.children.map(asked));
      continue;
    }
    const done = [...waits].find(
      (name) => !resumed.has(name) && nodes.get(name)!.children.every((one) => world.ended.has(one.name)),
    );
    if (done !== undefined) {
      resumed.add(done);
      world.resume(done);
      continue;
    }
    const next = [...world.running].find((name) => !waits.has(name) || world.carriedOn.includes(name));
    if (next === undefined) break;
    world.ok(next);
  }
  const { inUse } = world.gauge("runtime");
  const refused = [...world.ended].filter(([, { reason }]) => reason === "would-deadlock").map(([name]) => name);
  const asking = [...nodes.keys()].filter((name) => !parents.has(name) || waits.has(parents.get(name)!));
  const hanging = asking.filter((name) => !world.ended.has(name));
  if (hanging.length === 0) expect(inUse).toBe(0);
  return { refused, hanging };
}

const leaf = (name: string, more: Partial<Node> = {}): Node => ({
  name,
  keeps: false,
  writes: [],
  weight: 1,
  children: [],
  ...more,
});
const keeper = (name: string, children: readonly Node[], more: Partial<Node> = {}): Node =>
  leaf(name, { keeps: true, children, ...more });

describe("h1.nested.no_deadlock", () => {
  test("under a cap of 1 a call that keeps its permit can have no other: its calls are refused, by the limit's name", () => {
    const world = new CoreWorld({ concurrency: 1, tools: TOOLS });
    world.batch([{ name: "outer", tool: KEEPS }]);
    world.nest("outer", 1, many("inner", 2));
    expect(world.ended.get("inner0")).toMatchObject({ outcome: "error", reason: "would-deadlock" });
    expect(world.last?.entries.find(({ kind }) => kind === "settled")).toMatchObject({ scope: "runtime" });
    world.resume("outer");
    expect(world.carriedOn).toEqual(["outer"]);
    world.runDown();
    // The control: one that gives it back runs all of them.
    expect(play([leaf("outer", { children: [leaf("a"), leaf("b")] })], 1)).toEqual({ refused: [], hanging: [] });
  });

  test("two that keep one of two each: the later one's calls are refused, and then the first one's start", () => {
    const two = [keeper("a", [leaf("a1"), leaf("a2")]), keeper("b", [leaf("b1"), leaf("b2")])];
    expect(play(two, 2)).toEqual({ refused: ["b2", "b1"], hanging: [] });
    expect(play(two, 3)).toEqual({ refused: [], hanging: [] });
  });

  test("keys: each of two that wait wants what the other writes, whether they keep permits or not", () => {
    const crossed = [
      leaf("a", { writes: ["x"], children: [leaf("a1", { writes: ["y"] })] }),
      leaf("b", { writes: ["y"], children: [leaf("b1", { writes: ["x"] })] }),
    ];
    expect(play(crossed, 9)).toEqual({ refused: ["b1"], hanging: [] });
  });

  test("a heavier call that waits for what a keeper keeps does not keep its calls waiting", () => {
    const world = new CoreWorld({ concurrency: 2, tools: TOOLS });
    world.batch([{ name: "outer", tool: KEEPS }, { name: "other" }, { name: "heavy", weight: 2 }]);
    world.nest("outer", 1, [{ name: "inner" }]);
    world.ok("other");
    expect([...world.running].sort()).toEqual(["inner", "outer"]);
    world.ok("inner");
    world.resume("outer");
    world.runDown();
  });

  test("many that wait behind one another on a key are looked at once each: else this would never end", () => {
    const world = new CoreWorld({ concurrency: 2, tools: TOOLS });
    world.batch([
      { name: "outer", tool: KEEPS },
      { name: "first", writes: ["k"] },
      ...many("w", 5_000, { writes: ["k"] }),
    ]);
    world.nest("outer", 1, [{ name: "inner", writes: ["k"] }]);
    expect(world.explain("inner")).toMatchObject({ kind: "lock", inUse: 1n });
    world.ok("first");
    expect(world.running.has("w0")).toBe(true); // the queue moves, so nobody is refused
  });

  test("in a slow start and under an adaptive size of one, a call that waits does not keep its own from starting", () => {
    const worlds = {
      slow: new CoreWorld({ concurrency: 4, tools: TOOLS }),
      adaptive: new CoreWorld({
        tools: TOOLS,
        limits: [
          ...[GIVES, KEEPS].map((number) => limit("member", { number })),
          limit("concurrency", { scope: "group", size: 4 }),
          limit("adaptive", { scope: "group", size: 1, a: 1 }),
        ],
      }),
    };
    for (const [which, world] of Object.entries(worlds)) {
      world.event("pause", { slot: NONE });
      world.batch([{ name: "outer", tool: KEEPS }]);
      world.event("unpause", { slot: NONE });
      world.nest("outer", 1, many("inner", 2));
      expect([...world.running], which).toEqual(["outer", "inner0"]);
      world.ok("inner0");
      expect(world.running.has("inner1"), which).toBe(true);
      world.ok("inner1");
      world.resume("outer");
      world.runDown();
    }
  });

  test("nor does it keep a heavy one of its own from going alone", () => {
    const world = new CoreWorld({ concurrency: 4, tools: TOOLS });
    world.event("pause", { slot: NONE });
    world.batch([{ name: "outer", tool: KEEPS }]);
    world.event("unpause", { slot: NONE });
    world.nest("outer", 1, [{ name: "inner", weight: 3 }]);
    expect([...world.running]).toEqual(["outer", "inner"]);
    world.ok("inner");
    world.resume("outer");
    world.runDown();
    // The control: more than there will be beside what is kept is a circle.
    const full = new CoreWorld({ concurrency: 4, tools: TOOLS });
    full.batch([{ name: "outer", tool: KEEPS }]);
    full.nest("outer", 1, [{ name: "inner", weight: 4 }]);
    expect(full.ended.get("inner")).toMatchObject({ outcome: "error", reason: "would-deadlock" });
    full.resume("outer");
    full.runDown();
  });

  test("one that has begun is refused by nobody: where those above it keep all there is, it goes on above the limit", () => {
    const world = new CoreWorld({ concurrency: 2, tools: TOOLS });
    world.batch([{ name: "outer", tool: KEEPS }]);
    world.nest("outer", 1, [{ name: "inner" }]);
    world.nest("inner", 2, [{ name: "innermost" }]);
    world.setLimit("runtime", 0, 1);
    world.ok("innermost");
    world.resume("inner");
    expect(world.carriedOn).toEqual(["inner"]);
    expect(world.gauge("runtime")).toMatchObject({ inUse: 2, size: 1 });
    world.ok("inner");
    world.resume("outer");
    world.runDown();
  });
});
