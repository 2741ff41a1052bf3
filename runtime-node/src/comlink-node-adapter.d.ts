// The adapter of comlink for Node's worker_threads, whose own types only resolve for bundlers.
declare module "comlink/dist/esm/node-adapter.mjs" {
  /** What a worker, or the port to its parent, is to comlink. */
  export default function nodeEndpoint(port: {
    postMessage(message: unknown, transfer?: readonly object[]): void;
    on(event: string, listener: (message: unknown) => void): unknown;
    off(event: string, listener: (message: unknown) => void): unknown;
  }): import("../../bindings/js/src/ports.ts").WorkerEndpoint;
}
