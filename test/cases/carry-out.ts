// Carries a case out: gives a core what goes in, line by line, and writes down what comes out. It knows
// the language of the cases and judges nothing; comparing is `judge.ts`.

import { type Case, type CaseLine, CaseSyntaxError, type Split } from "../../conformance/case-format.ts";
import type { Call, Entry, Event, Reaction } from "../../core/dist/glue.js";
import type { CaseCore, Refused } from "./cores.ts";
import { type Context, Fields, hearCall, hearEntry, hearEvent, hearPolicy } from "./hear.ts";
import { Beside, hearLimit, hearScope } from "./hear-limits.ts";
import { type KeptEntry, KeptJournals, rowsOf } from "./kept-journals.ts";
import { kebab, moment, Names, NOW_START, WALL_START } from "./names.ts";
import { sayLimit, sayReaction, sayRefusal } from "./say.ts";

/** What came of one line of a case that is not itself an output. */
export interface Step {
  readonly line: CaseLine;
  /** Lines of output, without their mark. */
  readonly said: readonly string[];
}

/** Carries `one` out on cores that `makeCore` makes: one to begin with, one more for each crash. */
export function carryOut(one: Case, makeCore: () => CaseCore): Step[] {
  const carrying = new Carrying(one, makeCore);
  return one.lines.filter(({ mark }) => mark !== "<").map((line) => ({ line, said: carrying.step(line) }));
}

/** Paused until somebody says otherwise. */
const FOREVER = 2n ** 64n - 1n;

class Carrying {
  readonly #case: Case;
  readonly #makeCore: () => CaseCore;
  readonly #names = new Names();
  readonly #tools: readonly string[];
  readonly #journals = new KeptJournals();
  readonly #attempts = new Map<string, number>();
  readonly #asks = new Map<string, number>();
  #core: CaseCore | undefined;
  #configuration: CaseLine | undefined;
  #run = 0;
  #now = NOW_START;
  #wall = WALL_START;
  #wokenAt = 0n;

  constructor(one: Case, makeCore: () => CaseCore) {
    this.#case = one;
    this.#makeCore = makeCore;
    this.#tools = toolsOf(one);
    for (const tool of this.#tools) this.#names.number("tool", tool);
  }

  step(line: CaseLine): string[] {
    const verb = line.words.join(" ");
    if (line.mark === "!") return this.#happen(line, verb);
    if (line.mark === "=") return [this.#saysOfItself(line, verb)];
    if (verb === "configure") {
      this.#configuration = line;
      this.#core = undefined;
      return this.#configure();
    }
    const fields = new Fields(line);
    this.#time(fields);
    const run = fields.token("run");
    if (run !== undefined) this.#run = this.#names.number("run", run);
    if (verb === "recall") return this.#recall(fields);
    return verb === "open" ? this.#open(line, fields) : this.#handle(line, verb, fields);
  }

  // ── the host ──────────────────────────────────────────────────────────────────────────────────

  #happen(line: CaseLine, verb: string): string[] {
    const fields = new Fields(line);
    if (verb !== "crash") fields.fail(`! ${verb} is nothing that happens to a host`);
    const lost = fields.token("lost");
    fields.end();
    if (lost === "group") this.#journals.loseLastGroup();
    else if (lost !== undefined) fields.fail("a crash can lose the last group, and no more");
    this.#core = undefined;
    this.#wokenAt = 0n;
    return [];
  }

  /** `at`: ms since the case began, on both clocks; `wall`: the wall clock alone. */
  #time(fields: Fields): void {
    const before = this.#now;
    this.#now = fields.span("at", this.#now - NOW_START) + NOW_START;
    this.#wall = fields.wall("wall", this.#wall + (this.#now - NOW_START) / 1000n - (before - NOW_START) / 1000n);
  }

  /** A core of the last configuration. */
  #configure(): string[] {
    const line = this.#configuration;
    const fields = new Fields(line ?? { number: this.#case.number, words: ["configure"], fields: {} });
    const seed = BigInt(fields.number("seed", 1));
    const concurrency = fields.number("concurrency", 16);
    fields.end();
    const rows = line?.rows ?? [];
    const declared = new Map(rows.filter(({ words }) => words.length === 0).map((row) => [row.fields.tool, row]));
    const limits = rows
      .filter(({ words }) => words.length > 0)
      .map((row) => hearLimit(row, new Fields(row), this.#names));
    const policies = this.#tools.map((tool) => hearPolicy(declared.get(tool)));
    const core = this.#makeCore();
    const refused = core.configure(seed, concurrency, policies, limits);
    if (refused !== undefined) return [sayRefusal(refused.refused)];
    this.#core = core;
    return [];
  }

  #running(): CaseCore {
    if (this.#core === undefined) this.#configure();
    if (this.#core === undefined) throw new CaseSyntaxError(this.#case.number, "the core refused its configuration");
    return this.#core;
  }

  /** `= standing`, `= held slot=`, `= scope tool=`: of what comes, the fields that the line names. */
  #saysOfItself(line: CaseLine, verb: string): string {
    const { run, ...fields } = line.fields;
    const number = run === undefined ? this.#run : this.#names.number("run", run);
    const [given, said] = this.#asked(line, verb, number);
    const asked = Object.keys(fields).filter((key) => !given.includes(key));
    const answers = asked.map((key) => {
      const value = said[key];
      if (value === undefined) throw new CaseSyntaxError(line.number, `a ${verb} has no ${key}=`);
      return `${key}=${value}`;
    });
    const about = given.filter((key) => key in fields).map((key) => `${key}=${fields[key]}`);
    return [verb, ...(run === undefined ? [] : [`run=${run}`]), ...about, ...answers].join(" ");
  }

  /** Which fields say what is asked about, and what the core answers. */
  #asked(line: CaseLine, verb: string, run: number): [given: string[], said: Record<string, string>] {
    const core = this.#running();
    const plain = (record: object): Record<string, string> =>
      Object.fromEntries(Object.entries(record).map(([key, value]) => [kebab(key), String(value)]));
    if (verb === "standing") return [[], plain(core.inspect(run))];
    const fields = new Fields(line);
    if (verb === "held") {
      const { kind, until, ...rest } = core.explain(this.#now, this.#wall, run, fields.number("slot"));
      const limit = sayLimit(rest, this.#names);
      return [["slot"], { ...plain(rest), by: kind, limit, until: moment(until) }];
    }
    if (verb !== "scope") fields.fail("= knows standing, held and scope");
    const { kind, number } = hearScope(fields, this.#names);
    const { pausedUntil, ...rest } = core.gauge(this.#now, this.#wall, kind, number);
    const paused = pausedUntil === FOREVER ? "forever" : moment(pausedUntil);
    return [["tool", "group"], { ...plain(rest), "paused-until": paused }];
  }

  // ── what goes in ──────────────────────────────────────────────────────────────────────────────

  #recall(fields: Fields): string[] {
    fields.end();
    const { entries, calls, beside } = this.#journals.past();
    this.#running().recall(this.#now, this.#wall, entries, calls, beside.terms, beside.keys, beside.charges);
    return [];
  }

  #open(line: CaseLine, fields: Fields): string[] {
    const adapt = fields.yes("adapt");
    const kept = this.#journals.of(this.#run);
    const journal = fields.token("journal");
    if (journal !== undefined && journal !== "kept") fields.fail("a journal is kept or spelled out in rows");
    fields.end();
    const given = journal === "kept" ? kept : this.#spelled(line.rows);
    // Spelled out after a crash it is documentation, and documentation must be true.
    if (kept.length > 0 && journal !== "kept") this.#same(line, rowsOf(given, this.#names), rowsOf(kept, this.#names));
    const entries = given.map(({ entry }) => ({ ...entry, run: 0 }));
    const calls = given.flatMap((row) =>
      row.calls.map((call) => ({ ...call, terms: this.#journals.isStreamed(call) ? 1 : 0 })),
    );
    const opened = this.#running().open(this.#now, this.#wall, this.#run, adapt, entries, calls);
    if (kept.length === 0 && !("refused" in opened)) this.#journals.begin(this.#run, given);
    return this.#out(opened, [], new Beside(), []);
  }

  #spelled(rows: readonly Split[]): KeptEntry[] {
    const journal: { entry: Entry; calls: Call[] }[] = [];
    for (const row of rows) {
      if (row.words[0] !== "call") journal.push({ entry: hearEntry(row, this.#names), calls: [] });
      else if (journal.at(-1) === undefined) throw new CaseSyntaxError(row.number, "a call that no entry plans");
      else journal.at(-1)?.calls.push(hearCall({ ...row, words: [] }, this.#names, new Beside()));
    }
    return journal;
  }

  #same(line: CaseLine, spelled: readonly string[], kept: readonly string[]): void {
    const at = kept.findIndex((row, i) => row !== spelled[i]);
    const place = at === -1 && spelled.length > kept.length ? kept.length : at;
    if (place === -1) return;
    const row = line.rows[place]?.number ?? line.number;
    throw new CaseSyntaxError(
      row,
      `the journal that was kept says here:\n  + ${kept[place] ?? "(nothing more)"}\nand not:\n  + ${spelled[place] ?? "(nothing more)"}`,
    );
  }

  #handle(line: CaseLine, verb: string, fields: Fields): string[] {
    const calls: Call[] = [];
    const beside = new Beside();
    const events: Event[] = [];
    if (verb === "together")
      for (const [event, rows] of grouped(line)) events.push(this.#event(event, rows, calls, beside));
    else if (verb !== "tick") events.push(this.#hear(verb, fields, line.rows, calls, beside));
    fields.end();
    const { terms, keys, charges } = beside;
    const reaction = this.#running().handle(this.#now, this.#wall, events, calls, terms, keys, charges);
    return this.#out(reaction, calls, beside, events);
  }

  #event(event: Split, rows: readonly Split[], calls: Call[], beside: Beside): Event {
    const fields = new Fields(event);
    const run = fields.token("run");
    if (run !== undefined) this.#run = this.#names.number("run", run);
    const heard = this.#hear(event.words.join(" "), fields, rows, calls, beside);
    fields.end();
    return heard;
  }

  #hear(kind: string, fields: Fields, rows: readonly Split[], calls: Call[], beside: Beside): Event {
    if (kind !== "batch" && rows.length > 0) fields.fail(`${kind} has no rows`);
    const first = calls.length;
    for (const row of rows) calls.push(hearCall(row, this.#names, beside));
    const context: Context = {
      names: this.#names,
      beside,
      run: this.#run,
      attempt: (run, slot) => this.#attempts.get(`${run}/${slot}`) ?? 1,
      ask: (run, slot) => this.#asks.get(`${run}/${slot}`) ?? 1,
    };
    return hearEvent(kind, fields, context, first, rows.length);
  }

  // ── what comes out ────────────────────────────────────────────────────────────────────────────

  #out(reaction: Reaction | Refused, calls: Call[], beside: Beside, events: readonly Event[]): string[] {
    if ("refused" in reaction) return [sayRefusal(reaction.refused)];
    this.#journals.keep(reaction, calls, beside, events);
    for (const { kind, run, slot, attempt, code } of reaction.actions) {
      if (kind === "call") this.#attempts.set(`${run}/${slot}`, attempt);
      if (kind === "reconcile") this.#asks.set(`${run}/${slot}`, code);
    }
    const terms = { names: this.#names, run: this.#run, wall: this.#wall, calls };
    const said = sayReaction(reaction, this.#wokenAt, terms);
    this.#wokenAt = reaction.wakeAt;
    return said;
  }
}

/** Every tool that a case names and its hosts have, in the order in which they are named. */
function toolsOf(one: Case): string[] {
  const rows = one.lines.flatMap((line) => [line, ...line.rows]);
  const named = (unknown: boolean): string[] =>
    rows.flatMap(({ fields }) => ((fields.unknown === "yes") === unknown && fields.tool ? [fields.tool] : []));
  const unknown = new Set(named(true));
  return [...new Set(named(false))].filter((tool) => !unknown.has(tool));
}

/** The events of a turn, each with the rows that are its own. */
function grouped(line: CaseLine): [event: Split, rows: Split[]][] {
  const events: [Split, Split[]][] = [];
  for (const row of line.rows) {
    if (row.words.length > 0) events.push([row, []]);
    else if (events.length === 0) throw new CaseSyntaxError(row.number, "a row of no event");
    else events.at(-1)?.[1].push(row);
  }
  return events;
}
