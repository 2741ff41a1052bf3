// A journal that tells the runner of each append, just before it is written and when it is durable and nobody
// knows yet, and waits for its word. All else it leaves to the journal inside.

import { readPlan } from "../../../bindings/js/src/payload.ts";
import { keyPath } from "../../../bindings/js/src/run-key.ts";
import type { OutcomeKind, WireEntry } from "../../../conformance/protocol/messages.ts";
import {
  ENTRY_KINDS,
  type Entry,
  EntryKind,
  type Journal,
  type OpenedRun,
  OUTCOMES,
  type PruneOptions,
} from "../index.ts";
import type { Answer, SessionWire } from "./wire.ts";

export class PointJournal implements Journal {
  readonly durable: boolean;
  readonly name: string;
  readonly #inner: Journal;
  readonly #wire: SessionWire;
  /** Call ids by ordinal, of each run. */
  readonly #ids = new Map<string, string[]>();
  /** The last append to each run. */
  readonly #appends = new Map<string, Promise<void>>();

  constructor(inner: Journal, wire: SessionWire) {
    this.#inner = inner;
    this.#wire = wire;
    this.durable = inner.durable;
    this.name = inner.name;
  }

  async open(run: string): Promise<OpenedRun> {
    const opened = await this.#inner.open(run);
    this.#ids.set(run, []);
    this.#appends.delete(run);
    for (const entry of opened.entries) this.#remember(run, entry);
    return opened;
  }

  append(run: string, fence: number, entries: readonly Entry[]): Promise<void> {
    for (const entry of entries) this.#remember(run, entry);
    const appended = this.#append(run, fence, entries, this.#appends.get(run));
    this.#appends.set(run, appended);
    return appended;
  }

  async #append(run: string, fence: number, entries: readonly Entry[], earlier: Promise<void> | undefined) {
    const shown = entries.map((entry) => this.#shown(run, entry));
    const { fail } = await this.#point(run, "before", shown);
    await earlier; // while the runner keeps a group back, or has let it fail, none after it is written: a journal has no holes
    if (fail === true) throw new Error("the scenario lets this append fail");
    await this.#inner.append(run, fence, entries);
    await this.#point(run, "after", shown);
  }

  async #point(run: string, when: "before" | "after", entries: readonly WireEntry[]): Promise<{ fail?: boolean }> {
    const { answer } = this.#wire.ask({ type: "append", run: keyPath(run).at(-1) as string, when, entries });
    return (await answer) as Extract<Answer, { type: "go" }>;
  }

  #remember(run: string, entry: Entry): void {
    if (entry.kind !== EntryKind.planned) return;
    const ids = this.#ids.get(run);
    try {
      for (const [i, { id }] of readPlan(entry.payload, entry.count).calls.entries()) if (ids) ids[entry.slot + i] = id;
    } catch (problem) {
      if (!(problem instanceof SyntaxError)) throw problem; // a damaged plan: the driver will say so, and where
    }
  }

  #shown(run: string, entry: Entry): WireEntry {
    const kind = ENTRY_KINDS[entry.kind] as string;
    const ids = this.#ids.get(run) ?? [];
    if (entry.kind === EntryKind.runOpened || entry.kind === EntryKind.runClosed) return { kind };
    if (entry.kind === EntryKind.planned) return { kind, ids: ids.slice(entry.slot, entry.slot + entry.count) };
    const id = ids[entry.slot];
    const outcome = entry.kind === EntryKind.settled ? { outcome: OUTCOMES[entry.outcome] as OutcomeKind } : {};
    return { kind, ...(id === undefined ? {} : { ids: [id] }), attempt: entry.attempt, ...outcome };
  }

  release(run: string, fence: number): Promise<void> {
    return this.#inner.release(run, fence);
  }

  read(run: string): Promise<readonly Entry[] | undefined> {
    return this.#inner.read(run);
  }

  runs(): ReturnType<Journal["runs"]> {
    return this.#inner.runs();
  }

  prune(options: PruneOptions): Promise<readonly string[]> {
    return this.#inner.prune(options);
  }

  close(): Promise<void> {
    return this.#inner.close();
  }
}
