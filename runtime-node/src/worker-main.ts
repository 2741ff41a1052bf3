// What a worker thread of Node runs: the inside of a worker, on the port to its parent.
import { parentPort } from "node:worker_threads";
import { expose, wrap } from "comlink";
import nodeEndpoint from "comlink/dist/esm/node-adapter.mjs";
import { makeToolWorker } from "../../bindings/js/src/tool-worker.ts";
import type { HostSide } from "../../bindings/js/src/worker-protocol.ts";

if (parentPort === null) throw new Error("worker-main runs in a worker thread, which Holdfast starts by itself");

type Ours = Parameters<typeof expose>[1];
const endpoint = nodeEndpoint(parentPort) as unknown as NonNullable<Ours>;
const host = wrap<HostSide>(endpoint);
const worker = makeToolWorker(
  // Nobody waits for it: a host that has gone hears nothing and needs nothing.
  { tell: (message) => void host.tell(message).catch(() => undefined) },
  {
    load: (url) => import(url),
    nowMs: () => performance.now(),
    timer(delayMs, callback) {
      const timer = setTimeout(callback, delayMs).unref();
      return () => clearTimeout(timer);
    },
  },
);
expose(worker, endpoint);
