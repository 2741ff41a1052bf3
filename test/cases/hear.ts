// The lines of a case as what goes into the core: policies, journals, events with their calls. A field
// that a verb does not have is refused by its line.

import { CaseSyntaxError, type Split } from "../../conformance/case-format.ts";
import type { Call, Entry, Event, Policy } from "../../core/dist/glue.js";
import { enums } from "../../core/test/wit.ts";
import { type Beside, hearGrid, hearScope, scopeCode } from "./hear-limits.ts";
import { microseconds, type Names, NONE, WALL_START } from "./names.ts";

/** Reads the fields of a line, and knows which were not asked for. */
export class Fields {
  readonly #split: Split;
  readonly #left: Set<string>;
  constructor(split: Split) {
    this.#split = split;
    this.#left = new Set(Object.keys(split.fields));
  }

  fail(why: string): never {
    throw new CaseSyntaxError(this.#split.number, why);
  }

  /** The token, or undefined for `_` and for nothing. */
  token(key: string): string | undefined {
    this.#left.delete(key);
    const token = this.#split.fields[key];
    return token === "_" ? undefined : token;
  }

  needed(key: string): string {
    return this.token(key) ?? this.fail(`${this.#split.words.join(" ")} needs ${key}=`);
  }

  number(key: string, otherwise?: number): number {
    const token = this.token(key);
    if (token === undefined) return otherwise ?? this.fail(`${this.#split.words.join(" ")} needs ${key}=`);
    return /^\d+$/.test(token) ? Number(token) : this.fail(`${key}=${token} is no count`);
  }

  /** A whole number that may be below 0; 0 where it is not said. */
  signed(key: string): number {
    const token = this.token(key) ?? "0";
    return /^-?\d+$/.test(token) ? Number(token) : this.fail(`${key}=${token} is no whole number`);
  }

  yes(key: string): boolean {
    const token = this.token(key) ?? "no";
    return token === "yes" || (token === "no" ? false : this.fail(`${key}=${token} is neither yes nor no`));
  }

  /** One of an enum of core.wit. */
  of<Value extends string>(list: string, key: string, otherwise?: Value): Value {
    const token = this.token(key) ?? otherwise ?? this.fail(`${this.#split.words.join(" ")} needs ${key}=`);
    return enums.get(list)?.includes(token) ? (token as Value) : this.fail(`${key}=${token} is no ${list}`);
  }

  /** ms as µs. */
  span(key: string, otherwise: bigint): bigint {
    const token = this.token(key);
    if (token === undefined) return otherwise;
    return microseconds(token) ?? this.fail(`${key}=${token} is no time`);
  }

  /** ms since the case began as wall ms; 0 for never. */
  wall(key: string, otherwise = 0n): bigint {
    const token = this.token(key);
    if (token === undefined) return otherwise;
    return /^-?\d+$/.test(token) ? WALL_START + BigInt(token) : this.fail(`${key}=${token} is no time`);
  }

  /** Refuses what was not asked for. */
  end(): void {
    const [stray] = this.#left;
    if (stray !== undefined) this.fail(`${this.#split.words.join(" ") || "the row"} has no ${stray}=`);
  }
}

function valueIn(fields: Fields, names: Names, key = "value"): number {
  const token = fields.token(key);
  return token === undefined ? 0 : names.number("value", token);
}

/** What a tool declares. One that says nothing: a single attempt, three asks, 100 ms of back-off, 500 of grace. */
export function hearPolicy(row: Split | undefined): Policy {
  const fields = new Fields(row ?? { number: 0, words: [], fields: {} });
  fields.token("tool");
  const policy = {
    attempts: fields.number("attempts", 1),
    backoff: fields.span("backoff", 100_000n),
    backoffMost: fields.span("backoff-most", 1_000_000n),
    asks: fields.number("asks", 3),
    askBackoff: fields.span("ask-backoff", 100_000n),
    askFor: fields.span("ask-for", 1_000_000n),
    grace: fields.span("grace", 500_000n),
    concurrency: fields.number("concurrency", NONE),
    throttles: fields.number("throttles", 20),
    abandons: fields.yes("abandons"),
    keeps: fields.yes("keeps"),
  };
  fields.end();
  return policy;
}

/** A call, of a batch or of a journal. */
export function hearCall(row: Split, names: Names, beside: Beside): Call {
  const fields = new Fields(row);
  const tool = fields.needed("tool");
  fields.yes("unknown"); // its tool was numbered past the policies before the case began
  const ready = valueIn(fields, names, "ready");
  const call = {
    idHigh: 0n,
    idLow: BigInt(names.number("id", fields.needed("id"))),
    inputHigh: 0n,
    inputLow: BigInt(names.number("input", `${tool}/${fields.token("input") ?? "_"}`)),
    runFor: fields.span("run-for", 0n),
    deadline: fields.wall("deadline"),
    tool: names.number("tool", tool),
    ready,
    effect: fields.of<Call["effect"]>("effect", "effect", "once"),
    reconciles: fields.yes("reconciler"),
    readyOutcome: fields.of<Call["readyOutcome"]>("outcome", "ready-outcome", "ok"),
    terms: beside.termsOf(row, fields, names),
  };
  fields.end();
  return call;
}

/** An entry of a journal. */
export function hearEntry(row: Split, names: Names): Entry {
  const fields = new Fields(row);
  const kind = row.words[0] as Entry["kind"];
  if (row.words.length !== 1 || !enums.get("entry-kind")?.includes(kind)) fields.fail(`${kind} is no entry`);
  const planned = kind === "planned";
  const [scope = "runtime", of = "0"] = fields.token("limit")?.split("/") ?? [];
  const entry: Entry = {
    kind,
    run: 0,
    slot: planned ? fields.number("first") : fields.number("slot", 0),
    count: planned ? fields.number("slots") : kind === "settled" ? fields.number("bytes", 0) : 0,
    attempt: kind === "settled" ? fields.number("attempts", 1) : fields.number("attempt", 0),
    outcome: fields.of<Entry["outcome"]>("outcome", "outcome", kind === "attempt-failed" ? "error" : "ok"),
    source: fields.of<Entry["source"]>("source", "source", "executed"),
    payload: valueIn(fields, names),
    at: fields.wall("at", WALL_START),
    until: fields.wall("until"),
    reason: fields.of<Entry["reason"]>("reason", "reason", "none"),
    scope: scope as Entry["scope"],
    number: scope === "tool" || scope === "group" ? names.number(scope, of) : 0,
  };
  fields.end();
  return entry;
}

/** What an event's line leaves unsaid. */
export interface Context {
  readonly names: Names;
  readonly beside: Beside;
  readonly run: number;
  /** The attempt of a slot that was called last. */
  readonly attempt: (run: number, slot: number) => number;
  /** The ask of a slot that was made last. */
  readonly ask: (run: number, slot: number) => number;
}

const BLANK: Omit<Event, "kind" | "run"> = {
  outcome: "ok",
  verdict: "done",
  mode: 0,
  slot: 0,
  attempt: 0,
  payload: 0,
  first: 0,
  count: 0,
  a: 0n,
  b: 0n,
};

/** The scope that rests after a "slow down": the tool's, unless `of` names another. */
function restingScope(fields: Fields, names: Names): bigint {
  const [kind, name] = fields.token("of")?.split("/") ?? [];
  if (kind === undefined) return BigInt(scopeCode("lock")) << 32n; // no scope of that kind: the tool's own
  if (!enums.get("scope-kind")?.includes(kind)) fields.fail(`of=${kind} is no scope`);
  const number = (kind === "tool" || kind === "group") && name !== undefined ? names.number(kind, name) : 0;
  return (BigInt(scopeCode(kind as Entry["scope"])) << 32n) + BigInt(number);
}

/** The scope of an event as `pause` says it. */
function scopeOf(fields: Fields, { names, beside }: Context): Pick<Event, "mode" | "slot" | "first"> {
  const { kind, number, name } = hearScope(fields, names);
  return { mode: scopeCode(kind), slot: number, first: name === undefined ? 0 : beside.key(name, names) };
}

function saidOf(kind: string, fields: Fields, names: Names): Partial<Event> {
  if (kind === "unpause") return {};
  if (kind === "pause") return { a: fields.span("for", 0n) };
  const meter = fields.token("meter");
  return {
    attempt: meter === undefined ? 0 : names.number("meter", meter),
    a: BigInt(fields.number("remaining")),
    b: fields.span("full-in", 0n),
  };
}

/** An event of this kind. A batch takes `count` calls from `first` on. */
export function hearEvent(kind: string, fields: Fields, context: Context, first: number, calls: number): Event {
  const { names, run, beside } = context;
  const slot = (): number => fields.number("slot");
  const attempt = (of: number): number => fields.number("attempt", context.attempt(run, of));
  const base = { ...BLANK, run };
  switch (kind) {
    case "batch": {
      const tenant = fields.token("tenant");
      return {
        ...base,
        kind,
        first,
        count: calls,
        mode: fields.yes("announce") ? 1 : 0,
        a: BigInt(fields.number("concurrency", 0)) + (BigInt(fields.number("stream", 0)) << 32n),
        b: fields.wall("deadline"),
        slot: tenant === undefined ? 0 : beside.key(tenant, names),
        attempt: fields.number("weight", 0),
        payload: fields.number("buffered", 0),
      };
    }
    case "claim":
      return { ...base, kind, slot: slot(), a: fields.span("run-for", 0n) };
    case "settled": {
      const of = slot();
      const overloaded = fields.yes("overloaded");
      const mode = (fields.yes("final") ? 1 : 0) + (overloaded ? 2 : 0) + (fields.yes("healthy") ? 4 : 0);
      const outcome = fields.of<Event["outcome"]>("outcome", "outcome", overloaded ? "error" : undefined);
      const brought = { attempt: attempt(of), outcome, payload: valueIn(fields, names) };
      const settled = { ...base, kind, slot: of, ...brought, mode, ...beside.cost(fields.token("costs"), names) };
      if (overloaded) return { ...settled, a: fields.span("rest", 0n), b: restingScope(fields, names) };
      return { ...settled, a: BigInt(fields.number("bytes", 0)) };
    }
    case "reconciled": {
      const of = slot();
      const mode = fields.number("ask", context.ask(run, of));
      const verdict = fields.of<Event["verdict"]>("verdict", "verdict");
      const a = BigInt(fields.number("bytes", 0));
      return { ...base, kind, slot: of, verdict, payload: valueIn(fields, names), mode, a };
    }
    case "stopped":
    case "lost":
    case "suspend":
    case "resume": {
      const of = slot();
      return { ...base, kind, slot: of, attempt: attempt(of), payload: kind === "lost" ? valueIn(fields, names) : 0 };
    }
    case "nested": {
      const of = slot();
      const parent = names.number("run", fields.needed("of"));
      return {
        ...base,
        kind,
        slot: of,
        attempt: fields.number("attempt", context.attempt(parent, of)),
        a: BigInt(parent),
      };
    }
    case "cancel":
      return { ...base, kind, slot: fields.number("slot", NONE) };
    case "close": {
      const outcome = fields.of<Event["outcome"]>("outcome", "outcome", "ok");
      return { ...base, kind, outcome, payload: valueIn(fields, names) };
    }
    case "forget":
      return { ...base, kind };
    case "spent": {
      const of = slot();
      return { ...base, kind, slot: of, attempt: attempt(of), ...beside.cost(fields.needed("costs"), names) };
    }
    case "pause":
    case "unpause":
    case "observed":
      return { ...base, kind, ...scopeOf(fields, context), ...saidOf(kind, fields, names) };
    case "reprioritise":
      return { ...base, kind, slot: slot(), a: BigInt.asUintN(64, BigInt(fields.signed("priority"))) };
    case "watch":
      return { ...base, kind, mode: fields.yes("on") ? 1 : 0 };
    case "calendar": {
      const { kind: scope, number } = hearScope(fields, names);
      const at = { mode: scopeCode(scope), slot: scope === "runtime" ? NONE : number, attempt: fields.number("row") };
      return { ...base, kind, ...at, ...hearGrid(fields) };
    }
    case "limit": {
      const size = fields.token("size");
      const each = fields.token("each");
      const scope = each === undefined ? hearScope(fields, names) : { kind: each as "key", number: 0 };
      return {
        ...base,
        kind,
        mode: scopeCode(scope.kind),
        slot: scope.kind === "runtime" ? NONE : scope.number,
        a: size === undefined ? BigInt(NONE) : BigInt(size),
      };
    }
    default:
      return fields.fail(`> ${kind} is no event`);
  }
}
