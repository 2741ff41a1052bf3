// The core, loaded in the ways that a host may: through the component's glue, and as the bare module at
// fixed offsets. Either gives a refusal as a value; a trap is thrown.
import { readFileSync } from "node:fs";
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
  ScopeKind,
  Standing,
  Terms,
} from "../../core/dist/glue.js";
import { instantiate } from "../../core/dist/glue.js";
import { BareCore } from "../../core/test/bare-core.ts";

export interface Refused {
  readonly refused: Refusal;
}

export interface CaseCore {
  configure(seed: bigint, concurrency: number, tools: Policy[], limits: Limit[]): Refused | undefined;
  open(now: bigint, wall: bigint, run: number, adapt: boolean, entries: Entry[], calls: Call[]): Reaction | Refused;
  handle(
    now: bigint,
    wall: bigint,
    events: Event[],
    calls: Call[],
    terms: Terms[],
    keys: Key[],
    charges: Charge[],
  ): Reaction;
  recall(
    now: bigint,
    wall: bigint,
    entries: Entry[],
    calls: Call[],
    terms: Terms[],
    keys: Key[],
    charges: Charge[],
  ): void;
  inspect(run: number): Standing;
  explain(now: bigint, wall: bigint, run: number, slot: number): Notice;
  gauge(now: bigint, wall: bigint, kind: ScopeKind, number: number): Reading;
}

export const coreModule = new WebAssembly.Module(readFileSync(new URL("../../core/dist/core.wasm", import.meta.url)));

/** jco throws what the core refused as the payload of an error. */
function refusedOr<Value>(call: () => Value): Value | Refused {
  try {
    return call();
  } catch (thrown) {
    const refusal = (thrown as { payload?: unknown }).payload;
    if (typeof refusal === "object" && refusal !== null && "code" in refusal) return { refused: refusal as Refusal };
    throw thrown;
  }
}

export function gluedCore(): CaseCore {
  const core = instantiate(() => coreModule, {});
  return {
    configure: (...given) => refusedOr(() => core.configure(...given) as undefined),
    open: (...given) => refusedOr(() => core.open(...given)),
    handle: (...given) => core.handle(...given),
    recall: (...given) => core.recall(...given),
    inspect: (run) => core.inspect(run),
    explain: (...given) => core.explain(...given),
    gauge: (...given) => core.gauge(...given),
  };
}

export const bareCore = (): CaseCore => new BareCore(coreModule) as unknown as CaseCore;
