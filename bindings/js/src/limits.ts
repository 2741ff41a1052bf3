// What limits a user may set, as types: how many calls at once, how many per time, when to stop trying, what
// to do when there is too much. Types only; limit-rows.ts checks them and hands them to the core.
import type { CallError } from "./outcome.ts";

/** At most `limit` per `perMs`. Several of one scope hold together. */
export interface RateOptions {
  /** Starts (or units of `counts`), 1…2_147_483_647. */
  readonly limit: number;
  /** Milliseconds, 1…about 30 years. */
  readonly perMs: number;
  /**
   * `window` (default): never more than `limit` in any span of `perMs`, wherever it begins: a ring of 60 sub-windows
   * (288 above an hour), the oldest counted whole, so at least 98 % of the limit is reached.
   * `pace`: evenly, `burst` at once at most: GCRA (ITU-T I.371). For providers that enforce a minute as a shorter quantum.
   * `calendar`: `limit` from one boundary of the wall clock to the next, for quotas that reset at midnight.
   */
  readonly mode?: "window" | "pace" | "calendar";
  /** `pace`: how many may start at once after a rest. Default: what a second brings, at least 1. */
  readonly burst?: number;
  /** `calendar`: how far ahead of UTC the clock is whose periods count, minutes, −1440…1440. Default 0. */
  readonly utcOffsetMinutes?: number;
  /**
   * `calendar`: whose clocks count, by its IANA name, as `America/Los_Angeles`: a day has 23 or 25 hours where they change
   * for daylight saving. Instead of `utcOffsetMinutes`, with a `perMs` of an hour to a week.
   */
  readonly timeZone?: string;
  /** What is counted. Default `calls`: each start is one. Any other name: what a call says in `cost`, e.g. `tokens`. */
  readonly counts?: string;
}

/**
 * Stops calling what fails. States: closed, open, half open, with the ring of ten sub-windows that Hystrix and
 * Polly use. What counts as a failure: a thrown error, a timeout, a lost worker. Not: a cancel, `overloaded`, a result
 * that is no JSON, and what `isFailure` says is none.
 */
export interface BreakerOptions {
  /** It opens when so many of the calls in the window failed: above 0 to 1. Default 0.5. */
  readonly failureRatio?: number;
  /** … and there were at least so many. Default 20. */
  readonly minimumCalls?: number;
  /** Milliseconds that are looked back. Default 10_000. */
  readonly windowMs?: number;
  /** Milliseconds until it lets a probe through; doubles up to five minutes while probes fail. Default 30_000. */
  readonly openMs?: number;
  /** Calls let through at once while it is half open. Default 1. */
  readonly probes?: number;
  /** `fail` (default): calls end as an error with code `circuit-open` and when to retry. `wait`: they stay queued. */
  readonly whenOpen?: "fail" | "wait";
  /** Does this error say that the tool is unwell? Default: every one. Asked with what the journal keeps of it. */
  readonly isFailure?: (error: CallError) => boolean;
}

/** Concurrency that finds its own size below the configured one, by overload alone: AIMD (Chiu and Jain, 1989). */
export interface AdaptiveOptions {
  /** Default 10, or the concurrency if that is less. */
  readonly initial?: number;
  /** Default 1. */
  readonly least?: number;
}

/** Limits of one scope. */
export interface ScopeLimits {
  /** Calls at once (units of `weight`). 0 starts nothing. Lowering it kills nothing. */
  readonly concurrency?: number;
  readonly rate?: RateOptions | readonly RateOptions[];
  /** `true`: with the defaults. Default: none. */
  readonly breaker?: boolean | BreakerOptions;
  /** `true`: with the defaults. Default: fixed. */
  readonly adaptive?: boolean | AdaptiveOptions;
  /** After a pause, an open breaker, a size of 0 or a restart with a full queue, start with one call at once, then two, four … Default true. */
  readonly ramp?: boolean;
}

/** Limits of one tool. */
export interface ToolLimits extends ScopeLimits {
  /** How often one call may throw `overloaded` before that is its error. Default 20. */
  readonly throttlesMax?: number;
}

/** Tools that share limits: the same API key, the same machine. */
export interface GroupLimits extends ScopeLimits {
  readonly tools: readonly string[];
}

export interface QueueOptions {
  /** Calls that may wait in this runtime. Default 100_000. */
  readonly max?: number;
  /** … of each tenant; of each batch. Default: as many as there is room for. */
  readonly maxPerTenant?: number;
  readonly maxPerBatch?: number;
  /**
   * When it is full: `reject-new` (default) drops a `sheddable` call for one that is not, else refuses the new one;
   * `drop-oldest-lowest` drops the oldest of the lowest priority, unless the new one is lower still; `drop-lower-only`
   * drops one of a lower priority or refuses the new one. Dropped and refused calls are outcomes: not-started, `overloaded`.
   */
  readonly whenFull?: "reject-new" | "drop-oldest-lowest" | "drop-lower-only";
  /**
   * Watch how long calls wait: when even the luckiest of an interval waited longer than the target, sheddable calls go
   * last come first served and are dropped after twice the target (the CoDel of Nichols and Jacobson as wangle has it).
   * `true`: target 1_000, interval 5_000. Default false.
   */
  readonly delay?: boolean | { readonly targetMs?: number; readonly intervalMs?: number };
}

export interface PriorityOptions {
  /** What one step of priority is worth in waiting, ms. Default 1_000: priority 9 goes before what queued up to 9 s earlier at 0. */
  readonly stepMs?: number;
  /** Priority before fairness: a higher one goes first whoever it belongs to. Default false: fairness first, priority within. */
  readonly lanes?: boolean;
  /** With lanes: whoever has waited so long goes before all lanes, ms. Default 60_000. */
  readonly waitMsMax?: number;
}

/** Limits of a runtime. All hold together, and a call that none of them refuses starts at once. */
export interface Limits<T = Readonly<Record<string, unknown>>> extends ScopeLimits {
  /** Calls at once in this runtime. Default 16; 0 starts nothing. */
  readonly concurrency?: number;
  /** By tool; what is said here goes before what the tool says of itself in `tool({ limits })`. */
  readonly tools?: { readonly [Name in keyof T]?: ToolLimits };
  /** By a name of yours. */
  readonly groups?: Readonly<Record<string, GroupLimits>>;
  /** Of each `key` that calls name: a user, a host, an account. */
  readonly keys?: ScopeLimits;
  /** Of each tenant. `share`: tenants share starts (default), or the time that their calls take. */
  readonly tenants?: ScopeLimits & { readonly share?: "starts" | "time" };
  readonly queue?: QueueOptions;
  readonly priority?: PriorityOptions;
  /**
   * `undeclared`: of calls that say nothing in `reads` and `writes` (`[]` says something: that there are none). `parallel`
   * (default): nothing keeps them apart. `exclusive`: one of effect `read` runs beside all that read or declare, any other
   * runs alone in this runtime, in the order in which calls were asked for. Its child runs go on inside it.
   */
  readonly locks?: { readonly undeclared?: "parallel" | "exclusive" };
  /**
   * Calls started in one step of the core. Four steps at most share a commit and a turn of the event loop: one event
   * sets off no more at once, and what is left follows when that is durable. Default 64.
   */
  readonly startsPerStepMax?: number;
}

/** What a call may say of its start; a tool may say it of all its calls, a batch too. The call's word counts, then the batch's, then the tool's. */
export interface StartOptions {
  /** −1000…1000, larger is sooner (as in Bottleneck, BullMQ and Temporal it is the other way round). Default 0. */
  readonly priority?: number;
  /** It must start this soon, ms, or ends as not-started, `start-within`. Default: no bound. */
  readonly startWithinMs?: number;
  /**
   * It is not started with less than this left until its deadline (its own, its batch's or a parent's), ms: it ends as
   * not-started, `budget`, at once where a rate, a rest or an open breaker would leave less. No retry begins with less left
   * either. Default: however little is left.
   */
  readonly minBudgetMs?: number;
  /** It may be dropped when there is too much to do. Default false. */
  readonly sheddable?: boolean;
  /** It goes after all others while the queue is nearly full. Default false. */
  readonly background?: boolean;
  /**
   * `cancel`: it waits neither behind calls of lower priority that wait for a key that it `reads` or `writes`, nor for those that
   * have begun, where they are `preemptible`: they are cancelled (their signal aborts, they have their grace, what they had locked
   * is theirs until they have stopped) and end as cancelled, reason `preempted`, or as their effect says when nobody knows what
   * became of them. It starts when the last has stopped. Judged when it begins to wait and when its priority is set; one of equal
   * or higher priority, or that is not preemptible, is waited for. Default: every call is waited for.
   */
  readonly preempt?: "cancel";
  /** A call of higher priority with `preempt` that needs what it reads or writes may have it cancelled. Default false. */
  readonly preemptible?: boolean;
}

/** What a call costs by what rates count: `{ tokens: 1_200 }`. An estimate; `ctx.cost` corrects it. */
export type Cost = Readonly<Record<string, number>>;

/** The name of a scope: `runtime`, `tools.search`, `groups.openai`, `keys`, `tenants`. */
export type LimitName = "runtime" | "keys" | "tenants" | `tools.${string}` | `groups.${string}`;

/** What holds a call. */
export type WaitReason =
  | "permits" // as many run as may
  | "reserved" // a heavier call waits for what is free
  | "paused" // by hand
  | "resting" // the outside said "slow down"
  | "rate"
  | "breaker"
  | "ramp" // it starts slowly after a pause
  | "lock" // an earlier call reads or writes the same
  | "turn" // others go before it
  | "steps" // more than one step may start
  | "buffer"; // an earlier call of its batch holds back too many bytes of outcomes

/** What holds a call, how much of it is in use, and when at the earliest it may start. */
export interface Waiting {
  readonly why: WaitReason;
  /** Which limit: a `LimitName`, `batch`, or `locks`. */
  readonly limit: LimitName | "batch" | "locks";
  readonly inUse: number;
  /** Infinity: no bound. */
  readonly size: number;
  /** Wall-clock ms, where time decides. */
  readonly mayStartAt?: number;
}

/** Where a call stands: `waits` with what holds it, or how far it is. */
export type Explanation =
  | ({ readonly state: "waiting" } & Waiting)
  | { readonly state: "started" | "retrying" | "settled" | "planned" };

/** A limit as it is now. */
export interface Gauge {
  /** As configured. Infinity: no bound. */
  readonly size: number;
  /** What it can give for the moment: less while it starts slowly or adapts. */
  readonly cap: number;
  readonly inUse: number;
  /** Units of calls that did not stop when told to, and gave their permits back (`afterGrace: "abandon"`): they may still run, beside `inUse`. */
  readonly abandoned: number;
  readonly breaker: "none" | "closed" | "open" | "half-open";
  /** Wall-clock ms until which it rests; Infinity when it was paused by hand. */
  readonly pausedUntil?: number;
}
