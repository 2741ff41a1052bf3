// The demo's CPU-bound tool, a module of its own for a worker thread: a chain of SHA-256, each hashing the
// one before. It witnesses in the ledger like every other tool.
import { createHash } from "node:crypto";
import { placesIn, readAssignment } from "./assignment.ts";
import { type LedgerLine, writeLedger } from "./ledger.ts";

export interface ChainInput {
  readonly text: string;
  /** How many hashes. */
  readonly rounds: number;
}

const PROGRESS_STEPS = 4;

/** The last digest of the chain, in hex. The same input gives the same. */
export default function hashChain(
  input: ChainInput,
  ctx: { readonly callId: string; readonly attempt: number; progress(value: number): void },
): { readonly digest: string } {
  const { folder, life } = readAssignment(process.env);
  const witness = (what: LedgerLine["what"]): void =>
    writeLedger(placesIn(folder).ledger, { what, call: ctx.callId, attempt: ctx.attempt, life, at: Date.now() });
  witness("began");
  const step = Math.ceil(input.rounds / PROGRESS_STEPS);
  let digest = input.text;
  for (let round = 1; round <= input.rounds; round++) {
    digest = createHash("sha256").update(digest).digest("hex");
    if (round % step === 0 && round < input.rounds) ctx.progress(round / input.rounds);
  }
  witness("ended");
  return { digest };
}
