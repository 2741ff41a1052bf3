// Text that came from a journal, a tool or a file, made fit to be shown: nothing in it can move the
// cursor, colour the screen, hide or reorder what stands beside it. It never shortens what it is not asked to.

const HOSTILE = /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]|\p{Cs}/gu;
const NAMED: Readonly<Record<string, string>> = { "\n": "\\n", "\r": "\\r", "\t": "\\t" };

/** The text with every control, format and line-breaking character written out, as `\n` or `\u{1b}`. */
export function plain(text: string): string {
  return text.replace(HOSTILE, (found) => NAMED[found] ?? `\\u{${found.codePointAt(0)!.toString(16)}}`);
}

/** JSON text in which nothing but ASCII blanks and breaks controls anything; it parses to the same value. */
export function plainJson(value: unknown, indent = 2): string {
  const text = JSON.stringify(
    value,
    (_, inner: unknown) => (typeof inner === "bigint" ? inner.toString() : inner),
    indent,
  );
  return text.replace(/[\u007f-\u009f\u2028\u2029]|\p{Cf}/gu, (found) =>
    Array.from({ length: found.length }, (_, i) => `\\u${found.charCodeAt(i).toString(16).padStart(4, "0")}`).join(""),
  );
}

const NO_CELL = /^[\p{Mn}\p{Me}]$/u;
const TWO_CELLS =
  /^[\p{Emoji_Presentation}\p{sc=Han}\p{sc=Hangul}\p{sc=Hira}\p{sc=Kana}\u3000-\u303e\uff01-\uff60\uffe0-\uffe6]$/u;

function cellsOf(character: string): number {
  if (character <= "~") return 1;
  if (NO_CELL.test(character)) return 0;
  return TWO_CELLS.test(character) ? 2 : 1;
}

/** How many terminal cells a text takes, of text that went through `plain`. */
export function cells(text: string): number {
  let count = 0;
  for (const character of text) count += cellsOf(character);
  return count;
}

/** The text in at most so many cells; what had to go is shown by `mark`, which is one cell. */
export function clip(text: string, cellsMax: number, mark = "…"): string {
  if (cells(text) <= cellsMax) return text;
  if (cellsMax < 1) return "";
  let kept = "";
  let count = 1;
  for (const character of text) {
    count += cellsOf(character);
    if (count > cellsMax) break;
    kept += character;
  }
  return kept + mark;
}

/** The text followed, or preceded, by blanks up to so many cells. */
export function pad(text: string, cellsMin: number, align: "left" | "right" = "left"): string {
  const blanks = " ".repeat(Math.max(0, cellsMin - cells(text)));
  return align === "left" ? text + blanks : blanks + text;
}
