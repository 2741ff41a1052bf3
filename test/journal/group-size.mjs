// How many entries the group of a number has: known to the process that writes and to the one that judges.

export function groupSize(number) {
  return 1 + ((number * 7) % 20);
}
