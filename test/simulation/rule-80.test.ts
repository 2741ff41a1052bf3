// Rule 80, exhaustively: every crash point × every completion order for up to four calls. Nothing that has
// settled is lost, no outcome changes, calls ≤ 1 + crashes inside their window, what may not run twice does
// not, and live equals replay: the ledger checks all of it in each of these worlds.
import { describe, expect, test } from "vitest";
import type { PlannedCall, WorldPlan } from "./plan.ts";
import { World } from "./world.ts";

/** Numbers of the moves in world.ts. */
const GO_ON = 0;
const END_A_CALL = 6;
const CRASH = 12;
const OK = 0;

function permutations(count: number): number[][] {
  if (count === 0) return [[]];
  return permutations(count - 1).flatMap((rest) =>
    Array.from({ length: count }, (_, at) => [...rest.slice(0, at), count - 1, ...rest.slice(at)]),
  );
}

/** One thing that happens, as the numbers that choose it, and how the world stands after it. */
interface Step {
  readonly numbers: readonly number[];
  readonly inFlight: number;
  readonly unwritten: boolean;
}

/** A life in which all starts at once and the calls return in this order, each result written before the next. */
function lifeOf(order: readonly number[]): Step[] {
  const steps: Step[] = [
    { numbers: [], inFlight: 0, unwritten: true },
    { numbers: [GO_ON], inFlight: order.length, unwritten: false },
  ];
  const left = order.map((_, i) => i);
  for (const call of order) {
    const at = left.indexOf(call);
    // A choice among one is none: it takes no number.
    const which = left.length === 1 ? [] : [at];
    left.splice(at, 1);
    steps.push({ numbers: [END_A_CALL, ...which, OK], inFlight: left.length, unwritten: true });
    steps.push({ numbers: [GO_ON], inFlight: left.length, unwritten: false });
  }
  return steps;
}

/** The same life, cut off after each of its steps: with and without what was not yet heard to be written, and with all that ran having happened or not. */
function crashes(order: readonly number[]): number[][] {
  const steps = lifeOf(order);
  return steps.slice(0, -1).flatMap(({ inFlight, unwritten }, at) => {
    const before = steps.slice(0, at + 1).flatMap(({ numbers }) => numbers);
    const kept = unwritten ? [0, 1] : [0];
    const happened = inFlight === 0 ? [0] : [0, 1];
    return kept.flatMap((k) => happened.map((bit) => [...before, CRASH, k, ...Array<number>(inFlight).fill(bit)]));
  });
}

function worldOf(tools: readonly PlannedCall["tool"][], decisions: readonly number[]): WorldPlan {
  const calls = tools.map((tool, i) => ({ id: `${i}`, tool, timeoutMs: undefined }));
  return {
    concurrency: 16,
    decisions,
    batches: [{ calls, concurrency: undefined, deadlineMs: undefined, announce: false }],
  };
}

/** Lives every one of these worlds; how many there were. */
async function liveAll(tools: readonly PlannedCall["tool"][], all: readonly (readonly number[])[]): Promise<number> {
  for (const decisions of all) {
    try {
      await new World(worldOf(tools, decisions)).live();
    } catch (error) {
      throw new Error(`${tools} with decisions [${decisions}]: ${String(error)}`, { cause: error });
    }
  }
  return all.length;
}

const SETS: readonly (readonly PlannedCall["tool"][])[] = [
  ["work"],
  ["send"],
  ["pay"],
  ["agent"],
  ["work", "work"],
  ["pay", "pay"],
  ["send", "agent"],
  ["work", "work", "work"],
  ["pay", "send", "work"],
  ["work", "pay", "send", "look"],
];
const factorial = (n: number): number => (n < 2 ? 1 : n * factorial(n - 1));

describe("rule 80", () => {
  test.each(SETS.map((tools) => [tools.join(", "), tools] as const))(
    "rule 80: every crash point × every completion order of [%s]",
    { timeout: 120_000 },
    async (_, tools) => {
      const all = permutations(tools.length).flatMap(crashes);
      // 2N + 1 points, of which N + 1 have something unwritten; what runs has happened or not.
      expect(all).toHaveLength(factorial(tools.length) * (2 + 2 + (tools.length - 1) * 6 + 2));
      expect(await liveAll(tools, all)).toBe(all.length);
    },
  );

  test.each([[["work"]], [["pay"]], [["send", "pay"]]] as const)(
    "rule 80: two crashes, the second at every point of the recovery, of %j",
    { timeout: 120_000 },
    async (tools) => {
      const once = permutations(tools.length).flatMap(crashes);
      const all = once.flatMap((first) =>
        Array.from({ length: 8 }, (_, goneOn) => [...first, ...Array<number>(goneOn).fill(GO_ON), CRASH, goneOn % 2]),
      );
      expect(await liveAll(tools, all)).toBe(once.length * 8);
    },
  );

  test("a world is what its numbers say: the crash falls where it was meant to", async () => {
    const world = new World(worldOf(["work", "work"], crashes([1, 0])[3]!));
    await world.live();
    expect(world.ledger.crashes).toBe(1);
    expect(world.ledger.facts("r", "0").began).toBe(2);
  });
});
