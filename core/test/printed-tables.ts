// The tables of the core as a person reads them. Names come from the enums in the core's own source.
import { readFileSync } from "node:fs";
import type { Row } from "../dist/glue.js";

/** The names of an enum, by number. */
export function casesOf(file: string, name: string): readonly string[] {
  const source = readFileSync(new URL(`../assembly/${file}`, import.meta.url), "utf8");
  const body = new RegExp(`const enum ${name} \\{([^}]*)\\}`).exec(source)?.[1];
  if (body === undefined) throw new Error(`${file} has no enum ${name}`);
  return body
    .replace(/\/\/.*$/gm, "")
    .split(",")
    .map((one) => one.trim())
    .filter((one) => one !== "");
}

export const SAID = casesOf("recovery.ts", "Said");

const DECISIONS: Readonly<Record<string, string>> = {
  start: "start it, attempt 1",
  again: "start it again: attempt + 1, same key",
  ask: "ask the reconciler",
  surface: "settle as unknown",
  wait: "wait for the recorded time, then the next attempt",
  replay: "replay; never call, never ask",
};

/** Markdown: rows that decide alike for every effect are told once. */
export function recoveryTable(rows: readonly Row[]): string {
  const effects = ["read", "idempotent", "once"];
  const decisionOf = ({ d }: Row): string => DECISIONS[casesOf("recovery.ts", "Decision")[d] as string] as string;
  const lines = ["| journal says | effect | decision |", "| --- | --- | --- |"];
  for (const [said, name] of SAID.entries()) {
    const of = rows.filter(({ a }) => a === said);
    const decisions = new Set(of.map(decisionOf));
    if (decisions.size === 1) lines.push(`| ${name} | any | ${[...decisions][0]} |`);
    else
      for (const [effect, label] of effects.entries()) {
        const here = of.filter(({ b }) => b === effect);
        const same = new Set(here.map(decisionOf)).size === 1;
        if (same) lines.push(`| ${name} | ${label} | ${decisionOf(here[0] as Row)} |`);
        else
          for (const row of here)
            lines.push(`| ${name} | ${label}, ${row.c === 1 ? "with" : "without"} a reconciler | ${decisionOf(row)} |`);
      }
  }
  return `${lines.join("\n")}\n`;
}

/** Markdown: one line per state, what can happen and the move that follows; what is not listed is refused. */
export function slotTable(rows: readonly Row[]): string {
  const states = casesOf("codes.ts", "State");
  const happenings = casesOf("codes.ts", "Happening");
  const moves = casesOf("transitions.ts", "Move");
  const lines = ["| state | what happens → what is done |", "| --- | --- |"];
  for (const [state, name] of states.entries()) {
    const cells = rows.filter(({ a }) => a === state).map(({ b, c }) => `${happenings[b]} → ${moves[c]}`);
    lines.push(`| ${name} | ${cells.join(", ")} |`);
  }
  return `${lines.join("\n")}\n`;
}
