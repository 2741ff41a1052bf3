// Faults to be put into a world on purpose, each a mistake that somebody has really made, by way of a port, a
// tool or the disk. A checker that lets one of them live is no checker.
import { createHash } from "node:crypto";
import { type Entry, EntryKind, OUTCOMES } from "../../bindings/js/src/entry.ts";
import type { Journal, Ports } from "../../bindings/js/src/ports.ts";
import type { Fault } from "./world.ts";

/** The ports with another journal. */
function journal(ports: Ports, change: (journal: Journal) => Partial<Journal>): Ports {
  const changed = change(ports.journal);
  return {
    ...ports,
    journal: new Proxy(ports.journal, { get: (target, name) => (changed as any)[name] ?? bound(target, name) }),
  };
}

function bound(target: any, name: string | symbol): unknown {
  const value = target[name];
  return typeof value === "function" ? value.bind(target) : value;
}

/** What a host reads of a journal, changed. */
function reading(change: (entries: readonly Entry[], host: number) => Entry[]): NonNullable<Fault["ports"]> {
  return (ports, host) =>
    journal(ports, (real) => ({
      open: async (run) => {
        const opened = await real.open(run);
        return { ...opened, entries: change(opened.entries, host) };
      },
    }));
}

const kindOf = (outcome: number): string => OUTCOMES[outcome] ?? "";

export interface SeededFault extends Fault {
  /** The checks that may catch it. */
  readonly caughtBy: readonly string[];
}

export const FAULTS: readonly SeededFault[] = [
  {
    name: "calls are made before their start is on disk",
    caughtBy: ["entries-first", "durable-first"],
    ports: (ports) =>
      journal(ports, (real) => ({
        append: async (run, fence, entries) => {
          void real.append(run, fence, entries).catch(() => undefined);
        },
      })),
  },
  {
    name: "what was started is taken for what was planned",
    caughtBy: ["once", "entries-first", "settled-is-settled"],
    ports: reading((entries) => {
      const settled = new Set(entries.filter(({ kind }) => kind === EntryKind.settled).map(({ slot }) => slot));
      return entries.filter(({ kind, slot }) => kind !== EntryKind.started || settled.has(slot));
    }),
  },
  {
    name: "what was started is taken for a hit",
    caughtBy: ["durable-first", "true", "never-changes"],
    ports: reading((entries) => {
      const settled = new Set(entries.filter(({ kind }) => kind === EntryKind.settled).map(({ slot }) => slot));
      const open = entries.filter(({ kind, slot }) => kind === EntryKind.started && !settled.has(slot));
      const last = new Map(open.map((entry) => [entry.slot, entry]));
      return [...entries, ...[...last.values()].map((entry) => ({ ...entry, kind: EntryKind.settled }))];
    }),
  },
  {
    name: "a permit returns at the timeout and not when the call has ended",
    caughtBy: ["permits"],
    tool: (options) => ({
      ...options,
      run: (input: unknown, ctx: any) =>
        Promise.race([
          options.run(input, ctx),
          new Promise((_, reject) => ctx.signal.addEventListener("abort", () => reject(ctx.signal.reason))),
        ]),
    }),
  },
  {
    name: "a result is written only when its whole batch is done",
    caughtBy: ["as-it-completes", "finishes"],
    ports: (ports) => {
      const held = new Map<string, { entries: Entry[]; open: Set<number> }>();
      return journal(ports, (real) => ({
        append: (run, fence, entries) => {
          const state = held.get(run) ?? { entries: [], open: new Set<number>() };
          held.set(run, state);
          for (const entry of entries) {
            if (entry.kind === EntryKind.started) state.open.add(entry.slot);
            if (entry.kind === EntryKind.settled) state.open.delete(entry.slot);
            state.entries.push(entry);
          }
          const fansIn = state.open.size === 0 || !entries.some(({ kind }) => kind === EntryKind.settled);
          if (!fansIn) return new Promise(() => undefined);
          return real.append(run, fence, state.entries.splice(0));
        },
      }));
    },
  },
  {
    name: "calls are known by their position",
    caughtBy: ["request-order", "never-changes"],
    withoutIds: true,
  },
  {
    name: "a reconciler's unknown is taken for success",
    caughtBy: ["verdicts", "true"],
    tool: (options) =>
      options.reconcile === undefined
        ? options
        : {
            ...options,
            reconcile: async (input: unknown, ctx: any) => {
              const verdict = await options.reconcile(input, ctx);
              return verdict.kind === "unknown" ? { kind: "done", value: null } : verdict;
            },
          },
  },
  {
    name: "a deadline begins anew with every host",
    caughtBy: ["deadline"],
    ports: (ports, host, world) =>
      reading((entries) => {
        const opened = entries[0]?.at ?? 0;
        const gone = world.clock.wallMs() - opened;
        return entries.map((entry) =>
          entry.kind === EntryKind.planned && entry.until !== 0 ? { ...entry, until: entry.until + gone } : entry,
        );
      })(ports, host, world),
  },
  {
    name: "what a zombie writes is taken",
    caughtBy: ["zombie", "settled-once", "ordinals"],
    noFences: true,
  },
  {
    name: "the idempotency key changes with the host",
    caughtBy: ["one-key"],
    ports: (ports, host) => ({
      ...ports,
      sha256: (text) =>
        createHash("sha256")
          .update(text.startsWith('["') ? `${text}${host}` : text)
          .digest(),
    }),
  },
  {
    name: "an outcome of an earlier life is forgotten",
    caughtBy: ["settled-once", "settled-is-settled", "once", "never-changes"],
    ports: reading((entries, host) =>
      host === 0 ? [...entries] : entries.filter(({ kind }) => kind !== EntryKind.settled),
    ),
  },
  {
    name: "an error is replayed as a success",
    caughtBy: ["never-changes", "true"],
    ports: reading((entries) =>
      entries.map((entry) =>
        entry.kind === EntryKind.settled && kindOf(entry.outcome) === "error"
          ? { ...entry, outcome: 0, payload: null }
          : entry,
      ),
    ),
  },
  {
    name: "a group is torn: its first entry alone reaches the disk",
    caughtBy: ["durable-first", "finishes", "as-it-completes", "closed", "entries-first"],
    ports: (ports) =>
      journal(ports, (real) => ({ append: (run, fence, entries) => real.append(run, fence, entries.slice(0, 1)) })),
  },
  {
    name: "a lost group is answered as if it were durable",
    caughtBy: ["durable-first", "finishes", "as-it-completes", "closed", "entries-first", "ordinals"],
    ports: (ports) => {
      let groups = 0;
      return journal(ports, (real) => ({
        append: (run, fence, entries) => (++groups % 3 === 0 ? Promise.resolve() : real.append(run, fence, entries)),
      }));
    },
  },
  {
    name: "a reconciler says not-done without looking",
    caughtBy: ["once"],
    tool: (options) =>
      options.reconcile === undefined ? options : { ...options, reconcile: () => ({ kind: "not-done" }) },
  },
];
