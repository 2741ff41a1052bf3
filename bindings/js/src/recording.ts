// Recording: every crossing into a core as two lines of JSON, what went in and what came out, so that a
// fault can be replayed exactly. The core sees only numbers, so no input, result or name is in it.
//
//   {"holdfast":"recording","format":2}                                  first, for each host that records
//   {"core":"9f…","do":"configure","seed":"7n","concurrency":16,"tools":[…],"limits":[…]}
//   {"core":"9f…","do":"open","now":"1n","wall":"2n","run":0,"adapt":false,"entries":[…],"calls":[…]}
//   {"core":"9f…","do":"handle","now":"1n","wall":"2n","events":[…],"calls":[…],"terms":[…],"keys":[…],"charges":[…]}
//   {"core":"9f…","do":"recall", …}                                     where a limit looks back, before the first open
//   {"core":"9f…","gave":…}   or   "refused":…   or   "trapped":"why"     after each of them
import { type Core, Refused } from "./core.ts";

/** Takes one line, without its end. Never throws: a recording must not disturb what it records. */
export type RecordLine = (line: string) => void;

/** The form of the lines; a replay refuses any other. */
export const RECORDING_FORMAT = 2;
export const RECORDING_HEADER: string = JSON.stringify({ holdfast: "recording", format: RECORDING_FORMAT });

/** JSON with integers of 64 bits as "123n". */
export function recorded(value: unknown): string {
  return JSON.stringify(value, (_, item: unknown) => (typeof item === "bigint" ? `${item}n` : item));
}

/** What a crossing came to, as a line says it. */
export type Came = { readonly gave: unknown } | { readonly refused: unknown } | { readonly trapped: string };

/** What came of a crossing: its result, or how it was thrown. */
export function cameOf(cross: () => unknown): { readonly came: Came; readonly thrown?: unknown } {
  try {
    return { came: { gave: cross() ?? null } };
  } catch (thrown) {
    if (thrown instanceof Refused) return { came: { refused: thrown.refusal }, thrown };
    return { came: { trapped: thrown instanceof Error ? thrown.message : String(thrown) }, thrown };
  }
}

/** A core whose crossings are recorded under this name, which no other core of the recording has. */
export function recordedCore(core: Core, name: string, record: RecordLine): Core {
  function crossing<Result>(input: object, cross: () => Result): Result {
    record(recorded({ core: name, ...input }));
    const { came, ...failure } = cameOf(cross);
    record(recorded({ core: name, ...came }));
    if ("thrown" in failure) throw failure.thrown;
    return (came as { readonly gave: Result }).gave;
  }
  return {
    configure: (seed, concurrency, tools, limits) =>
      crossing({ do: "configure", seed, concurrency, tools, limits }, () =>
        core.configure(seed, concurrency, tools, limits),
      ),
    recall: (now, wall, entries, asked) =>
      crossing({ do: "recall", now, wall, entries, ...asked }, () => core.recall(now, wall, entries, asked)),
    open: (now, wall, run, adapt, entries, calls) =>
      crossing({ do: "open", now, wall, run, adapt, entries, calls }, () =>
        core.open(now, wall, run, adapt, entries, calls),
      ),
    handle: (now, wall, events, asked) =>
      crossing({ do: "handle", now, wall, events, ...asked }, () => core.handle(now, wall, events, asked)),
    explain: (now, wall, run, slot) => core.explain(now, wall, run, slot),
    gauge: (now, wall, kind, number) => core.gauge(now, wall, kind, number),
    inspect: (run) => core.inspect(run),
    table: (which) => core.table(which),
  };
}
