// The one timer of a driver: set to the core's next due moment, and never left behind.
import { TIMER_MS_MAX } from "./options.ts";
import type { Clock } from "./ports.ts";

export class WakeTimer {
  readonly #clock: Clock;
  readonly #onDue: () => void;
  #cancel: (() => void) | undefined;
  #wakeAt = 0n;

  constructor(clock: Clock, onDue: () => void) {
    this.#clock = clock;
    this.#onDue = onDue;
  }

  /** `wakeAt` is monotonic µs, 0 for never. A moment too far for one timer is reached in several. */
  set(wakeAt: bigint): void {
    if (wakeAt === this.#wakeAt && (wakeAt === 0n || this.#cancel !== undefined)) return;
    this.clear();
    this.#wakeAt = wakeAt;
    if (wakeAt === 0n) return;
    const delayMs = Math.min(Math.max(0, Math.ceil((Number(wakeAt) - this.#clock.nowUs()) / 1000)), TIMER_MS_MAX);
    this.#cancel = this.#clock.timer(delayMs, () => {
      this.#cancel = undefined;
      this.#onDue();
    });
  }

  clear(): void {
    this.#cancel?.();
    this.#cancel = undefined;
    this.#wakeAt = 0n;
  }
}
