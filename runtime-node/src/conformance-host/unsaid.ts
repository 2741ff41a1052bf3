// What is said, without one word of it: for hosts that are wrong on purpose.

/** The same without this word. */
export const unsaid =
  (word: string) =>
  <Said extends object>(said: Said): Said =>
    Object.fromEntries(Object.entries(said).filter(([name]) => name !== word)) as Said;
