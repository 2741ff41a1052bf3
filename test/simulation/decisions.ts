// Where a world's choices come from: a list of numbers, taken one by one. When it is used up the world is
// calm: every choice is the first one. So a shorter list is a simpler world, and shrinking shortens.
export class Decisions {
  readonly #numbers: readonly number[];
  #at = 0;

  constructor(numbers: readonly number[]) {
    this.#numbers = numbers;
  }

  get calm(): boolean {
    return this.#at >= this.#numbers.length;
  }

  /** One of 0…count-1; 0 when calm. */
  choose(count: number): number {
    if (this.calm || count <= 1) return 0;
    return this.#numbers[this.#at++]! % count;
  }

  /** True once in so many times, never when calm. */
  rarely(times: number): boolean {
    return this.choose(times) === times - 1;
  }
}
