// Bytes of a pipe into lines, of which none may be longer than the protocol allows. Used by both sides.
import { StringDecoder } from "node:string_decoder";
import { LINE_BYTES_MAX } from "./checked.ts";

/** A line that never ended. */
export class LineTooLong extends Error {}

/** Feeds whole lines to `onLine`, without their breaks; empty ones are passed over. Throws `LineTooLong`. */
export function lineSplitter(onLine: (line: string) => void): (bytes: Uint8Array) => void {
  const decoder = new StringDecoder("utf8");
  let rest = "";
  return (bytes) => {
    const pieces = (rest + decoder.write(Buffer.from(bytes))).split("\n");
    rest = pieces.pop() as string;
    for (const piece of pieces) {
      const line = piece.endsWith("\r") ? piece.slice(0, -1) : piece;
      refuseLong(line);
      if (line !== "") onLine(line);
    }
    refuseLong(rest);
  };
}

function refuseLong(line: string): void {
  // A character is at least one byte: most lines need not be measured.
  if (line.length * 3 <= LINE_BYTES_MAX || Buffer.byteLength(line) <= LINE_BYTES_MAX) return;
  throw new LineTooLong(`a line is longer than ${LINE_BYTES_MAX} bytes: ${line.slice(0, 80)}…`);
}
