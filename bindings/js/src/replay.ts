// Replays a recording: gives fresh cores what the recorded ones were given and compares what comes out,
// to the byte. A recording is untrusted: a line that no recorder wrote is refused by its number.
import { type Asked, type Core, openCore } from "./core.ts";
import { HoldfastError } from "./errors.ts";
import { type Came, cameOf, RECORDING_FORMAT, recorded } from "./recording.ts";

/** The first place where a core did otherwise than its recording says. */
export interface ReplayDifference {
  /** 1-based: the line that says what came out then. */
  readonly line: number;
  readonly core: string;
  /** Where in it, as in `gave.entries[0].attempt`. */
  readonly path: string;
  /** JSON of what stands there in the recording, and of what came out now. */
  readonly recorded: string;
  readonly now: string;
}

export interface Replayed {
  readonly cores: number;
  /** Crossings into a core that were compared. */
  readonly crossings: number;
  /** Crossings whose answer is not in the recording: a process ended in the middle of them. */
  readonly unanswered: number;
  /** Lines that were cut off by the end of a process: the last one, or one before another host's first. */
  readonly truncated: number;
  readonly difference?: ReplayDifference;
}

type Line = Readonly<Record<string, unknown>>;

interface Replaying {
  readonly core: Core;
  /** What the last crossing came to now; undefined when its answer has been read. */
  due: Came | undefined;
}

/** Takes the lines of a recording one by one. Throws `recording-corrupt` naming the line. */
export class Replay {
  readonly #module: WebAssembly.Module;
  readonly #cores = new Map<string, Replaying>();
  #line = 0;
  #cut: number | undefined;
  #crossings = 0;
  #truncated = 0;
  #difference: ReplayDifference | undefined;

  constructor(module: WebAssembly.Module) {
    this.#module = module;
  }

  /** The next line, without its end. False: there is a difference, and the rest says no more. */
  feed(text: string): boolean {
    this.#line++;
    if (this.#difference !== undefined) return false;
    const line = parse(text);
    if (line?.holdfast !== undefined) this.#header(line);
    else if (this.#line === 1) this.#refuse("is not the first line of a recording");
    else {
      this.#refuseCut();
      if (line === undefined)
        this.#cut = this.#line; // the last one may be
      else this.#crossing(line);
    }
    return this.#difference === undefined;
  }

  /** After the last line. */
  end(): Replayed {
    if (this.#line === 0) this.#refuse("is missing: the recording is empty");
    const unanswered = [...this.#cores.values()].filter(({ due }) => due !== undefined).length;
    return {
      cores: this.#cores.size,
      crossings: this.#crossings,
      unanswered: this.#difference === undefined ? unanswered : 0,
      truncated: this.#truncated + (this.#cut === undefined ? 0 : 1),
      ...(this.#difference === undefined ? {} : { difference: this.#difference }),
    };
  }

  #refuse(why: string, line = Math.max(1, this.#line), cause?: unknown): never {
    throw new HoldfastError(
      "recording-corrupt",
      `line ${line} ${why}`,
      "Give a file that HOLDFAST_RECORD has written, as it is.",
      { details: { line }, ...(cause === undefined ? {} : { cause }) },
    );
  }

  #refuseCut(): void {
    if (this.#cut !== undefined) this.#refuse("is no line of a recording", this.#cut);
  }

  #header(line: Line): void {
    if (line.holdfast !== "recording") this.#refuse("is not the first line of a recording");
    if (line.format !== RECORDING_FORMAT)
      this.#refuse(`is of format ${JSON.stringify(line.format)}; this version reads ${RECORDING_FORMAT}`);
    if (this.#cut === undefined) return;
    this.#truncated++; // the host before this one was killed while it wrote
    this.#cut = undefined;
  }

  #crossing(line: Line): void {
    const { core: name, ...said } = line;
    if (typeof name !== "string") this.#refuse("names no core");
    if (said.do === undefined) this.#answer(name, said);
    else this.#input(name, said);
  }

  #input(name: string, line: Line): void {
    let one = this.#cores.get(name);
    if (one === undefined) {
      if (line.do !== "configure")
        this.#refuse(`speaks of the core ${JSON.stringify(name)}, which was never configured`);
      one = { core: openCore(this.#module), due: undefined };
      this.#cores.set(name, one);
    }
    if (one.due !== undefined) this.#refuse("gives a core something before the last was answered");
    const { core } = one;
    const given = this.#given(line);
    one.due = cameOf(() => given(core)).came;
  }

  /** The crossing that a line says. What is of the wrong type is refused before any core sees it. */
  #given(line: Line): (core: Core) => unknown {
    const big = (key: string): bigint =>
      typeof line[key] === "bigint" ? (line[key] as bigint) : this.#refuse(`has no 64-bit ${key}`);
    const number = (key: string): number =>
      isU32(line[key]) ? (line[key] as number) : this.#refuse(`has no 32-bit ${key}`);
    const rows = (key: string): never[] =>
      isRows(line[key]) ? (line[key] as never[]) : this.#refuse(`has no list of ${key}`);
    const asked = (): Asked => ({
      calls: rows("calls"),
      terms: rows("terms"),
      keys: rows("keys"),
      charges: rows("charges"),
    });
    switch (line.do) {
      case "configure": {
        const [seed, concurrency, tools, limits] = [big("seed"), number("concurrency"), rows("tools"), rows("limits")];
        return (core) => core.configure(seed, concurrency, tools, limits);
      }
      case "open": {
        const [now, wall, run, adapt] = [big("now"), big("wall"), number("run"), line.adapt === true];
        const [entries, calls] = [rows("entries"), rows("calls")];
        return (core) => core.open(now, wall, run, adapt, entries, calls);
      }
      case "handle": {
        const [now, wall, events, given] = [big("now"), big("wall"), rows("events"), asked()];
        return (core) => core.handle(now, wall, events, given);
      }
      case "recall": {
        const [now, wall, entries, given] = [big("now"), big("wall"), rows("entries"), asked()];
        return (core) => core.recall(now, wall, entries, given);
      }
      default:
        return this.#refuse(`asks for ${JSON.stringify(line.do)}, which no core can do`);
    }
  }

  #answer(name: string, said: Line): void {
    const one = this.#cores.get(name);
    const now = one?.due;
    if (one === undefined || now === undefined) this.#refuse("is an answer to nothing");
    if (!("gave" in said || "refused" in said || "trapped" in said))
      this.#refuse("is neither a question nor an answer");
    one.due = undefined;
    this.#crossings++;
    if (recorded(said) === recorded(now)) return;
    const { path, then, since } = firstDifference(said, now);
    this.#difference = {
      line: this.#line,
      core: name,
      path,
      recorded: recorded(then) ?? "nothing",
      now: recorded(since) ?? "nothing",
    };
  }
}

function isU32(value: unknown): boolean {
  return typeof value === "number" && Number.isInteger(value) && value >= 0 && value <= 0xffffffff;
}

/** The one signed number that crosses. */
function isPriority(value: unknown): boolean {
  return typeof value === "number" && Number.isInteger(value) && value >= -1000 && value <= 1000;
}

/** Records of numbers and names, as everything that crosses. */
function isRows(value: unknown): boolean {
  if (!Array.isArray(value)) return false;
  return value.every(
    (row: unknown) =>
      typeof row === "object" &&
      row !== null &&
      !Array.isArray(row) &&
      Object.values(row).every(
        (field) =>
          isU32(field) ||
          isPriority(field) ||
          typeof field === "bigint" ||
          typeof field === "boolean" ||
          typeof field === "string",
      ),
  );
}

/** The object of a line, "123n" as integers of 64 bits; undefined if it is none. */
function parse(text: string): Line | undefined {
  try {
    const value: unknown = JSON.parse(text, (_, item: unknown) =>
      typeof item === "string" && /^\d{1,20}n$/.test(item) ? BigInt(item.slice(0, -1)) : item,
    );
    return typeof value === "object" && value !== null && !Array.isArray(value) ? (value as Line) : undefined;
  } catch {
    return undefined; // said by whoever asked: only the end of a recording may be cut off
  }
}

/** Where two trees first differ. */
function firstDifference(then: unknown, since: unknown, path = ""): { path: string; then: unknown; since: unknown } {
  if (typeof then === "object" && then !== null && typeof since === "object" && since !== null) {
    const [a, b] = [then as Line, since as Line];
    for (const key of new Set([...Object.keys(a), ...Object.keys(b)])) {
      if (recorded(a[key]) === recorded(b[key])) continue;
      const step = Array.isArray(then) ? `[${key}]` : `${path === "" ? "" : "."}${key}`;
      return firstDifference(a[key], b[key], `${path}${step}`);
    }
  }
  return { path, then, since };
}
