// Holds what came out against what a case says must come out: finds the first difference and shows it
// with the lines around it, or rewrites the case.
import type { Case, CaseLine, Split } from "../../conformance/case-format.ts";
import type { Step } from "./carry-out.ts";

/** A line whatever its columns and the order of its fields. */
function plain({ words, fields }: Split): string {
  const sorted = Object.keys(fields).sort();
  return [...words, ...sorted.map((key) => `${key}=${fields[key]}`)].join(" ");
}

function plainText(text: string): string {
  const parts = text.split(" ");
  const words = parts.filter((part) => !part.includes("="));
  return [...words, ...parts.filter((part) => part.includes("=")).sort()].join(" ");
}

/** The outputs that a case states after this line. */
function statedAfter(one: Case, line: CaseLine): CaseLine[] {
  const from = one.lines.indexOf(line) + 1;
  const next = one.lines.findIndex(({ mark }, i) => i >= from && mark !== "<");
  return one.lines.slice(from, next === -1 ? undefined : next);
}

function agrees(step: Step, stated: readonly CaseLine[]): boolean {
  if (step.line.mark === "=") return plainText(step.said[0] ?? "") === plain(step.line) && stated.length === 0;
  return stated.length === step.said.length && stated.every((line, i) => plain(line) === plainText(step.said[i] ?? ""));
}

/** What is wrong, for a person; undefined if nothing is. `file` and `text` are where the case stands. */
export function differenceIn(one: Case, steps: readonly Step[], file: string, text: string): string | undefined {
  for (const step of steps) {
    const stated = statedAfter(one, step.line);
    if (agrees(step, stated)) continue;
    if (step.line.mark === "=")
      return message(file, text, step.line.number, `= ${writtenAs(step.line)}`, `= ${step.said[0]}`);
    const at = step.said.findIndex((said, i) => stated[i] === undefined || plain(stated[i]) !== plainText(said));
    const place = at === -1 ? step.said.length : at;
    const number = stated[place]?.number ?? stated.at(-1)?.number ?? step.line.number;
    const wanted = stated[place];
    return message(
      file,
      text,
      number,
      wanted === undefined ? "nothing more" : `< ${writtenAs(wanted)}`,
      step.said[place] === undefined ? "nothing more" : `< ${step.said[place]}`,
    );
  }
  return undefined;
}

function writtenAs({ words, fields }: Split): string {
  return [...words, ...Object.entries(fields).map(([key, value]) => `${key}=${value}`)].join(" ");
}

/** Lines shown before and after the one that is wrong. */
const AROUND = 4;

function message(file: string, text: string, number: number, expected: string, got: string): string {
  const lines = text.split("\n");
  const from = Math.max(0, number - 1 - AROUND);
  const around = lines
    .slice(from, number + AROUND)
    .map((line, i) => `${from + i + 1 === number ? "→" : " "} ${String(from + i + 1).padStart(4)}  ${line}`);
  return [`${file}:${number}`, `  expected  ${expected}`, `  got       ${got}`, "", ...around].join("\n");
}

/** The text with every output as it came out. What agrees stays as it was written, columns and comments too. */
export function rewritten(text: string, cases: readonly { one: Case; steps: readonly Step[] }[]): string {
  const lines: (string | undefined)[] = text.split("\n");
  for (const { one, steps } of cases) {
    for (const step of steps) {
      const stated = statedAfter(one, step.line);
      if (agrees(step, stated)) continue;
      if (step.line.mark === "=") {
        lines[step.line.number - 1] = `= ${step.said[0]}`;
        continue;
      }
      for (const { number } of stated) lines[number - 1] = undefined;
      const last = step.line.rows.at(-1)?.number ?? step.line.number;
      lines[last - 1] = [lines[last - 1], ...step.said.map((said) => `< ${said}`)].join("\n");
    }
  }
  return lines.filter((line) => line !== undefined).join("\n");
}
