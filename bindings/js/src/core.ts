// The core as this language holds it: jco's glue over the compiled module, and its traps with their
// message. Nothing here decides.
import * as glue from "../../../core/dist/glue.js";
import { HoldfastError } from "./errors.ts";

export type {
  Action,
  Call,
  Charge,
  Entry as CoreEntry,
  Event as CoreEvent,
  Key,
  Limit,
  Notice,
  Placement,
  Policy,
  Reaction,
  Reading,
  Reason,
  Refusal,
  Resolution,
  Row,
  ScopeKind,
  Standing,
  Terms,
} from "../../../core/dist/glue.js";

import type {
  Call,
  Charge,
  Entry,
  Event,
  Key,
  Limit,
  Notice,
  Policy,
  Reaction,
  Reading,
  Refusal,
  Row,
  ScopeKind,
  Standing,
  Terms,
} from "../../../core/dist/glue.js";

/** Of a slot: no slot, or all. Of a limit: no bound. */
export const NONE = 0xffffffff;

/** Calls with what they say of their start: rows of four lists that belong together. */
export interface Asked {
  readonly calls: Call[];
  readonly terms: Terms[];
  readonly keys: Key[];
  readonly charges: Charge[];
}

export interface Core {
  /** Throws a Refused with the offending row. */
  configure(seed: bigint, concurrency: number, tools: Policy[], limits: Limit[]): void;
  recall(now: bigint, wall: bigint, entries: Entry[], asked: Asked): void;
  open(now: bigint, wall: bigint, run: number, adapt: boolean, entries: Entry[], calls: Call[]): Reaction;
  handle(now: bigint, wall: bigint, events: Event[], asked: Asked): Reaction;
  explain(now: bigint, wall: bigint, run: number, slot: number): Notice;
  gauge(now: bigint, wall: bigint, kind: ScopeKind, number: number): Reading;
  inspect(run: number): Standing;
  table(which: number): Row[];
}

/** The core refused what it was given: a journal whose entries cannot follow one another, a policy out of range. */
export class Refused extends Error {
  readonly refusal: Refusal;
  constructor(refusal: Refusal) {
    super(`${refusal.code} at row ${refusal.row}`);
    this.refusal = refusal;
  }
}

const PANIC_BYTES = 512;

/** A new instance of a compiled core. */
export function openCore(module: WebAssembly.Module): Core {
  let bare: WebAssembly.Exports | undefined;
  const instance = glue.instantiate(
    () => module,
    {},
    (core: WebAssembly.Module, imports: WebAssembly.Imports) => {
      const made = new WebAssembly.Instance(core, imports);
      if ("panicArea" in made.exports) bare = made.exports;
      return made;
    },
  );

  function panicMessage(): string {
    const memory = bare?.memory;
    const area = bare?.panicArea;
    if (!(memory instanceof WebAssembly.Memory) || typeof area !== "function") return "";
    const bytes = new Uint8Array(memory.buffer, Number(area()), PANIC_BYTES);
    const end = bytes.indexOf(0);
    return new TextDecoder().decode(bytes.slice(0, end === -1 ? PANIC_BYTES : end));
  }

  function guard<Result>(call: () => Result): Result {
    try {
      return call();
    } catch (thrown) {
      const refusal = (thrown as { payload?: unknown }).payload;
      if (typeof refusal === "object" && refusal !== null && "code" in refusal) throw new Refused(refusal as Refusal);
      const said = panicMessage();
      throw new HoldfastError(
        "core-trap",
        `the core stopped: ${said || (thrown instanceof Error ? thrown.message : String(thrown))}`,
        "This is a fault of Holdfast; please report it. Runs go on from their journals.",
        { cause: thrown },
      );
    }
  }

  return {
    configure: (seed, concurrency, tools, limits) => guard(() => instance.configure(seed, concurrency, tools, limits)),
    recall: (now, wall, entries, { calls, terms, keys, charges }) =>
      guard(() => instance.recall(now, wall, entries, calls, terms, keys, charges)),
    open: (now, wall, run, adapt, entries, calls) => guard(() => instance.open(now, wall, run, adapt, entries, calls)),
    handle: (now, wall, events, { calls, terms, keys, charges }) =>
      guard(() => instance.handle(now, wall, events, calls, terms, keys, charges)),
    explain: (now, wall, run, slot) => guard(() => instance.explain(now, wall, run, slot)),
    gauge: (now, wall, kind, number) => guard(() => instance.gauge(now, wall, kind, number)),
    inspect: (run) => guard(() => instance.inspect(run)),
    table: (which) => guard(() => instance.table(which)),
  };
}
