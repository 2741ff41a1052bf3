// A run as a person or a program reads it from its journal: what is written there, nothing guessed.
import type { RunView, SlotView } from "./api.ts";
import { describeError } from "./call-error.ts";
import { EFFECTS, type Entry, EntryKind, OUTCOMES, SOURCES } from "./entry.ts";
import { corrupt } from "./journal-errors.ts";
import { decodeJson } from "./json.ts";
import type { CallError, Json } from "./outcome.ts";
import { readOpening, readPayload, readPlan } from "./payload.ts";
import { keyPath } from "./run-key.ts";

type Draft<T> = { -readonly [Key in keyof T]: T[Key] };
interface SlotDraft extends Omit<Draft<SlotView>, "spans"> {
  spans: { attempt: number; startedAt: number; endedAt?: number }[];
}

function readSlotEntry(slot: SlotDraft, entry: Entry): void {
  const span = slot.spans.at(-1);
  switch (entry.kind) {
    case EntryKind.started:
      slot.state = "started";
      slot.attempts = entry.attempt;
      slot.startedAt ??= entry.at;
      slot.spans.push({ attempt: entry.attempt, startedAt: entry.at });
      return;
    case EntryKind.attemptFailed:
      slot.state = "attempt-failed";
      if (span !== undefined) span.endedAt = entry.at;
      return;
    case EntryKind.settled: {
      slot.state = "settled";
      slot.endedAt = entry.at;
      if (span !== undefined && span.endedAt === undefined) span.endedAt = entry.at;
      const outcome = OUTCOMES[entry.outcome] ?? "unknown";
      slot.outcome = outcome;
      slot.source = SOURCES[entry.source] ?? "executed";
      if (outcome !== "ok" && outcome !== "error") return;
      const payload = readPayload(outcome, entry.payload);
      if (payload.kind === "error") slot.error = payload.error;
      else if (payload.value !== undefined) slot.value = payload.value;
      return;
    }
    case EntryKind.late:
      slot.late++;
      return;
    default:
      return;
  }
}

function plannedSlots(id: string, entry: Entry, row: number): SlotDraft[] {
  try {
    return readPlan(entry.payload, entry.count).calls.map((call, i) => ({
      slot: entry.slot + i,
      id: call.id,
      tool: call.tool,
      effect: EFFECTS.find((effect) => effect === call.effect) ?? "once",
      input: call.input,
      state: "planned",
      attempts: 0,
      plannedAt: entry.at,
      late: 0,
      spans: [],
    }));
  } catch (thrown) {
    throw corrupt(id, entry.slot, row, thrown instanceof Error ? thrown.message : String(thrown), thrown);
  }
}

function closing(entry: Entry | undefined): { closedAt?: number; result?: Json; error?: CallError } {
  if (entry === undefined) return {};
  const value = entry.payload === null ? undefined : decodeJson(entry.payload);
  if (entry.outcome !== 0) return { closedAt: entry.at, error: describeError(value) };
  return { closedAt: entry.at, ...(value === undefined ? {} : { result: value }) };
}

/** What these entries say of the run with this key. Throws `journal-corrupt` when they say what cannot be. */
export function viewRun(key: string, entries: readonly Entry[]): RunView {
  const path = keyPath(key);
  const id = path.at(-1) as string;
  const slots: SlotDraft[] = [];
  const openings: RunView["openings"][number][] = [];
  let closed: Entry | undefined;
  for (const [row, entry] of entries.entries()) {
    if (entry.kind === EntryKind.runOpened) {
      const { fence = 0, version } = readOpening(entry.payload);
      openings.push({ fence, at: entry.at, ...(version === undefined ? {} : { version }) });
    } else if (entry.kind === EntryKind.planned) {
      if (entry.slot !== slots.length) throw corrupt(id, entry.slot, row, "its slots do not follow the last batch's");
      slots.push(...plannedSlots(id, entry, row));
    } else if (entry.kind === EntryKind.runClosed) {
      closed = entry;
    } else {
      const slot = slots[entry.slot];
      if (slot === undefined) throw corrupt(id, entry.slot, row, "a slot that was never planned");
      readSlotEntry(slot, entry);
    }
  }
  return {
    id,
    path: path.slice(0, -1),
    state: closed === undefined ? "open" : closed.outcome === 0 ? "returned" : "threw",
    openedAt: entries[0]?.at ?? 0,
    openings,
    slots: slots as SlotView[],
    ...closing(closed),
  };
}
