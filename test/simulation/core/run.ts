// Lives worlds of the core alone by their seeds, in instances that are used for many of them and thrown away
// now and then. Counts; says which world broke.
import { BareHost } from "./host.ts";
import { CONCURRENCY, type CoreFault, CoreWorld, POLICIES } from "./world.ts";

const WORLDS_PER_INSTANCE = 2_000;

export interface Lived {
  readonly worlds: number;
  readonly crossings: number;
  /** Milliseconds inside the core, when it was asked for. */
  readonly coreMs: number;
}

/** Lives worlds `from`…`from + worlds - 1` of a seed. What breaks is thrown with its world in the message. */
export function liveCoreWorlds(seed: number, from: number, worlds: number, fault?: CoreFault, timed = false): Lived {
  let host = new BareHost(seed, CONCURRENCY, POLICIES);
  let [crossings, coreMs] = [0, 0];
  host.timed = timed;
  for (let i = 0; i < worlds; i++) {
    if (i % WORLDS_PER_INSTANCE === WORLDS_PER_INSTANCE - 1) {
      coreMs += host.coreMs;
      host = new BareHost(seed + i, CONCURRENCY, POLICIES);
      host.timed = timed;
    }
    const world = new CoreWorld(host, Math.imul(seed, 0x9e3779b1) + from + i, fault);
    try {
      world.live();
    } catch (error) {
      throw new Error(`world ${from + i} of seed ${seed}: ${String(error)}`, { cause: error });
    }
    crossings += world.crossings;
  }
  return { worlds, crossings, coreMs: coreMs + host.coreMs };
}
