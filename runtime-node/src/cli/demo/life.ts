// One process of the demo: opens the journal, runs the turn, or carries on with it, and tells the conductor
// every step. It does not know whether it will be killed, nor that another was before it.
import type { Runtime } from "../../../../bindings/js/src/api.ts";
import type { CallEvent } from "../../../../bindings/js/src/events.ts";
import type { Json, Outcome } from "../../../../bindings/js/src/outcome.ts";
import { openRuntime } from "../../index.ts";
import { Exit } from "../failure.ts";
import { type Assignment, placesIn, readAssignment } from "./assignment.ts";
import { startServers } from "./mcp-servers.ts";
import { demoTools } from "./tools.ts";
import { planTurn, RUN_ID, type Turn } from "./turn.ts";

/** What a life tells its conductor. */
export type LifeMessage =
  | { readonly kind: "event"; readonly event: CallEvent }
  | { readonly kind: "finished" }
  | { readonly kind: "failed"; readonly message: string };

/** The lease of a process that was killed is waited out at most this long, ms. */
const LEASE_WAIT_MS = 60_000;

function tell(message: LifeMessage): Promise<void> {
  return new Promise((resolve, reject) => {
    process.send!(message, undefined, {}, (error) => (error === null ? resolve() : reject(error)));
  });
}

/** An orphan has nobody to run for: it ends with all that it started, as its conductor would have ended it. */
function endWithConductor(): void {
  process.once("disconnect", () => process.kill(process.platform === "win32" ? process.pid : 0, "SIGKILL"));
}

async function tellEvents(runtime: Runtime): Promise<void> {
  for await (const event of runtime.events({ bufferMax: 10_000 })) await tell({ kind: "event", event });
}

async function runTurn(turn: Turn, assignment: Assignment): Promise<void> {
  const { journal, files } = placesIn(assignment.folder);
  const servers = await startServers(files);
  try {
    const tools = demoTools(servers, turn, assignment);
    const runtime: Runtime = await openRuntime({ journal, tools, limits: { concurrency: turn.lanes } });
    const told = tellEvents(runtime);
    try {
      const calls = turn.calls.map(({ id, tool, input }) => ({ id, tool, input }));
      await runtime.run(RUN_ID, (run): Promise<readonly Outcome[]> => run.batch(calls), { waitMs: LEASE_WAIT_MS });
    } finally {
      await runtime.close();
      await told;
    }
  } finally {
    await Promise.all(servers.map((server) => server.close()));
  }
}

/** Runs the turn that the environment assigns. Resolves to the exit code of this process. */
export async function liveOnce(): Promise<Exit> {
  const assignment = readAssignment(process.env);
  endWithConductor();
  let last: LifeMessage = { kind: "finished" };
  try {
    await runTurn(planTurn(assignment.seed, assignment.calls), assignment);
  } catch (thrown) {
    last = { kind: "failed", message: thrown instanceof Error ? thrown.message : String(thrown as Json) };
  }
  await tell(last);
  process.removeAllListeners("disconnect");
  process.disconnect();
  return last.kind === "finished" ? Exit.ok : Exit.problems;
}
