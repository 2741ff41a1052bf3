// Tools for the tests of fallbacks: one that fails, one that stands in for it, two that have nothing to do with it.
import { tool } from "../../bindings/js/src/index.ts";
import { type Host, settle, World } from "../rules/fakes.ts";

const BREAKER = { minimumCalls: 2, openMs: 600_000, windowMs: 600_000 };

/** `live` fails, `cached` stands in for it, and `plain` has nothing to do with them. Counts who is called. */
export function stage(
  declared: Record<string, object> = {},
  limits: object = { tools: { live: { breaker: BREAKER } } },
) {
  const world = new World();
  const called: string[] = [];
  const runs = (name: string, result: (input: any) => unknown) => (input: any, ctx: { callId: string }) => {
    called.push(`${name} ${ctx.callId}`);
    return result(input);
  };
  const down = (): never => {
    throw new Error("down");
  };
  const tools = {
    live: tool({ effect: "read", run: runs("live", down), fallback: { tool: "cached" }, ...declared.live } as never),
    cached: tool({ effect: "read", run: runs("cached", (input) => ({ old: input })), ...declared.cached } as never),
    plain: tool({ effect: "read", run: runs("plain", (input) => input), ...declared.plain } as never),
    slow: tool({ effect: "read", run: runs("slow", (input) => settle().then(() => input)) }),
  };
  return {
    world,
    called,
    tools,
    host: (other: Record<string, any> = tools): Host<any> => world.host(other, { limits }),
  };
}

export const call = (id: string, name = "live") => ({ id, tool: name, input: id });
