// The form of the house's files: their names, their first words, their length, and a README beside
// them. Each gate is given files and gives back what is wrong; none looks at the disk.
import { posix } from "node:path";
import { type Findings, isCode, type SourceFile } from "./tree.ts";

/** Lines. The style asks for about 100; this is where a reader is certainly lost. */
export const FILE_LINES_MAX = 400;
/** Lines: about a page. */
export const README_LINES_MAX = 60;

/** Names that say nothing: whatever is in such a file belongs to an idea that has a name. */
const EMPTY_NAMES = new Set(["utils", "util", "helpers", "helper", "common", "manager", "misc", "shared"]);

export function emptyNames(files: readonly SourceFile[]): Findings {
  return files.flatMap(({ path }) => {
    const parts = path.split("/").map((part) => part.replace(/\..*$/, ""));
    const empty = parts.find((part) => part.split(/[-_]/).some((word) => EMPTY_NAMES.has(word.toLowerCase())));
    return empty === undefined ? [] : [`${path}:1 "${empty}" is no name for an idea`];
  });
}

/** A file opens with what it is for. A first line for the system (`#!`) may come before. */
export function unopened(files: readonly SourceFile[]): Findings {
  return files.flatMap(({ path, text }) => {
    if (!isCode(path)) return [];
    const body = text.replace(/^#![^\n]*\n/, "");
    const words = /^(?:\/\/|\/\*\*?)([^\n]*)/.exec(body)?.[1]?.match(/\p{L}{2,}/gu) ?? [];
    // A linter's or compiler's directive is not a sentence.
    const directive = /^\/[/*]+\s*(?:@|biome-|eslint-|c8 |v8 |<)/.test(body);
    return words.length >= 3 && !directive ? [] : [`${path}:1 does not open with a comment that says what it is for`];
  });
}

export function tooLong(files: readonly SourceFile[]): Findings {
  return files.flatMap(({ path, text }) => {
    const lines = lineCount(text);
    if (isCode(path) && lines > FILE_LINES_MAX) return [`${path}:${lines} is longer than ${FILE_LINES_MAX} lines`];
    const page = posix.basename(path) === "README.md" && path !== "README.md";
    return page && lines > README_LINES_MAX
      ? [`${path}:${lines} is longer than a page (${README_LINES_MAX} lines)`]
      : [];
  });
}

/** Folders that are nothing but the source of the one above, whose README speaks for them. */
const SOURCE_OF_PARENT = new Set(["src", "assembly", "wit"]);

/** Every folder that holds source has a README.md, or the folder has whose source it is. */
export function unexplained(files: readonly SourceFile[]): Findings {
  const paths = new Set(files.map(({ path }) => path));
  const homes = files
    .filter(({ path }) => isCode(path))
    .map(({ path }) => posix.dirname(path))
    .map((folder) => (SOURCE_OF_PARENT.has(posix.basename(folder)) ? posix.dirname(folder) : folder));
  const wanted = [...new Set(homes)].sort().map((home) => posix.join(home, "README.md"));
  return wanted.filter((path) => !paths.has(path)).map((path) => `${path} is missing`);
}

function lineCount(text: string): number {
  return text.split("\n").length - (text.endsWith("\n") ? 1 : 0);
}
