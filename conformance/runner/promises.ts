// What holds in every scenario, whoever wrote it: the promise of recovery, read off the trace. A scenario need
// not ask for these.
import type { Capability } from "../protocol/capabilities.ts";
import type { WireOutcome } from "../protocol/messages.ts";
import { type Finding, finding, outcomesIn } from "./judge-ends.ts";
import { same, shown } from "./match.ts";
import type { Scenario } from "./scenario.ts";
import type { TraceEvent } from "./trace.ts";

/** What is known of one call of a run, as the trace goes on. */
interface Known {
  calls: number;
  /** Since the last call, it was said that it did not happen. */
  mayRunAgain: boolean;
  settled: boolean;
  attempt: number;
  key: string | undefined;
  /** In the life that is going on. */
  life: number;
  startsDurable: number;
  callsOfLife: number;
}

class Ledger {
  readonly findings: Finding[] = [];
  readonly #scenario: Scenario;
  readonly #showsPoints: boolean;
  readonly #known = new Map<string, Known>();
  readonly #keys = new Map<string, string>();
  readonly #seen = new Map<string, WireOutcome>();

  constructor(scenario: Scenario, capabilities: ReadonlySet<Capability>) {
    this.#scenario = scenario;
    this.#showsPoints = capabilities.has("points");
  }

  #of(event: TraceEvent): Known {
    const name = JSON.stringify([event.run, event.id]);
    const known = this.#known.get(name) ?? {
      calls: 0,
      mayRunAgain: true,
      settled: false,
      attempt: 0,
      key: undefined,
      life: event.life,
      startsDurable: 0,
      callsOfLife: 0,
    };
    this.#known.set(name, known);
    if (known.life !== event.life) Object.assign(known, { life: event.life, startsDurable: 0, callsOfLife: 0 });
    return known;
  }

  #broken(what: string, promised: string, got: string): void {
    this.findings.push(finding(what, promised, got));
  }

  durable(event: TraceEvent): void {
    if (event.id === undefined) return;
    if (event.kind === "started") this.#of(event).startsDurable++;
    if (event.kind === "settled") this.#of(event).settled = true;
  }

  called(event: TraceEvent): void {
    const known = this.#of(event);
    const what = `${event.what} ${event.id}`;
    if (known.settled) this.#broken(what, "never, once it has settled", `${event.what} in life ${event.life}`);
    this.#keyed(event, known, what);
    if (event.what === "ask") return;
    known.calls++;
    known.callsOfLife++;
    const effect = this.#scenario.tools[event.tool ?? ""]?.effect;
    if (effect === "once" && !known.mayRunAgain) {
      this.#broken(what, "once: the tool may not run twice", `its call number ${known.calls}`);
    }
    known.mayRunAgain = false;
    if (this.#showsPoints && known.callsOfLife > known.startsDurable) {
      this.#broken(what, "after its start is durable", "before that");
    }
    if (event.attempt !== undefined && event.attempt <= known.attempt) {
      this.#broken(what, `an attempt after ${known.attempt}`, `attempt ${event.attempt}`);
    }
    known.attempt = event.attempt ?? known.attempt;
  }

  #keyed(event: TraceEvent, known: Known, what: string): void {
    if (event.key === undefined) return;
    if (known.key !== undefined && known.key !== event.key) {
      this.#broken(what, `the key ${known.key} for every attempt`, event.key);
    }
    known.key = event.key;
    const name = JSON.stringify([event.run, event.id]);
    const owner = this.#keys.get(event.key);
    if (owner !== undefined && owner !== name) this.#broken(what, "a key of its own", `the key of ${owner}`);
    this.#keys.set(event.key, name);
  }

  /** It did not happen: the reconciler says so, or the outside that refused it. */
  undone(event: TraceEvent): void {
    if (event.outcome === "not-done" || event.outcome === "overloaded") this.#of(event).mayRunAgain = true;
  }

  /** The program has seen these outcomes. */
  shown(event: TraceEvent): void {
    for (const outcome of outcomesIn(event.value ?? null) ?? []) {
      const name = JSON.stringify([event.run, outcome.id]);
      const before = this.#seen.get(name);
      this.#seen.set(name, before ?? outcome);
      if (before === undefined) continue;
      const unchanged = before.kind === outcome.kind && shown(before.value) === shown(outcome.value);
      if (unchanged || (before.value !== undefined && same(before.value, outcome.value, new Map()))) continue;
      this.#broken(`the outcome of ${outcome.id}`, `what was seen: ${brief(before)}`, brief(outcome));
    }
  }
}

const brief = ({ kind, value }: WireOutcome): string => (value === undefined ? kind : `${kind} ${shown(value)}`);

/** Does the program change on purpose? Then a call of an id need not be the call that it was. Is the journal torn? Then what was durable is gone. */
function changesHistory(scenario: Scenario): boolean {
  return scenario.lives.some(
    ({ script, torn }) => torn > 0 || script.some((line) => line.do === "run" && line.onMismatch === "adapt"),
  );
}

/** Every promise that the trace shows to be broken. */
export function brokenPromises(
  scenario: Scenario,
  trace: readonly TraceEvent[],
  capabilities: ReadonlySet<Capability>,
): Finding[] {
  if (changesHistory(scenario)) return [];
  const ledger = new Ledger(scenario, capabilities);
  for (const event of trace) {
    if (event.what === "durable") ledger.durable(event);
    else if (event.what === "call" || event.what === "ask") ledger.called(event);
    else if (event.what === "verdict" || event.what === "answer") ledger.undone(event);
    else if (event.what === "said" || event.what === "returned") ledger.shown(event);
  }
  return ledger.findings;
}
