// Writes what HOLDFAST_RECORD asks for: a file of lines that `holdfast replay` reads. It is bounded, and
// a disk that is full ends the recording, never the run.
import { closeSync, fstatSync, openSync, readSync, writeSync } from "node:fs";
import { HoldfastError } from "../../bindings/js/src/errors.ts";
import { RECORDING_HEADER, type RecordLine } from "../../bindings/js/src/recording.ts";

/** Bytes of a recording; the rest is not recorded. */
export const RECORDING_BYTES_MAX: number = 256 * 1024 * 1024;

const recorders = new Map<string, RecordLine>();

/** Records to this file, after what is in it; all runtimes of a process share it. Throws `invalid-option`. */
export function recordTo(path: string, warn: (message: string) => void, bytesMax = RECORDING_BYTES_MAX): RecordLine {
  const known = recorders.get(path);
  if (known !== undefined) return known;
  const made = openRecorder(path, warn, bytesMax);
  recorders.set(path, made);
  return made;
}

function openRecorder(path: string, warn: (message: string) => void, bytesMax: number): RecordLine {
  let file: number | undefined;
  let written: number;
  try {
    file = openSync(path, "a+", 0o600);
    written = fstatSync(file).size;
    // A host that was killed may have left half a line.
    if (written > 0 && lastByte(file, written) !== 0x0a) written += writeSync(file, "\n");
  } catch (cause) {
    if (file !== undefined) closeSync(file);
    throw new HoldfastError(
      "invalid-option",
      `HOLDFAST_RECORD is ${JSON.stringify(path)}, which cannot be written (${(cause as NodeJS.ErrnoException).code})`,
      "Name a file in a folder that exists, or unset it.",
      { details: { path: "HOLDFAST_RECORD" }, cause },
    );
  }
  const stop = (why: string): void => {
    if (file === undefined) return;
    closeSync(file);
    file = undefined;
    warn(`the recording ${JSON.stringify(path)} ends here: ${why}`);
  };
  const record: RecordLine = (line) => {
    if (file === undefined) return;
    const bytes = Buffer.from(`${line}\n`);
    if (written + bytes.length > bytesMax) return stop(`it is ${written} bytes long, ${bytesMax} is the most`);
    try {
      // At once and in one call: a process that is killed has written whole lines.
      if (writeSync(file, bytes) < bytes.length) return stop("the disk took only part of a line");
      written += bytes.length;
    } catch (thrown) {
      stop(String(thrown));
    }
  };
  record(RECORDING_HEADER);
  return record;
}

function lastByte(file: number, size: number): number | undefined {
  const byte = Buffer.alloc(1);
  return readSync(file, byte, 0, 1, size - 1) === 1 ? byte[0] : undefined;
}
