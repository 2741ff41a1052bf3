// What it costs to look for circles, counted in what is looked at (circle-cores.ts), however many runs are open below calls
// that hold something.
import { beforeAll, expect, test } from "vitest";
import { countingCore } from "./circle-cores.ts";
import { type Asked, CoreWorld, many } from "./core-world.ts";

const KEEPS = 1;
const TOOLS = [{}, { keeps: true }];
const COUNTS = [10, 100, 1_000, 5_000];

/** Where nothing has come to a stop, of whatever number: heap comparisons, and a look at what has changed. */
const STEADY = 60;
/** Where something has: of each run that is open. */
const EACH = 12;

let core: WebAssembly.Module;
beforeAll(async () => {
  core = await countingCore();
});

class Counted extends CoreWorld {
  /** By the step that looked at most. */
  most = 0;

  constructor(concurrency: number) {
    super({ concurrency, tools: TOOLS, core });
  }

  override handle(...said: Parameters<CoreWorld["handle"]>): ReturnType<CoreWorld["handle"]> {
    const before = this.standing.comparisons;
    const reaction = super.handle(...said);
    this.most = Math.max(this.most, Number(this.standing.comparisons - before));
    return reaction;
  }

  /** So many calls that each wait for a run of their own. */
  callers(count: number, caller: (i: number) => Omit<Asked, "name">, child: (i: number) => Asked[]): void {
    this.batch(Array.from({ length: count }, (_, i) => ({ name: `p${i}`, ...caller(i) })));
    this.drain();
    this.most = 0;
    for (let i = 0; i < count; i++) this.nest(`p${i}`, i + 1, child(i));
  }

  /** Of the calls that callers have asked for, so many end, one by one. */
  endSome(count: number): void {
    for (let i = 0; i < count; i++) this.ok([...this.running].find((name) => name.startsWith("c")) as string);
  }
}

test("callers keep permits, and their calls go ten at a time: a step looks at as much however many they are", () => {
  for (const count of COUNTS) {
    const world = new Counted(count + 10);
    world.callers(
      count,
      () => ({ tool: KEEPS }),
      (i) => many(`c${i}.`, 2),
    );
    world.endSome(Math.min(count, 100));
    expect(world.most, `${count} callers`).toBeLessThan(STEADY);
  }
});

test("a caller keeps its permit for a run of many calls: a step looks at as much however many they are", () => {
  for (const count of COUNTS) {
    const world = new Counted(3);
    world.callers(
      2,
      () => ({ tool: KEEPS }),
      (i) => many(`c${i}.`, count),
    );
    world.most = 0;
    world.endSome(Math.min(count, 100));
    expect(world.most, `${count} calls`).toBeLessThan(STEADY);
  }
});

test("a chain as deep as a thousand, each with a key and a permit: a step looks at as much however deep it is", () => {
  for (const depth of [10, 100, 1_000]) {
    const world = new Counted(depth + 1);
    const asked = (i: number): Asked => ({ name: `p${i}`, tool: KEEPS, writes: [`k${i}`] });
    world.batch([asked(0)]);
    for (let i = 0; i < depth; i++) world.nest(`p${i}`, i + 1, [asked(i + 1)]);
    for (let i = depth; i >= 0; i--) {
      if (i < depth) {
        world.event("close", { run: i + 1 });
        world.resume(`p${i}`);
      }
      world.ok(`p${i}`);
    }
    world.finish();
    expect(world.most, `${depth} deep`).toBeLessThan(STEADY);
  }
});

test.each([
  ["before", -1],
  ["after", 1],
])("callers keep keys, each call waits for that of the one %s it: a step looks at each once", (_, to) => {
  for (const count of COUNTS) {
    const world = new Counted(2 * count);
    world.callers(
      count,
      (i) => ({ writes: [`k${i}`] }),
      (i) => [{ name: `c${i}`, ...(i + to < 0 || i + to >= count ? {} : { writes: [`k${i + to}`] }) }],
    );
    expect(world.ended.size).toBe(0);
    expect(world.most, `${count} callers`).toBeGreaterThan(count);
    expect(world.most, `${count} callers`).toBeLessThan(EACH * count + STEADY);
  }
});
