// The core as this language holds it: jco's glue over the compiled module, and its traps with their
// message. Nothing here decides.
import * as glue from "../../../core/dist/glue.js";
import { HoldfastError } from "./errors.ts";

export type {
  Action,
  Call,
  Entry as CoreEntry,
  Event as CoreEvent,
  Placement,
  Policy,
  Reaction,
  Refusal,
  Resolution,
  Row,
  Standing,
} from "../../../core/dist/glue.js";

import type { Call, Entry, Event, Policy, Reaction, Refusal, Row, Standing } from "../../../core/dist/glue.js";

/** Of a slot: no slot, or all. Of a limit: no bound. */
export const NONE = 0xffffffff;

export interface Core {
  /** Throws a Refused with the offending row. */
  configure(seed: bigint, concurrency: number, tools: Policy[]): void;
  open(now: bigint, wall: bigint, run: number, adapt: boolean, entries: Entry[], calls: Call[]): Reaction;
  handle(now: bigint, wall: bigint, events: Event[], calls: Call[]): Reaction;
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
    configure: (seed, concurrency, tools) => guard(() => instance.configure(seed, concurrency, tools)),
    open: (now, wall, run, adapt, entries, calls) => guard(() => instance.open(now, wall, run, adapt, entries, calls)),
    handle: (now, wall, events, calls) => guard(() => instance.handle(now, wall, events, calls)),
    inspect: (run) => guard(() => instance.inspect(run)),
    table: (which) => guard(() => instance.table(which)),
  };
}
