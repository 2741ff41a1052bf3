// The public interfaces: what a program, a tool and the owner of a runtime hold in their hands.
// Types only; what they do is in run.ts, batch.ts and runtime.ts.
import type { CallEvent } from "./events.ts";
import type { Cost, Explanation, Gauge, LimitName, StartOptions } from "./limits.ts";
import type { CallError, Json, Outcome, OutcomeKind } from "./outcome.ts";
import type { Headers, Observed } from "./provider-headers.ts";
import type { InputOf, OutputOf, Tools } from "./tool.ts";

/** One call of a batch, with the tools known. */
export type CallOf<T extends Tools> = {
  [Name in keyof T & string]: CallOptions & { readonly tool: Name; readonly input: InputOf<T[Name]> };
}[keyof T & string];

/** What any call may say. */
export interface CallOptions extends StartOptions {
  /** The caller's name for the call, unique in its run; usually the model's tool call id. Default: its place in the run. */
  readonly id?: string;
  /** One attempt may take this long, ms; overrides the tool's. */
  readonly timeoutMs?: number;
  /** The call must be over this long after it was made, ms, all attempts together. */
  readonly deadlineMs?: number;
  /** Whose limits of `limits.keys` it stands under: a user, a host, an account. */
  readonly key?: string;
  /** Permits it takes of each limit, 1…1_000_000: megabytes, say, where the concurrency is a budget of them. Default 1. */
  readonly weight?: number;
  /** Names of what it reads: it runs beside other readers of the same, and after every earlier writer. */
  readonly reads?: string | readonly string[];
  /** Names of what it writes: it runs after every earlier call that reads or writes the same, and alone. */
  readonly writes?: string | readonly string[];
  /** What it is thought to cost on rates that count more than calls: `{ tokens: 1_200 }`. */
  readonly cost?: Cost;
}

declare const fromModel: unique symbol;

/** A call as a model made it: nothing of it is known before it is looked at. Made by `callsFrom`. */
export interface ModelCall extends CallOptions {
  readonly id: string;
  readonly tool: string;
  readonly input: Json;
  readonly [fromModel]?: true;
}

/** What a batch may say; its `StartOptions` and `key` hold for all its calls that do not say otherwise. */
export interface BatchOptions extends StartOptions {
  /** At most this many calls of the batch at once. Default: the runtime's limit. */
  readonly concurrency?: number;
  /** The batch must be over this long after it was planned, ms. The moment is absolute: it survives a crash. */
  readonly deadlineMs?: number;
  readonly key?: string;
  /** Whose batch it is, among those who share starts. Default: the run's tenant, or else the batch shares as one of its own. */
  readonly tenant?: string | TenantOptions;
  /** Called once per call, as its outcome is known. Errors it throws reject the batch. */
  readonly onOutcome?: (outcome: Outcome, index: number) => void;
  /** In which order `onOutcome` is called: `request` holds back what is early (default), `completion` does not. */
  readonly order?: "request" | "completion";
  /**
   * With `onOutcome` in order `request`: how many bytes of outcomes an earlier call may hold back, 1…4_294_967_295. At the bound
   * no call of the batch starts but the earliest unfinished one, or one that it waits for, by a key or through its child run; all
   * are told. What runs already may go over it. Default 67_108_864 (64 MiB). `batch` itself gives all outcomes at its end all the same.
   */
  readonly bufferedBytesMax?: number;
}

/** What a stream may say; its `StartOptions` and `key` hold for all its calls that do not say otherwise. */
export interface StreamOptions extends StartOptions {
  /**
   * The producer is asked for a call only while fewer than so many are on their way or wait to be taken, 1…100_000.
   * Default 1_000. Above the concurrency, or the tools have gaps.
   */
  readonly ahead?: number;
  /** At most this many calls of the stream at once. Default: the runtime's limit. */
  readonly concurrency?: number;
  readonly key?: string;
  /** Whose stream it is, among those who share starts. Default: the run's tenant, or else the stream shares as one of its own. */
  readonly tenant?: string | TenantOptions;
  /**
   * In which order outcomes are given: `request` holds back what is early (default), `completion` does not. After a crash
   * what is known comes first, in request order: let nothing that the program calls depend on the order of completion.
   */
  readonly order?: "request" | "completion";
}

/** What a stream gives for calls of this type. */
export type OutcomeOf<T extends Tools, C> = C extends { readonly tool: infer Name extends keyof T }
  ? Outcome<OutputOf<T[Name]>>
  : Outcome;

/** Among whom starts are shared: start-time fair queueing by weight. */
export interface TenantOptions {
  readonly id: string;
  /** Its share beside others, 0.001…1000. Default 1. */
  readonly weight?: number;
}

/** What `batch` gives for these calls: one outcome each, in request order. */
export type OutcomesOf<T extends Tools, Calls extends readonly unknown[]> = {
  [I in keyof Calls]: Calls[I] extends { readonly tool: infer Name extends keyof T }
    ? Outcome<OutputOf<T[Name]>>
    : Outcome;
};

/** A run, as its program sees it. */
export interface Run<T extends Tools = Tools> {
  readonly id: string;
  /** Aborts when the run is cancelled or stopped. */
  readonly signal: AbortSignal;
  /** A batch of one: resolves to the value, or throws `CallFailedError` (with the outcome in it) on anything but ok. */
  call<Name extends keyof T & string>(
    tool: Name,
    input: InputOf<T[Name]>,
    options?: CallOptions,
  ): Promise<OutputOf<T[Name]>>;
  /** Runs the calls in parallel and collects all: one outcome per call, in request order. Rejects only if Holdfast itself was misused or failed. */
  batch<const Calls extends readonly CallOf<T>[]>(calls: Calls, options?: BatchOptions): Promise<OutcomesOf<T, Calls>>;
  batch(calls: readonly ModelCall[], options?: BatchOptions): Promise<Outcome[]>;
  /**
   * Makes calls as a producer gives them, and gives their outcomes: `for await (const outcome of run.stream(calls))`. The
   * producer is asked for more only while fewer than `ahead` are under way and the queue has room, so it may be endless or
   * faster than the tools. What it throws is thrown once the outcomes of its calls have been given; a loop that is left early
   * cancels what is under way. The producer is run again after a crash, like the program, and gives the same calls.
   */
  stream<C extends CallOf<T>>(
    calls: Iterable<C> | AsyncIterable<C>,
    options?: StreamOptions,
  ): AsyncIterableIterator<OutcomeOf<T, C>, undefined>;
  stream(
    calls: Iterable<ModelCall> | AsyncIterable<ModelCall>,
    options?: StreamOptions,
  ): AsyncIterableIterator<Outcome, undefined>;
  /** Plans the calls durably and starts none: each starts when its tool is claimed. Resolves when the plan is on disk. */
  announce(calls: readonly (CallOf<T> | ModelCall)[], options?: BatchOptions): Promise<void>;
  /** Starts an announced call, or finds what it came to. */
  claim(callId: string): Promise<Outcome>;
  /** Wall-clock milliseconds, the same on replay. */
  now(): Promise<number>;
  /** A number in [0, 1), the same on replay. */
  random(): Promise<number>;
  /** A UUID (version 4), the same on replay. */
  uuid(): Promise<string>;
}

/** A user's function: run again from its top after a crash, meeting the journal as it goes. */
export type Program<T extends Tools, Result> = (run: Run<T>) => Promise<Result> | Result;

/** What a tool is given besides its input. */
export interface Context<T extends Tools = Tools> {
  readonly runId: string;
  readonly callId: string;
  /** 1-based. */
  readonly attempt: number;
  /** The same for every attempt of this call, in every process: hand it to whatever must not happen twice. */
  readonly idempotencyKey: string;
  /** Aborts at a timeout, a deadline or a cancel. */
  readonly signal: AbortSignal;
  /** Wall-clock ms at which the signal aborts; absent when there is no bound. */
  readonly deadline?: number;
  /** What the call has cost so far, in place of its estimate: `{ tokens: 873 }`. Rates are corrected at once. */
  cost(actual: Cost): void;
  /** What the provider's headers say is left; limits are only ever tightened by it. `limit`: whose rates. Default: the tool's. */
  observe(headers: Headers | readonly Observed[], limit?: LimitName): void;
  /** Tells whoever listens to the events how far it is. Not durable. */
  progress(value: Json): void;
  /**
   * Runs a child: its own journal, the same limits; this call gives its permits back meanwhile. Its id
   * is made of this call's, so after a crash it goes on by itself. `name` tells several of one call apart.
   */
  run<Result>(program: Program<T, Result>, options?: { readonly name?: string }): Promise<Result>;
}

export interface RunOptions {
  /** A version of the program: recorded each time the run is opened. */
  readonly version?: string;
  /** Called when the journal was last written by another version; throw to refuse. Default: go on. */
  readonly onVersionChange?: (change: {
    readonly journal: string | undefined;
    readonly program: string | undefined;
  }) => void;
  /** `fail` (default) refuses a program that no longer matches; `adapt` keeps what matches and reports the rest. */
  readonly onMismatch?: "fail" | "adapt";
  /** Cancels the run. */
  readonly signal?: AbortSignal;
  /** Whose run it is, among those who share starts. */
  readonly tenant?: string | TenantOptions;
  /** When another host holds the lease, wait for it this long, ms. Default 0: `run-busy` at once. */
  readonly waitMs?: number;
}

/** A slot as `read` shows it: what the journal says, nothing guessed. */
export interface SlotView {
  readonly slot: number;
  readonly id: string;
  readonly tool: string;
  readonly effect: "read" | "idempotent" | "once";
  readonly input: Json;
  readonly state: "planned" | "started" | "attempt-failed" | "settled";
  readonly attempts: number;
  readonly plannedAt: number;
  readonly startedAt?: number;
  readonly endedAt?: number;
  readonly outcome?: OutcomeKind;
  readonly source?: Outcome["source"];
  readonly value?: Json;
  readonly error?: CallError;
  /** What came back after it had settled. */
  readonly late: number;
  /** Every attempt with its times, oldest first. */
  readonly spans: readonly { readonly attempt: number; readonly startedAt: number; readonly endedAt?: number }[];
}

export interface RunView {
  readonly id: string;
  /** Ids of the parent runs, outermost first; empty for a run of its own. */
  readonly path: readonly string[];
  readonly state: "open" | "returned" | "threw";
  readonly openedAt: number;
  readonly closedAt?: number;
  /** How often a host took the run: 1 + recoveries. */
  readonly openings: readonly {
    readonly fence: number;
    readonly at: number;
    readonly version?: string;
    readonly host?: string;
  }[];
  readonly slots: readonly SlotView[];
  readonly result?: Json;
  readonly error?: CallError;
}

export interface RunListing {
  readonly id: string;
  readonly path: readonly string[];
  readonly state: "open" | "closed";
  readonly leased: boolean;
  readonly entries: number;
  readonly openedAt: number;
  readonly updatedAt: number;
}

/** A place where tools run and journals are kept. */
export interface Runtime<T extends Tools = Tools, Durable extends boolean = boolean> extends AsyncDisposable {
  /** False, also in its type, when a crash of the process loses everything. */
  readonly durable: Durable;
  /** Runs a program under this id, or carries on where its journal stops, or gives back what it came to. */
  run<Result>(id: string, program: Program<T, Result>, options?: RunOptions): Promise<Result>;
  /** Every step of every call, from now on. Bounded: a listener too slow is told what it missed. */
  events(options?: { readonly bufferMax?: number }): AsyncIterableIterator<CallEvent>;
  /** Every run in the journal, oldest first. */
  runs(): Promise<readonly RunListing[]>;
  /** What the journal holds of a run. */
  read(id: string, path?: readonly string[]): Promise<RunView>;
  /** Settles what waits as cancelled, aborts what runs. False if the run is not open here. */
  cancel(id: string): boolean;
  /** Another size for a limit, from now on. Lowering it kills nothing: starts wait until fewer run. Throws `unknown-limit`. */
  setLimit(limit: LimitName, to: { readonly concurrency: number }): void;
  /** Starts nothing under this limit (default: the whole runtime), for so long or until `resume`. `key`: of `keys` or `tenants`, which one. */
  pause(limit?: LimitName, options?: { readonly forMs?: number; readonly key?: string }): void;
  /** Starts again: one call, then two, four … unless the limit says `ramp: false`. */
  resume(limit?: LimitName, options?: { readonly key?: string }): void;
  /** Another priority for a call that waits; it keeps the time at which it queued. False if it is not here. */
  setPriority(runId: string, callId: string, priority: number): boolean;
  /** What holds a call: which limit, how much of it is in use, when it may start. Throws `run-not-found`, `unknown-call`. */
  explain(runId: string, callId: string): Explanation;
  /** A limit as it is now. Throws `unknown-limit`. */
  limit(limit: LimitName): Gauge;
  /** How full the queue is: 1 above 80 % until it is below 60 %, 2 when it takes no more. */
  readonly pressure: 0 | 1 | 2;
  /** Deletes runs that closed more than `olderThanMs` ago; returns their ids. */
  prune(options: { readonly olderThanMs: number }): Promise<readonly string[]>;
  /** Starts nothing more, waits for what runs up to `graceMs` (default 5_000), then aborts it. Open runs stop with `runtime-closed` and go on when opened again. */
  close(options?: { readonly graceMs?: number }): Promise<void>;
}
