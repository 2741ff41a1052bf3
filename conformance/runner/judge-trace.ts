// Holds the trace against the ledger and the order that a scenario expects. The ledger is what the outside
// has seen: the runner's own, since it plays the tools.
import { type Finding, finding } from "./judge-ends.ts";
import type { LedgerRow, OrderRow, ShareRow } from "./scenario.ts";
import { inWords, matches, type TraceEvent } from "./trace.ts";

/** The most calls of the same tool that were open at once, as the outside counts: until they are answered. */
function mostAtOnce(trace: readonly TraceEvent[], isOne: (event: TraceEvent) => boolean): number {
  const open = new Set<string>();
  let most = 0;
  for (const event of trace) {
    if (event.what === "kill") for (const key of open) if (key.startsWith(`${event.life}:`)) open.delete(key);
    if (!isOne(event)) continue;
    const key = `${event.life}:${event.n}`;
    if (event.what === "call") open.add(key);
    else if (event.what === "answer") open.delete(key);
    most = Math.max(most, open.size);
  }
  return most;
}

function judgeRow(row: LedgerRow, trace: readonly TraceEvent[], showsKeys: boolean): Finding[] {
  // `tool:name` counts all calls of a tool, `*` all there are.
  const tool = /^tool:(.+)$/.exec(row.id)?.[1];
  const isOne = (event: TraceEvent): boolean =>
    (row.run === undefined || event.run === row.run) &&
    (row.id === "*" || (tool === undefined ? event.id === row.id : event.tool === tool));
  const count = (what: "call" | "ask"): number => trace.filter((event) => event.what === what && isOne(event)).length;
  const keys = new Set(trace.flatMap((event) => (isOne(event) && event.key !== undefined ? [event.key] : [])));
  const columns: readonly (readonly [string, number | undefined, number])[] = [
    ["calls", row.calls, count("call")],
    ["asks", row.asks, count("ask")],
    ["keys", showsKeys ? row.keys : undefined, keys.size],
  ];
  const wrong = columns
    .filter(([, expected, got]) => expected !== undefined && expected !== got)
    .map(([name, expected, got]) => finding(`ledger, ${row.id}`, `${name}=${expected}`, `${name}=${got}`));
  if (row.atOnce === undefined) return wrong;
  const most = mostAtOnce(trace, isOne);
  return most === row.atOnce
    ? wrong
    : [...wrong, finding(`ledger, ${row.id}`, `atOnce=${row.atOnce}`, `atOnce=${most}`)];
}

/** What the outside has seen otherwise than expected. */
export function judgeLedger(rows: readonly LedgerRow[], trace: readonly TraceEvent[], showsKeys: boolean): Finding[] {
  return rows.flatMap((row) => judgeRow(row, trace, showsKeys));
}

/** How many of the first calls were whose. */
export function judgeShares(rows: readonly ShareRow[], trace: readonly TraceEvent[]): Finding[] {
  return rows.flatMap(({ ids, first, least, most, text }) => {
    const calls = trace.filter(({ what }) => what === "call").slice(0, first);
    const theirs = calls.filter(({ id = "" }) => ids.includes(id)).length;
    if (calls.length === first && theirs >= least && theirs <= most) return [];
    return [finding("shares", text, `${theirs} of ${calls.map(({ id }) => id).join(" ")}`)];
  });
}

/** A partial order: the first event of one kind comes before the first of another. */
export function judgeOrder(rows: readonly OrderRow[], trace: readonly TraceEvent[]): Finding[] {
  return rows.flatMap(({ first, second, text }) => {
    const [a, b] = [first, second].map((pattern) => trace.findIndex((event) => matches(event, pattern)));
    if (a === -1 || b === -1) {
      return [finding("order", text, `${inWords(a === -1 ? first : second)} never happened`)];
    }
    return (a as number) < (b as number) ? [] : [finding("order", text, `${inWords(second)} came first`)];
  });
}
