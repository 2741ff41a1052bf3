// What really happened in a world, told by those who did it: the tools, the reconcilers, the disk, the
// program. It knows nothing of cores and drivers, so it can hold them to the promise: each check throws.
import { ENTRY_KINDS, type Entry } from "../../bindings/js/src/entry.ts";
import type { Outcome, Verdict } from "../../bindings/js/src/outcome.ts";
import { readPlan } from "../../bindings/js/src/payload.ts";

/** A promise was broken. `rule` names the check. */
export class Broken extends Error {
  readonly rule: string;
  constructor(rule: string, what: string) {
    super(`${rule}: ${what}`);
    this.rule = rule;
  }
}

interface SlotOnDisk {
  readonly id: string;
  readonly effect: string;
  /** Wall ms; 0 = none. The plan's, as it was when it first reached the disk. */
  readonly until: number;
  started: number;
  settled: Entry | undefined;
}

/** What is known of one call, whoever made it in whichever life. */
interface CallFacts {
  readonly keys: Set<string>;
  began: number;
  /** How often the effect really came about. */
  happened: number;
  notDone: number;
  done: number;
  /** The outcome that a program saw. */
  seen: string | undefined;
}

/** What an outcome says that may never change. */
export function essence(outcome: Outcome): string {
  if (outcome.kind === "ok") return `ok ${JSON.stringify(outcome.value)}`;
  return outcome.kind === "error" ? `error ${outcome.error.name} ${outcome.error.message}` : outcome.kind;
}

export class Ledger {
  readonly #slots = new Map<string, SlotOnDisk[]>();
  readonly #calls = new Map<string, CallFacts>();
  readonly #fences = new Map<string, number>();
  readonly #running = new Map<number, number>();
  crashes = 0;
  /** A wall clock that was stepped tells nobody when a deadline is. */
  stepped = false;

  facts(run: string, id: string): CallFacts {
    const name = `${run}/${id}`;
    let facts = this.#calls.get(name);
    if (facts === undefined) {
      facts = { keys: new Set(), began: 0, happened: 0, notDone: 0, done: 0, seen: undefined };
      this.#calls.set(name, facts);
    }
    return facts;
  }

  #slot(run: string, id: string): SlotOnDisk | undefined {
    return this.#slots.get(run)?.find((slot) => slot.id === id);
  }

  // ── the disk ────────────────────────────────────────────────────────────────────────────────

  /** A group has reached the disk. */
  appended(run: string, fence: number, entries: readonly Entry[]): void {
    if (fence < (this.#fences.get(run) ?? 0)) throw new Broken("zombie", `an older host wrote to ${run}`);
    this.#fences.set(run, fence);
    const slots = this.#slots.get(run) ?? [];
    this.#slots.set(run, slots);
    for (const entry of entries) this.#entry(run, slots, entry);
  }

  #entry(run: string, slots: SlotOnDisk[], entry: Entry): void {
    const kind = ENTRY_KINDS[entry.kind];
    if (kind === "planned") {
      if (entry.slot !== slots.length) throw new Broken("ordinals", `a plan of ${run} begins at ${entry.slot}`);
      for (const { id, effect } of readPlan(entry.payload, entry.count).calls)
        slots.push({ id, effect, until: entry.until, started: 0, settled: undefined });
      return;
    }
    const slot = slots[entry.slot];
    if (slot === undefined || kind === "run-opened" || kind === "run-closed" || kind === "late") return;
    if (slot.settled !== undefined)
      throw new Broken("settled-once", `${kind} of ${run}/${slot.id} after it had settled`);
    if (kind === "started") slot.started = entry.attempt;
    if (kind === "settled") slot.settled = entry;
  }

  // ── tools and reconcilers ───────────────────────────────────────────────────────────────────

  began(host: number, run: string, id: string, attempt: number, key: string, wallMs: number): void {
    const facts = this.facts(run, id);
    const slot = this.#slot(run, id);
    if (slot === undefined || slot.started < attempt)
      throw new Broken("entries-first", `${run}/${id} began attempt ${attempt} and the disk does not know`);
    if (slot.settled !== undefined && slot.started === attempt)
      throw new Broken("settled-is-settled", `${run}/${id} was called after it had settled`);
    if (!this.stepped && slot.until !== 0 && wallMs > slot.until)
      throw new Broken("deadline", `${run}/${id} began ${wallMs - slot.until} ms after its deadline`);
    facts.keys.add(key);
    if (facts.keys.size > 1) throw new Broken("one-key", `${run}/${id} has another idempotency key than before`);
    facts.began++;
    if (slot.effect === "once" && facts.began > 1 + facts.notDone)
      throw new Broken("once", `${run}/${id} may not run twice and began ${facts.began} times`);
    this.#running.set(host, (this.#running.get(host) ?? 0) + 1);
  }

  runningIn(host: number, most: number): void {
    const running = this.#running.get(host) ?? 0;
    if (running > most) throw new Broken("permits", `${running} calls run at once where ${most} may`);
  }

  ended(host: number): void {
    this.#running.set(host, (this.#running.get(host) ?? 0) - 1);
  }

  /** The outside world was changed by a call. */
  happened(run: string, id: string): void {
    const facts = this.facts(run, id);
    facts.happened++;
    if (this.#slot(run, id)?.effect === "once" && facts.happened > 1)
      throw new Broken("once", `the effect of ${run}/${id} came about twice`);
  }

  asked(run: string, id: string): void {
    if (this.#slot(run, id)?.settled !== undefined)
      throw new Broken("settled-is-settled", `${run}/${id} was asked about after it had settled`);
  }

  answered(run: string, id: string, verdict: Verdict["kind"]): void {
    if (verdict === "not-done") this.facts(run, id).notDone++;
    if (verdict === "done") this.facts(run, id).done++;
  }

  // ── what is seen ────────────────────────────────────────────────────────────────────────────

  seen(run: string, asked: readonly string[], outcomes: readonly Outcome[]): void {
    if (outcomes.length !== asked.length || outcomes.some(({ id }, i) => id !== asked[i]))
      throw new Broken("request-order", `${run} asked for ${asked} and was given ${outcomes.map(({ id }) => id)}`);
    for (const outcome of outcomes) this.#outcome(run, outcome);
  }

  #outcome(run: string, outcome: Outcome): void {
    const facts = this.facts(run, outcome.id);
    const now = essence(outcome);
    if (this.#slot(run, outcome.id)?.settled === undefined)
      throw new Broken("durable-first", `${run}/${outcome.id} was seen before it was on disk`);
    if (facts.seen !== undefined && facts.seen !== now)
      throw new Broken("never-changes", `${run}/${outcome.id} was ${facts.seen} and is ${now}`);
    facts.seen = now;
    if (outcome.source === "reconciled" && outcome.kind === "ok" && facts.done === 0)
      throw new Broken("verdicts", `${run}/${outcome.id} is reconciled and no reconciler said done`);
    if (outcome.kind === "ok" && outcome.source !== "reconciled" && facts.happened === 0)
      throw new Broken("true", `${run}/${outcome.id} is ok and never happened`);
  }

  /** A result that was given to a host in good health, and the disk has had its time. */
  mustBeSettled(run: string, id: string): void {
    if (this.#slot(run, id)?.settled === undefined)
      throw new Broken("as-it-completes", `${run}/${id} has returned and is not on disk`);
  }

  isSettled(run: string, id: string): boolean {
    return this.#slot(run, id)?.settled !== undefined;
  }

  /** At the end: nobody was called more often than its crashes and retries explain. */
  end(attemptsMost: number): void {
    for (const [name, { began }] of this.#calls)
      if (began > attemptsMost + this.crashes)
        throw new Broken("calls", `${name} began ${began} times with ${this.crashes} crashes`);
  }
}
