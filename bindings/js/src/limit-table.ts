// The limits of a runtime, checked: the core's rows, their names for people and journals, and what the host
// itself must know of them. Numbers are this host's own and never reach a journal.
import type { CalendarZone } from "./calendar-zone.ts";
import { type Limit, NONE } from "./core.ts";
import { type CheckedScope, checkScope, Meters, row, SCOPE_KEYS, type ScopeRef } from "./limit-rows.ts";
import type { LimitName } from "./limits.ts";
import { checkChoice, checkInteger, checkKeys, refuseOption, SPAN_MS_MAX } from "./options.ts";
import type { CallError } from "./outcome.ts";
import type { ToolTable } from "./tool-table.ts";

const RUNTIME: ScopeRef = { kind: "runtime", number: 0 };
const LIMIT_KEYS = [
  ...SCOPE_KEYS,
  "tools",
  "groups",
  "keys",
  "tenants",
  "queue",
  "priority",
  "locks",
  "startsPerStepMax",
];
const QUEUE_POLICIES = ["reject-new", "drop-oldest-lowest", "drop-lower-only"] as const;
const QUEUE_MAX = 100_000;
const CONCURRENCY = 16;
const NAME = /^[A-Za-z0-9_][A-Za-z0-9_:/-]{0,127}$/;

const us = (ms: number): bigint => BigInt(ms) * 1000n;

export class LimitTable {
  readonly rows: Limit[] = [];
  /** Of rows that are calendars by the clocks of a zone. */
  readonly zones = new Map<Limit, CalendarZone>();
  readonly meters = new Meters();
  readonly concurrency: number;
  /** How far back the journal matters to a rate or a breaker, ms; 0 = not at all. */
  looksBackMs = 0;
  readonly #tools: ToolTable;
  readonly #groups: string[] = [];
  readonly #groupsOfTool = new Map<number, number[]>();
  readonly #isFailure = new Map<string, (error: CallError) => boolean>();
  /** Calls that may wait: of all; of one batch, of one tenant, Infinity where nothing is said. */
  readonly queue: { readonly max: number; readonly perBatch: number; readonly perTenant: number };
  readonly limitsKeys: boolean;
  readonly limitsTenants: boolean;
  /** Calls that do not say what they read or write are exclusive. */
  readonly exclusive: boolean;

  /** Throws `invalid-option` with the path of what is wrong. */
  constructor(limits: unknown, tools: ToolTable) {
    this.#tools = tools;
    const given = checkKeys("limits", limits, LIMIT_KEYS);
    this.concurrency = this.#add("limits", given, RUNTIME, CONCURRENCY).concurrency;
    this.#addTools(given.tools);
    this.#addGroups(given.groups);
    this.limitsKeys = given.keys !== undefined;
    if (this.limitsKeys)
      this.#add("limits.keys", checkKeys("limits.keys", given.keys, SCOPE_KEYS), { kind: "key", number: 0 });
    this.limitsTenants = this.#addTenants(given.tenants);
    this.queue = this.#addQueue(given.queue);
    this.#addOrder(given.priority);
    const locks = checkKeys("limits.locks", given.locks, ["undeclared"]);
    const undeclared = checkChoice("limits.locks.undeclared", locks.undeclared, ["parallel", "exclusive"], "parallel");
    this.exclusive = undeclared === "exclusive";
    const steps = checkInteger("limits.startsPerStepMax", given.startsPerStepMax, 1, 1_000_000, 64);
    this.rows.push(row("steps", RUNTIME, { size: BigInt(steps) }));
  }

  #add(path: string, given: Readonly<Record<string, unknown>>, ref: ScopeRef, otherwise: number = NONE): CheckedScope {
    const checked = checkScope(path, given, ref, this.meters, otherwise);
    this.rows.push(...checked.rows);
    for (const [row, zone] of checked.zones) this.zones.set(row, zone);
    this.looksBackMs = Math.max(this.looksBackMs, checked.looksBackMs);
    if (checked.isFailure !== undefined) this.#isFailure.set(`${ref.kind}/${ref.number}`, checked.isFailure);
    return checked;
  }

  #addTools(tools: unknown): void {
    const perTool = checkKeys("limits.tools", tools, this.#tools.names);
    for (const name of this.#tools.names) {
      const { number, options } = this.#tools.get(name)!;
      const known = [...SCOPE_KEYS, "throttlesMax"];
      const own = checkKeys(`tools.${name}.limits`, options.limits, known);
      const said = Object.hasOwn(perTool, name) ? perTool[name] : undefined; // a tool may be called "constructor"
      const here = checkKeys(`limits.tools.${name}`, said, known);
      const path = said === undefined ? `tools.${name}.limits` : `limits.tools.${name}`;
      const merged = { ...own, ...here };
      this.#tools.policies[number]!.throttles = checkInteger(`${path}.throttlesMax`, merged.throttlesMax, 0, 250, 20);
      const checked = this.#add(path, merged, { kind: "tool", number });
      this.#tools.policies[number]!.concurrency = checked.concurrency;
    }
  }

  #addGroups(groups: unknown): void {
    if (groups !== undefined && (typeof groups !== "object" || groups === null || Array.isArray(groups)))
      refuseOption("limits.groups", groups, "an object of groups by name");
    for (const [name, group] of Object.entries((groups ?? {}) as Readonly<Record<string, unknown>>)) {
      const path = `limits.groups.${name}`;
      if (!NAME.test(name)) refuseOption("limits.groups", name, "named by letters, digits and _ : / - (at most 128)");
      const number = this.#groups.push(name) - 1;
      const given = checkKeys(path, group, [...SCOPE_KEYS, "tools"]);
      if (!Array.isArray(given.tools)) refuseOption(`${path}.tools`, given.tools, "a list of tools");
      this.#add(path, given, { kind: "group", number });
      for (const [i, tool] of (given.tools as unknown[]).entries()) {
        const member = typeof tool === "string" ? this.#tools.get(tool) : undefined;
        if (member === undefined) {
          refuseOption(`${path}.tools[${i}]`, tool, `one of ${this.#tools.names.join(", ")}`);
          continue;
        }
        this.rows.push(row("member", { kind: "tool", number: member.number }, { meter: number }));
        this.#groupsOfTool.set(member.number, [...(this.#groupsOfTool.get(member.number) ?? []), number]);
      }
    }
  }

  #addTenants(tenants: unknown): boolean {
    if (tenants === undefined) return false;
    const given = checkKeys("limits.tenants", tenants, [...SCOPE_KEYS, "share"]);
    const share = checkChoice("limits.tenants.share", given.share, ["starts", "time"], "starts");
    if (share === "time") this.rows.push(row("share", RUNTIME, { mode: 1 }));
    const limited = SCOPE_KEYS.some((key) => given[key] !== undefined);
    if (limited) this.#add("limits.tenants", given, { kind: "tenant", number: 0 });
    return limited;
  }

  #addQueue(queue: unknown): LimitTable["queue"] {
    const path = "limits.queue";
    const given = checkKeys(path, queue, ["max", "maxPerTenant", "maxPerBatch", "whenFull", "delay"]);
    const max = checkInteger(`${path}.max`, given.max, 1, 10_000_000, QUEUE_MAX);
    const policy = checkChoice(`${path}.whenFull`, given.whenFull, QUEUE_POLICIES, "reject-new");
    this.rows.push(row("queue", RUNTIME, { size: BigInt(max), mode: QUEUE_POLICIES.indexOf(policy) }));
    const perTenant = checkInteger(`${path}.maxPerTenant`, given.maxPerTenant, 1, 10_000_000, 0);
    const perBatch = checkInteger(`${path}.maxPerBatch`, given.maxPerBatch, 1, 10_000_000, 0);
    if (perTenant > 0) this.rows.push(row("queue", { kind: "tenant", number: 0 }, { size: BigInt(perTenant) }));
    if (perBatch > 0) this.rows.push(row("queue", { kind: "batch", number: 0 }, { size: BigInt(perBatch) }));
    const bound = (most: number): number => (most === 0 ? Number.POSITIVE_INFINITY : most);
    const bounds = { max, perBatch: bound(perBatch), perTenant: bound(perTenant) };
    if (given.delay === undefined || given.delay === false) return bounds;
    const delay = checkKeys(`${path}.delay`, given.delay === true ? {} : given.delay, ["targetMs", "intervalMs"]);
    this.rows.push(
      row("delay", RUNTIME, {
        a: us(checkInteger(`${path}.delay.targetMs`, delay.targetMs, 1, SPAN_MS_MAX, 1_000)),
        per: us(checkInteger(`${path}.delay.intervalMs`, delay.intervalMs, 1, SPAN_MS_MAX, 5_000)),
      }),
    );
    return bounds;
  }

  #addOrder(priority: unknown): void {
    const path = "limits.priority";
    const given = checkKeys(path, priority, ["stepMs", "lanes", "waitMsMax"]);
    if (given.lanes !== undefined && typeof given.lanes !== "boolean")
      refuseOption(`${path}.lanes`, given.lanes, "true or false");
    this.rows.push(
      row("order", RUNTIME, {
        a: us(checkInteger(`${path}.stepMs`, given.stepMs, 0, 86_400_000, 1_000)),
        b: us(checkInteger(`${path}.waitMsMax`, given.waitMsMax, 1, SPAN_MS_MAX, 60_000)),
        mode: given.lanes === true ? 1 : 0,
      }),
    );
  }

  /** Does this error of a tool say that something is unwell? Every breaker it stands under is asked. */
  isFailure(tool: number, error: CallError): boolean {
    if (this.#isFailure.size === 0) return true;
    const groups = (this.#groupsOfTool.get(tool) ?? []).map((group) => `group/${group}`);
    return ["runtime/0", `tool/${tool}`, ...groups, "key/0", "tenant/0"].every(
      (scope) => this.#isFailure.get(scope)?.(error) ?? true,
    );
  }

  /** What a scope is called, for people and in journals. */
  nameOf(kind: Limit["scope"], number: number): LimitName | "batch" | "locks" {
    switch (kind) {
      case "tool":
        return `tools.${this.#tools.names[number] ?? number}`;
      case "group":
        return `groups.${this.#groups[number] ?? number}`;
      case "key":
        return "keys";
      case "tenant":
        return "tenants";
      case "lock":
        return "locks";
      default:
        return kind;
    }
  }

  /** The scope of a name; undefined when this runtime has none. */
  find(name: string): ScopeRef | undefined {
    if (name === "runtime") return RUNTIME;
    if (name === "keys") return this.limitsKeys ? { kind: "key", number: 0 } : undefined;
    if (name === "tenants") return this.limitsTenants ? { kind: "tenant", number: 0 } : undefined;
    const dot = name.indexOf(".");
    const rest = name.slice(dot + 1);
    if (name.startsWith("tools.")) {
      const tool = this.#tools.get(rest);
      return tool === undefined ? undefined : { kind: "tool", number: tool.number };
    }
    const group = name.startsWith("groups.") ? this.#groups.indexOf(rest) : -1;
    return group === -1 ? undefined : { kind: "group", number: group };
  }

  /** Every name that `find` knows. */
  get names(): LimitName[] {
    return [
      "runtime",
      ...(this.limitsKeys ? (["keys"] as const) : []),
      ...(this.limitsTenants ? (["tenants"] as const) : []),
      ...this.#tools.names.map((name) => `tools.${name}` as const),
      ...this.#groups.map((name) => `groups.${name}` as const),
    ];
  }
}
