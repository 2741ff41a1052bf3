// Cases as data: reads the lines of a .case file and nothing more. What a verb means is the business of
// whoever carries a case out. Imports nothing, so that it reads the same beside any host.
//
//   line  = blank | "#" comment | "case" name field* | mark word* field* | "+" word* field*
//   mark  = ">" into the core | "<" out of it | "=" what it says of itself | "!" something happens to the host
//   field = key "=" token        no spaces, no quotes; "_" is none; columns may be aligned with spaces
//   "+"   = a row of the line above

/** A line or a row, split. */
export interface Split {
  /** 1-based. */
  readonly number: number;
  readonly words: readonly string[];
  readonly fields: Readonly<Record<string, string>>;
}

export type Mark = ">" | "<" | "=" | "!";

export interface CaseLine extends Split {
  readonly mark: Mark;
  readonly rows: readonly Split[];
}

export interface Case {
  readonly name: string;
  /** 1-based. */
  readonly number: number;
  readonly fields: Readonly<Record<string, string>>;
  /** Its comments, in order: why it exists. */
  readonly prose: readonly string[];
  readonly lines: readonly CaseLine[];
}

/** A line that the grammar does not have. `line` is 1-based. */
export class CaseSyntaxError extends Error {
  readonly line: number;
  constructor(line: number, why: string) {
    super(`line ${line}: ${why}`);
    this.line = line;
  }
}

/** Words, then fields. Throws `CaseSyntaxError`. */
export function split(text: string, number: number): Split {
  const parts = text.split(/ +/).filter((part) => part !== "");
  const words = parts.filter((part) => !part.includes("="));
  const fields: Record<string, string> = Object.create(null);
  for (const [place, part] of parts.entries()) {
    const at = part.indexOf("=");
    if (at === -1) {
      if (place >= words.length) throw new CaseSyntaxError(number, `the word ${part} stands after a field`);
      continue;
    }
    const key = part.slice(0, at);
    if (key === "" || at === part.length - 1) throw new CaseSyntaxError(number, `${part} is not key=token`);
    if (key in fields) throw new CaseSyntaxError(number, `${key} is said twice`);
    fields[key] = part.slice(at + 1);
  }
  return { number, words, fields };
}

interface Growing extends Case {
  readonly prose: string[];
  readonly lines: (CaseLine & { readonly rows: Split[] })[];
}

/** The cases of a file. Throws `CaseSyntaxError`. */
export function parseCases(text: string): Case[] {
  const cases: Growing[] = [];
  for (const [index, raw] of text.split("\n").entries()) {
    const number = index + 1;
    const line = raw.trim();
    const current = cases.at(-1);
    if (line === "") continue;
    if (line.startsWith("#")) {
      current?.prose.push(line.slice(1).trim());
      continue;
    }
    if (line.startsWith("case ")) {
      const { words, fields } = split(line, number);
      const [, name] = words;
      if (name === undefined || words.length !== 2) throw new CaseSyntaxError(number, "a case has one name");
      cases.push({ name, number, fields, prose: [], lines: [] });
      continue;
    }
    if (current === undefined) throw new CaseSyntaxError(number, "nothing comes before the first case but comments");
    const mark = line[0] as string;
    const said = split(line.slice(1), number);
    if (mark === "+") {
      const above = current.lines.at(-1);
      if (above === undefined) throw new CaseSyntaxError(number, "a row has no line above it");
      above.rows.push(said);
    } else if (mark === ">" || mark === "<" || mark === "=" || mark === "!") {
      if (said.words.length === 0) throw new CaseSyntaxError(number, `${mark} says nothing`);
      current.lines.push({ ...said, mark, rows: [] });
    } else throw new CaseSyntaxError(number, `${JSON.stringify(mark)} is no mark; there are > < = ! + and #`);
  }
  return cases;
}
