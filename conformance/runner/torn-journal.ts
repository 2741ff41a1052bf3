// What a loss of power may do to a file: its last bytes are gone. Done between two lives, to whatever file the
// journal's end is in; a host must then find the group that they belonged to absent as a whole.
import { readdirSync, readFileSync, statSync, truncateSync } from "node:fs";
import { join } from "node:path";
import { HarnessFault } from "./host-fault.ts";

/** SQLite's index of its log is made anew from the log: it holds nothing. */
const NO_CONTENT = /-shm$/;

/** Cuts so many bytes off the file that was written last. What lies behind its content was only reserved. */
export function tearJournal(folder: string, bytes: number): void {
  const [last] = readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((file) => file.isFile() && !NO_CONTENT.test(file.name))
    .map((file) => join(file.parentPath, file.name))
    .sort((a, b) => statSync(b).mtimeMs - statSync(a).mtimeMs);
  const length = last === undefined ? 0 : contentLength(readFileSync(last));
  if (last === undefined || length <= bytes)
    throw new HarnessFault(`the journal has no ${bytes} bytes that could be missing: ${last ?? folder}`);
  truncateSync(last, length - bytes);
}

/** Up to the last byte that is not zero. */
function contentLength(content: Uint8Array): number {
  let length = content.length;
  while (length > 0 && content[length - 1] === 0) length--;
  return length;
}
