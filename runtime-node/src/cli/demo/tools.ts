// The demo's tools: those of the MCP servers with their annotations as effects, and the one in a worker.
// Each witnesses in the ledger before it begins and after it has ended.
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import type { Context } from "../../../../bindings/js/src/api.ts";
import type { Verdict } from "../../../../bindings/js/src/outcome.ts";
import { type ReconcileContext, type Tools, tool } from "../../../../bindings/js/src/tool.ts";
import { effectOf } from "./annotations.ts";
import { type Assignment, placesIn } from "./assignment.ts";
import { type LedgerLine, writeLedger } from "./ledger.ts";
import type { Server, ServerTool } from "./mcp-servers.ts";
import { type EditInput, editVerdict, type MoveInput, moveVerdict, type ToolText } from "./reconcilers.ts";
import type { Input, PlannedCall, Turn } from "./turn.ts";

interface Stage {
  readonly files: string;
  readonly calls: ReadonlyMap<string, PlannedCall>;
  readonly witness: (what: LedgerLine["what"], of: { readonly callId: string; readonly attempt: number }) => void;
}

/** Arguments that are paths in the folder of files. */
const PATHS: readonly string[] = ["path", "source", "destination"];

/** The arguments that the server knows, paths made absolute. */
function argumentsFor(served: ServerTool, input: Input, files: string): Input {
  const known = Object.entries(input).filter(([name]) => served.takes.includes(name));
  return Object.fromEntries(
    known.map(([name, value]) => [name, PATHS.includes(name) ? join(files, String(value)) : value]),
  );
}

async function perform(
  server: Server,
  served: ServerTool,
  stage: Stage,
  input: Input,
  ctx: Context,
): Promise<ToolText> {
  const call = stage.calls.get(ctx.callId);
  stage.witness("began", ctx);
  try {
    await delay(call?.beforeMs ?? 0, undefined, { signal: ctx.signal });
    const text = await server.call(served.name, argumentsFor(served, input, stage.files), {
      signal: ctx.signal,
      onProgress: (part) => ctx.progress(part),
    });
    await delay(call?.afterMs ?? 0, undefined, { signal: ctx.signal });
    stage.witness("ended", ctx);
    return { text };
  } catch (thrown) {
    stage.witness("failed", ctx);
    throw thrown;
  }
}

type Ask = (folder: string, input: Input) => Promise<Verdict<ToolText>>;
/** Whom to ask about a call in doubt, by tool. Of the others nobody can tell. */
const ASKS: Readonly<Record<string, Ask>> = {
  edit_file: (folder, input) => editVerdict(folder, input as unknown as EditInput),
  move_file: (folder, input) => moveVerdict(folder, input as unknown as MoveInput),
};
const SAID = {
  done: "said-done",
  "not-done": "said-not-done",
  unknown: "said-unknown",
  failed: "said-unknown",
} as const;

function reconcilerOf(ask: Ask, stage: Stage) {
  return async (input: Input, ctx: ReconcileContext): Promise<Verdict<ToolText>> => {
    stage.witness("asked", ctx);
    const verdict = await ask(stage.files, input);
    stage.witness(SAID[verdict.kind], ctx);
    return verdict;
  };
}

/** All tools that the servers offer, and `hash_chain`. */
export function demoTools(servers: readonly Server[], turn: Turn, assignment: Assignment): Tools {
  const { files, ledger } = placesIn(assignment.folder);
  const stage: Stage = {
    files,
    calls: new Map(turn.calls.map((call) => [call.id, call])),
    witness: (what, { callId, attempt }) =>
      writeLedger(ledger, { what, call: callId, attempt, life: assignment.life, at: Date.now() }),
  };
  const served = servers.flatMap((server) =>
    server.tools.map((offered) => {
      const ask = Object.hasOwn(ASKS, offered.name) ? ASKS[offered.name] : undefined;
      const options = {
        effect: effectOf(offered.annotations),
        run: (input: Input, ctx: Context) => perform(server, offered, stage, input, ctx),
      };
      return [
        offered.name,
        ask === undefined ? tool(options) : tool({ ...options, reconcile: reconcilerOf(ask, stage) }),
      ] as const;
    }),
  );
  // By its place beside the built command.
  const chain = tool({ effect: "idempotent", worker: new URL("./demo-worker.js", import.meta.url) });
  return { ...Object.fromEntries(served), hash_chain: chain };
}
