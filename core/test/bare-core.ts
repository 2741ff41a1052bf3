// The bare module, driven as a host without a component runtime does: records written and read at the
// offsets that core.wit gives them. Beside the glue it shows that both speak of the same world.
import { camel, enums, type Layout, layoutOf } from "./wit.ts";

type Row = Readonly<Record<string, unknown>>;

interface Exports {
  readonly memory: WebAssembly.Memory;
  reserve(bytes: number): number;
  configure(seed: bigint, concurrency: number, ...lists: number[]): number;
  open(
    now: bigint,
    wall: bigint,
    run: number,
    adapt: number,
    entries: number,
    n: number,
    calls: number,
    m: number,
  ): number;
  recall(now: bigint, wall: bigint, ...lists: number[]): void;
  handle(now: bigint, wall: bigint, ...lists: number[]): number;
  explain(now: bigint, wall: bigint, run: number, slot: number): number;
  gauge(now: bigint, wall: bigint, kind: number, number: number): number;
  inspect(run: number): number;
}

const layouts = new Map<string, Layout>();
const layout = (name: string): Layout => {
  const known = layouts.get(name) ?? layoutOf(name);
  layouts.set(name, known);
  return known;
};

export class BareCore {
  readonly #exports: Exports;
  constructor(module: WebAssembly.Module) {
    this.#exports = new WebAssembly.Instance(module, {}).exports as unknown as Exports;
  }

  get #view(): DataView {
    return new DataView(this.#exports.memory.buffer);
  }

  #write(record: string, rows: readonly Row[], at: number): void {
    const { fields, size } = layout(record);
    const view = this.#view;
    for (const [i, row] of rows.entries()) {
      for (const { name, type, offset } of fields) {
        const value = row[name];
        const to = at + i * size + offset;
        if (type === "u64") view.setBigUint64(to, value as bigint, true);
        else if (type === "u32") view.setUint32(to, value as number, true);
        else if (type === "s32") view.setInt32(to, value as number, true);
        else if (type === "u8") view.setUint8(to, value as number);
        else if (type === "bool") view.setUint8(to, value === true ? 1 : 0);
        else view.setUint8(to, (enums.get(type) as readonly string[]).indexOf(value as string));
      }
    }
  }

  #read(record: string, at: number): Record<string, unknown> {
    const view = this.#view;
    const row: Record<string, unknown> = {};
    for (const { name, type, offset } of layout(record).fields) {
      const from = at + offset;
      if (type === "u64") row[name] = view.getBigUint64(from, true);
      else if (type === "u32") row[name] = view.getUint32(from, true);
      else if (type === "s32") row[name] = view.getInt32(from, true);
      else if (type === "u8") row[name] = view.getUint8(from);
      else if (type === "bool") row[name] = view.getUint8(from) !== 0;
      else if (type.startsWith("list<"))
        row[name] = this.#list(type.slice(5, -1), view.getUint32(from, true), view.getUint32(from + 4, true));
      else row[name] = enums.get(type)?.[view.getUint8(from)];
    }
    return row;
  }

  #list(record: string, at: number, count: number): unknown[] {
    return Array.from({ length: count }, (_, i) => this.#read(record, at + i * layout(record).size));
  }

  /** One block for all lists, as the input area wants it: pointer and length of each. */
  #lay(...lists: readonly (readonly [record: string, rows: readonly Row[]])[]): number[] {
    const sizes = lists.map(([record, rows]) => Math.ceil((rows.length * layout(record).size) / 8) * 8);
    let at = this.#exports.reserve(sizes.reduce((sum, size) => sum + size, 8));
    return lists.flatMap(([record, rows], i) => {
      this.#write(record, rows, at);
      const here = at;
      at += sizes[i] as number;
      return [here, rows.length];
    });
  }

  #accepted(result: number): unknown {
    if (this.#view.getUint8(result) === 0) return this.#read("reaction", result + 8);
    return { refused: this.#read("refusal", result + 8) };
  }

  /** Undefined, or what was refused. */
  configure(seed: bigint, concurrency: number, tools: readonly Row[], limits: readonly Row[] = []): unknown {
    const result = this.#exports.configure(seed, concurrency, ...this.#lay(["policy", tools], ["limit", limits]));
    return this.#view.getUint8(result) === 0 ? undefined : { refused: this.#read("refusal", result + 4) };
  }

  recall(
    now: bigint,
    wall: bigint,
    entries: readonly Row[],
    calls: readonly Row[],
    terms: readonly Row[] = [],
    keys: readonly Row[] = [],
    charges: readonly Row[] = [],
  ): void {
    const lists = this.#lay(["entry", entries], ["call", calls], ["terms", terms], ["key", keys], ["charge", charges]);
    this.#exports.recall(now, wall, ...lists);
  }

  open(
    now: bigint,
    wall: bigint,
    run: number,
    adapt: boolean,
    entries: readonly Row[],
    calls: readonly Row[],
  ): unknown {
    const [e, n, c, m] = this.#lay(["entry", entries], ["call", calls]) as [number, number, number, number];
    return this.#accepted(this.#exports.open(now, wall, run, adapt ? 1 : 0, e, n, c, m));
  }

  handle(
    now: bigint,
    wall: bigint,
    events: readonly Row[],
    calls: readonly Row[],
    terms: readonly Row[] = [],
    keys: readonly Row[] = [],
    charges: readonly Row[] = [],
  ): unknown {
    const lists = this.#lay(["event", events], ["call", calls], ["terms", terms], ["key", keys], ["charge", charges]);
    return this.#read("reaction", this.#exports.handle(now, wall, ...lists));
  }

  explain(now: bigint, wall: bigint, run: number, slot: number): unknown {
    return this.#read("notice", this.#exports.explain(now, wall, run, slot));
  }

  gauge(now: bigint, wall: bigint, kind: string, number: number): unknown {
    const code = (enums.get("scope-kind") as readonly string[]).indexOf(kind);
    return this.#read("reading", this.#exports.gauge(now, wall, code, number));
  }

  inspect(run: number): unknown {
    return this.#read("standing", this.#exports.inspect(run));
  }

  /** The numbers that lie where an export of no arguments points. */
  numbersAt(exported: string, count: number): Uint32Array {
    const at = (this.#exports as unknown as Record<string, () => number>)[exported]?.() as number;
    return new Uint32Array(this.#exports.memory.buffer.slice(at, at + count * 4));
  }
}

export { camel };
