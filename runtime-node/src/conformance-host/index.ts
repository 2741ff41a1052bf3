// `holdfast conformance-host`: this package as a host under test. It speaks the protocol of
// conformance/WRITE-A-HOST.md on its standard input and output, until its input ends.
import { readFileSync } from "node:fs";
import type { Capability } from "../../../conformance/protocol/capabilities.ts";
import type { Hello } from "../../../conformance/protocol/messages.ts";
import type { Fault } from "./fault.ts";
import { faultNamed } from "./faults.ts";
import { HostSession } from "./session.ts";
import { listen, say } from "./wire.ts";

const CAPABILITIES: readonly Capability[] = [
  "points",
  "attempts",
  "keys",
  "sources",
  "reconcile",
  "mismatch",
  "adapt",
  "draws",
  "announce",
  "later",
  "children",
  "retry",
  "timeouts",
  "deadline",
  "cancel",
  "reports",
  "limits",
  "lease",
  "versions",
  "odd-results",
  "inner-tools",
  "no-threads",
  "priority",
  "locks",
  "rates",
  "breakers",
  "weights",
  "queues",
  "tenants",
  "slow-down",
  "costs",
  "start-within",
  "control",
  "explain",
  "telling",
  "reducers",
  "fallbacks",
  "min-budget",
  "preemption",
  "after-grace",
  "hold-while-waiting",
  "undeclared",
  "time-zones",
  "observing",
  "buffered-bytes",
  "streams",
  "holdfast-journal",
  "reuse",
];

function hello(fault: Fault): Hello {
  const manifest = readFileSync(new URL("../package.json", import.meta.url), "utf8");
  const { version } = JSON.parse(manifest) as { version: string };
  const major = process.versions.node.split(".")[0];
  const name = `javascript-node${major}${fault.name === "none" ? "" : `.${fault.name}`}`;
  const levels = ["recovery", "batches", "limits", "time", "interchange"] as const;
  return { type: "hello", protocol: 1, name, version, levels, capabilities: CAPABILITIES };
}

/** Serves until standard input ends. `faultName` seeds one fault on purpose: see faults.ts. */
export function serveConformance(faultName: string | undefined): void {
  const fault = faultNamed(faultName);
  let session: HostSession | undefined;
  const failed = (error: unknown): void => {
    process.stderr.write(`${error instanceof Error ? error.stack : String(error)}\n`);
    process.exit(1);
  };
  listen(
    (message) => {
      if (message.type === "begin") session = new HostSession(message, fault);
      if (session === undefined || message.session !== session.wire.session) return; // of a session that is over
      switch (message.type) {
        case "begin":
          return;
        case "run":
          session.run(message).catch(failed);
          return;
        case "cancel":
          session.cancel(message.run).catch(failed);
          return;
        case "set-limit":
        case "pause":
        case "resume":
        case "set-priority":
          session.control(message).catch(failed);
          return;
        case "explain":
          session.explain(message).catch(failed);
          return;
        case "gauge":
          session.gauge(message).catch(failed);
          return;
        case "end":
          session.end().catch(failed);
          return;
        default:
          session.wire.answered(message);
      }
    },
    () => process.exit(0),
  );
  say(hello(fault));
}
