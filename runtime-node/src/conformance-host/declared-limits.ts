// The limits of a scenario, as a user would declare them when opening a runtime.
import type { Limits, RateOptions, ToolLimits } from "../../../bindings/js/src/limits.ts";
import type { WireLimits, WireTool } from "../../../conformance/protocol/messages.ts";

/** What is given, without what is not. */
export function given<Value extends object>(options: Value): { [Key in keyof Value]?: NonNullable<Value[Key]> } {
  const there = Object.entries(options).filter(([, value]) => value !== undefined);
  return Object.fromEntries(there) as { [Key in keyof Value]?: NonNullable<Value[Key]> };
}

function ratesOf({ rate, ratePerMs = 1000, rates = [] }: WireTool): readonly RateOptions[] {
  return [...(rate === undefined ? [] : [{ limit: rate, perMs: ratePerMs }]), ...rates];
}

function toolLimits(tool: WireTool): ToolLimits {
  const { concurrency, breakerCalls, breakerOpenMs = 1000, whenOpen, throttles } = tool;
  const rate = ratesOf(tool);
  return {
    ...given({ concurrency, throttlesMax: throttles }),
    ...(rate.length === 0 ? {} : { rate }),
    ...(breakerCalls === undefined
      ? {}
      : { breaker: { minimumCalls: breakerCalls, openMs: breakerOpenMs, ...given({ whenOpen }) } }),
  };
}

/** The limits of a runtime with these tools. */
export function limitsOf(limits: WireLimits, tools: Readonly<Record<string, WireTool>>): Limits {
  const { concurrency, keyConcurrency, tenantConcurrency, lanes, lanesWaitMs } = limits;
  const { undeclared, queue: max, queuePerTenant: maxPerTenant, queuePerBatch: maxPerBatch, whenFull } = limits;
  return {
    ...given({ concurrency }),
    ...(keyConcurrency === undefined ? {} : { keys: { concurrency: keyConcurrency } }),
    ...(tenantConcurrency === undefined ? {} : { tenants: { concurrency: tenantConcurrency } }),
    ...(undeclared === undefined ? {} : { locks: { undeclared } }),
    queue: given({ max, maxPerTenant, maxPerBatch, whenFull }),
    priority: given({ lanes, waitMsMax: lanesWaitMs }),
    tools: Object.fromEntries(Object.entries(tools).map(([name, tool]) => [name, toolLimits(tool)])),
  };
}
