// The public surface that every JavaScript environment shares; an environment's entry adds its ports.
export type {
  BatchOptions,
  CallOf,
  CallOptions,
  Context,
  ModelCall,
  OutcomeOf,
  OutcomesOf,
  Program,
  Run,
  RunListing,
  RunOptions,
  Runtime,
  RunView,
  SlotView,
  StreamOptions,
  TenantOptions,
} from "./api.ts";
export { EFFECTS, ENTRY_KINDS, type Entry, EntryKind, JOURNAL_FORMAT, OUTCOMES, SOURCES } from "./entry.ts";
export { type ErrorCode, FencedError, HoldfastError, JournalError } from "./errors.ts";
export type { CallEvent } from "./events.ts";
export type {
  AdaptiveOptions,
  BreakerOptions,
  Cost,
  Explanation,
  Gauge,
  GroupLimits,
  LimitName,
  Limits,
  PriorityOptions,
  QueueOptions,
  RateOptions,
  ScopeLimits,
  StartOptions,
  ToolLimits,
  Waiting,
  WaitReason,
} from "./limits.ts";
export { MemoryJournal } from "./memory-journal.ts";
export { type Difference, MismatchError } from "./mismatch.ts";
export { callsFrom } from "./model-calls.ts";
export {
  type CallError,
  done,
  type Effect,
  failed,
  type Json,
  type NotOk,
  type NotStartedReason,
  notDone,
  type Outcome,
  type OutcomeKind,
  type Source,
  unknown,
  type Verdict,
} from "./outcome.ts";
export { OverloadedError, type OverloadedOptions, type OverloadedScope, overloaded } from "./overloaded.ts";
export type {
  Clock,
  Journal,
  OpenedRun,
  Ports,
  PruneOptions,
  RunSummary,
  WorkerEndpoint,
  WorkerModule,
  WorkerSpawner,
  WorkerThread,
} from "./ports.ts";
export type { Headers, Observed } from "./provider-headers.ts";
export {
  type Reduced,
  type ReduceOptions,
  type Reducer,
  reduceOutcomes,
  type SharedState,
  type Versioned,
  type WriteConflict,
} from "./reduce.ts";
export { CallFailedError } from "./run.ts";
export { RunFailedError } from "./run-end.ts";
export {
  type FallbackOptions,
  type FallbackReason,
  type InlineToolOptions,
  type InputOf,
  type OutputOf,
  type ReconcileContext,
  type ReconcileOptions,
  type RetryOptions,
  type Tool,
  type ToolOptions,
  type Tools,
  tool,
  type WorkerToolOptions,
} from "./tool.ts";
export type { WorkerContext } from "./tool-worker.ts";
