// Calls that wait for runs of their own and keep what they hold: whatever the tree, nothing hangs, and nobody is refused
// who could have started.
import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { type Asked, CoreWorld, many } from "./core-world.ts";

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

interface Tree {
  readonly keeps: boolean;
  readonly writes: readonly string[];
  readonly weight: number;
  readonly children: readonly Tree[];
}

/** Roots, three deep at most; a call writes nothing that one above it writes: that is refused before it is asked for. */
const trees = fc.letrec<{ tree: Tree }>((tie) => ({
  tree: fc.record({
    keeps: fc.boolean(),
    writes: fc.subarray(["x", "y"], { maxLength: 1 }),
    weight: fc.constantFrom(1, 1, 1, 2),
    children: fc.oneof(
      { depthSize: "small", withCrossShrink: true },
      fc.constant([]),
      fc.array(tie("tree"), { minLength: 1, maxLength: 2 }),
    ),
  }),
})).tree;

function named(trees: readonly Tree[], prefix: string, above: readonly string[]): Node[] {
  return trees.map(({ keeps, writes, weight, children }, i) => {
    const own = writes.filter((key) => !above.includes(key));
    const name = `${prefix}${i}`;
    return { name, keeps, weight, writes: own, children: named(children, `${name}.`, [...above, ...own]) };
  });
}

/** Plays a tree: who starts opens its run; `pick` says which of those that can end is next. Returns who was refused, and who hangs. */
function play(
  roots: readonly Node[],
  size: number,
  picks: readonly number[],
): { refused: string[]; hanging: string[] } {
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
    const ends = [...world.running].filter((name) => !waits.has(name) || world.carriedOn.includes(name));
    if (ends.length === 0) break;
    world.ok(ends[(picks[step % Math.max(1, picks.length)] ?? 0) % ends.length]!);
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
    expect(play([leaf("outer", { children: [leaf("a"), leaf("b")] })], 1, [])).toEqual({ refused: [], hanging: [] });
  });

  test("two that keep one of two each: the later one's calls are refused, and then the first one's start", () => {
    const two = [keeper("a", [leaf("a1"), leaf("a2")]), keeper("b", [leaf("b1"), leaf("b2")])];
    expect(play(two, 2, [])).toEqual({ refused: ["b2", "b1"], hanging: [] });
    expect(play(two, 3, [])).toEqual({ refused: [], hanging: [] });
  });

  test("keys: each of two that wait wants what the other writes, whether they keep permits or not", () => {
    const crossed = [
      leaf("a", { writes: ["x"], children: [leaf("a1", { writes: ["y"] })] }),
      leaf("b", { writes: ["y"], children: [leaf("b1", { writes: ["x"] })] }),
    ];
    expect(play(crossed, 9, [])).toEqual({ refused: ["b1"], hanging: [] });
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

  test("random trees never hang, and nobody is refused where there is room for all that are kept", () => {
    let refusals = 0;
    void fc.assert(
      fc.property(
        fc.array(trees, { minLength: 1, maxLength: 3 }),
        fc.integer({ min: 2, max: 4 }),
        fc.array(fc.nat(9), { maxLength: 20 }),
        (roots, size, picks) => {
          const nodes = named(roots, "c", []);
          const { refused, hanging } = play(nodes, size, picks);
          expect(hanging).toEqual([]);
          refusals += refused.length;
          // Where all units that can be kept leave room for the heaviest, and nothing is locked, no circle can be.
          const all = (of: readonly Node[]): Node[] => of.flatMap((node) => [node, ...all(node.children)]);
          const kept = all(nodes).filter(({ keeps, children }) => keeps && children.length > 0);
          const units = kept.reduce((sum, { weight }) => sum + weight, 0);
          if (units + 2 <= size && all(nodes).every(({ writes }) => writes.length === 0)) expect(refused).toEqual([]);
        },
      ),
      { numRuns: 400, seed: 9 },
    );
    expect(refusals).toBeGreaterThan(20);
  });
});
