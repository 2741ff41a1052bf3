// A recording on disk, replayed: line by line, whatever its size, with a bound on each.
import { createReadStream } from "node:fs";
import { StringDecoder } from "node:string_decoder";
import { HoldfastError } from "../../bindings/js/src/errors.ts";
import { Replay, type Replayed } from "../../bindings/js/src/replay.ts";
import { loadCore } from "./load-core.ts";

/** Characters in a line: a batch of a hundred thousand calls fits. */
const LINE_MAX = 128 * 1024 * 1024;

/** Replays the recording in this file. Throws `recording-corrupt`, and `invalid-option` when it cannot be read. */
export async function replayFile(path: string, lineMax = LINE_MAX): Promise<Replayed> {
  const replay = new Replay(loadCore());
  for await (const line of linesOf(path, lineMax)) if (!replay.feed(line)) break;
  return replay.end();
}

async function* linesOf(path: string, lineMax: number): AsyncGenerator<string> {
  const decoder = new StringDecoder("utf8");
  const stream = createReadStream(path, { highWaterMark: 1 << 20 });
  let pieces: string[] = [];
  let held = 0;
  let number = 1;
  try {
    for await (const chunk of stream) {
      const parts = decoder.write(chunk as Buffer).split("\n");
      const last = parts.pop() as string;
      for (const part of parts) {
        yield pieces.join("") + part;
        pieces = [];
        held = 0;
        number++;
      }
      pieces.push(last);
      held += last.length;
      if (held > lineMax) throw tooLong(number, lineMax);
    }
  } catch (cause) {
    const { code } = cause as NodeJS.ErrnoException;
    if (cause instanceof HoldfastError || code === undefined) throw cause;
    throw new HoldfastError(
      "invalid-option",
      `the recording ${JSON.stringify(path)} cannot be read (${code})`,
      "Name a file that HOLDFAST_RECORD has written.",
      { details: { path }, cause },
    );
  } finally {
    stream.destroy();
  }
  const rest = pieces.join("") + decoder.end();
  if (rest !== "") yield rest;
}

function tooLong(line: number, lineMax: number): HoldfastError {
  return new HoldfastError(
    "recording-corrupt",
    `line ${line} is longer than ${lineMax} characters`,
    "Give a file that HOLDFAST_RECORD has written, as it is.",
    { details: { line } },
  );
}
