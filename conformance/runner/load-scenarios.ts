// The scenarios of a folder: `<level>/<name>.scenario`, in the order of their names.
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { LEVELS } from "../protocol/messages.ts";
import { readScenario } from "./read-scenario.ts";
import type { Scenario } from "./scenario.ts";

const ENDING = ".scenario";

/** Reads them all. Throws `BadScenario` for the first that cannot be read. */
export function loadScenarios(folder: string): Scenario[] {
  return LEVELS.flatMap((level) =>
    namesIn(join(folder, level)).map((name) => {
      const text = readFileSync(join(folder, level, name + ENDING), "utf8");
      return readScenario(`${level}/${name}`, text);
    }),
  );
}

function namesIn(folder: string): string[] {
  return readdirSync(folder)
    .filter((file) => file.endsWith(ENDING))
    .map((file) => file.slice(0, -ENDING.length))
    .sort();
}
