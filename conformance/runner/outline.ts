// A text as a tree of lines: what is indented by two blanks belongs to the line above, and a line is made of
// words, `name=value` fields and JSON values. It knows nothing of scenarios.
import type { Json } from "../protocol/messages.ts";

/** A piece of a line. */
export interface Token {
  /** As it stands there, without its `name=`. */
  readonly text: string;
  /** Of a field, its name. */
  readonly name: string | undefined;
  /** Set when the text is JSON: a number, a quoted string, an object … */
  readonly json: Json | undefined;
}

export interface Line {
  /** 1-based. */
  readonly number: number;
  readonly text: string;
  readonly tokens: readonly Token[];
  readonly children: readonly Line[];
}

export interface Outline {
  /** The comment that the text opens with. */
  readonly prose: string;
  readonly lines: readonly Line[];
}

/** What stands in a file is not what it should be: says where. */
export class BadLine extends Error {
  constructor(line: { readonly number: number; readonly text: string }, why: string) {
    super(`line ${line.number}: ${why}: ${line.text.trim()}`);
  }
}

const NAME = /^([A-Za-z][A-Za-z0-9-]*)=/;

/** How far a JSON value reaches that begins at `from`; -1 when it never ends. */
function endOfJson(text: string, from: number): number {
  let depth = 0;
  let quoted = false;
  for (let i = from; i < text.length; i++) {
    const character = text[i];
    if (quoted) {
      if (character === "\\") i++;
      else if (character === '"') quoted = false;
    } else if (character === '"') quoted = true;
    else if (character === "{" || character === "[") depth++;
    else if (character === "}" || character === "]") depth--;
    if (!quoted && depth === 0) return i + 1;
  }
  return -1;
}

function parsed(text: string): Json | undefined {
  try {
    return JSON.parse(text) as Json;
  } catch {
    return undefined; // a word
  }
}

function tokensOf(line: { readonly number: number; readonly text: string }): Token[] {
  const tokens: Token[] = [];
  let rest = line.text.trim();
  while (rest !== "") {
    const name = NAME.exec(rest)?.[1];
    const from = name === undefined ? 0 : name.length + 1;
    const isJson = /^[{["]/.test(rest.slice(from));
    const end = isJson ? endOfJson(rest, from) : from + (/\s/.exec(rest.slice(from))?.index ?? rest.length - from);
    const text = rest.slice(from, end);
    const json = parsed(text);
    if (end === -1 || (isJson && json === undefined)) throw new BadLine(line, "this JSON is not well-formed");
    tokens.push({ text, name, json });
    rest = rest.slice(end).trimStart();
  }
  return tokens;
}

/** Reads a text. Throws `BadLine`. */
export function readOutline(text: string): Outline {
  const prose: string[] = [];
  const root: Line[] = [];
  const open: { readonly depth: number; readonly children: Line[] }[] = [{ depth: -1, children: root }];
  for (const [i, raw] of text.split("\n").entries()) {
    const at = { number: i + 1, text: raw };
    if (raw.trim() === "") continue;
    if (/^\s*#/.test(raw)) {
      if (root.length === 0) prose.push(raw.trim().slice(1).trim());
      continue;
    }
    const indent = /^ */.exec(raw)?.[0].length ?? 0;
    if (/^\s*\t/.test(raw) || indent % 2 !== 0) throw new BadLine(at, "indent by two blanks");
    const depth = indent / 2;
    while ((open.at(-1)?.depth ?? -1) >= depth) open.pop();
    const parent = open.at(-1) as (typeof open)[number];
    if (depth > parent.depth + 1) throw new BadLine(at, "it is indented too far");
    const children: Line[] = [];
    parent.children.push({ number: i + 1, text: raw, tokens: tokensOf(at), children });
    open.push({ depth, children });
  }
  return { prose: prose.join("\n"), lines: root };
}

/** The words of a line, taken one after another, and its fields, of which none may be left over. */
export class LineReader {
  readonly line: Line;
  readonly #words: Token[];
  readonly #fields: Map<string, Token>;

  constructor(line: Line) {
    this.line = line;
    this.#words = line.tokens.filter(({ name }) => name === undefined);
    this.#fields = new Map(line.tokens.flatMap((token) => (token.name === undefined ? [] : [[token.name, token]])));
  }

  fail(why: string): never {
    throw new BadLine(this.line, why);
  }

  get left(): number {
    return this.#words.length;
  }

  /** The next word; refused when there is none. */
  word(what: string): string {
    return this.#words.shift()?.text ?? this.fail(`${what} is missing`);
  }

  wordIf(wanted: string): boolean {
    if (this.#words[0]?.text !== wanted) return false;
    this.#words.shift();
    return true;
  }

  choice<Choice extends string>(what: string, choices: readonly Choice[]): Choice {
    const word = this.word(what);
    return choices.find((choice) => choice === word) ?? this.fail(`${what} is one of ${choices.join(", ")}`);
  }

  /** The next piece as JSON, or undefined when there is none. */
  json(): Json | undefined {
    const token = this.#words[0];
    if (token?.json === undefined) return undefined;
    this.#words.shift();
    return token.json;
  }

  integer(what: string): number {
    const value = this.json();
    return Number.isSafeInteger(value) ? (value as number) : this.fail(`${what} is not an integer`);
  }

  field(name: string): Token | undefined {
    const token = this.#fields.get(name);
    this.#fields.delete(name);
    return token;
  }

  /** Everything has been taken. */
  done(): void {
    const stray = this.#words[0]?.text ?? [...this.#fields.keys()][0];
    if (stray !== undefined) this.fail(`nobody knows what "${stray}" means here`);
  }

  /** Fields of these names that are there, as an object; `take` says what each must be. */
  given<Value>(names: readonly string[], take: (token: Token, name: string) => Value): Record<string, Value> {
    return Object.fromEntries(
      names.flatMap((name) => {
        const token = this.field(name);
        return token === undefined ? [] : [[name, take(token, name)]];
      }),
    );
  }

  /** Fields of these names whose values are integers, as an object. */
  integers(names: readonly string[]): Record<string, number> {
    return this.given(names, ({ json }, name) =>
      Number.isSafeInteger(json) ? (json as number) : this.fail(`${name} is not an integer`),
    );
  }

  /** Fields that are JSON, or a word: what the schema of the message says of them counts. */
  values(names: readonly string[]): Record<string, Json> {
    return this.given(names, ({ json, text }) => json ?? text);
  }
}
