// What happened, in the order in which the runner saw it, over all lives of a scenario.
import type { Json, SessionMessage, WireError } from "../protocol/messages.ts";
import type { Pattern, TraceKind } from "./scenario.ts";

export interface TraceEvent {
  readonly what: TraceKind;
  /** 1-based number of the process. */
  readonly life: number;
  readonly run: string;
  readonly kind?: string;
  readonly id?: string;
  readonly tool?: string;
  readonly attempt?: number;
  readonly key?: string;
  readonly outcome?: string;
  /** Of append and durable: which group of its life, 1-based. */
  readonly group?: number;
  /** Of said and returned. */
  readonly value?: Json;
  readonly error?: WireError;
  /** Of call and ask: the host's number. */
  readonly n?: number;
}

export function matches(event: TraceEvent, pattern: Pattern): boolean {
  return (
    event.what === pattern.what &&
    (pattern.kind === undefined || event.kind === pattern.kind) &&
    (pattern.id === undefined || event.id === pattern.id) &&
    (pattern.run === undefined || event.run === pattern.run) &&
    // A host that cannot show attempts is not asked for them.
    (pattern.attempt === undefined || event.attempt === undefined || event.attempt === pattern.attempt)
  );
}

/** A pattern or an event in a few words. */
export function inWords(one: Pattern | TraceEvent): string {
  const attempt = one.attempt === undefined ? "" : ` (attempt ${one.attempt})`;
  return [one.what, one.kind, one.id].filter((word) => word !== undefined).join(" ") + attempt;
}

const field = <Name extends string, Value>(name: Name, value: Value | undefined) =>
  (value === undefined ? {} : { [name]: value }) as { readonly [Key in Name]?: Value };

/** The events that a message stands for. Only what a trace is about becomes one. */
export function eventsOf(message: SessionMessage, life: number, group: number): TraceEvent[] {
  switch (message.type) {
    case "call":
    case "ask": {
      const { run, id, tool, attempt, key, n } = message;
      return [{ what: message.type, life, run, id, tool, n, ...field("attempt", attempt), ...field("key", key) }];
    }
    case "append": {
      const what = message.when === "before" ? "append" : "durable";
      const base = { what, life, run: message.run, group } as const;
      return message.entries.flatMap(({ kind, ids, attempt, outcome }): TraceEvent[] => {
        const facts = { ...base, kind, ...field("attempt", attempt), ...field("outcome", outcome) };
        return ids === undefined || ids.length === 0 ? [facts] : ids.map((id) => ({ ...facts, id }));
      });
    }
    case "said":
      return [{ what: "said", life, run: message.run, value: message.value }];
    case "report":
      return [{ what: "report", life, run: message.run, kind: message.what, id: message.id }];
    case "returned":
      return [{ what: "returned", life, run: message.run, value: message.result }];
    case "threw":
      return [{ what: "threw", life, run: message.run, error: message.error }];
    case "abort":
    case "explained":
    case "gauged":
    case "ended":
      return [];
  }
}
