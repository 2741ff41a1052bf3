// Carries out the steps of a scenario's program on a real run, as a user's function would: its batches are
// `run.batch`, its calls `run.call`. It adds nothing of its own.
import type { Program as Steps, WireCall, Json as WireJson } from "../../../conformance/protocol/messages.ts";
import { type ModelCall, type Outcome, type Run, reduceOutcomes } from "../index.ts";
import { given } from "./declared-limits.ts";
import type { Fault } from "./fault.ts";
import { shownOutcome, thrownError } from "./shown.ts";

/** What a program holds in its variables. */
type Variables = Map<string, WireJson>;

/** Ends a program. */
const RETURNED = Symbol("returned");
type Ended = { readonly [RETURNED]: WireJson };

/** What a program needs besides its run. */
export interface StepsWith {
  readonly say: (value: WireJson) => void;
  readonly fault: Fault;
}

/** `{"$": name}` in a JSON value stands for a variable. */
function filled(value: WireJson, variables: Variables): WireJson {
  if (Array.isArray(value)) return value.map((inner) => filled(inner, variables));
  if (typeof value !== "object" || value === null) return value;
  const entries = Object.entries(value);
  const [first] = entries;
  if (entries.length === 1 && first?.[0] === "$") return variables.get(first[1] as string) ?? null;
  return Object.fromEntries(entries.map(([key, inner]) => [key, filled(inner as WireJson, variables)]));
}

class Carrier {
  readonly #run: Run;
  readonly #with: StepsWith;
  readonly #variables: Variables = new Map();
  readonly #later = new Map<string, Promise<readonly Outcome[]>>();
  /** Outcomes as they are, of the variables that hold some. */
  readonly #outcomes = new Map<string, readonly Outcome[]>();

  constructor(run: Run, withThese: StepsWith) {
    this.#run = run;
    this.#with = withThese;
  }

  async steps(steps: Steps): Promise<Ended | undefined> {
    const { step: changed = (step: Steps[number]) => step } = this.#with.fault;
    for (const step of steps) {
      const ended = await this.#step(changed(step));
      if (ended !== undefined) return ended;
    }
    return undefined;
  }

  async #step(step: Steps[number]): Promise<Ended | undefined> {
    if ("batch" in step) await this.#batch(step);
    else if ("stream" in step) await this.#stream(step);
    else if ("await" in step) this.#keepOutcomes(step.into, await this.#later.get(step.await)!);
    else if ("call" in step) {
      const { tool, input, ...options } = step.call;
      this.#keep(step.into, ((await this.#run.call(tool, input, options)) ?? null) as WireJson);
    } else if ("announce" in step) {
      const bounds = step.deadlineMs === undefined ? {} : { deadlineMs: step.deadlineMs };
      await this.#run.announce(asCalls(step.announce), bounds);
    } else if ("claim" in step) this.#keepOutcomes(step.into, [await this.#run.claim(step.claim)]);
    else if ("reduce" in step) this.#keep(step.into, this.#reduced(step));
    else if ("draw" in step)
      this.#keep(step.into, await (this.#with.fault.draw?.(step.draw) ?? this.#run[step.draw]()));
    else if ("if" in step) {
      const [outcome] = this.#variables.get(step.if) as readonly { readonly kind: string }[];
      return this.steps(outcome?.kind === step.is ? step.do : (step.else ?? []));
    } else if ("say" in step) this.#with.say(filled(step.say, this.#variables));
    else if ("throw" in step) throw thrownError(step.throw);
    else return { [RETURNED]: filled(step.return, this.#variables) };
    return undefined;
  }

  async #batch(step: Extract<Steps[number], { batch: unknown }>): Promise<void> {
    const { calls = (given: readonly WireCall[]) => given, concurrency = (given?: number) => given } = this.#with.fault;
    const atOnce = concurrency(step.concurrency);
    const order = step.tell === undefined ? undefined : (this.#with.fault.tells ?? step.tell);
    const options = {
      ...given({ concurrency: atOnce, deadlineMs: step.deadlineMs, bufferedBytesMax: step.bufferedBytesMax, order }),
      ...(step.tenant === undefined ? {} : { tenant: { id: step.tenant, weight: step.tenantWeight ?? 1 } }),
      ...(order === undefined ? {} : { onOutcome: ({ id }: Outcome) => this.#with.say(id) }),
    };
    const outcomes = this.#run
      .batch(asCalls(calls(step.batch)), options)
      .then((all) => this.#with.fault.outcomes?.(all, step.batch) ?? all);
    if (step.later === undefined) this.#keepOutcomes(step.into, await outcomes);
    else {
      this.#later.set(step.later, outcomes);
      outcomes.catch(() => undefined); // whoever awaits it sees it; it may also never be awaited
    }
  }

  async #stream({
    stream,
    ahead,
    concurrency,
    order,
    into,
  }: Extract<Steps[number], { stream: unknown }>): Promise<void> {
    const outcomes: Outcome[] = [];
    const options = given({ ahead, concurrency, order });
    for await (const outcome of this.#run.stream(asCalls(stream), options)) outcomes.push(outcome);
    this.#keepOutcomes(into, outcomes);
  }

  #reduced({ reduce, keys }: Extract<Steps[number], { reduce: unknown }>): WireJson {
    const outcomes = this.#outcomes.get(reduce) ?? [];
    const { state, conflicts } = reduceOutcomes(outcomes, { keys: this.#with.fault.reducers?.(keys) ?? keys });
    return { state: state as unknown as WireJson, conflicts: conflicts.map(({ key, id }) => ({ key, id })) };
  }

  #shown(outcome: Outcome): WireJson {
    return shownOutcome(this.#with.fault.outcome?.(outcome) ?? outcome) as unknown as WireJson;
  }

  #keepOutcomes(name: string | undefined, outcomes: readonly Outcome[]): void {
    if (name === undefined) return;
    this.#outcomes.set(name, outcomes);
    this.#keep(
      name,
      outcomes.map((one) => this.#shown(one)),
    );
  }

  #keep(name: string | undefined, value: WireJson): void {
    if (name !== undefined) this.#variables.set(name, value);
  }
}

const asCalls = (calls: readonly WireCall[]): readonly ModelCall[] => calls as readonly ModelCall[];

/** The program of these steps. */
export function programOf(steps: Steps, withThese: (run: Run) => StepsWith): (run: Run) => Promise<WireJson> {
  return async (run) => {
    const ended = await new Carrier(run, withThese(run)).steps(steps);
    return ended === undefined ? null : ended[RETURNED];
  };
}
