// What the demo's calls left on disk: made before the turn, judged after it. It judges by content alone.
import { mkdir, readFile, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { digestOf, type Trace, type Turn } from "./turn.ts";

/** Was what a call does found done, not done, done twice, or none of these? */
export type Found = "once" | "absent" | "twice" | "damaged";

/** Makes the files that the turn reads, edits and moves. */
export async function layFiles(folder: string, turn: Turn): Promise<void> {
  await mkdir(join(folder, "inbox"), { recursive: true });
  await mkdir(join(folder, "archive"), { recursive: true });
  for (const [path, content] of turn.files) {
    await mkdir(dirname(join(folder, path)), { recursive: true });
    await writeFile(join(folder, path), content);
  }
}

async function read(folder: string, path: string): Promise<string | undefined> {
  try {
    return await readFile(join(folder, path), "utf8");
  } catch (thrown) {
    if ((thrown as NodeJS.ErrnoException).code === "ENOENT") return undefined;
    throw thrown;
  }
}

async function find(folder: string, trace: Trace): Promise<Found> {
  switch (trace.kind) {
    case "edit": {
      const content = (await read(folder, trace.path)) ?? "";
      if (digestOf(content) === trace.after) return "once";
      if (digestOf(content) === trace.before) return "absent";
      return content.split(trace.line).length > 2 ? "twice" : "damaged";
    }
    case "move": {
      const [source, destination] = await Promise.all([read(folder, trace.source), read(folder, trace.destination)]);
      const whole = [source, destination].map((content) => content !== undefined && digestOf(content) === trace.digest);
      if (source === undefined && whole[1]) return "once";
      if (whole[0] && destination === undefined) return "absent";
      return whole[0] && whole[1] ? "twice" : "damaged";
    }
    case "write": {
      const content = await read(folder, trace.path);
      if (content === undefined) return "absent";
      return digestOf(content) === trace.digest ? "once" : "damaged";
    }
  }
}

/** For every call of the turn that leaves a trace, by its id, what is found of it. */
export async function findTraces(folder: string, turn: Turn): Promise<ReadonlyMap<string, Found>> {
  const found = new Map<string, Found>();
  for (const { id, trace } of turn.calls) if (trace !== undefined) found.set(id, await find(folder, trace));
  return found;
}
