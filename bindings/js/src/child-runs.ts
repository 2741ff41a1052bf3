// A run that a tool opens through its context: its own journal, the same limits. The call that waits for
// it gives its permits back meanwhile. How a run is carried through is not known here.
import type { Program } from "./api.ts";
import { HoldfastError } from "./errors.ts";
import type { HeldRuns } from "./held-runs.ts";
import { type InFlight, type LiveRun, type LiveSlot, signalOf } from "./live-run.ts";
import { checkString, refuseOption } from "./options.ts";
import type { Reports } from "./perform.ts";
import { callEnded, isOfTheHost } from "./run-end.ts";
import { childKey, keyPath } from "./run-key.ts";
import { childOptions, type OpenWith } from "./run-options.ts";

/** What a child run needs of its runtime. */
export interface ChildWith {
  readonly reports: Reports;
  readonly held: HeldRuns;
  readonly runHeld: (key: string, id: string, program: Program<any, unknown>, options: OpenWith) => Promise<unknown>;
}

export async function runChild(
  withThese: ChildWith,
  parent: LiveRun,
  slot: LiveSlot,
  inFlight: InFlight,
  program: Program<any, unknown>,
  name: string | undefined,
): Promise<unknown> {
  if (typeof program !== "function") refuseOption("program", program, "a function of the run");
  const label = checkString("options.name", name, 200);
  if (slot.inFlight !== inFlight) throw callEnded(slot.call.id);
  takeName(slot, inFlight, label);
  const key = childKey(parent.key, slot.call.id, label);
  const id = keyPath(key).at(-1) as string;
  if (inFlight.children++ === 0) withThese.reports.suspend(parent, slot, inFlight.attempt);
  try {
    await withThese.held.gone(key); // an attempt that ran out of time may have left its child behind, on its way out
    return await withThese.runHeld(key, id, program, childOptions(parent, slot, signalOf(inFlight)));
  } catch (thrown) {
    if (isOfTheHost(thrown)) inFlight.childStopped = thrown;
    throw thrown;
  } finally {
    if (--inFlight.children === 0) await goOn(withThese.reports, parent, slot, inFlight);
  }
}

function takeName(slot: LiveSlot, inFlight: InFlight, label: string | undefined): void {
  if (inFlight.childNames.has(label ?? "")) {
    throw new HoldfastError(
      "run-busy",
      `the call ${slot.call.id} has already run a child${label === undefined ? "" : ` called ${JSON.stringify(label)}`}`,
      "Give each child of one call a name: ctx.run(program, { name }).",
    );
  }
  inFlight.childNames.add(label ?? "");
}

/** The call has its permits again, or its run has ended meanwhile. */
function goOn(reports: Reports, parent: LiveRun, slot: LiveSlot, inFlight: InFlight): Promise<void> {
  if (parent.stopped !== undefined || slot.inFlight !== inFlight) return Promise.resolve();
  return new Promise((resolve) => {
    inFlight.carryOn = resolve;
    reports.resume(parent, slot, inFlight.attempt);
    parent.controller.signal.addEventListener("abort", () => resolve(), { once: true });
  });
}
