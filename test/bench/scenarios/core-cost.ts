// What the core itself costs per slot, without a journal and without tools: a batch carried out, ten calls
// at once and all at once, and replayed. Through the bare module and through the glue.
import { strict as assert } from "node:assert";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { instantiate } from "../../../core/dist/glue.js";
import { glueHost } from "../core/glue-host.ts";
import type { CoreHost, Counted } from "../core/host.ts";
import { rawHost } from "../core/raw-host.ts";
import type { Row } from "../report.ts";
import { interleave, microseconds } from "../rounds.ts";
import type { Scenario } from "../scenario.ts";

const SIZES = [10, 100, 1000, 10_000, 100_000];
/** A round is at least so many slots, in as many runs as that takes. */
const SLOTS_MIN = 20_000;

interface Case {
  readonly of: string;
  /** µs per slot, of the bare module. */
  readonly target: number;
  readonly work: (host: CoreHost, slots: number) => Counted;
  readonly expected: (slots: number) => Counted;
}

const carriedOut = (slots: number): Counted => ({ calls: slots, entries: 1 + 2 * slots, resolutions: slots });

const CASES: readonly Case[] = [
  { of: "run, limit 10", target: 0.4, work: (host, slots) => host.carryOut(slots, 10), expected: carriedOut },
  {
    of: "run, all at once",
    target: 0.4,
    work: (host, slots) => host.carryOut(slots, Number.POSITIVE_INFINITY),
    expected: carriedOut,
  },
  {
    of: "replay",
    target: 0.2,
    work: (host, slots) => host.replay(slots),
    expected: (slots) => ({ calls: 0, entries: 0, resolutions: slots }),
  },
];

/** The bench is bundled into test/bench/dist. */
const core = fileURLToPath(new URL("../../../core/dist/", import.meta.url));

export const coreCost: Scenario = async (settings) => {
  const wasm = new Uint8Array(await readFile(join(core, "core.wasm")));
  const module = new WebAssembly.Module(wasm);
  // The component holds the bare module as it is, so the glue can be given the same one.
  const hosts = [rawHost(new WebAssembly.Instance(module, {}).exports), glueHost(instantiate(() => module, {}))];
  const rows: Row[] = [];
  for (const one of CASES) {
    for (const slots of SIZES) rows.push(...(await measure(hosts, one, slots, settings.rounds)));
  }
  return {
    scenario: "core",
    title: "The core alone, time per slot",
    note: "What a host must do to cross the boundary is in it; journal, tools and promises are not.",
    rows,
  };
};

async function measure(hosts: readonly CoreHost[], one: Case, slots: number, rounds: number): Promise<readonly Row[]> {
  const runs = Math.max(1, Math.ceil(SLOTS_MIN / slots));
  const lanes = hosts.map((host) => ({
    name: host.name,
    measure: async () => {
      let counted: Counted | undefined;
      const took = await microseconds(async () => {
        for (let i = 0; i < runs; i++) counted = one.work(host, slots);
      });
      assert.deepEqual(counted, one.expected(slots));
      return took / (runs * slots);
    },
  }));
  return (await interleave(lanes, rounds)).map(({ name, median, ratio, quartiles }, i) => ({
    of: `${one.of}, ${slots} slots`,
    contender: name,
    value: median,
    unit: "µs",
    ratio,
    quartiles,
    ...(i === 0 ? { target: { of: "value" as const, atMost: one.target } } : {}),
  }));
}
