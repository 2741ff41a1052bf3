// core.wit, read as far as a test needs it: enums with their cases, records with the offsets that the
// canonical ABI gives their fields (component-model, CanonicalABI.md: natural alignment, enums of up to
// 256 cases in one byte, lists as pointer and length).
import { readFileSync } from "node:fs";

export interface Field {
  readonly name: string;
  readonly type: string;
  readonly offset: number;
}
export interface Layout {
  readonly fields: readonly Field[];
  readonly size: number;
}

const text = readFileSync(new URL("../wit/core.wit", import.meta.url), "utf8").replace(/\/\/.*$/gm, "");

/** `time-out` → `timeOut`, as jco and AssemblyScript spell it. */
export const camel = (name: string): string => name.replace(/-(\w)/g, (_, letter: string) => letter.toUpperCase());

function blocks(keyword: "enum" | "record"): ReadonlyMap<string, readonly string[]> {
  const found = text.matchAll(new RegExp(`\\b${keyword} ([\\w-]+) \\{([^}]*)\\}`, "g"));
  return new Map(
    [...found].map(([, name, body]) => [
      name as string,
      (body as string)
        .split(",")
        .map((part) => part.trim())
        .filter((part) => part !== ""),
    ]),
  );
}

export const enums = blocks("enum");
const declared = blocks("record");

const SIZES: Readonly<Record<string, number>> = { u8: 1, bool: 1, s32: 4, u32: 4, u64: 8 };

function shape(type: string): { readonly size: number; readonly alignment: number } {
  if (type.startsWith("list<")) return { size: 8, alignment: 4 };
  const size = enums.has(type) ? 1 : SIZES[type];
  if (size === undefined) throw new Error(`core.wit uses ${type}, which this test does not know`);
  return { size, alignment: size };
}

const up = (offset: number, alignment: number): number => Math.ceil(offset / alignment) * alignment;

export function layoutOf(record: string): Layout {
  const fields: Field[] = [];
  let end = 0;
  let widest = 1;
  // A list's type has no comma in it, so splitting at commas is enough.
  for (const part of declared.get(record) ?? []) {
    const [name, type] = part.split(":").map((word) => word.trim()) as [string, string];
    const { size, alignment } = shape(type);
    const offset = up(end, alignment);
    fields.push({ name: camel(name), type, offset });
    end = offset + size;
    widest = Math.max(widest, alignment);
  }
  if (fields.length === 0) throw new Error(`core.wit has no record ${record}`);
  return { fields, size: up(end, widest) };
}
