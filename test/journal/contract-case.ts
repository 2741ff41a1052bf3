// What a case of the contract is made of: the ground that it stands on, and how it expects a refusal.
import { strict as assert } from "node:assert";
import type { Journal } from "../../bindings/js/src/ports.ts";

/** Where journals are kept during one case. */
export interface Ground {
  /** Opens a journal on this ground; every one that is opened is closed by the ground. */
  open(): Promise<Journal>;
}

export interface ContractCase {
  readonly name: string;
  /** Needs two journals that see the same runs, at once or one after the other. */
  readonly shared?: boolean;
  run(ground: Ground): Promise<void>;
}

/** Rejects with a HoldfastError of this code; gives it. */
export async function refusal(
  work: Promise<unknown>,
  code: string,
): Promise<Error & { readonly details: Readonly<Record<string, unknown>> }> {
  const thrown: unknown = await work.then(
    () => assert.fail(`it went well, and should have been refused as ${code}`),
    (error: unknown) => error,
  );
  assert.ok(thrown instanceof Error, "what was thrown is no Error");
  const error = thrown as Error & { readonly code?: string; readonly details: Readonly<Record<string, unknown>> };
  assert.equal(error.code, code, error.message);
  return error;
}
