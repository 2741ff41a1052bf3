// A core with a picture of every call beside it, which an oracle is asked about after each step: whoever is refused can
// never start, is the one who is promised to be, and is told what it lacks; whoever waits in a circle has been told.
import { expect } from "vitest";
import type { Charge, Event, Key, Call as Planned, Reaction, Terms } from "../../core/dist/glue.js";
import { BLANK } from "../../core/test/worlds.ts";
import type { Asked, BatchOf } from "./asked.ts";
import { type CallView, type Circle, Oracle } from "./circle-oracle.ts";
import { CoreWorld, noRamp } from "./core-world.ts";

/** Tools from this one on keep their permits while they wait; those of odd number have a limit of their own. */
export const KEEPERS_FROM = 2;
const TOOLS = [0, 1, 2, 3];

/** How many may run at once, in all and of each limited tool. */
export interface Sizes {
  readonly runtime: number;
  readonly tool: number;
}

/** Another core, and whether what it does is judged. */
export interface Other {
  readonly core?: WebAssembly.Module;
  readonly seed?: number;
  readonly judged?: boolean;
}

type Lists = { calls?: Planned[]; terms?: Terms[]; keys?: Key[]; charges?: Charge[] };

export class CircleWorld extends CoreWorld {
  /** Of each that was refused the circle that it was in. */
  readonly circles: Circle[] = [];
  /** How often a call went on above a limit. */
  overs = 0;
  readonly #views: CallView[] = [];
  readonly #isJudged: boolean;
  readonly #sizes: Map<string, number>;
  readonly #slots = new Map<string, CallView>();
  readonly #counts = new Map<number, number>();
  readonly #parents = new Map<number, string>();
  readonly #nested = new Set<number>();
  #asking: { readonly calls: readonly Asked[]; readonly limit: number } = { calls: [], limit: 0 };
  #batches = 0;

  constructor({ runtime, tool }: Sizes, { judged = true, ...other }: Other = {}) {
    super({
      concurrency: runtime,
      tools: TOOLS.map((n) => ({ keeps: n >= KEEPERS_FROM, ...(n % 2 === 1 ? { concurrency: tool } : {}) })),
      limits: noRamp({ scope: "runtime" }, ...TOOLS.map((number) => ({ scope: "tool" as const, number }))),
      ...other,
    });
    this.#isJudged = judged;
    this.#sizes = new Map([
      ["runtime", runtime],
      ["tool1", tool],
      ["tool3", tool],
    ]);
  }

  phase(name: string): CallView["phase"] | undefined {
    return this.#views.find((one) => one.name === name)?.phase;
  }

  /** Runs that calls have opened and whose calls have all ended. */
  get done(): number[] {
    return [...this.#nested].filter((run) => !this.#views.some((one) => one.run === run && one.phase !== "ended"));
  }

  /** Calls whose runs are all over. */
  get waitsForNone(): string[] {
    const waitedFor = new Set([...this.#nested].map((run) => this.#parents.get(run)));
    return this.#views
      .filter(({ name, phase }) => phase === "suspended" && !waitedFor.has(name))
      .map(({ name }) => name);
  }

  /** Calls that were asked for and have not ended. */
  get hanging(): string[] {
    return this.#views.filter(({ phase }) => phase !== "ended").map(({ name }) => name);
  }

  get isShut(): boolean {
    return this.#sizes.get("runtime") === 0;
  }

  /** They wait for what they have opened, told in one step. */
  suspend(names: readonly string[]): void {
    const places = names.map((name) => [...this.#slots].find(([, view]) => view.name === name)?.[0].split("/") ?? []);
    this.handle(places.map(([run, slot]) => ({ ...BLANK, kind: "suspend", run: Number(run), slot: Number(slot) })));
  }

  override batch(calls: readonly Asked[], of: BatchOf = {}, mode = 0): void {
    this.#asking = { calls, limit: of.concurrency ?? 0 };
    super.batch(calls, of, mode);
  }

  override handle(events: readonly Event[], lists: Lists = {}): Reaction {
    for (const event of events) this.#hears(event);
    this.#free();
    const reaction = super.handle(events, lists);
    this.#follows(reaction);
    return reaction;
  }

  // ── the picture ─────────────────────────────────────────────────────────────────────────────

  #view(run: number, slot: number): CallView {
    return this.#slots.get(`${run}/${slot}`) as CallView;
  }

  #hears(event: Event): void {
    const view = this.#view(event.run, event.slot);
    switch (event.kind) {
      case "batch":
        this.#plans(event.run);
        return;
      case "nested":
        this.#nested.add(event.run);
        this.#parents.set(event.run, this.#view(Number(event.a), event.slot).name);
        return;
      case "close":
        this.#nested.delete(event.run);
        return;
      case "limit":
        this.#sizes.set("runtime", Number(event.a));
        return;
      case "suspend":
        view.phase = "suspended";
        return;
      case "resume":
        view.phase = view.keeps ? "running" : "resuming";
        return;
      case "cancel":
        // One that waits stops some day, whatever becomes of its runs.
        if (view.phase !== "suspended" && view.phase !== "resuming") return;
        view.lent = !view.keeps;
        view.phase = "running";
        return;
      default:
        view.phase = "ended";
    }
  }

  #plans(run: number): void {
    const { calls, limit } = this.#asking;
    const first = this.#counts.get(run) ?? 0;
    this.#counts.set(run, first + calls.length);
    const batch = `batch${this.#batches++}`;
    if (limit > 0) this.#sizes.set(batch, limit);
    for (const [i, { name, tool = 0, weight = 1, reads = [], writes = [] }] of calls.entries()) {
      const view: CallView = {
        ...{ name, run, parent: this.#parents.get(run), units: weight, scopes: ["runtime", `tool${tool}`, batch] },
        ...{ keeps: tool >= KEEPERS_FROM, reads, writes, phase: "queued", lent: false, isFree: false },
      };
      this.#views.push(view);
      this.#slots.set(`${run}/${first + i}`, view);
    }
  }

  /** Whose runs do not all wait for calls. */
  #free(): void {
    const free = new Set(this.done.map((run) => this.#parents.get(run)));
    for (const view of this.#views) view.isFree = free.has(view.name);
  }

  /** What the core has done, in its order. Who goes on comes last: nobody is refused after one went on above a limit. */
  #follows(reaction: Reaction): void {
    for (const entry of reaction.entries) {
      if (entry.kind === "started") this.#view(entry.run, entry.slot).phase = "running";
      if (entry.kind !== "settled") continue;
      const view = this.#view(entry.run, entry.slot);
      if (entry.reason === "would-deadlock" && this.#isJudged) this.#judges(view, entry.scope);
      view.phase = "ended";
      this.#free();
    }
    for (const action of reaction.actions) {
      if (action.kind === "carry-on") this.#goesOn(this.#view(action.run, action.slot));
    }
    const circle = this.#isJudged ? this.#oracle.circle() : undefined;
    expect(circle, `${[...(circle?.waiting ?? [])]} wait for one another, and nobody was told`).toBe(undefined);
  }

  // ── what the oracle says ────────────────────────────────────────────────────────────────────

  get #oracle(): Oracle {
    return new Oracle(this.#views, this.#sizes);
  }

  #goesOn(view: CallView): void {
    if (view.phase === "resuming" && this.#oracle.lacksNow(view.name)) {
      expect([...this.#oracle.stuck()], `${view.name} could have waited`).toContain(view.name);
      this.overs++;
    }
    view.phase = "running";
  }

  #judges(view: CallView, scope: string): void {
    const oracle = this.#oracle;
    expect([...oracle.stuck()], `${view.name} could have started`).toContain(view.name);
    const circle = oracle.circle();
    if (circle === undefined) throw new Error(`${view.name} is in no circle`);
    expect(view.name).toBe(this.#newest(circle));
    expect([...(circle.lacks.get(view.name) ?? [])].map((name) => name.replace(/\d+$/, ""))).toContain(scope);
    this.circles.push(circle);
  }

  /** Of the runs that the circle waits for, and of whose calls none waits for a run, the one that came last: its last call. */
  #newest(circle: Circle): string | undefined {
    const theirs = this.#views.filter(({ phase, parent }) => phase !== "ended" && circle.waiting.has(parent ?? ""));
    const nests = (run: number): boolean => theirs.some((one) => one.run === run && one.phase === "suspended");
    const queued = theirs.filter(({ run, phase }) => phase === "queued" && !nests(run));
    const latest = Math.max(...queued.map(({ run }) => queued.findIndex((one) => one.run === run)));
    return queued.findLast(({ run }) => run === queued[latest]?.run)?.name;
  }
}
