// Outcomes and errors as the conformance protocol shows them: no stacks, and what is absent is left out.
import type { WireError, Json as WireJson, WireOutcome } from "../../../conformance/protocol/messages.ts";
import { type CallError, HoldfastError, MismatchError, type Outcome, RunFailedError } from "../index.ts";

function errorFields({ name, message, code, data }: CallError): WireError {
  return {
    name,
    message,
    ...(code === undefined ? {} : { code }),
    ...(data === undefined ? {} : { data: data as WireJson }),
  };
}

export function shownOutcome(outcome: Outcome): WireOutcome {
  const { id, kind, tool, attempts, source, replayed, fallback } = outcome;
  const marked = fallback === undefined ? {} : { fallback: fallback.tool };
  const facts = { id, kind, tool, attempts, source, replayed, ...marked };
  switch (outcome.kind) {
    case "ok":
      return {
        ...facts,
        ...(outcome.value === undefined ? {} : { value: outcome.value as WireJson }),
        ...(outcome.fallback === undefined ? {} : { insteadOf: outcome.fallback.insteadOf.kind }),
      };
    case "error":
      return { ...facts, error: errorFields(outcome.error) };
    case "not-started": {
      const { reason, retryAt } = outcome;
      return { ...facts, reason, ...(retryAt === undefined ? {} : { retryAt }) };
    }
    case "timed-out":
      return { ...facts, reason: outcome.reason };
    case "cancelled":
      return outcome.reason === undefined ? facts : { ...facts, reason: outcome.reason };
    default:
      return facts;
  }
}

/** How a run ended that threw: the program's error, now or in an earlier process, or a refusal of ours. */
export function shownError(thrown: unknown): WireError {
  if (thrown instanceof RunFailedError) return errorFields(thrown.error);
  if (thrown instanceof MismatchError) {
    const differences = thrown.differences.map(({ kind, journal, program }) => ({
      kind,
      id: journal?.id ?? program?.id ?? "?",
      ...(journal === undefined ? {} : { state: journal.state }),
    }));
    return { name: thrown.name, message: thrown.message, code: thrown.code, differences };
  }
  if (thrown instanceof HoldfastError) return { name: thrown.name, message: thrown.message, code: thrown.code };
  if (thrown instanceof Error) {
    const { code, data } = thrown as Error & { code?: string | number; data?: WireJson };
    return errorFields({ name: thrown.name, message: thrown.message, code, data } as CallError);
  }
  return { name: "NonError", message: String(thrown) };
}

/** An error of the protocol as one that a program or a tool throws. */
export function thrownError({ name, message, code, data }: WireError): Error {
  const error = new Error(message);
  error.name = name;
  return Object.assign(error, code === undefined ? {} : { code }, data === undefined ? {} : { data });
}
