// What a case calls things, and the numbers that the core knows them by: runs, tools, call ids, inputs
// and payloads are numbered as they are first named; times are milliseconds since the case began.

/** Wall ms of a case's beginning. */
export const WALL_START = 1_700_000_000_000n;
/** Monotonic µs of a case's beginning. */
export const NOW_START = 1_000_000n;
export const NONE = 0xffffffff;

type Sort = "run" | "tool" | "group" | "id" | "input" | "value" | "key" | "meter";
const FIRST: Readonly<Record<Sort, number>> = {
  run: 0,
  tool: 0,
  group: 0,
  id: 1,
  input: 1,
  value: 1,
  key: 1,
  meter: 1,
};

/** Names and numbers of one case, both ways. */
export class Names {
  readonly #numbers = new Map<string, number>();
  readonly #names = new Map<string, string>();
  readonly #next = { ...FIRST };

  number(sort: Sort, name: string): number {
    const key = `${sort} ${name}`;
    const known = this.#numbers.get(key);
    if (known !== undefined) return known;
    const made = this.#next[sort]++;
    this.#numbers.set(key, made);
    this.#names.set(`${sort} ${made}`, name);
    return made;
  }

  name(sort: Sort, number: number): string {
    return this.#names.get(`${sort} ${number}`) ?? `?${number}`;
  }
}

/** `12.5` ms as µs. Undefined unless it is a number of at most three decimals. */
export function microseconds(token: string): bigint | undefined {
  const [, whole, part = ""] = /^(\d+)(?:\.(\d{1,3}))?$/.exec(token) ?? [];
  return whole === undefined ? undefined : BigInt(whole) * 1000n + BigInt(part.padEnd(3, "0"));
}

/** µs as ms, with as many decimals as it takes. */
export function milliseconds(us: bigint): string {
  const part = String(us % 1000n)
    .padStart(3, "0")
    .replace(/0+$/, "");
  return part === "" ? String(us / 1000n) : `${us / 1000n}.${part}`;
}

/** A wall-clock moment as ms since the case began; `_` is never. */
export function moment(wallMs: bigint): string {
  return wallMs === 0n ? "_" : String(wallMs - WALL_START);
}

export const kebab = (name: string): string => name.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`);
