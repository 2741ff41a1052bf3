// Traces that do not belong into a repository: work left undone, the machine it was written on, the
// place its packages came from. The patterns are put together from parts so that this file has none.
import { type Findings, lineAt, type SourceFile } from "./tree.ts";

const UNDONE = new RegExp(`\\b(?:${["TO" + "DO", "FIX" + "ME", "XX" + "X", "HA" + "CK"].join("|")})\\b`, "g");

const PLACES = [
  // A home or workplace, as an absolute path: not a part of a longer path or of an address.
  new RegExp(`(?<![\\w./:@-])/(?:${["ho" + "me", "ro" + "ot", "Us" + "ers", "wo" + "rk"].join("|")})/[\\w.-]+`, "g"),
  new RegExp(`\\b[A-Z]:\\\\${"Us"}ers\\\\`, "g"),
  // Where packages are fetched from: a lock file names what it takes by its digest, not by a host.
  new RegExp(`\\bregis${"try"}\\.[a-z0-9-]+\\.[a-z]{2,}`, "g"),
  new RegExp(`"resol${"ved"}": "`, "g"),
  // Other hosts that only one machine can see.
  /https?:\/\/(?:10|192\.168|172\.(?:1[6-9]|2\d|3[01]))\.\d/g,
];

/** Work left undone. */
export function undone(files: readonly SourceFile[]): Findings {
  return matches(files, [UNDONE], "is left undone");
}

/** Paths of one machine, hosts of one network, addresses of registries. */
export function places(files: readonly SourceFile[]): Findings {
  return matches(files, PLACES, "names a place of one machine or network");
}

function matches(files: readonly SourceFile[], patterns: readonly RegExp[], what: string): Findings {
  return files.flatMap(({ path, text }) =>
    patterns.flatMap((pattern) =>
      [...text.matchAll(pattern)].map((match) => `${path}:${lineAt(text, match.index)} ${match[0]} ${what}`),
    ),
  );
}
