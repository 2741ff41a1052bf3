// Reads the entries of a run in pieces of bounded size and checks each: a row that is missing, or whose bits
// are not those that were written, is an error that names it.
//
// SQLite joins the rows of a piece into one text of numbers and one blob of payloads: half the time of
// fetching rows one by one, and the numbers are exact.
import { corrupt } from "../../bindings/js/src/journal-errors.ts";
import { keyPath } from "../../bindings/js/src/run-key.ts";
import type { Rows } from "./journal-wire.ts";
import { NUMBERS, type RowChecksum } from "./row-checksum.ts";
import type { Database, Statement } from "./sqlite.ts";

const PIECE_ENTRIES = 2_048;
/** A piece of more than one entry carries at most so many bytes of payload. */
const PIECE_BYTES = 8 * 1024 * 1024;
/** The columns of a row in the text: those of the checksum, and the checksum. */
const COLUMNS = NUMBERS + 1;

/** An entry that is not as it was written. */
export interface BadEntry {
  readonly seq: number;
  /** As its row says, if it says one. */
  readonly slot: number | undefined;
  readonly why: string;
}

export class EntryReader {
  readonly #bytes: Statement;
  readonly #piece: Statement;

  constructor(database: Database) {
    this.#bytes = database.prepare(
      "SELECT coalesce(sum(length(payload)), 0) AS bytes FROM entries WHERE run = ? AND seq >= ? AND seq < ?",
    );
    // The rows come as they lie, by run and seq; whether they did is seen by their seq.
    this.#piece = database.prepare(
      `SELECT group_concat(concat_ws(',', seq, kind, slot, count, attempt, outcome, source, at, until,
           coalesce(length(payload), -1), crc)) AS numbers,
         CAST(group_concat(CAST(coalesce(payload, '') AS TEXT), '') AS BLOB) AS payloads
       FROM entries WHERE run = ? AND seq >= ? AND seq < ?`,
    );
  }

  /** Entries of a run from `from` on, at least one and not beyond `to`. Throws `journal-corrupt`. */
  piece(run: string, number: number, from: number, to: number, checksum: RowChecksum): Rows {
    const read = this.try(number, from, to, checksum);
    if ("numbers" in read) return read;
    const { seq, slot, why } = read[0]!;
    throw corrupt(keyPath(run).join("/"), slot, seq, why);
  }

  /** The same, or the entries among them that are not as they were written. */
  try(number: number, from: number, to: number, checksum: RowChecksum): Rows | readonly BadEntry[] {
    let end = Math.min(to, from + PIECE_ENTRIES);
    while (end - from > 1 && Number(this.#bytes.get([number, from, end])?.bytes) > PIECE_BYTES)
      end = from + Math.ceil((end - from) / 2);
    const rows = this.#read(number, from, end, checksum);
    return typeof rows === "string" ? this.#bad(number, from, end, checksum, rows) : rows;
  }

  /** The rows, or what is wrong with one of them. */
  #read(number: number, from: number, end: number, checksum: RowChecksum): Rows | string {
    const row = this.#piece.get([number, from, end]);
    if (row === undefined || typeof row.numbers !== "string") return "it is missing";
    const read = numbersOf(row.numbers);
    if (read === undefined) return "its numbers are none";
    const count = end - from;
    if (read.length !== count * COLUMNS) return "it is missing";
    // A copy: the bytes are the library's, and are to be handed to another thread.
    const payloads = row.payloads instanceof Uint8Array ? Uint8Array.from(row.payloads) : new Uint8Array();
    const numbers = new Float64Array(count * NUMBERS);
    let byte = 0;
    for (let i = 0; i < count; i++) {
      for (let column = 0; column < NUMBERS; column++) numbers[i * NUMBERS + column] = read[i * COLUMNS + column]!;
      const length = numbers[(i + 1) * NUMBERS - 1]!;
      const payload = length < 0 ? null : payloads.subarray(byte, byte + length);
      if (length > 0) byte += length;
      if (numbers[i * NUMBERS] !== from + i) return "it is missing";
      if (checksum.of(numbers, i * NUMBERS, payload) !== read[i * COLUMNS + NUMBERS])
        return "its bits are not those that were written";
    }
    return byte === payloads.length ? { numbers, payloads } : "its payload is not as long as it says";
  }

  /** One by one. */
  #bad(number: number, from: number, end: number, checksum: RowChecksum, why: string): readonly BadEntry[] {
    const bad: BadEntry[] = [];
    for (let seq = from; seq < end; seq++) {
      const rows = this.#read(number, seq, seq + 1, checksum);
      if (typeof rows === "string") bad.push({ seq, slot: this.#slotOf(number, seq), why: rows });
    }
    return bad.length > 0 ? bad : [{ seq: from, slot: undefined, why }];
  }

  /** As the row says; its own bits may be those that flipped. */
  #slotOf(number: number, seq: number): number | undefined {
    const text = this.#piece.get([number, seq, seq + 1])?.numbers;
    return typeof text === "string" ? numbersOf(text)?.[2] : undefined;
  }
}

/** The text is of a file that may be damaged. */
function numbersOf(text: string): readonly number[] | undefined {
  try {
    const numbers: unknown = JSON.parse(`[${text}]`);
    return Array.isArray(numbers) && numbers.every((one) => Number.isSafeInteger(one)) ? numbers : undefined;
  } catch {
    return undefined;
  }
}
