// What is measured: a way of running batches of calls. Types only; each contender has a file of its own.
import type { WorkCall, WorkOutcome, WorkTool } from "./work.ts";

export interface Contender {
  readonly name: string;
  /** What a crash leaves: starts and results (a call is never begun twice unknown), results only, or nothing. */
  readonly keeps: "starts and results" | "results" | "nothing";
  open(folder: string, tool: WorkTool): Promise<Opened>;
}

/** A store that is open. Opening and closing are not measured with the batches. */
export interface Opened {
  /** Begins one more run of batches; several may be open side by side. */
  begin(): Promise<BatchRun>;
  close(): Promise<void>;
}

export interface BatchRun {
  /** Runs a batch with at most `limit` calls at once (Infinity: all). One outcome per call, in request order. */
  batch(calls: readonly WorkCall[], limit: number): Promise<readonly WorkOutcome[]>;
  end(): Promise<void>;
}
