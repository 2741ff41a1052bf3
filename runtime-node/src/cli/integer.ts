// An option that is a whole number, checked where it is read.
import { InvalidArgumentError } from "commander";

/** An integer option in a range; anything else is refused with the range. */
export function integer(least: number, most: number): (text: string) => number {
  return (text) => {
    const value = /^-?\d+$/.test(text) ? Number(text) : Number.NaN;
    if (value >= least && value <= most) return value;
    throw new InvalidArgumentError(`It must be an integer from ${least} to ${most}.`);
  };
}
