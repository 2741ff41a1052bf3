// The numbers that cross the boundary, in the order of core.wit, and the ones that live inside.
// Add at the end, never renumber.

export const NONE: u32 = 0xffffffff;

export const enum Effect {
  read,
  idempotent,
  once,
}
export const enum Outcome {
  ok,
  error,
  unknown,
  timedOut,
  notStarted,
  cancelled,
}
export const enum Verdict {
  done,
  failed,
  notDone,
  unknown,
}
export const enum Source {
  executed,
  reExecuted,
  reconciled,
  surfaced,
}

export const enum EventKind {
  batch,
  claim,
  settled,
  reconciled,
  stopped,
  lost,
  suspend,
  resume,
  cancel,
  close,
  forget,
  limit,
  pause,
  unpause,
  observed,
  reprioritise,
  watch,
  spent,
  calendar,
  nested,
}
export const enum EntryKind {
  runOpened,
  planned,
  started,
  attemptFailed,
  settled,
  late,
  runClosed,
}
export const enum ActionKind {
  call,
  reconcile,
  abort,
  carryOn,
  mismatch,
  refuse,
  unawaited,
  released,
}
export const enum Gate {
  none,
  written,
}
export const enum AbortReason {
  timedOut,
  cancelled,
  forgotten,
  ask,
}
export const enum Mismatch {
  inputChanged,
  toolChanged,
  unexpectedCall,
  unusedSlot,
}
export const enum Refusal {
  duplicateId,
  runNotOpen,
  runOpenAlready,
  entryOutOfOrder,
  unknownSlot,
  attemptOutOfOrder,
  settledTwice,
  runClosed,
  callMissing,
  unknownTool,
  invalidPolicy,
  invalidLimit,
  unknownCall,
}

export const enum Reason {
  none,
  deadline,
  startWithin,
  overloaded,
  tooLarge,
  circuitOpen,
  rateLimitedBeyondDeadline,
  budget,
  preempted,
  wouldDeadlock,
}
export const enum ScopeKind {
  runtime,
  tool,
  group,
  key,
  tenant,
  batch,
  lock,
}
export const enum NoticeKind {
  free,
  permits,
  reserved,
  paused,
  resting,
  rate,
  breaker,
  ramp,
  lock,
  turn,
  steps,
  buffer,
  abandoned,
}
export const enum LimitKind {
  concurrency,
  window,
  pace,
  calendar,
  breaker,
  adaptive,
  ramp,
  queue,
  delay,
  order,
  share,
  steps,
  member,
}
export const enum QueuePolicy {
  rejectNew,
  dropOldestLowest,
  dropLowerOnly,
}
export const enum BreakerState {
  none,
  closed,
  open,
  halfOpen,
}

/** Bits of `mode` of a settled event. */
export const FINAL: u8 = 1;
export const OVERLOADED: u8 = 2;
export const NO_SAMPLE: u8 = 4;

/** Where a slot stands. Rows of the table in transitions.ts. */
export const enum State {
  planned, // in the journal; the program has not asked for it in this process
  queued, // claimed; waits for permits to call
  running, // called
  suspended, // waits for a child run, without permits
  resuming, // the child is done; waits for permits to go on
  backingOff, // an attempt failed; waits for the next
  ending, // an attempt timed out and was told to stop; the next follows once it has
  cancelling, // told to stop because of a cancel
  doubtful, // in doubt; waits for permits to ask
  asking, // its reconciler was asked
  askWaiting, // the reconciler could not tell; waits to ask again
  leaving, // settled, but the call still runs and holds its permits
  settled,
}

/** What can happen to a slot. Columns of the table in transitions.ts. */
export const enum Happening {
  claim,
  grant,
  ok,
  error,
  stopped,
  lost,
  due,
  deadline,
  cancel,
  suspend,
  resume,
  verdictDone,
  verdictFailed,
  verdictNotDone,
  verdictUnknown,
  overloaded, // the outside said "slow down": the attempt did not happen
  shed, // dropped from the queue
  broken, // its breaker is open, and calls do not wait for it
  hopeless, // when it may start, too little will be left until its deadline
  circle, // what it waits for waits for it
}
