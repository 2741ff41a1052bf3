// The boundary: what the glue says and what a host reads at fixed offsets are the same, byte for byte the
// same whoever asks, and nothing that a host may say brings the core down.
import { readFileSync } from "node:fs";
import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { instantiate, type Reaction, type Root } from "../dist/glue.js";
import { BareCore } from "./bare-core.ts";
import { camel, enums } from "./wit.ts";
import { type Crossing, history, LIMITS, POLICIES, WALL } from "./worlds.ts";

const module = new WebAssembly.Module(readFileSync(new URL("../dist/core.wasm", import.meta.url)));

function glued(): Root {
  const core = instantiate(() => module, {});
  core.configure(7n, 3, POLICIES, LIMITS);
  core.open(1n, WALL, 0, false, [], []);
  return core;
}

/** Carries a history through; `tick` puts a crossing without events before each. */
function carry(core: Pick<Root, "handle">, crossings: readonly Crossing[], tick = false): Reaction[] {
  let now = 1n;
  return crossings.map(({ later, events, calls, terms, keys, charges }) => {
    now += BigInt(later);
    const wall = WALL + now / 1000n;
    if (tick) core.handle(now - BigInt(later), WALL + (now - BigInt(later)) / 1000n, [], [], [], [], []);
    return core.handle(now, wall, [...events], [...calls], [...terms], [...keys], [...charges]);
  });
}

describe("the enums of the core", () => {
  const codes = readFileSync(new URL("../assembly/codes.ts", import.meta.url), "utf8");
  test.each([
    ["Effect", "effect"],
    ["Outcome", "outcome"],
    ["Verdict", "verdict"],
    ["Source", "source"],
    ["EventKind", "event-kind"],
    ["EntryKind", "entry-kind"],
    ["ActionKind", "action-kind"],
    ["Gate", "gate"],
    ["AbortReason", "abort-reason"],
    ["Mismatch", "mismatch-kind"],
    ["Refusal", "refusal-code"],
    ["Reason", "reason"],
    ["ScopeKind", "scope-kind"],
    ["NoticeKind", "notice-kind"],
    ["LimitKind", "limit-kind"],
    ["QueuePolicy", "queue-policy"],
    ["BreakerState", "breaker-state"],
  ])("%s has the cases of core.wit, in its order", (inside, outside) => {
    const body = new RegExp(`const enum ${inside} \\{([^}]*)\\}`).exec(codes)?.[1] ?? "";
    const cases = body
      .replace(/\/\/.*$/gm, "")
      .split(",")
      .map((name) => name.trim())
      .filter((name) => name !== "");
    expect(cases).toEqual(enums.get(outside)?.map(camel));
  });
});

describe("any history", () => {
  test("reads the same at fixed offsets as through the glue", () => {
    return fc.assert(
      fc.property(history, (crossings) => {
        const bare = new BareCore(module);
        bare.configure(7n, 3, POLICIES as never, LIMITS as never);
        bare.open(1n, WALL, 0, false, [], []);
        const core = glued();
        expect(carry(bare as never, crossings)).toEqual(carry(core, crossings));
        expect(bare.inspect(0)).toEqual(core.inspect(0));
      }),
      { numRuns: 300 },
    );
  });

  test("gives the same reactions in another instance", () => {
    return fc.assert(
      fc.property(history, (crossings) => {
        expect(carry(glued(), crossings)).toEqual(carry(glued(), crossings));
      }),
      { numRuns: 200 },
    );
  });

  test("is not changed by ticks in between", () => {
    return fc.assert(
      fc.property(history, (crossings) => {
        const still = crossings.map((one) => ({ ...one, later: 0 })); // so that nothing falls due between
        expect(carry(glued(), still, true)).toEqual(carry(glued(), still));
      }),
      { numRuns: 200 },
    );
  });

  test("resolves a slot once, calls it for a reason, and never traps", () => {
    return fc.assert(
      fc.property(history, (crossings) => {
        const core = glued();
        const resolved = new Set<string>();
        const inFlight = new Set<string>();
        const called = new Map<string, number>();
        for (const reaction of carry(core, crossings)) {
          for (const { run, slot, replayed } of reaction.resolutions) {
            expect(replayed).toBe(false); // there was no journal
            expect(resolved.has(`${run}/${slot}`), `slot ${slot} resolves twice`).toBe(false);
            resolved.add(`${run}/${slot}`);
          }
          for (const { kind, run, slot, attempt } of reaction.actions) {
            if (kind !== "call") continue;
            const name = `${run}/${slot}`;
            expect(attempt).toBe((called.get(name) ?? 0) + 1);
            called.set(name, attempt);
            inFlight.add(name);
          }
          for (const entry of reaction.entries) if (entry.kind === "settled") expect(entry.at).toBeGreaterThan(0n);
        }
        const standing = core.inspect(0);
        expect(standing.inUse).toBeLessThanOrEqual(inFlight.size * 2); // the heaviest takes two
      }),
      { numRuns: 500 },
    );
  });
});
