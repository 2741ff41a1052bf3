// Numbers in [0, 1) by a seed: what a test injects is the same each time it runs. SplitMix32, as Steele, Lea and
// Flood have it for 64 bits ("Fast splittable pseudorandom number generators", 2014).
export function seeded(seed: number): () => number {
  let state = seed | 0;
  return () => {
    state = (state + 0x9e3779b9) | 0;
    let mixed = state ^ (state >>> 16);
    mixed = Math.imul(mixed, 0x21f0aaad);
    mixed ^= mixed >>> 15;
    mixed = Math.imul(mixed, 0x735a2d97);
    return ((mixed ^ (mixed >>> 15)) >>> 0) / 2 ** 32;
  };
}
