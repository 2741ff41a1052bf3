// The types of group-size.mjs, which a bare process imports as it is.
export function groupSize(number: number): number;
