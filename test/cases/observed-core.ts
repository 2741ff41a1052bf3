// A core that counts which cells of its tables it takes: the same sources, compiled for the tests with two
// functions made to count. So what is counted is what the core did, not what a model of it would have
// done, and the core that ships carries nothing of it.
import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import asc from "assemblyscript/asc";
import { BareCore } from "../../core/test/bare-core.ts";
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

const core = fileURLToPath(new URL("../../core/", import.meta.url));

function sourceOf(file: string): string | null {
  let text: string;
  try {
    text = readFileSync(`${core}${file}`, "utf8");
  } catch {
    return null; // asc asks for several names until one is there
  }
  for (const [where, after, counting] of COUNTING) {
    if (where !== file) continue;
    if (!text.includes(`${after}\n`)) throw new Error(`core/${file} has no line ${JSON.stringify(after)} to count at`);
    text = text.replace(`${after}\n`, () => `${after}\n${counting}\n`);
  }
  return text;
}

/** The module, and the size of its slot table. */
export interface ObservedCore {
  readonly module: WebAssembly.Module;
  readonly states: number;
  readonly happenings: number;
}

/** Compiles it: some seconds. */
export async function compileObserved(states: number, happenings: number): Promise<ObservedCore> {
  let binary: Uint8Array<ArrayBuffer> | undefined;
  const options = ["--outFile", "observed.wasm", "-O1", "--runtime", "minimal", "--use", "abort=assembly/panic/abort"];
  const { error, stderr } = await asc.main(["assembly/index.ts", ...options, "--baseDir", core], {
    readFile: (name) => sourceOf(name),
    writeFile: (name, contents) => {
      if (name === "observed.wasm") binary = Uint8Array.from(contents as Uint8Array);
    },
    listFiles: () => [],
  });
  if (error !== null || binary === undefined) throw new Error(`asc: ${error?.message}\n${stderr.toString()}`);
  return { module: new WebAssembly.Module(binary), states, happenings };
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
