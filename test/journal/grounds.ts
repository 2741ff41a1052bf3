// Where the contract's journals are kept: memory, or a folder of its own with a SQLite file. Whatever was
// opened is closed, and the folder removed.
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Journal } from "../../bindings/js/src/ports.ts";
import type { ContractCase } from "./contract-case.ts";

/** Opens journals, and ends them all. */
export interface OwnedGround {
  open(): Promise<Journal>;
  end(): Promise<void>;
}

export function memoryGround(make: () => Journal): OwnedGround {
  const opened: Journal[] = [];
  return {
    async open() {
      const journal = make();
      opened.push(journal);
      return journal;
    },
    async end() {
      for (const journal of opened) await journal.close();
    },
  };
}

/** `open` comes from the package that is tested, whichever Node runs it. */
export function sqliteGround(open: (path: string) => Promise<Journal>): OwnedGround {
  const folder = mkdtemp(join(tmpdir(), "holdfast-contract-"));
  const opened: Journal[] = [];
  return {
    async open() {
      const journal = await open(join(await folder, "journal.db"));
      opened.push(journal);
      return journal;
    },
    async end() {
      for (const journal of opened) await journal.close();
      await rm(await folder, { recursive: true, force: true });
    },
  };
}

/** Runs a case on a ground of its own. */
export async function withGround(ground: OwnedGround, one: ContractCase): Promise<void> {
  try {
    await one.run(ground);
  } finally {
    await ground.end();
  }
}
