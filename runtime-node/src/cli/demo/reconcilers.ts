// Asking the disk whether an edit or a move that was in doubt happened. A file that exists proves nothing,
// since a killed server leaves partial ones; only its digest does.
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { done, notDone, unknown, type Verdict } from "../../../../bindings/js/src/outcome.ts";
import { digestOf } from "./turn.ts";

export interface EditInput {
  readonly path: string;
  readonly edits: readonly { readonly oldText: string; readonly newText: string }[];
  /** Of the file as it was when the edit was asked for. */
  readonly digest: string;
}

export interface MoveInput {
  readonly source: string;
  readonly destination: string;
  /** Of the file that is to be moved. */
  readonly digest: string;
}

export interface ToolText {
  readonly text: string;
}

async function contentOf(folder: string, path: string): Promise<string | undefined> {
  try {
    return await readFile(join(folder, path), "utf8");
  } catch (thrown) {
    if ((thrown as NodeJS.ErrnoException).code === "ENOENT") return undefined;
    throw thrown;
  }
}

/** Untouched: not done. Exactly this edit away from what it was: done. Anything else: nobody knows. */
export async function editVerdict(folder: string, input: EditInput): Promise<Verdict<ToolText>> {
  const content = await contentOf(folder, input.path);
  if (content === undefined) return unknown();
  if (digestOf(content) === input.digest) return notDone();
  const undone = input.edits.reduceRight((text, edit) => text.replace(edit.newText, () => edit.oldText), content);
  return digestOf(undone) === input.digest ? done({ text: `${input.path} has the edit` }) : unknown();
}

/** At its old place only: not done. At its new place only, and whole: done. Anything else: nobody knows. */
export async function moveVerdict(folder: string, input: MoveInput): Promise<Verdict<ToolText>> {
  const [source, destination] = await Promise.all([
    contentOf(folder, input.source),
    contentOf(folder, input.destination),
  ]);
  const is = (content: string | undefined): boolean => content !== undefined && digestOf(content) === input.digest;
  if (is(source) && destination === undefined) return notDone();
  if (source === undefined && is(destination)) return done({ text: `${input.destination} is there` });
  return unknown();
}
