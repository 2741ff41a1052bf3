// What comes out of the core, as lines of a case. A field that says what it nearly always says is left
// out; everything else is said, also what a later core may add, so that equal lines are equal reactions.
import type { Action, Call, Entry, Notice, Placement, Reaction, Refusal, Resolution } from "../../core/dist/glue.js";
import { enums } from "../../core/test/wit.ts";
import { kebab, milliseconds, moment, type Names, NONE, NOW_START } from "./names.ts";

/** In whose terms a reaction is said. */
export interface Terms {
  readonly names: Names;
  /** The run that goes without saying. */
  readonly run: number;
  /** Wall ms of this turn. */
  readonly wall: bigint;
  /** The calls that went in with this turn. */
  readonly calls: readonly Call[];
}

/** One field: what it is called, what it says, what it need not say. */
type Said = readonly [key: string, value: string, unsaid?: string];

/** What a field says when it says nothing. */
const SILENT: ReadonlySet<unknown> = new Set([0, 0n, false, "ok", "executed", "none", undefined]);

/** Words and fields as a line; of `record`, whatever `covered` does not name and is not nothing follows. */
function line(words: string, said: readonly Said[], record: object, covered: string): string {
  const known = covered.split(" ");
  const rest = Object.entries(record)
    .filter(([key, value]) => !known.includes(key) && !SILENT.has(value))
    .map(([key, value]): Said => [kebab(key), String(value)]);
  const fields = [...said, ...rest].filter(([, value, unsaid]) => value !== unsaid);
  return [words, ...fields.map(([key, value]) => `${key}=${value}`)].join(" ");
}

const count = (number: number): string => (number === NONE ? "_" : String(number));
const yes = (truth: boolean): string => (truth ? "yes" : "no");
const byCode = (list: string, code: number): string => enums.get(list)?.[code] ?? `?${code}`;

function value(payload: number, { names }: Pick<Terms, "names">): Said {
  return ["value", payload === 0 ? "_" : names.name("value", payload), "_"];
}

function runOf(run: number, { names, run: current }: Terms): Said {
  return ["run", names.name("run", run), names.name("run", current)];
}

/** The fields of an entry that its kind gives a meaning. */
function entryFields(entry: Entry, terms: Pick<Terms, "names">): [said: Said[], covered: string] {
  const slot: Said = ["slot", String(entry.slot)];
  const attempt: Said = ["attempt", String(entry.attempt)];
  const until: Said = ["until", moment(entry.until), "_"];
  const brought = value(entry.payload, terms);
  switch (entry.kind) {
    case "run-opened":
      return [[], ""];
    case "planned":
      return [[["first", String(entry.slot)], ["slots", String(entry.count)], until], "slot count until"];
    case "started":
      return [[slot, attempt], "slot attempt"];
    case "attempt-failed":
      return [
        [slot, attempt, ["outcome", entry.outcome, "error"], brought, until],
        "slot attempt outcome payload until",
      ];
    case "settled":
      return [
        [
          slot,
          ["outcome", entry.outcome],
          ["reason", entry.reason, "none"],
          ["source", entry.source, "executed"],
          ["attempts", String(entry.attempt), "1"],
          brought,
          until,
        ],
        "slot outcome reason source attempt payload until",
      ];
    case "late":
      return [[slot, attempt, ["outcome", entry.outcome], brought], "slot attempt outcome payload"];
    case "run-closed":
      return [[["outcome", entry.outcome], brought], "outcome payload"];
  }
}

/** The scope that decided, where one did. */
function limitOf(entry: Entry, names: Names): Said {
  const { reason, until } = entry;
  const byNone = reason === "none" || reason === "deadline" || (reason === "budget" && until === 0n);
  return ["limit", byNone ? "_" : sayLimit(entry, names), "_"];
}

/** A scope: `tool/search`, `runtime`; of keys, tenants and batches the core says which kind it was. */
export function sayLimit({ scope, number }: Pick<Entry, "scope" | "number">, names: Names): string {
  return scope === "tool" || scope === "group" ? `${scope}/${names.name(scope, number)}` : scope;
}

function sayNotice(row: Notice, terms: Terms): string {
  const said: Said[] = [
    runOf(row.run, terms),
    ["slot", String(row.slot)],
    ["by", row.kind],
    ["limit", sayLimit(row, terms.names)],
    ["until", moment(row.until), "_"],
  ];
  return line("held", said, row, "run slot kind scope number until");
}

function sayEntry(entry: Entry, terms: Terms): string {
  const [said, covered] = entryFields(entry, terms);
  const at: Said = ["at", moment(entry.at), moment(terms.wall)];
  const limit = limitOf(entry, terms.names);
  return line(
    `entry ${entry.kind}`,
    [runOf(entry.run, terms), ...said, limit, at],
    entry,
    `kind run at ${covered} scope number`,
  );
}

/** An entry as a row of a journal. */
export function journalRow(entry: Entry, names: Names): string {
  const [said, covered] = entryFields(entry, { names });
  const at: Said = ["at", moment(entry.at), "0"];
  return line(entry.kind, [...said, limitOf(entry, names), at], entry, `kind run at ${covered} scope number`);
}

/** A planned call as a row of a journal. */
export function callRow(call: Call, names: Names): string {
  const input = names.name("input", Number(call.inputLow)).split("/").slice(1).join("/");
  return line(
    "call",
    [
      ["id", names.name("id", Number(call.idLow))],
      ["tool", names.name("tool", call.tool)],
      ["effect", call.effect, "once"],
      ["input", input, "_"],
      ["deadline", moment(call.deadline), "_"],
    ],
    {},
    "",
  );
}

function sayPlacement(row: Placement, terms: Terms): string {
  const calls = terms.calls.slice(row.call, row.call + row.count);
  const ids = calls.map(({ idLow }) => terms.names.name("id", Number(idLow)));
  const said: Said[] = [
    runOf(row.run, terms),
    ["ids", ids.join(",")],
    ["slot", String(row.slot)],
    ["fresh", yes(row.fresh), "yes"],
  ];
  return line("placed", said, row, "run call slot count fresh");
}

function actionFields(action: Action, terms: Terms): [said: Said[], covered: string] {
  const slot: Said = ["slot", count(action.slot)];
  const attempt: Said = ["attempt", String(action.attempt)];
  const called = terms.calls[action.call];
  const id: Said = ["id", called === undefined ? "_" : terms.names.name("id", Number(called.idLow)), "_"];
  switch (action.kind) {
    case "call":
      return [[slot, attempt, ["until", moment(action.until), "_"]], "slot attempt until call"];
    case "reconcile":
      return [
        [slot, attempt, ["ask", String(action.code)], ["for", milliseconds(action.until)]],
        "slot attempt code until call",
      ];
    case "abort":
      return [
        [slot, attempt, ["reason", byCode("abort-reason", action.code)], ["grace", milliseconds(action.until)]],
        "slot attempt code until call",
      ];
    case "carry-on":
      return [[slot, attempt], "slot attempt call"];
    case "mismatch":
      return [
        [["slot", count(action.slot), "_"], id, ["kind", byCode("mismatch-kind", action.code)]],
        "slot call code",
      ];
    case "refuse":
      return [
        [["slot", count(action.slot), "_"], id, ["reason", byCode("refusal-code", action.code)]],
        "slot call code",
      ];
    case "unawaited":
      return [[slot], "slot call"];
    case "released":
      return [[], "call"];
  }
}

function sayAction(action: Action, terms: Terms): string {
  const [said, covered] = actionFields(action, terms);
  // What must wait for the disk always does; anything else would be said.
  const gate: Said = ["gate", action.gate, action.kind === "call" || action.kind === "released" ? "written" : "none"];
  const run: Said = action.run === NONE ? ["run", "_", "_"] : runOf(action.run, terms);
  return line(action.kind, [run, ...said, gate], action, `kind run gate ${covered}`);
}

function sayResolution(row: Resolution, terms: Terms): string {
  const said: Said[] = [
    runOf(row.run, terms),
    ["slot", String(row.slot)],
    ["outcome", row.outcome],
    ["source", row.source, "executed"],
    ["attempts", String(row.attempts), "1"],
    value(row.payload, terms),
    ["replayed", yes(row.replayed), "no"],
    ["queued", moment(row.queuedAt), "0"],
    ["started", moment(row.startedAt), "0"],
    ["ended", moment(row.endedAt), "0"],
  ];
  const covered = "run slot outcome source attempts payload replayed queuedAt startedAt endedAt";
  return line("resolve", said, row, covered);
}

/** When the core wants to be woken. */
export function sayWake(wakeAt: bigint): string {
  return `wake at=${wakeAt === 0n ? "_" : milliseconds(wakeAt - NOW_START)}`;
}

export function sayRefusal({ code, row, slot }: Refusal): string {
  return line(
    "refused",
    [
      ["reason", code],
      ["row", String(row)],
      ["slot", count(slot), "_"],
    ],
    {},
    "",
  );
}

/** A reaction in its order; `wokenAt` is what the last one said of the wake-up. */
export function sayReaction(reaction: Reaction, wokenAt: bigint, terms: Terms): string[] {
  const { placements, entries, actions, resolutions, wakeAt, notices, pressure, ...more } = reaction;
  return [
    ...placements.map((row) => sayPlacement(row, terms)),
    ...entries.map((row) => sayEntry(row, terms)),
    ...actions.map((row) => sayAction(row, terms)),
    ...resolutions.map((row) => sayResolution(row, terms)),
    ...Object.entries(more).flatMap(([list, rows]) =>
      (rows as readonly object[]).map((row) => line(kebab(list), [], row, "")),
    ),
    ...notices.map((row) => sayNotice(row, terms)),
    ...(pressure === 0 ? [] : [`pressure level=${pressure}`]),
    ...(wakeAt === wokenAt ? [] : [sayWake(wakeAt)]),
  ];
}
