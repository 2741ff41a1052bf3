// What a case says of limits, as what goes into the core: the rows of a configuration, what a call says of
// its start, the scope that an event speaks of. Lines themselves are read by hear.ts.
import { CaseSyntaxError, type Split } from "../../conformance/case-format.ts";
import type { Call, Charge, Key, Limit, ScopeKind, Terms } from "../../core/dist/glue.js";
import { enums } from "../../core/test/wit.ts";
import type { Fields } from "./hear.ts";
import { type Names, NONE, WALL_START } from "./names.ts";

const PLAIN: Terms = {
  startWithin: 0n,
  budget: 0n,
  priority: 0,
  weight: 0,
  key: 0,
  firstLock: 0,
  locks: 0,
  firstCharge: 0,
  charges: 0,
  sheddable: false,
  background: false,
  preempts: false,
  preemptible: false,
};

/** The lists that go into the core beside calls. */
export class Beside {
  readonly terms: Terms[] = [];
  readonly keys: Key[] = [];
  readonly charges: Charge[] = [];

  /** 1 + its row. */
  key(name: string, names: Names, write = false): number {
    return this.keys.push({ nameHigh: 0n, nameLow: BigInt(names.number("key", name)), write });
  }

  /** `tokens:5,pages:2` */
  cost(token: string | undefined, names: Names): { first: number; count: number } {
    const first = this.charges.length;
    for (const one of token?.split(",") ?? []) {
      const [meter = "", cost] = one.split(":");
      this.charges.push({ meter: names.number("meter", meter), cost: Number(cost) });
    }
    return { first, count: this.charges.length - first };
  }

  /** What a call says of its start: 1 + its row, 0 if it says nothing. */
  termsOf(row: Split, fields: Fields, names: Names): number {
    const { key, reads, writes, costs } = Object.fromEntries(
      ["key", "reads", "writes", "costs"].map((name) => [name, fields.token(name)]),
    );
    const locks = [...(reads?.split(",") ?? []).map((name) => ({ name, write: false }))];
    locks.push(...(writes?.split(",") ?? []).map((name) => ({ name, write: true })));
    const firstLock = this.keys.length;
    for (const { name, write } of locks) this.key(name, names, write);
    const { first, count } = this.cost(costs, names);
    const terms: Terms = {
      startWithin: fields.span("start-within", 0n),
      budget: fields.span("budget", 0n),
      priority: fields.signed("priority"),
      weight: fields.number("weight", 0),
      key: key === undefined ? 0 : this.key(key, names),
      firstLock: locks.length === 0 ? 0 : firstLock,
      locks: locks.length,
      firstCharge: count === 0 ? 0 : first,
      charges: count,
      sheddable: fields.yes("sheddable"),
      background: fields.yes("background"),
      preempts: fields.yes("preempts"),
      preemptible: fields.yes("preemptible"),
    };
    if (Number.isNaN(terms.priority) || this.charges.some(({ cost }) => !Number.isInteger(cost)))
      throw new CaseSyntaxError(row.number, "a priority and a cost are whole numbers");
    const same = (Object.keys(PLAIN) as (keyof Terms)[]).every((name) => terms[name] === PLAIN[name]);
    return same ? 0 : this.terms.push(terms);
  }

  /** A call that came with `other`, as a row beside these lists. */
  moved(call: Call, other: Beside): Call {
    const terms = call.terms === 0 ? undefined : other.terms[call.terms - 1];
    if (terms === undefined) return call;
    const keyOf = (row: number): number => (row === 0 ? 0 : this.keys.push(other.keys[row - 1] as Key));
    const firstLock = this.keys.length;
    this.keys.push(...other.keys.slice(terms.firstLock, terms.firstLock + terms.locks));
    const firstCharge = this.charges.length;
    this.charges.push(...other.charges.slice(terms.firstCharge, terms.firstCharge + terms.charges));
    return { ...call, terms: this.terms.push({ ...terms, firstLock, firstCharge, key: keyOf(terms.key) }) };
  }
}

export interface HeardScope {
  readonly kind: ScopeKind;
  readonly number: number;
  /** Of a key or a tenant: which. */
  readonly name?: string;
}

/** The scope that a line's `tool`, `group`, `key` or `tenant` names; none is the runtime. */
export function hearScope(fields: Fields, names: Names): HeardScope {
  fields.yes("unknown");
  for (const kind of ["tool", "group", "key", "tenant"] as const) {
    const name = fields.token(kind);
    if (name === undefined) continue;
    return kind === "tool" || kind === "group" ? { kind, number: names.number(kind, name) } : { kind, number: 0, name };
  }
  return { kind: "runtime", number: 0 };
}

/** When a calendar's period begins, and when that one ends if it is an odd one. */
export function hearGrid(fields: Fields): { a: bigint; b: bigint } {
  return { a: fields.wall("begins", WALL_START), b: fields.wall("odd-end") };
}

export const scopeCode = (kind: ScopeKind): number => (enums.get("scope-kind") as readonly string[]).indexOf(kind);

/** A row of a configuration that begins with its kind. */
export function hearLimit(row: Split, fields: Fields, names: Names): Limit {
  const kind = row.words[0] as Limit["kind"];
  if (row.words.length !== 1 || !enums.get("limit-kind")?.includes(kind)) fields.fail(`${kind} is no limit`);
  const isMember = kind === "member";
  const group = isMember ? names.number("group", fields.needed("group")) : 0;
  const each = fields.token("each") as ScopeKind | undefined;
  const scope = each === undefined ? hearScope(fields, names) : { kind: each, number: 0 };
  if (!enums.get("scope-kind")?.includes(scope.kind)) fields.fail(`each=${scope.kind} is no scope`);
  const limit = {
    kind,
    scope: scope.kind,
    number: scope.number,
    mode: 0,
    meter: group,
    size: 0n,
    per: 0n,
    a: 0n,
    b: 0n,
  };
  const size = (): bigint => BigInt(fields.number("size", NONE));
  switch (kind) {
    case "concurrency":
      limit.size = size();
      break;
    case "window":
    case "pace":
    case "calendar": {
      const meter = fields.token("meter");
      limit.meter = meter === undefined ? 0 : names.number("meter", meter);
      limit.size = size();
      limit.per = fields.span("per", 0n);
      if (kind === "pace") limit.a = BigInt(fields.number("burst", 1));
      if (kind === "calendar") Object.assign(limit, hearGrid(fields));
      break;
    }
    case "breaker":
      limit.size = size();
      limit.per = fields.span("per", 0n);
      limit.a = BigInt(fields.number("failures"));
      limit.b = fields.span("open-for", 0n);
      limit.meter = fields.number("probes", 1);
      limit.mode = fields.yes("waits") ? 1 : 0;
      break;
    case "adaptive":
      limit.size = size();
      limit.a = BigInt(fields.number("least", 1));
      break;
    case "ramp":
      limit.mode = fields.yes("on") ? 1 : 0;
      break;
    case "queue": {
      limit.size = size();
      limit.mode = (enums.get("queue-policy") as readonly string[]).indexOf(
        fields.of<string>("queue-policy", "policy", "reject-new"),
      );
      break;
    }
    case "delay":
      limit.a = fields.span("target", 0n);
      limit.per = fields.span("per", 0n);
      break;
    case "order":
      limit.a = fields.span("step", 1_000_000n);
      limit.b = fields.span("wait-most", 60_000_000n);
      limit.mode = fields.yes("lanes") ? 1 : 0;
      break;
    case "share":
      limit.mode = fields.yes("time") ? 1 : 0;
      break;
    case "steps":
      limit.size = size();
      break;
    case "member":
      break;
  }
  fields.end();
  return limit;
}
