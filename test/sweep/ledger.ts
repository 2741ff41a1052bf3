// What really happened outside, read from the lines that the tools wrote, and what must be true of it.
// Pure: a promise that is broken is a sentence.

/** One line of the ledger. */
export interface Deed {
  readonly what: "begin" | "effect" | "end";
  readonly call: string;
  readonly attempt: number;
  readonly key: string;
  readonly pid: number;
}

/** A slot as `runtime.read` shows it, as far as it matters here. */
export interface SlotSeen {
  readonly id: string;
  readonly state: string;
  readonly effect: "read" | "idempotent" | "once";
  readonly outcome?: string;
  readonly value?: unknown;
}

export interface OutcomeSeen {
  readonly id: string;
  readonly tool: string;
  readonly kind: string;
  readonly value?: unknown;
  readonly code?: string;
}

/** What the last process of a turn saw and did. */
export interface TurnSeen {
  readonly appends: number;
  readonly found: readonly SlotSeen[];
  readonly result: { readonly outcomes: readonly OutcomeSeen[]; readonly token: string; readonly at: number };
  readonly again: unknown;
  readonly slots: readonly SlotSeen[];
}

export function readLedger(text: string): readonly Deed[] {
  return text
    .split("\n")
    .filter((line) => line !== "")
    .map((line) => {
      const [what, call, attempt, key, pid] = line.split(" ") as [Deed["what"], string, string, string, string];
      return { what, call, attempt: Number(attempt), key, pid: Number(pid) };
    });
}

/** What a call of this tool may come to when processes die around it. */
const MAY_END: Readonly<Record<string, readonly string[]>> = {
  look: ["ok"],
  put: ["ok"],
  pay: ["ok"],
  send: ["ok", "unknown"],
  fail: ["error"],
  mend: ["ok"],
  flaky: ["ok"],
  hang: ["timed-out"],
  nest: ["ok"],
};

export const TURN = [
  ..."look-1 put-1 pay-1 send-1 flaky-1 hang-1 nest-1 fail-1 pay-2 send-2 put-2 look-2".split(" "),
  ..."look-3 put-3 pay-3 send-3 flaky-2 hang-2 mend-1 pay-last".split(" "),
];

/** Whose value it is. That of `mend` is its fallback's, whose id is made of the slot's ordinal: one draw before twelve calls, one before seven. */
function didOf(value: unknown, tool: string): unknown {
  const { did } = Object(value) as { readonly did?: unknown };
  return tool === "mend" && did === `#fallback-of-${1 + 12 + 1 + 6}` ? "mend-1" : did;
}

/** Every promise that the turn broke, in words; none when all held. `crashes`: how many processes died on the way. */
export function brokenPromises(seen: TurnSeen, deeds: readonly Deed[], crashes: number): readonly string[] {
  const broken: string[] = [];
  const say = (holds: boolean, sentence: string): void => {
    if (!holds) broken.push(sentence);
  };
  const { outcomes } = seen.result;
  say(
    outcomes.map(({ id }) => id).join() === TURN.join(),
    `the outcomes are not one per call in request order: ${outcomes.map(({ id }) => id)}`,
  );
  for (const { id, tool, kind } of outcomes) say(MAY_END[tool]?.includes(kind) === true, `${id} ended as ${kind}`);
  for (const { id, tool, kind, value } of outcomes) {
    if (kind === "ok" && tool !== "nest")
      say(didOf(value, tool) === id, `${id} has another's value: ${JSON.stringify(value)}`);
  }
  say(
    JSON.stringify(seen.again) === JSON.stringify(seen.result),
    "the finished run gave something else the second time",
  );
  for (const call of new Set(deeds.map((deed) => deed.call))) {
    const of = (what: Deed["what"]): Deed[] => deeds.filter((deed) => deed.call === call && deed.what === what);
    const tool = call.replace(/^inner-/, "").replace(/-.*$/, "");
    const begun = of("begin").length;
    say(new Set(of("begin").map(({ key }) => key)).size === 1, `${call} had several idempotency keys`);
    say(new Set(of("begin").map(({ attempt }) => attempt)).size === begun, `two attempts of ${call} have one number`);
    if (tool === "send") say(begun === 1, `${call} may run once and ran ${begun} times`);
    if (tool === "pay") say(of("effect").length === 1, `${call} took effect ${of("effect").length} times`);
    const failures = tool === "flaky" ? 1 : 0;
    say(begun <= 1 + failures + crashes, `${call} began ${begun} times in ${crashes} crashes`);
  }
  for (const slot of seen.found) {
    if (slot.state !== "settled") continue;
    const now = seen.slots.find(({ id }) => id === slot.id);
    say(
      now?.outcome === slot.outcome && JSON.stringify(now?.value) === JSON.stringify(slot.value),
      `${slot.id} was settled and has changed`,
    );
  }
  return broken;
}

/** Calls that the journal said were settled when the last process opened it, and that it began all the same. */
export function begunThoughSettled(
  found: readonly SlotSeen[],
  deeds: readonly Deed[],
  lastPid: number,
): readonly string[] {
  const settled = new Set(found.filter(({ state }) => state === "settled").map(({ id }) => id));
  return deeds
    .filter(({ what, pid, call }) => what === "begin" && pid === lastPid && settled.has(call))
    .map(({ call }) => call);
}
