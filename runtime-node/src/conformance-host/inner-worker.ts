// Tools that only make sense inside a host: a worker that dies, that throws, that keeps a thread busy, that does
// not listen when it is told to stop. Each runs in a worker thread of the conformance host.

interface WorkerContext {
  readonly signal: AbortSignal;
}

/** Gives back its input. */
export function echo(input: unknown): unknown {
  return input;
}

/** Ends its own worker, as a crash would. */
export function exit(): never {
  process.exit(3);
}

/** Throws, with everything that an error may carry. */
export function throws(): never {
  throw Object.assign(new Error("the worker threw"), { code: "E_WORKER", data: { left: 0 } });
}

/** Computes for a while without ever giving way. */
export function spin(input: { readonly ms?: number }): string {
  const until = performance.now() + (input.ms ?? 50);
  while (performance.now() < until);
  return "spun";
}

/** Waits longer than anybody should, deaf to its signal. */
export function ignoresAbort(_input: unknown, _ctx: WorkerContext): Promise<string> {
  return new Promise((resolve) => setTimeout(resolve, 60_000, "too late"));
}
