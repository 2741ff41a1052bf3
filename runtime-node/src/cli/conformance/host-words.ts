// A command that stands in one argument, as words: blanks part them, quotes keep them together. No shell is
// asked, so nothing in it is expanded.
import { InvalidArgumentError } from "commander";

const WORD = /\s*((?:"(?:[^"\\]|\\.)*"|'[^']*'|\\.|[^\s"'\\])+)/y;

/** `node "my host.js" -x` is three words. Throws when a quote is left open, or there is no word. */
export function hostWords(text: string): string[] {
  const words: string[] = [];
  WORD.lastIndex = 0;
  while (WORD.lastIndex < text.trimEnd().length) {
    const word = WORD.exec(text)?.[1];
    if (word === undefined) throw new InvalidArgumentError("It has a quote that is not closed.");
    words.push(
      word.replace(/"((?:[^"\\]|\\.)*)"|'([^']*)'|\\(.)/g, (_, double?: string, single?: string, one?: string) =>
        double === undefined ? (single ?? one ?? "") : double.replace(/\\(.)/g, "$1"),
      ),
    );
  }
  if (words.length === 0) throw new InvalidArgumentError("It names no program.");
  return words;
}
