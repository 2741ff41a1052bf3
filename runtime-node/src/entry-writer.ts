// Writes the entries of a group: numbers them, adds their checksums and binds them, several rows to a
// statement, which halves what a row costs. It begins and ends no transaction.
import type { Group } from "./journal-wire.ts";
import { NUMBERS } from "./row-checksum.ts";
import type { HeldRow } from "./run-leases.ts";
import type { Database, SqlValue, Statement } from "./sqlite.ts";

/** The run, the numbers without the payload's length, the payload, the checksum. */
const COLUMNS = NUMBERS + 2;
const ROWS_AT_ONCE = 16;

export class EntryWriter {
  readonly #one: Statement;
  readonly #many: Statement;
  /** Values of rows that are not in a statement yet. */
  #values: SqlValue[] = [];

  constructor(database: Database) {
    const row = `(${new Array(COLUMNS).fill("?").join(", ")})`;
    this.#one = database.prepare(`INSERT INTO entries VALUES ${row}`);
    this.#many = database.prepare(`INSERT INTO entries VALUES ${new Array(ROWS_AT_ONCE).fill(row).join(", ")}`);
  }

  /** Writes a group of a run that is held. Throws what SQLite throws: then part of it may be written. */
  write({ number, numbers, payloads }: Group, held: HeldRow): void {
    this.#values = [];
    let byte = 0;
    for (let at = 0; at < numbers.length; at += NUMBERS) {
      const length = numbers[at + NUMBERS - 1]!;
      const payload = length < 0 ? null : payloads.subarray(byte, byte + length);
      if (length > 0) byte += length;
      numbers[at] = held.next++;
      this.#values.push(number);
      for (let i = at; i < at + NUMBERS - 1; i++) this.#values.push(numbers[i]!);
      this.#values.push(payload, held.checksum.of(numbers, at, payload));
      if (this.#values.length === ROWS_AT_ONCE * COLUMNS) {
        this.#many.run(this.#values);
        this.#values = [];
      }
    }
    for (let from = 0; from < this.#values.length; from += COLUMNS)
      this.#one.run(this.#values.slice(from, from + COLUMNS));
  }
}
