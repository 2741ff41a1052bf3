// The checksum beside every entry: CRC-32 (as in zlib) over the run's key, the entry's numbers and its payload.
// A flipped bit is an error that names the entry, never another outcome.
import { crc32 } from "node:zlib";

/** How many numbers of an entry are in its checksum: seq, kind … until, and the payload's length. */
export const NUMBERS = 10;

/** Computes the checksums of one run's entries. */
export class RowChecksum {
  readonly #ofKey: number;
  readonly #bytes = new Uint8Array(NUMBERS * 8);
  readonly #view = new DataView(this.#bytes.buffer);

  constructor(run: string) {
    this.#ofKey = crc32(run);
  }

  /** Numbers are taken from `numbers[at]` on, each as 64 bits, little-endian; a payload's length is -1 when it is null. */
  of(numbers: ArrayLike<number>, at: number, payload: Uint8Array | null): number {
    for (let i = 0; i < NUMBERS; i++) {
      const number = numbers[at + i]!;
      this.#view.setUint32(i * 8, number, true);
      this.#view.setInt32(i * 8 + 4, Math.floor(number / 0x1_0000_0000), true);
    }
    const soFar = crc32(this.#bytes, this.#ofKey);
    return payload === null || payload.length === 0 ? soFar : crc32(payload, soFar);
  }
}
