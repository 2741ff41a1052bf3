// Room in SQLite's write-ahead log before it is needed. A sync of a file that has grown must write the file
// system's own journal as well; one that overwrites takes two thirds of the time. So the log is made longer
// ahead of its writer, by zeros: SQLite reads a log up to the first frame that is not one.
import { closeSync, fstatSync, openSync, writeSync } from "node:fs";

/** Bytes by which it grows at once: some 120 small commits. */
const STEP = 512 * 1024;

export class WalRoom {
  readonly #path: string;
  readonly #zeros = new Uint8Array(STEP);
  #file: number | undefined;
  /** How long the log is known to be. */
  #room = 0;
  /** The disk did not give any: then commits go on without. */
  #denied = false;

  /** SQLite keeps its locks on other files, so this one may be opened and closed beside it. */
  constructor(path: string) {
    this.#path = `${path}-wal`;
  }

  /** To be called within a transaction that writes: then nobody else makes the log longer or shorter. */
  ensure(): void {
    if (this.#denied) return;
    try {
      this.#file ??= openSync(this.#path, "r+");
      const { size } = fstatSync(this.#file);
      // One of that length was given room by somebody before.
      if (this.#room === 0 && size >= STEP) this.#room = size;
      if (size <= this.#room) this.#room = size;
      else this.#room = size + writeSync(this.#file, this.#zeros, 0, STEP, size);
    } catch {
      // Full, or not allowed: whether that matters is for SQLite to say when it needs the room itself.
      this.#denied = true;
    }
  }

  close(): void {
    if (this.#file !== undefined) closeSync(this.#file);
    this.#file = undefined;
  }
}
