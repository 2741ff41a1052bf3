// What a host did that no host may do, whatever the scenario: not a wrong outcome, but no answer at all, or
// one that is none. And what is our own fault.

export type FaultKind =
  | "no-start" // the command cannot be started
  | "no-hello" // it says nothing, or something else first
  | "died" // it ended and nobody had killed it
  | "hung" // it owed an answer and gave none
  | "garbage" // a line that is no message
  | "flooded" // more lines, or a longer one, than the protocol allows
  | "other-session" // it answers what is over
  | "protocol" // a message that is well-formed and cannot be: a number used twice, a run nobody started
  | "left-over"; // it does not end when there is nothing left to do

/** A fault of the host under test. */
export class HostFault extends Error {
  readonly kind: FaultKind;
  constructor(kind: FaultKind, message: string) {
    super(message);
    this.kind = kind;
  }
}

/** A fault of the suite, its machine or its scenarios. No host is blamed for it. */
export class HarnessFault extends Error {}
