// Opens every contender in a folder of its own, hands them to a measurement, and closes them again.
import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import type { Contender, Opened } from "../contender.ts";
import { CONTENDERS, type Settings } from "../scenario.ts";
import type { WorkTool } from "../work.ts";

export interface Store {
  readonly contender: Contender;
  readonly opened: Opened;
}

export async function withStores<Result>(
  settings: Settings,
  name: string,
  work: WorkTool,
  measure: (stores: readonly Store[]) => Promise<Result>,
): Promise<Result> {
  const stores: Store[] = [];
  try {
    for (const [i, contender] of CONTENDERS.entries()) {
      const folder = join(settings.folder, `${name}-${i}`);
      await mkdir(folder, { recursive: true });
      stores.push({ contender, opened: await contender.open(folder, work) });
    }
    return await measure(stores);
  } finally {
    for (const { opened } of stores) await opened.close();
  }
}
