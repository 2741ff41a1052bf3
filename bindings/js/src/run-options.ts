// What `runtime.run` may be given, checked.
import type { RunOptions } from "./api.ts";
import { alsoHeld, type HeldNames } from "./held-names.ts";
import type { LiveRun, LiveSlot, Tenant } from "./live-run.ts";
import {
  checkChoice,
  checkFunction,
  checkInteger,
  checkKeys,
  checkNumber,
  checkString,
  refuseOption,
  SPAN_MS_MAX,
} from "./options.ts";

/** An attempt of a call that waits for a run. */
export interface ParentCall {
  readonly run: LiveRun;
  readonly slot: LiveSlot;
  readonly attempt: number;
}

/** How a run of a program is opened, checked. */
export interface OpenWith {
  readonly version: string | undefined;
  readonly onVersionChange: RunOptions["onVersionChange"];
  readonly adapt: boolean;
  readonly tenant: Tenant | undefined;
  /** Wall ms; 0 = none. */
  readonly deadline: number;
  /** What the calls above it hold. */
  readonly held: HeldNames | undefined;
  /** The call that waits for it. */
  readonly parent: ParentCall | undefined;
  readonly signal: AbortSignal | undefined;
  readonly waitMs: number;
}

/** Throws `invalid-option` naming what is wrong. */
export function checkRunOptions(options: unknown): OpenWith {
  const given = checkKeys("options", options, [
    "version",
    "onVersionChange",
    "onMismatch",
    "tenant",
    "signal",
    "waitMs",
  ]);
  checkFunction("options.onVersionChange", given.onVersionChange);
  const { signal } = given;
  if (signal !== undefined && !(signal instanceof AbortSignal))
    refuseOption("options.signal", signal, "an AbortSignal");
  return {
    version: checkString("options.version", given.version, 200),
    onVersionChange: given.onVersionChange as RunOptions["onVersionChange"],
    adapt: checkChoice("options.onMismatch", given.onMismatch, ["fail", "adapt"], "fail") === "adapt",
    tenant: checkTenant("options.tenant", given.tenant),
    deadline: 0,
    held: undefined,
    parent: undefined,
    signal: signal as AbortSignal | undefined,
    waitMs: checkInteger("options.waitMs", given.waitMs, 0, SPAN_MS_MAX, 0),
  };
}

/** How a child run is opened: as its parent was, for the same tenant, and over no later than the call that waits for it. */
export function childOptions(parent: LiveRun, slot: LiveSlot, signal: AbortSignal): OpenWith {
  const { adapt, tenant } = parent;
  const held = alsoHeld(parent.held, slot.call.terms);
  return {
    version: undefined,
    onVersionChange: undefined,
    adapt,
    tenant,
    deadline: slot.deadline,
    held,
    parent: { run: parent, slot, attempt: slot.inFlight?.attempt ?? 0 },
    signal,
    waitMs: 0,
  };
}

/** Whose it is: an id, or an id with its weight. Undefined: nobody's. */
export function checkTenant(path: string, value: unknown): Tenant | undefined {
  if (value === undefined) return undefined;
  if (typeof value === "string") return { id: checkString(path, value, 1_000)!, weight: 1 };
  const given = checkKeys(path, value, ["id", "weight"]);
  const id = checkString(`${path}.id`, given.id, 1_000);
  if (id === undefined) return refuseOption(`${path}.id`, undefined, "a string");
  return { id, weight: checkNumber(`${path}.weight`, given.weight, 0.001, 1_000, 1) };
}
