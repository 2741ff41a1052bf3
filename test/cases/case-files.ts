// The case files of the suite, read and parsed.
import { readdirSync, readFileSync } from "node:fs";
import { type Case, parseCases } from "../../conformance/case-format.ts";

export interface CaseFile {
  /** From the root. */
  readonly path: string;
  readonly url: URL;
  readonly text: string;
  readonly cases: readonly Case[];
}

const folder = new URL("../../conformance/cases/", import.meta.url);

export function caseFiles(): CaseFile[] {
  return readdirSync(folder)
    .filter((name) => name.endsWith(".case"))
    .sort()
    .map((name) => {
      const url = new URL(name, folder);
      const text = readFileSync(url, "utf8");
      const path = `conformance/cases/${name}`;
      try {
        return { path, url, text, cases: parseCases(text) };
      } catch (thrown) {
        throw new Error(`${path}: ${(thrown as Error).message}`, { cause: thrown });
      }
    });
}
