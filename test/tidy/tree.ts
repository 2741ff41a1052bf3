// The repository's files as the gates see them: what git tracks or would track, read as text. It
// judges nothing.
import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { join, posix } from "node:path";
import { fileURLToPath } from "node:url";

export const root = fileURLToPath(new URL("../..", import.meta.url));

/** A file of the repository. */
export interface SourceFile {
  /** From the root, with forward slashes. */
  readonly path: string;
  readonly text: string;
}

/** What a gate found wrong: `path:line what`, one per finding. An empty list is a pass. */
export type Findings = readonly string[];

const CODE = new Set([".ts", ".mts", ".mjs", ".js", ".wit"]);

/** Is it code that a person wrote, whatever the language? */
export function isCode(path: string): boolean {
  return CODE.has(posix.extname(path)) && !path.endsWith(".d.ts");
}

/** All files of the repository as text; a file with a NUL byte is binary and left out. */
export function repositoryFiles(): readonly SourceFile[] {
  const listed = execFileSync("git", ["ls-files", "-z", "--cached", "--others", "--exclude-standard"], {
    cwd: root,
    encoding: "utf8",
    maxBuffer: 64 << 20,
  });
  const paths = [...new Set(listed.split("\0").filter((path) => path !== ""))].sort();
  return paths.flatMap((path) => {
    const text = readIfThere(path);
    return text === undefined || text.includes("\0") ? [] : [{ path, text }];
  });
}

/** Tracked, yet deleted from the working tree, is not there to be judged. */
function readIfThere(path: string): string | undefined {
  try {
    return readFileSync(join(root, path), "utf8");
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return undefined;
    throw error;
  }
}

/** The 1-based line of an offset. */
export function lineAt(text: string, offset: number): number {
  let line = 1;
  for (let i = text.indexOf("\n"); i !== -1 && i < offset; i = text.indexOf("\n", i + 1)) line += 1;
  return line;
}
