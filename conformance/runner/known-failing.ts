// The list of what a host is known to fail: `<scenario> <reason>`, one per line. What it lists must fail, so
// that it says the truth for as long as it is there.

/** Scenario ids and why they fail. */
export type KnownFailing = ReadonlyMap<string, string>;

/** Reads a list. Throws, naming the line, on one without a reason and on one that is there twice. */
export function readKnownFailing(text: string): KnownFailing {
  const known = new Map<string, string>();
  for (const [i, raw] of text.split("\n").entries()) {
    const line = raw.trim();
    if (line === "" || line.startsWith("#")) continue;
    const [, id = "", reason = ""] = /^(\S+)\s*(.*)$/.exec(line) ?? [];
    if (reason === "") throw new Error(`line ${i + 1}: ${id} is listed without a reason`);
    if (known.has(id)) throw new Error(`line ${i + 1}: ${id} is listed twice`);
    known.set(id, reason);
  }
  return known;
}
