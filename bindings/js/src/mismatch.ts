// What is said when a program no longer matches its journal: both sides of every difference, and what
// can be done. The core has decided that they differ; this only shows it.
import { HoldfastError } from "./errors.ts";
import type { JournaledSlot, LiveRun } from "./live-run.ts";
import type { PreparedCall } from "./prepared-call.ts";

export type MismatchKind = "input-changed" | "tool-changed" | "unexpected-call" | "unused-slot";
export const MISMATCH_KINDS: readonly MismatchKind[] = [
  "input-changed",
  "tool-changed",
  "unexpected-call",
  "unused-slot",
];

/** One side of a difference. `input` is JSON text, shortened. */
export interface MismatchSide {
  readonly id: string;
  readonly tool: string;
  readonly input: string;
}

/** One difference between journal and program. */
export interface Difference {
  readonly kind: MismatchKind;
  /** Ordinal in the journal; absent for a call that the journal does not have. */
  readonly slot?: number;
  readonly journal?: MismatchSide & { readonly state: JournaledSlot["state"] };
  readonly program?: MismatchSide;
}

const SHOWN_MAX = 20;
const INPUT_SHOWN_MAX = 200;

/** The program differs from its journal: code `journal-mismatch`. Nothing has changed on disk. */
export class MismatchError extends HoldfastError {
  override readonly name: string = "MismatchError";
  readonly differences: readonly Difference[];

  constructor(runId: string, differences: readonly Difference[], cause?: unknown) {
    super(
      "journal-mismatch",
      `run ${JSON.stringify(runId)} was journaled by a program that made other calls (- journal, + program)\n${diffText(differences)}\n  Nothing was called or changed`,
      'Did the program change? Bring the old calls back, give the run a new id, or run it with onMismatch: "adapt" to keep what matches.',
      { details: { runId, differences }, ...(cause === undefined ? {} : { cause }) },
    );
    this.differences = differences;
  }
}

function shorten(text: string): string {
  return text.length > INPUT_SHOWN_MAX ? `${text.slice(0, INPUT_SHOWN_MAX)}…` : text;
}

/** Is it another program? Not if it is to adapt, nor if it only took less of a stream this time. */
export function isMismatch(run: LiveRun, found: readonly Difference[]): boolean {
  const isLeft = ({ kind, slot }: Difference): boolean =>
    kind === "unused-slot" && slot !== undefined && run.journaled[slot]?.streamed === true;
  return !run.adapt && !found.every(isLeft);
}

/** A difference as data. */
export function difference(
  kind: MismatchKind,
  slot: number | undefined,
  journaled: JournaledSlot | undefined,
  call: PreparedCall | undefined,
): Difference {
  return {
    kind,
    ...(slot === undefined ? {} : { slot }),
    ...(journaled === undefined
      ? {}
      : {
          journal: {
            id: journaled.id,
            tool: journaled.tool,
            input: shorten(JSON.stringify(journaled.input)),
            state: journaled.state,
          },
        }),
    ...(call === undefined ? {} : { program: { id: call.id, tool: call.tool, input: shorten(call.inputText) } }),
  };
}

function side(mark: string, of: MismatchSide | undefined, state = ""): string[] {
  return of === undefined ? [] : [`    ${mark} ${of.id}  ${of.tool}(${of.input})${state}`];
}

/** Journal (-) and program (+), difference by difference. */
function diffText(differences: readonly Difference[]): string {
  const lines = differences
    .slice(0, SHOWN_MAX)
    .flatMap((one) => [
      `  ${one.kind}${one.slot === undefined ? "" : ` at slot ${one.slot}`}`,
      ...side("-", one.journal, one.journal === undefined ? "" : `  [${one.journal.state}]`),
      ...side("+", one.program),
    ]);
  if (differences.length > SHOWN_MAX) lines.push(`  and ${differences.length - SHOWN_MAX} more`);
  return lines.join("\n");
}
