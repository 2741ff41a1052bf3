// What goes wrong because Holdfast was misused or its surroundings failed. A tool that fails is not
// here: that is an outcome. Every error says what was wrong and what to do next.

/** Stable names of everything that Holdfast itself refuses or reports. */
export type ErrorCode =
  | "invalid-option" // an option has a wrong type or is out of range; `details.path` names it
  | "invalid-run-id"
  | "invalid-call" // a call is not of the right shape
  | "duplicate-call-id"
  | "input-not-json"
  | "input-too-large"
  | "unknown-tool"
  | "invalid-input" // the tool's schema says no
  | "unknown-call" // claimed or asked about a call that is not there
  | "unknown-limit"
  | "call-failed" // run.call: the outcome was anything but ok
  | "run-busy" // the run is open elsewhere
  | "run-stopped" // the run has ended or was stopped; it takes no more calls
  | "run-not-found"
  | "run-failed" // the program threw in an earlier process; this is what it threw
  | "run-cancelled"
  | "result-not-json" // a tool or a program returned what a journal cannot hold
  | "result-too-large"
  | "invalid-output" // what a call says of a shared key is not what its reducer takes
  | "write-conflict" // two calls of a batch write a key that takes one writer
  | "undecodable-payload" // the journal's bytes are intact and not what this build can read
  | "runtime-closed"
  | "journal-mismatch"
  | "journal-append" // entries could not be made durable
  | "journal-corrupt"
  | "journal-version"
  | "journal-foreign" // the file belongs to another program
  | "journal-unavailable" // cannot be opened: a directory, read-only, no driver …
  | "fenced" // another host took the run over
  | "recording-corrupt" // what is to be replayed has a line that nobody recorded
  | "worker-failed" // a worker module could not be loaded
  | "core-trap"; // Holdfast broke an assumption of its own

/** Thrown for every misuse and every failure of the surroundings; never for a tool that failed. */
export class HoldfastError extends Error {
  override readonly name: string = "HoldfastError";
  /** What was wrong, for programs. */
  readonly code: ErrorCode;
  /** What to do next, for people; also the end of `message`. */
  readonly next: string;
  /** Facts about the error, by code: the option's path, the run id, the slot's ordinal … */
  readonly details: Readonly<Record<string, unknown>>;

  constructor(
    code: ErrorCode,
    what: string,
    next: string,
    options: { readonly details?: Readonly<Record<string, unknown>>; readonly cause?: unknown } = {},
  ) {
    super(`${code}: ${what}. ${next}`, "cause" in options ? { cause: options.cause } : {});
    this.code = code;
    this.next = next;
    this.details = options.details ?? {};
  }
}

/** The journal could not be read or written: code `journal-*`. The run stops; what is on disk is what counts. */
export class JournalError extends HoldfastError {
  override readonly name: string = "JournalError";
}

/** A newer host took the run over: code `fenced`. Nothing of this host's was written since. */
export class FencedError extends JournalError {
  override readonly name: string = "FencedError";
}
