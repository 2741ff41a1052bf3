// A call made ready to be planned: named, checked, digested. What is wrong with one call is an outcome
// of its own slot; what is wrong with how calls were given (no array, an id twice) is the caller's error.
import type { StandardSchemaV1 } from "@standard-schema/spec";
import { describeError, refusal } from "./call-error.ts";
import { callDigest, canonical, type Digest, idDigest, type Sha256 } from "./digest.ts";
import { HoldfastError } from "./errors.ts";
import { fallbackOf } from "./fallback.ts";
import { type HeldNames, withoutHeld, wouldDeadlock } from "./held-names.ts";
import { copyJson, NotJson, TooLarge } from "./json.ts";
import { checkInteger, SPAN_MS_MAX } from "./options.ts";
import type { CallError, Effect, Json } from "./outcome.ts";
import { errorPayload, type Payload } from "./payload.ts";
import { ID_LENGTH_MAX, idProblem } from "./run-key.ts";
import { CALL_START_KEYS, checkStart, passedOn, type SaidOfStart, type StartTerms, startTerms } from "./start-terms.ts";
import type { DeclaredTool, ToolTable } from "./tool-table.ts";
import { lockEverything } from "./undeclared.ts";

/** Most calls in one batch. */
export const BATCH_CALLS_MAX = 100_000;

/** A call as the driver plans it. */
export interface PreparedCall {
  readonly id: string;
  readonly idDigest: Digest;
  readonly tool: string;
  readonly declared: DeclaredTool | undefined;
  readonly number: number;
  readonly effect: Effect;
  readonly digest: Digest;
  readonly inputText: string;
  readonly input: Json;
  /** What the tool is given: the input as its schema parsed it. */
  readonly parsed: unknown;
  /** Set when the outcome is known without a call. */
  readonly ready: Payload | undefined;
  readonly runForMs: number;
  /** Wall ms; 0 = none. */
  readonly deadline: number;
  /** What is said of its start; undefined: it is plain. */
  readonly terms: StartTerms | undefined;
  /** It came in a stream. */
  readonly streamed: boolean;
}

/** What a preparation needs to know of its runtime. */
export interface PrepareWith {
  readonly tools: ToolTable;
  readonly sha256: Sha256;
  readonly inputBytesMax: number;
  readonly wallMs: () => number;
  /** Calls that do not say what they read or write are exclusive. */
  readonly exclusive: boolean;
}

/** What holds for all calls of a batch. */
export interface PreparedIn {
  readonly start: SaidOfStart | undefined;
  /** Wall ms by which the run's parents must be over; 0 = none. */
  readonly deadline: number;
  /** What the calls above the run hold. */
  readonly held: HeldNames | undefined;
  /** Digests of ids that were worked out already: those in the run's journal. */
  readonly idDigests: ReadonlyMap<string, Digest>;
  readonly streamed: boolean;
}

const CALL_KEYS = ["id", "tool", "input", "timeoutMs", "deadlineMs", ...CALL_START_KEYS];

function refuseCall(index: number, what: string, next: string): never {
  throw new HoldfastError("invalid-call", `calls[${index}] ${what}`, next, { details: { index } });
}

interface CallShape {
  readonly id: string | undefined;
  readonly tool: string;
  readonly input: unknown;
  readonly timeoutMs: number;
  readonly deadlineMs: number;
  readonly start: SaidOfStart | undefined;
}

/** What can be read off a call before anything is recorded. Throws `invalid-call`. */
function checkShape(call: unknown, index: number): CallShape {
  if (typeof call !== "object" || call === null)
    refuseCall(index, `is ${call === null ? "null" : `a ${typeof call}`}`, "Give { id?, tool, input }.");
  const given = call as Record<string, unknown>;
  const stray = Object.keys(given).find((key) => !CALL_KEYS.includes(key));
  if (stray !== undefined)
    refuseCall(index, `has an unknown field ${JSON.stringify(stray)}`, `Known are ${CALL_KEYS.join(", ")}.`);
  if (typeof given.tool !== "string" || given.tool === "" || given.tool.length > ID_LENGTH_MAX)
    refuseCall(index, "names no tool", "Give the tool's name as a string.");
  if (given.id !== undefined) {
    const problem = idProblem(given.id);
    if (problem !== undefined)
      refuseCall(index, `has an id that ${problem}`, `Give a string of 1 to ${ID_LENGTH_MAX} characters, or none.`);
    if (/^#\d+(\/\d+)?$/.test(given.id as string) || fallbackOf(given.id as string) !== undefined)
      refuseCall(
        index,
        `has the id ${JSON.stringify(given.id)}`,
        "Ids of that form are given to calls without one, and to fallbacks; choose another.",
      );
  }
  return {
    id: given.id as string | undefined,
    tool: given.tool as string,
    input: given.input,
    timeoutMs: checkInteger(`calls[${index}].timeoutMs`, given.timeoutMs, 1, SPAN_MS_MAX, 0),
    deadlineMs: checkInteger(`calls[${index}].deadlineMs`, given.deadlineMs, 1, SPAN_MS_MAX, 0),
    start: checkStart(`calls[${index}]`, given),
  };
}

/** A call in preparation. Filled in place: a copy for each of a hundred thousand calls costs more than all else. */
type Draft = { -readonly [Key in keyof PreparedCall]: PreparedCall[Key] };

/** Its input is right: what is said of its start may be worked out of it, and may fail at that. */
function completed(
  draft: Draft,
  parsed: unknown,
  saidByCall: SaidOfStart | undefined,
  here: PreparedIn,
  { exclusive }: PrepareWith,
): PreparedCall {
  let problem: CallError | undefined;
  try {
    const said = startTerms(draft.declared?.start, parsed, here.start, saidByCall);
    const terms = exclusive ? lockEverything(said, draft.effect, here.held) : said;
    problem = wouldDeadlock(here.held, terms);
    draft.terms = withoutHeld(here.held, terms);
  } catch (thrown) {
    const why = thrown instanceof Error ? thrown.message : String(thrown);
    problem = refusal("invalid-input", `what ${draft.tool} says of its start is wrong: ${why}`);
  }
  draft.parsed = parsed;
  if (problem !== undefined) draft.ready = errorPayload(problem);
  return draft;
}

/** The earlier of two moments, where 0 is never. */
export function earlier(a: number, b: number): number {
  return a === 0 || (b !== 0 && b < a) ? b : a;
}

function issueText(issues: readonly StandardSchemaV1.Issue[]): string {
  const shown = issues.slice(0, 5).map((issue) => {
    const path = (issue.path ?? []).map((part) => String(typeof part === "object" ? part.key : part)).join(".");
    return path === "" ? issue.message : `${path}: ${issue.message}`;
  });
  return shown.join("; ") + (issues.length > 5 ? `; and ${issues.length - 5} more` : "");
}

/** Something is wrong with the call itself: that is its outcome. */
function spoiled(draft: Draft, problem: CallError): PreparedCall {
  draft.ready = errorPayload(problem);
  return draft;
}

function schemaFailed(draft: Draft, thrown: unknown): PreparedCall {
  const why = describeError(thrown).message;
  return spoiled(draft, refusal("invalid-input", `the schema of ${draft.tool} failed: ${why}`));
}

function recordInput(input: unknown, bytesMax: number): { input: Json; text: string; problem: CallError | undefined } {
  try {
    const copy = copyJson(input === undefined ? null : input, "input", bytesMax);
    const text = canonical(copy);
    if (text.length <= bytesMax) return { input: copy, text, problem: undefined };
    return unrecorded(inputTooLarge(`${text.length} characters of JSON`, bytesMax));
  } catch (problem) {
    if (problem instanceof TooLarge)
      return unrecorded(inputTooLarge(`more than ${bytesMax} characters of JSON`, bytesMax));
    // Not JSON, or a getter of it threw: it cannot be recorded either way.
    const why =
      problem instanceof NotJson ? problem.message : `input cannot be read: ${describeError(problem).message}`;
    return unrecorded(refusal("input-not-json", `${why}; a call's input is plain JSON`));
  }
}

function inputTooLarge(size: string, most: number): CallError {
  return refusal("input-too-large", `the input is ${size}; ${most} is the most. Store it elsewhere and pass where`);
}

function unrecorded(problem: CallError): { input: Json; text: string; problem: CallError } {
  return { input: null, text: "null", problem };
}

/** Prepares one call; a promise only when its schema gives one. `autoId` is its name if it has none. */
export function prepareCall(
  call: unknown,
  index: number,
  autoId: string,
  here: PreparedIn,
  withThese: PrepareWith,
): PreparedCall | Promise<PreparedCall> {
  return prepareShape(checkShape(call, index), autoId, here, withThese);
}

/** A call of another tool that stands in for one, with the same input. One that has settled is not called: no schema need look at it. */
export function prepareStandIn(
  first: PreparedCall,
  id: string,
  tool: string,
  here: Omit<PreparedIn, "start"> & { readonly settled: boolean },
  withThese: PrepareWith,
): PreparedCall | Promise<PreparedCall> {
  const shape = { id, tool, input: first.input, timeoutMs: 0, deadlineMs: 0, start: passedOn(first.terms) };
  return prepareShape(shape, id, { ...here, start: undefined }, withThese, here.settled);
}

function prepareShape(
  shape: CallShape,
  autoId: string,
  here: PreparedIn,
  withThese: PrepareWith,
  settled = false,
): PreparedCall | Promise<PreparedCall> {
  const declared = withThese.tools.get(shape.tool);
  const id = shape.id ?? autoId;
  const { input, text, problem } = recordInput(shape.input, withThese.inputBytesMax);
  const draft: Draft = {
    id,
    idDigest: here.idDigests.get(id) ?? idDigest(id, withThese.sha256),
    tool: shape.tool,
    declared,
    number: withThese.tools.numberOf(shape.tool),
    effect: declared?.effect ?? "once",
    digest: callDigest(shape.tool, problem === undefined ? text : JSON.stringify(problem.message), withThese.sha256),
    inputText: text,
    input,
    parsed: undefined,
    ready: undefined,
    runForMs: shape.timeoutMs || (declared?.timeoutMs ?? 0),
    deadline: earlier(shape.deadlineMs === 0 ? 0 : withThese.wallMs() + shape.deadlineMs, here.deadline),
    terms: undefined,
    streamed: here.streamed,
  };
  if (declared === undefined) {
    const known = withThese.tools.names;
    const error = refusal(
      "unknown-tool",
      `there is no tool ${JSON.stringify(shape.tool)}; declared are ${known.slice(0, 50).join(", ") || "none"}`,
    );
    return spoiled(draft, error);
  }
  if (problem !== undefined) return spoiled(draft, problem);
  const schema = declared.options.input as StandardSchemaV1 | undefined;
  if (schema === undefined || settled) return completed(draft, input, shape.start, here, withThese);
  const validated = (result: StandardSchemaV1.Result<unknown>): PreparedCall => {
    if (typeof result !== "object" || result === null) throw new TypeError("it answered neither a value nor issues");
    return result.issues === undefined
      ? completed(draft, result.value, shape.start, here, withThese)
      : spoiled(
          draft,
          refusal("invalid-input", `the input does not fit the schema of ${draft.tool}: ${issueText(result.issues)}`),
        );
  };
  try {
    const result = schema["~standard"].validate(input);
    if (!("then" in Object(result))) return validated(result as StandardSchemaV1.Result<unknown>);
    return Promise.resolve(result)
      .then(validated)
      .catch((thrown: unknown) => schemaFailed(draft, thrown));
  } catch (thrown) {
    return schemaFailed(draft, thrown);
  }
}

/** A value that the host draws itself and that must be the same on replay: settled as it is planned. */
export function preparedDraw(name: string, id: string, value: Payload, withThese: PrepareWith): PreparedCall {
  return {
    id,
    idDigest: idDigest(id, withThese.sha256),
    tool: name,
    declared: undefined,
    number: withThese.tools.numberOf(name),
    effect: "read",
    digest: callDigest(name, "null", withThese.sha256),
    inputText: "null",
    input: null,
    parsed: null,
    ready: value,
    runForMs: 0,
    deadline: 0,
    terms: undefined,
    streamed: false,
  };
}

/** Refuses a list of calls that names one id twice, before anything of it is planned. */
export function refuseDuplicates(calls: readonly PreparedCall[]): void {
  const seen = new Map<string, number>();
  for (const [index, call] of calls.entries()) {
    const earlier = seen.get(call.id);
    if (earlier !== undefined) throw duplicateId(call.id, `calls[${earlier}] and calls[${index}] both have it`);
    seen.set(call.id, index);
  }
}

export function duplicateId(id: string, where: string): HoldfastError {
  return new HoldfastError(
    "duplicate-call-id",
    `the call id ${JSON.stringify(id)} is there twice: ${where}`,
    "Give each call of a run an id of its own, or none.",
    { details: { id } },
  );
}
