// What `runtime.run` may be given, checked.
import type { RunOptions } from "./api.ts";
import {
  checkChoice,
  checkFunction,
  checkInteger,
  checkKeys,
  checkString,
  refuseOption,
  SPAN_MS_MAX,
} from "./options.ts";

/** How a run of a program is opened, checked. */
export interface OpenWith {
  readonly version: string | undefined;
  readonly onVersionChange: RunOptions["onVersionChange"];
  readonly adapt: boolean;
  readonly signal: AbortSignal | undefined;
  readonly waitMs: number;
}

/** Throws `invalid-option` naming what is wrong. */
export function checkRunOptions(options: unknown): OpenWith {
  const given = checkKeys("options", options, ["version", "onVersionChange", "onMismatch", "signal", "waitMs"]);
  checkFunction("options.onVersionChange", given.onVersionChange);
  const { signal } = given;
  if (signal !== undefined && !(signal instanceof AbortSignal))
    refuseOption("options.signal", signal, "an AbortSignal");
  return {
    version: checkString("options.version", given.version, 200),
    onVersionChange: given.onVersionChange as RunOptions["onVersionChange"],
    adapt: checkChoice("options.onMismatch", given.onMismatch, ["fail", "adapt"], "fail") === "adapt",
    signal: signal as AbortSignal | undefined,
    waitMs: checkInteger("options.waitMs", given.waitMs, 0, SPAN_MS_MAX, 0),
  };
}

/** How a child run is opened: as its parent was. */
export function childOptions(adapt: boolean, signal: AbortSignal): OpenWith {
  return { version: undefined, onVersionChange: undefined, adapt, signal, waitMs: 0 };
}
