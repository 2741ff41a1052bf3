// A core that counts which cells of its tables it takes: the same sources, compiled for the tests with two
// functions made to count. So what is counted is what the core did, not what a model of it would have
// done, and the core that ships carries nothing of it.
import { BareCore } from "../../core/test/bare-core.ts";
import { compileEdited } from "../../core/test/edited-core.ts";
import type { CaseCore } from "./cores.ts";

/** What the journal says × effects × whether there is a reconciler. */
const DECISIONS = 4 * 3 * 2;

/** Each a place in a source where a line is put in after the one that is found. */
const COUNTING: readonly (readonly [file: string, after: string, counting: string])[] = [
  [
    "assembly/transitions.ts",
    "export function moveFor(state: i32, happening: i32): Move {",
    "  taken[<u32>state * COLUMNS + <u32>happening]++;",
  ],
  [
    "assembly/transitions.ts",
    "const moves: StaticArray<u8> = new StaticArray<u8>(STATES * COLUMNS);",
    "const taken: StaticArray<u32> = new StaticArray<u32>(STATES * COLUMNS);\nexport function takenAt(): usize { return changetype<usize>(taken); }",
  ],
  [
    "assembly/recovery.ts",
    "export function decide(said: i32, effect: i32, reconciles: bool): Decision {",
    "  decided[(<u32>said * 3 + <u32>effect) * 2 + <u32>reconciles]++;",
  ],
  [
    "assembly/recovery.ts",
    "const decisions: StaticArray<u8> = new StaticArray<u8>(ROWS);",
    "const decided: StaticArray<u32> = new StaticArray<u32>(ROWS);\nexport function decidedAt(): usize { return changetype<usize>(decided); }",
  ],
  [
    "assembly/index.ts",
    'export { panicArea } from "./panic";',
    'export { takenAt } from "./transitions";\nexport { decidedAt } from "./recovery";',
  ],
];

/** The module, and the size of its slot table. */
export interface ObservedCore {
  readonly module: WebAssembly.Module;
  readonly states: number;
  readonly happenings: number;
}

/** Compiles it: some seconds. */
export async function compileObserved(states: number, happenings: number): Promise<ObservedCore> {
  const edits = COUNTING.map(([file, line, counting]) => ({ file, from: `${line}\n`, to: `${line}\n${counting}\n` }));
  return { module: await compileEdited(edits), states, happenings };
}

/** What the cores of one or more cases have done, by cell. */
export class Observations {
  readonly #observed: ObservedCore;
  readonly #cores: BareCore[] = [];
  constructor(observed: ObservedCore) {
    this.#observed = observed;
  }

  makeCore(): CaseCore {
    const made = new BareCore(this.#observed.module);
    this.#cores.push(made);
    return made as unknown as CaseCore;
  }

  /** How often something happened to a slot in a state, by the numbers of codes.ts. */
  taken(state: number, happening: number): number {
    const { states, happenings } = this.#observed;
    return this.#sum("takenAt", states * happenings, state * happenings + happening);
  }

  /** How often a row of the recovery table was decided by. */
  decided(said: number, effect: number, reconciles: number): number {
    return this.#sum("decidedAt", DECISIONS, (said * 3 + effect) * 2 + reconciles);
  }

  #sum(exported: string, length: number, at: number): number {
    return this.#cores.reduce((sum, made) => sum + (made.numbersAt(exported, length)[at] as number), 0);
  }
}
