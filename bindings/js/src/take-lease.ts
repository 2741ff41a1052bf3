// Takes the lease of a run, and waits for whoever holds it, if it was told to.
import { HoldfastError } from "./errors.ts";
import type { OpenedRun, Ports } from "./ports.ts";

const POLL_MS = 50;

/** `goOn` throws when there is nothing to wait for any more. Throws `run-busy` after `waitMs`. */
export async function takeLease(
  { journal, clock }: Ports,
  key: string,
  waitMs: number,
  goOn: () => void,
): Promise<OpenedRun> {
  const until = clock.nowUs() + waitMs * 1000;
  for (;;) {
    try {
      return await journal.open(key);
    } catch (thrown) {
      const busy = thrown instanceof HoldfastError && thrown.code === "run-busy";
      if (!busy || clock.nowUs() >= until) throw thrown;
    }
    await new Promise<void>((resolve) => void clock.timer(POLL_MS, resolve));
    goOn();
  }
}
