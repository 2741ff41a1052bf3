// Holds what a run came to against what was expected of it, column by column: what the host cannot show is not
// asked for.
import type { Capability } from "../protocol/capabilities.ts";
import type { Json, WireOutcome } from "../protocol/messages.ts";
import { type Bindings, has, same, shown } from "./match.ts";
import type { Ends, OutcomeRow } from "./scenario.ts";
import type { RunEnd } from "./stage.ts";

/** Something that is not as it should be. */
export interface Finding {
  /** What it is about. */
  readonly what: string;
  readonly expected: string;
  readonly got: string;
}

export const finding = (what: string, expected: string, got: string): Finding => ({ what, expected, got });

export interface JudgeWith {
  readonly capabilities: ReadonlySet<Capability>;
  readonly bindings: Bindings;
  /** Only kinds and values: how they came about depends on where the host died. */
  readonly loosely?: boolean;
}

/** An outcome as a scenario writes it. */
function rowText(row: OutcomeRow | WireOutcome): string {
  const { id, kind, value, error, reason, retryAt, fallback, insteadOf, attempts, source, replayed } = row;
  const detail = "nothing" in row && row.nothing ? "nothing" : value === undefined ? "" : shown(value);
  const fields = Object.entries({ reason, retryAt, fallback, insteadOf, attempts, source, replayed }).flatMap(
    ([name, field]) => (field === undefined ? [] : [`${name}=${field}`]),
  );
  return [id, kind, detail, error === undefined ? "" : shown(error as Json), ...fields]
    .filter((one) => one !== "")
    .join(" ");
}

function isOutcome(value: Json): boolean {
  return typeof value === "object" && value !== null && "id" in value && "kind" in value;
}

/** The outcomes in a result, if it is a list of them, or of such lists: those of several batches. */
export function outcomesIn(result: Json): readonly WireOutcome[] | undefined {
  if (!Array.isArray(result)) return undefined;
  const all = (result as readonly Json[]).flat() as readonly Json[];
  return all.every(isOutcome) ? (all as unknown as readonly WireOutcome[]) : undefined;
}

function differs(row: OutcomeRow, got: WireOutcome, { capabilities, bindings, loosely = false }: JudgeWith): boolean {
  if (row.id !== got.id || row.kind !== got.kind) return true;
  if (row.nothing === true && got.value !== undefined && got.value !== null) return true;
  if (row.value !== undefined && !same(row.value, got.value, bindings)) return true;
  if (row.error !== undefined && !has(row.error, got.error ?? {}, bindings)) return true;
  // Of a cancelled call, no reason says something too: nobody preempted it.
  const mayBeSilent = row.kind !== "cancelled" || !capabilities.has("preemption");
  if (row.reason !== undefined && row.reason !== got.reason && !(mayBeSilent && got.reason === undefined)) return true;
  if (capabilities.has("fallbacks") && (row.fallback !== got.fallback || row.insteadOf !== got.insteadOf)) return true;
  if (row.retryAt !== undefined && got.retryAt === undefined && capabilities.has("queues")) return true;
  if (loosely) return false;
  const shows = (capability: Capability, field: keyof OutcomeRow & keyof WireOutcome): boolean =>
    row[field] !== undefined && capabilities.has(capability) && row[field] !== got[field];
  return shows("attempts", "attempts") || shows("sources", "source") || shows("sources", "replayed");
}

function judgeOutcomes(what: string, rows: readonly OutcomeRow[], result: Json, judge: JudgeWith): Finding[] {
  const got = outcomesIn(result);
  if (got === undefined) return [finding(what, `${rows.length} outcomes`, shown(result))];
  const count = Math.max(rows.length, got.length);
  return Array.from({ length: count }, (_, i) => i).flatMap((i) => {
    const [row, one] = [rows[i], got[i]];
    if (row !== undefined && one !== undefined && !differs(row, one, judge)) return [];
    const [expected, found] = [row, one].map((side) => (side === undefined ? "no outcome" : rowText(side)));
    return [finding(`${what}, outcome ${i}`, expected as string, found as string)];
  });
}

function endText(end: RunEnd | undefined): string {
  if (end === undefined) return "nothing";
  return end.kind === "returned" ? `returned ${shown(end.result)}` : `threw ${shown(end.error as unknown as Json)}`;
}

/** What is wrong with how a run ended. */
export function judgeEnds(expected: Ends, end: RunEnd | undefined, judge: JudgeWith): Finding[] {
  const what = expected.run === undefined ? "the run" : `the run ${expected.run}`;
  switch (expected.kind) {
    case "outcomes":
      if (end?.kind !== "returned") return [finding(what, `${expected.rows.length} outcomes`, endText(end))];
      return judgeOutcomes(what, expected.rows, end.result, judge);
    case "result":
      if (end?.kind === "returned" && same(expected.value, end.result, judge.bindings)) return [];
      return [finding(what, `returned ${shown(expected.value)}`, endText(end))];
    case "throws": {
      if (end?.kind !== "threw" || !has(expected.error, end.error, judge.bindings)) {
        return [finding(what, `threw ${shown(expected.error)}`, endText(end))];
      }
      const wanted = expected.differences;
      if (wanted === undefined) return [];
      const got = (end.error.differences ?? []).map(({ kind, id }) => `${kind} ${id}`).sort();
      const list = wanted.map(({ kind, id }) => `${kind} ${id}`).sort();
      return got.join() === list.join()
        ? []
        : [finding(`${what}, differences`, list.join(", "), got.join(", ") || "none")];
    }
  }
}
