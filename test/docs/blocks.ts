// Reads the fenced blocks and links of a Markdown file. The first word after the fence is the language,
// the second, if any, says what the tests do with it; test/docs/README.md lists the words.
import { type Findings, lineAt, type SourceFile } from "../tidy/tree.ts";

export interface Block {
  readonly path: string;
  /** Of the opening fence, 1-based. */
  readonly line: number;
  readonly language: string;
  /** `runnable`, `checked`, `printed`, or empty. */
  readonly mark: string;
  readonly text: string;
}

const FENCE = /^( *)(`{3,})([^\n`]*)\n([\s\S]*?)^\1\2`* *$/gm;

export function blocksOf({ path, text }: SourceFile): readonly Block[] {
  return [...text.matchAll(FENCE)].map((match) => {
    const [, indent = "", , info = "", body = ""] = match;
    const [language = "", mark = ""] = info.trim().split(/\s+/);
    const lines = body.split("\n").map((line) => (line.startsWith(indent) ? line.slice(indent.length) : line));
    return { path, line: lineAt(text, match.index + 1), language, mark, text: lines.join("\n") };
  });
}

const MARKS: Readonly<Record<string, readonly string[]>> = {
  ts: ["runnable", "checked"],
  js: ["runnable", "checked"],
  text: ["printed"],
};

/** Marks that nothing would read: a slip of the pen would leave an example untested. */
export function unknownMarks(blocks: readonly Block[]): Findings {
  return blocks
    .filter(({ language, mark }) => mark !== "" && !MARKS[language]?.includes(mark))
    .map(({ path, line, language, mark }) => `${path}:${line} "${language} ${mark}" is not a mark that is tested`);
}

/** Every `npm run …` of a shell block names a script of package.json. */
export function unknownScripts(blocks: readonly Block[], scripts: Readonly<Record<string, string>>): Findings {
  return blocks
    .filter(({ language }) => ["sh", "bash", "shell", "console"].includes(language))
    .flatMap(({ path, line, text }) => {
      const named = [...text.matchAll(/\bnpm (?:run (?:-s |--silent )?([\w:.-]+)|(test|start)\b)/g)];
      return named
        .map(([, script, short]) => script ?? short!)
        .filter((script) => scripts[script] === undefined)
        .map((script) => `${path}:${line} npm run ${script}: package.json has no such script`);
    });
}

/** Links to files of the repository that are not there. */
export function deadLinks(file: SourceFile, isThere: (path: string) => boolean): Findings {
  const prose = file.text.replace(FENCE, (block) => block.replace(/[^\n]/g, " "));
  const folder = file.path.includes("/") ? file.path.slice(0, file.path.lastIndexOf("/") + 1) : "";
  return [...prose.matchAll(/\]\((?![a-z]+:|#)([^)\s#]+)[^)]*\)/g)]
    .map((match) => ({ target: folder + match[1]!, line: lineAt(prose, match.index + 1) }))
    .filter(({ target }) => !isThere(target))
    .map(({ target, line }) => `${file.path}:${line} links to ${target}, which is not there`);
}
