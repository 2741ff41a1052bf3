// How much of a memory is in use: the pages in which something was ever written. Its length says less, it doubles
// when it grows, and what nobody has touched of it costs nothing.

/** Words of 8 bytes in a page of the operating system. */
const PAGE_WORDS = 512;

export function writtenBytes({ buffer }: WebAssembly.Memory): number {
  const words = new BigUint64Array(buffer);
  let pages = 0;
  for (let from = 0; from < words.length; from += PAGE_WORDS)
    if (words.subarray(from, from + PAGE_WORDS).some((word) => word !== 0n)) pages++;
  return pages * PAGE_WORDS * 8;
}
