// The tools of a runtime, checked and numbered for the core. The numbers are this host's own and never
// reach a journal.

import { NONE, type Policy } from "./core.ts";
import { checkFallback, checkFallbacks, type Fallback } from "./fallback.ts";
import { checkChoice, checkFunction, checkInteger, checkKeys, isNamed, refuseOption, SPAN_MS_MAX } from "./options.ts";
import type { Effect } from "./outcome.ts";
import type { WorkerModule } from "./ports.ts";
import { CALL_START_KEYS, checkToolStart, type ToolStart } from "./start-terms.ts";
import type { InlineToolOptions, Tools, WorkerToolOptions } from "./tool.ts";

/** What a tool can say of itself, whatever its types. */
export type AnyToolOptions = InlineToolOptions<any, any, any> | WorkerToolOptions<any, any, any>;

/** One declared tool. */
export interface DeclaredTool {
  readonly name: string;
  readonly number: number;
  readonly effect: Effect;
  readonly timeoutMs: number;
  readonly options: AnyToolOptions;
  readonly module: WorkerModule | undefined;
  readonly policy: Policy;
  /** What it says of the start of all its calls. */
  readonly start: ToolStart;
  /** What is called where it comes to nothing. */
  readonly fallback: Fallback | undefined;
}

const TOOL_OPTIONS = [
  "effect",
  "input",
  "timeoutMs",
  "graceMs",
  "afterGrace",
  "holdWhileWaiting",
  "retry",
  "reconcile",
  "reconcileOptions",
  "fallback",
  "run",
  "worker",
  "export",
  "transfer",
  "limits",
  ...CALL_START_KEYS,
];
const EFFECT_NAMES: readonly Effect[] = ["read", "idempotent", "once"];
const NAME = /^[A-Za-z0-9_][A-Za-z0-9_.:/-]{0,127}$/;

const us = (ms: number): bigint => BigInt(ms) * 1000n;

function checkSchema(path: string, schema: unknown): void {
  if (schema === undefined) return;
  const standard = (schema as { "~standard"?: { validate?: unknown } } | null)?.["~standard"];
  if (typeof standard?.validate !== "function")
    refuseOption(path, schema, "a Standard Schema (zod, valibot, arktype, …)");
}

function checkModule(path: string, options: Readonly<Record<string, unknown>>): WorkerModule | undefined {
  const { worker, export: exportName = "default" } = options;
  if (worker === undefined) return undefined;
  if (typeof exportName !== "string" || exportName === "")
    refuseOption(`${path}.export`, exportName, "the name of an exported function");
  try {
    return { url: new URL(String(worker)).href, exportName: exportName as string };
  } catch {
    return refuseOption(
      `${path}.worker`,
      String(worker),
      'an absolute URL, as of new URL("./tool.js", import.meta.url)',
    );
  }
}

function checkBoolean(path: string, value: unknown): boolean {
  return value === undefined || typeof value === "boolean"
    ? value === true
    : refuseOption(path, value, "true or false");
}

function checkPolicy(path: string, options: Readonly<Record<string, unknown>>, effect: Effect): Policy {
  const retry = checkKeys(`${path}.retry`, options.retry, ["attempts", "backoffMs", "backoffMsMax"]);
  const asking = checkKeys(`${path}.reconcileOptions`, options.reconcileOptions, ["asks", "backoffMs", "timeoutMs"]);
  const attempts = checkInteger(`${path}.retry.attempts`, retry.attempts, 1, 100, 1);
  if (attempts > 1 && effect === "once") {
    refuseOption(
      `${path}.retry.attempts`,
      attempts,
      'absent for a tool whose effect is "once": declare effect: "idempotent" if it may run twice',
    );
  }
  const backoffMs = checkInteger(`${path}.retry.backoffMs`, retry.backoffMs, 0, SPAN_MS_MAX, 200);
  const backoffMsMax = checkInteger(
    `${path}.retry.backoffMsMax`,
    retry.backoffMsMax,
    0,
    SPAN_MS_MAX,
    Math.max(30_000, backoffMs),
  );
  if (backoffMsMax < backoffMs)
    refuseOption(`${path}.retry.backoffMsMax`, backoffMsMax, `at least backoffMs (${backoffMs})`);
  return {
    attempts,
    backoff: us(backoffMs),
    backoffMost: us(backoffMsMax),
    asks: checkInteger(`${path}.reconcileOptions.asks`, asking.asks, 1, 100, 5),
    askBackoff: us(checkInteger(`${path}.reconcileOptions.backoffMs`, asking.backoffMs, 0, SPAN_MS_MAX, 500)),
    askFor: us(checkInteger(`${path}.reconcileOptions.timeoutMs`, asking.timeoutMs, 1, SPAN_MS_MAX, 10_000)),
    grace: us(checkInteger(`${path}.graceMs`, options.graceMs, 0, SPAN_MS_MAX, 5_000)),
    // The limits of a tool are checked with those of the runtime (limit-table.ts).
    concurrency: NONE,
    throttles: 0,
    abandons: checkChoice(`${path}.afterGrace`, options.afterGrace, ["hold", "abandon"], "hold") === "abandon",
    keeps: checkBoolean(`${path}.holdWhileWaiting`, options.holdWhileWaiting),
  };
}

function declareTool(name: string, tool: unknown, number: number): DeclaredTool {
  const path = `tools.${name}`;
  if (!NAME.test(name)) refuseOption("tools", name, "named by letters, digits and _ . : / - (at most 128)");
  if (!isNamed(tool) || !isNamed(tool.options)) refuseOption(path, tool, "made with tool({ … })");
  const options = checkKeys(path, (tool as { options: unknown }).options, TOOL_OPTIONS);
  const effect = checkChoice(`${path}.effect`, options.effect, EFFECT_NAMES, "once");
  checkFunction(`${path}.run`, options.run);
  checkFunction(`${path}.reconcile`, options.reconcile);
  checkFunction(`${path}.transfer`, options.transfer);
  checkSchema(`${path}.input`, options.input);
  const module = checkModule(path, options);
  if ((options.run === undefined) === (module === undefined))
    refuseOption(path, Object.keys(options), "given either run or worker, and not both");
  return {
    name,
    number,
    effect,
    timeoutMs: checkInteger(`${path}.timeoutMs`, options.timeoutMs, 1, SPAN_MS_MAX, 0),
    options: options as unknown as AnyToolOptions,
    module,
    policy: checkPolicy(path, options, effect),
    start: checkToolStart(path, options),
    fallback: checkFallback(`${path}.fallback`, options.fallback),
  };
}

/** All tools by name, and the numbers of names that are not declared here. */
export class ToolTable {
  readonly #byName = new Map<string, DeclaredTool>();
  readonly #strangers = new Map<string, number>();
  readonly policies: Policy[];

  constructor(tools: unknown) {
    if (!isNamed(tools)) refuseOption("tools", tools, "an object of tools by name");
    for (const [name, tool] of Object.entries(tools as Tools))
      this.#byName.set(name, declareTool(name, tool, this.#byName.size));
    checkFallbacks(new Map([...this.#byName].map(([name, { fallback }]) => [name, fallback])));
    this.policies = [...this.#byName.values()].map((tool) => tool.policy);
  }

  get names(): string[] {
    return [...this.#byName.keys()];
  }

  get(name: string): DeclaredTool | undefined {
    return this.#byName.get(name);
  }

  get needsWorkers(): boolean {
    return [...this.#byName.values()].some((tool) => tool.module !== undefined);
  }

  /** The core's number for a name; one that is not declared gets a number past the policies. */
  numberOf(name: string): number {
    const declared = this.#byName.get(name);
    if (declared !== undefined) return declared.number;
    let number = this.#strangers.get(name);
    if (number === undefined) {
      number = this.#byName.size + this.#strangers.size;
      this.#strangers.set(name, number);
    }
    return number;
  }
}
